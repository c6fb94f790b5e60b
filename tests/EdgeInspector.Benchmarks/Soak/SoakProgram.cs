using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json;
using EdgeInspector.Benchmarks.Rounds;
using EdgeInspector.Configuration;
using EdgeInspector.Hosting;
using EdgeInspector.Ledger;
using Microsoft.Extensions.Logging.Abstractions;

namespace EdgeInspector.Benchmarks.Soak;

/// <summary>
/// The whole service in a process of its own: the demonstration's line, 10 parts and 60 frames a second, with broker,
/// publisher, page, ledger and samples, or with the ledger alone.
/// </summary>
internal static class SoakProgram
{
    /// <summary>The word on the command line.</summary>
    public const string Verb = "soak";

    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(250);

    /// <summary>Runs it and prints a <see cref="SoakReport"/> as the last line.</summary>
    /// <param name="warmUp">Before anything counts.</param>
    /// <param name="length">What counts.</param>
    /// <param name="everything">Whether broker, publisher, page and samples are on.</param>
    /// <param name="seed">Of the line.</param>
    public static async Task<int> RunAsync(TimeSpan warmUp, TimeSpan length, bool everything, int seed)
    {
        var data = Directory.CreateTempSubdirectory("edge-inspector-soak-");
        try
        {
            var report = await RunAsync(data.FullName, warmUp, length, everything, seed);
            Console.WriteLine(JsonSerializer.Serialize(report));
            return 0;
        }
        finally
        {
            data.Delete(recursive: true);
        }
    }

    private static async Task<SoakReport> RunAsync(string data, TimeSpan warmUp, TimeSpan length, bool everything, int seed)
    {
        var loaded = StrictConfiguration.Load<EdgeInspectorOptions>(
            new ConfigurationInputs
            {
                ProgramFile = null,
                MachineFolder = null,
                Environment = new Dictionary<string, string>(),
                Presets = Presets(data, everything, seed),
            }
        );
        var options = loaded.IsSound ? loaded.Value : throw new SettingsRefusedException(string.Join("; ", loaded.Faults));
        var password = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16));
        options.Mqtt.Port = 0; // The embedded broker takes a free port and the publisher follows it.
        options.Mqtt.Username = "station";
        options.Mqtt.Password = password;
        var time = new ProbingTime();
        await using var host = new InspectionHost(options, NullLoggerFactory.Instance, time);
        host.AddBrokerUser("station", password);
        await host.StartAsync(CancellationToken.None);
        time.Drawn = () => host.Lines[0].RenderedBytes;

        await WaitAsync(host, warmUp, () => { });
        var (bytes, all, frames) = (time.Allocated, GC.GetTotalAllocatedBytes(), host.Snapshots()[0].Frames);
        var collections = Enumerable.Range(0, 3).Select(GC.CollectionCount).ToArray();
        var pause = GC.GetTotalPauseDuration();
        List<double> memory = [], handles = [], threads = [];
        var watch = Stopwatch.StartNew();
        await WaitAsync(
            host,
            length,
            () =>
            {
                memory.Add(Environment.WorkingSet / 1e6);
                handles.Add(Directory.GetFileSystemEntries("/proc/self/fd").Length);
                threads.Add(Directory.GetDirectories("/proc/self/task").Length);
            }
        );
        var (bytesAfter, allAfter, snapshot) = (time.Allocated, GC.GetTotalAllocatedBytes(), host.Snapshots()[0]);
        int[] collectionsAfter = [.. Enumerable.Range(0, 3).Select(GC.CollectionCount)];
        var pauseAfter = GC.GetTotalPauseDuration();
        var seconds = watch.Elapsed.TotalSeconds;
        await host.DisposeAsync();
        double[] edges =
        [
            .. host.Ledger.Read(new LedgerQuery { Station = snapshot.Station })
                .Where(record => record.Fired)
                .Select(record => record.DecisionMilliseconds + (Math.Max(0, record.FiredLateMicroseconds!.Value) / 1000)),
        ];
        return new SoakReport
        {
            Seconds = seconds,
            Frames = snapshot.Frames - frames,
            Bytes = bytes.ToDictionary(pair => pair.Key, pair => bytesAfter[pair.Key] - pair.Value),
            AllBytes = allAfter - all,
            Collections = [.. collectionsAfter.Zip(collections, (late, early) => late - early)],
            PauseMilliseconds = (pauseAfter - pause).TotalMilliseconds,
            Memory = EarlyAndLate(memory),
            Handles = EarlyAndLate(handles),
            Threads = EarlyAndLate(threads),
            Parts = snapshot.Counts.Parts,
            Unaccounted = snapshot.Counts.Unaccounted,
            Shed = snapshot.LedgerLost + snapshot.EvidenceShed + snapshot.PublishingShed,
            Decision = [snapshot.Decision.P50, snapshot.Decision.P99],
            Lateness = [snapshot.Actuation.P50, snapshot.Actuation.P99],
            Fired = edges.Length,
            Edge = [Series.Quantile(edges, 0.5), Series.Quantile(edges, 0.99)],
        };
    }

    private static async Task WaitAsync(InspectionHost host, TimeSpan length, Action look)
    {
        using var timer = new PeriodicTimer(Look);
        for (var watch = Stopwatch.StartNew(); watch.Elapsed < length; )
        {
            await timer.WaitForNextTickAsync();
            look();
            if (host.Completion.IsFaulted)
            {
                await host.Completion;
            }
        }
    }

    /// <summary>Medians of the first tenth and of the last.</summary>
    private static double[] EarlyAndLate(List<double> values)
    {
        var tenth = Math.Max(1, values.Count / 10);
        return [Series.Quantile(values.Take(tenth), 0.5), Series.Quantile(values.TakeLast(tenth), 0.5)];
    }

    private static Dictionary<string, string> Presets(string data, bool everything, int seed) =>
        new()
        {
            ["DataFolder"] = data,
            ["Stations:0:Name"] = "soak-1",
            ["Stations:0:Camera:Source"] = "virtual:",
            ["Stations:0:Camera:FramesPerSecond"] = "60",
            ["Stations:0:Sensors:EntryEyes:0:Pin"] = "20",
            ["Stations:0:Sensors:ConfirmEyes:0:Pin"] = "21",
            ["Stations:0:Belt:Encoder:Pin"] = "22",
            ["Stations:0:Belt:Encoder:CountsPerMillimetre"] = "10",
            ["Stations:0:Reject:Ejectors:0:Pin"] = "10",
            ["Stations:0:Virtual:Seed"] = seed.ToString(CultureInfo.InvariantCulture),
            ["Stations:0:Virtual:PartsPerSecond"] = "10",
            ["Broker:Enabled"] = everything ? "true" : "false",
            ["Broker:Port"] = "0",
            ["Mqtt:Enabled"] = everything ? "true" : "false",
            ["Samples:Enabled"] = everything ? "true" : "false",
            ["Web:Enabled"] = everything ? "true" : "false",
            ["Web:Address"] = "http://127.0.0.1:0",
        };

    /// <summary>The service does not know a setting any more.</summary>
    private sealed class SettingsRefusedException(string message) : Exception(message);
}
