using System.Diagnostics;
using System.Runtime.InteropServices;
using EdgeInspector.Line;

namespace EdgeInspector.Lab.Faults;

/// <summary>The built program as a child process; killed when it is disposed of and still there.</summary>
internal sealed partial class ServiceProcess : IDisposable
{
    public const int SigKill = 9;
    public const int SigTerm = 15;
    public const int SigCont = 18;
    public const int SigStop = 19;

    private readonly Process _process;
    private readonly List<string> _said = [];

    private ServiceProcess(string program, params string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var key in start.Environment.Keys.Where(key => key.StartsWith("EDGEINSPECTOR_", StringComparison.Ordinal)).ToArray())
        {
            start.Environment.Remove(key);
        }

        ExecutedAt = TimeProvider.System.GetInstant();
        ExecutedOn = DateTimeOffset.UtcNow;
        _process = Process.Start(start) ?? throw new FaultNotShownException($"{program} did not start");
        _process.OutputDataReceived += Hear;
        _process.ErrorDataReceived += Hear;
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
    }

    /// <summary>When it was executed.</summary>
    public Instant ExecutedAt { get; }

    /// <summary>When it was executed, as records are labelled.</summary>
    public DateTimeOffset ExecutedOn { get; }

    /// <summary>What it was heard to say, for a report of a fault in the laboratory itself.</summary>
    public string Said
    {
        get
        {
            lock (_said)
            {
                return string.Join('\n', _said.TakeLast(12));
            }
        }
    }

    /// <summary>The service, with a station.</summary>
    public static ServiceProcess Run(FaultStation station, int run) =>
        new(Beside("edge-inspector"), "run", "--config", station.StationFile, "--set", $"Stations:0:Virtual:PinFile={station.PinFile(run)}");

    /// <summary>This laboratory as a child that dies in a certain way, see <see cref="DyingProgram"/>.</summary>
    public static ServiceProcess Dying(FaultStation station, string how) =>
        new(Beside("EdgeInspector.Lab"), DyingProgram.Verb, station.StationFile, station.PinFile(0), how);

    /// <summary>What a verb of the program prints.</summary>
    public static string Ask(params string[] arguments)
    {
        var start = new ProcessStartInfo(Beside("edge-inspector"), arguments) { RedirectStandardOutput = true };
        using var process = Process.Start(start)!;
        var answer = process.StandardOutput.ReadToEnd();
        process.WaitForExit(Until.Limit);
        return answer;
    }

    /// <summary>Sends a signal; returns when it was sent.</summary>
    public Instant Signal(int signal)
    {
        var now = TimeProvider.System.GetInstant();
        if (Kill(_process.Id, signal) != 0)
        {
            throw new FaultNotShownException($"signal {signal} could not be sent:\n{Said}");
        }

        return now;
    }

    /// <summary>Waits for its end and returns the exit code.</summary>
    public int Ended()
    {
        if (!_process.WaitForExit(Until.Limit))
        {
            throw new FaultNotShownException($"the program did not end:\n{Said}");
        }

        return _process.ExitCode;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (!_process.HasExited)
        {
            _process.Kill(entireProcessTree: true);
            _process.WaitForExit(Until.Limit);
        }

        _process.Dispose();
    }

    private static string Beside(string program) => Path.Combine(AppContext.BaseDirectory, program);

    private void Hear(object sender, DataReceivedEventArgs heard)
    {
        if (heard.Data is { } line)
        {
            lock (_said)
            {
                _said.Add(line);
            }
        }
    }

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    private static partial int Kill(int process, int signal);
}
