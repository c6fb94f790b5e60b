using EdgeInspector.Configuration;
using EdgeInspector.Hosting;
using Microsoft.Extensions.Logging.Abstractions;

namespace EdgeInspector.Lab.Faults;

/// <summary>
/// A child process with the whole service in it, which dies in the way it is told while an ejector is energised: the worst
/// moment.
/// </summary>
internal static class DyingProgram
{
    /// <summary>The word on the laboratory's command line.</summary>
    public const string Verb = "dying-program";

    /// <summary>A thread throws what nobody catches.</summary>
    public const string Exception = "exception";

    /// <summary>Somebody ends the process.</summary>
    public const string Exit = "exit";

    /// <summary>A thread of the station fails; the service ends itself.</summary>
    public const string Loop = "loop";

    /// <summary>Runs until it dies.</summary>
    public static async Task<int> RunAsync(string stationFile, string pinFile, string how)
    {
        var loaded = StrictConfiguration.Load<EdgeInspectorOptions>(
            new ConfigurationInputs
            {
                ProgramFile = null,
                MachineFolder = null,
                Files = [stationFile],
                Settings = [$"Stations:0:Virtual:PinFile={pinFile}"],
                Environment = new Dictionary<string, string>(),
            }
        );
        await using var host = new InspectionHost(loaded.Value, NullLoggerFactory.Instance, TimeProvider.System);
        await host.StartAsync(CancellationToken.None);
        using var pins = new PinWatch(pinFile, FaultStation.Pins);
        Until.True(() => pins.IsHigh(FaultStation.Healthy) && pins.IsHigh(FaultStation.Ejector), "no part was thrown out");
        switch (how)
        {
            case Exception:
                new Thread(() => throw new InvalidOperationException("nobody foresaw this")).Start();
                break;
            case Exit:
                Environment.Exit(3);
                break;
            default:
                host.Lines[0].Dispose(); // The camera's next picture throws.
                break;
        }

        await host.Completion;
        return 0;
    }
}
