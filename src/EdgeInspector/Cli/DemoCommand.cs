using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using EdgeInspector.Configuration;
using EdgeInspector.Hosting;
using EdgeInspector.Ledger;
using EdgeInspector.Line;
using EdgeInspector.Telemetry;
using Microsoft.Extensions.Logging.Console;
using Spectre.Console;

namespace EdgeInspector.Cli;

/// <summary>
/// <c>demo</c>: virtual line, embedded broker, page and service in one process. The service is the one that <c>run</c>
/// runs; only its configuration is preset.
/// </summary>
internal static class DemoCommand
{
    private static readonly TimeSpan Refresh = TimeSpan.FromMilliseconds(250);

    /// <summary>Makes the verb.</summary>
    public static Command Create()
    {
        var time = new Option<string?>("--for")
        {
            Description = "Stop by itself: feed the belt for this long (30s, 10min, 1h), let it run empty, report. "
                + "Without it the line runs until Ctrl+C; with --photographs until each has passed.",
            HelpName = "TIME",
        };
        var fast = new Option<bool>("--fast")
        {
            Description = "As fast as the machine goes, step by step on a clock of its own; the same seed gives the same ledger. Needs --for or --photographs.",
        };
        var headless = new Option<bool>("--headless") { Description = "No live view; one line of progress every ten seconds." };
        var json = new Option<bool>("--json") { Description = "Print the report as one JSON object at the end, and nothing else to standard output." };
        var parts = new Option<double>("--parts-per-second") { Description = "Mean feed.", DefaultValueFactory = _ => 10, HelpName = "N" };
        var rate = new Option<double>("--defect-rate") { Description = "Share of biscuits with a defect, 0 to 1.", DefaultValueFactory = _ => 0.1, HelpName = "SHARE" };
        var seed = new Option<int>("--seed") { Description = "The same seed runs the same parts.", DefaultValueFactory = _ => 1, HelpName = "N" };
        var photographs = new Option<string?>("--photographs")
        {
            Description = "Carry these photographs as parts (one sub-folder per class; 'ok' and 'good' are good), each once.",
            HelpName = "DIR",
        };
        var model = new Option<string?>("--model") { Description = "Model package to judge with; the factory's biscuit package by default.", HelpName = "PACKAGE" };
        var port = new Option<int>("--port") { Description = "Port of the page on 127.0.0.1; 0 takes a free one.", DefaultValueFactory = _ => 8080, HelpName = "PORT" };
        var data = new Option<string?>("--data") { Description = "Keep ledger and samples here; a temporary folder otherwise, removed at the end.", HelpName = "DIR" };
        var set = CommandLine.Set();
        var command = new Command(
            "demo",
            "Watch a line work without any hardware: biscuits on a virtual belt, inspected, rejected and confirmed, with a "
                + "page and an MQTT broker on this machine. Exits 0 only if no part is unaccounted for."
        )
        {
            time, fast, headless, json, parts, rate, seed, photographs, model, port, data, set,
        };
        command.SetAction(
            (parsed, cancellation) =>
                CommandLine.TellFaultsAsync(() =>
                    RunAsync(
                        new Wishes(
                            parsed.GetValue(time) is { } text ? Duration(text) : null,
                            parsed.GetValue(fast),
                            parsed.GetValue(headless) || parsed.GetValue(json) || Console.IsOutputRedirected,
                            parsed.GetValue(json),
                            parsed.GetValue(parts),
                            parsed.GetValue(rate),
                            parsed.GetValue(seed),
                            parsed.GetValue(photographs),
                            parsed.GetValue(model) ?? Path.Combine(AppContext.BaseDirectory, "models", "biscuit"),
                            parsed.GetValue(port),
                            parsed.GetValue(data),
                            parsed.GetValue(set) ?? []
                        ),
                        cancellation
                    ))
        );
        return command;
    }

    private static TimeSpan Duration(string text) =>
        OptionValues.TryParse(typeof(TimeSpan), text, out var value) && value is TimeSpan { Ticks: > 0 } time
            ? time
            : throw new SettingException($"--for: '{text}' is no time; write it as 30s, 10min or 1h.");

    private static async Task<int> RunAsync(Wishes wishes, CancellationToken cancellation)
    {
        if (wishes.Fast && wishes.Time is null && wishes.Photographs is null)
        {
            throw new SettingException("--fast: the line needs an end; add --for 10min, or --photographs DIR.");
        }

        var temporary = wishes.Data is null ? Directory.CreateTempSubdirectory("edge-inspector-demo-").FullName : null;
        try
        {
            var loaded = CommandLine.Load(
                new ConfigurationInputs
                {
                    ProgramFile = null,
                    MachineFolder = null,
                    Presets = Presets(wishes, temporary ?? Path.GetFullPath(wishes.Data!)),
                    Settings = wishes.Settings,
                }
            );
            return loaded is null
                ? CommandLine.UserFault
                : await RunAsync(wishes, loaded.Value, cancellation).ConfigureAwait(false);
        }
        finally
        {
            if (temporary is not null)
            {
                Directory.Delete(temporary, recursive: true);
            }
        }
    }

    private static async Task<int> RunAsync(Wishes wishes, EdgeInspectorOptions options, CancellationToken cancellation)
    {
        using var logs = LoggerFactory.Create(logging =>
            logging
                .SetMinimumLevel(LogLevel.Warning)
                .AddFilter("Microsoft.Extensions.Hosting", LogLevel.None) // What it would say at length is told in one line.
                .AddSimpleConsole(console => console.SingleLine = true)
                .Services.Configure<ConsoleLoggerOptions>(console => console.LogToStandardErrorThreshold = LogLevel.Trace)
        );
        var password = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16));
        options.Mqtt.Port = 0; // The embedded broker takes a free port and the publisher follows it.
        options.Mqtt.Username = "station";
        options.Mqtt.Password = password;
        var clock = wishes.Fast ? new LockstepClock() : TimeProvider.System;
        await using var host = new InspectionHost(options, logs, clock);
        host.AddBrokerUser("station", password, isStation: true);
        var viewer = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(4));
        host.AddBrokerUser("viewer", viewer);
        await host.StartAsync(cancellation).ConfigureAwait(false);

        var view = new DemoView(
            host,
            $"page {host.PageUrl}   MQTT 127.0.0.1:{host.BrokerPort} user viewer password {viewer} topic ei/v1/#"
        );
        var memory = new List<(TimeSpan At, double Mb)>();
        var interrupted = false;
        try
        {
            await ShowAsync(wishes, view, host, clock, memory, cancellation).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            interrupted = true;
        }

        var snapshot = host.Snapshots()[0];
        var elapsed = clock.GetInstant() - host.Start;
        var line = host.Lines[0];
        var truth = line.Truth(elapsed);
        await host.DisposeAsync().ConfigureAwait(false);
        var records = host.Ledger.Read(new LedgerQuery { Station = snapshot.Station }).ToList();
        var report = DemoReport.From(truth, records, snapshot, wishes.Seed, Flatness(memory));
        if (wishes.Json)
        {
            Console.WriteLine(report.ToJson());
        }
        else
        {
            DemoView.Tell(report, interrupted);
        }

        return report.Unaccounted == 0 ? 0 : 1;
    }

    private static async Task ShowAsync(
        Wishes wishes,
        DemoView view,
        InspectionHost host,
        TimeProvider clock,
        List<(TimeSpan At, double Mb)> memory,
        CancellationToken cancellation
    )
    {
        var line = host.Lines[0];
        var told = TimeSpan.Zero;
        bool Finished() => host.Completion.IsCompleted || (line.Finished(Elapsed()) && host.LedgerWaiting == 0 && Settled());
        bool Settled() => host.Snapshots()[0].Counts is { Open: 0 } counts && counts.Parts >= line.PartCount;
        TimeSpan Elapsed() => clock.GetInstant() - host.Start;
        TimeSpan? idleSince = null;

        async Task WatchAsync(Action<StationSnapshot> show)
        {
            using var timer = new PeriodicTimer(Refresh);
            while (await timer.WaitForNextTickAsync(cancellation).ConfigureAwait(false))
            {
                memory.Add((Elapsed(), Environment.WorkingSet / 1e6));
                show(host.Snapshots()[0]);

                // A line that has run empty gets two seconds to bring its books in order; then they are read as they are.
                idleSince ??= line.Finished(Elapsed()) ? Elapsed() : null;
                if (Finished() || (!wishes.Fast && Elapsed() - idleSince > TimeSpan.FromSeconds(2)))
                {
                    await (host.Completion.IsFaulted ? host.Completion : Task.CompletedTask).ConfigureAwait(false);
                    return;
                }
            }
        }

        if (wishes.Headless)
        {
            await WatchAsync(snapshot =>
                {
                    if (!wishes.Json && Elapsed() - told >= TimeSpan.FromSeconds(10))
                    {
                        told = Elapsed();
                        DemoView.TellProgress(snapshot);
                    }
                })
                .ConfigureAwait(false);
        }
        else
        {
            await AnsiConsole.Live(view.Render(host.Snapshots()[0])).AutoClear(true)
                .StartAsync(live => WatchAsync(snapshot => live.UpdateTarget(view.Render(snapshot))))
                .ConfigureAwait(false);
        }
    }

    /// <summary>Median of the second tenth of the run (the first warms up) and of its last.</summary>
    private static double[] Flatness(List<(TimeSpan At, double Mb)> memory)
    {
        static double Median(IEnumerable<double> values)
        {
            var sorted = values.Order().ToArray();
            return sorted.Length == 0 ? 0 : Math.Round(sorted[sorted.Length / 2], 1);
        }

        var tenth = Math.Max(1, memory.Count / 10);
        return [Median(memory.Skip(tenth).Take(tenth).Select(m => m.Mb)), Median(memory.TakeLast(tenth).Select(m => m.Mb))];
    }

    private static Dictionary<string, string> Presets(Wishes wishes, string data)
    {
        var partCount = wishes.Photographs is null && wishes.Time is { } time
            ? Math.Max(1, (long)Math.Round(time.TotalSeconds * wishes.PartsPerSecond))
            : 0;
        var presets = new Dictionary<string, string>
        {
            ["DataFolder"] = data,
            ["Plant:Enterprise"] = "demo",
            ["Plant:Site"] = "bakery",
            ["Plant:Area"] = "packing",
            ["Plant:Line"] = "line-1",
            ["Stations:0:Name"] = "biscuit-1",
            ["Stations:0:Camera:Source"] = "virtual:",
            ["Stations:0:Camera:FramesPerSecond"] = "60",
            ["Stations:0:Sensors:EntryEyes:0:Pin"] = "20",
            ["Stations:0:Sensors:ConfirmEyes:0:Pin"] = "21",
            ["Stations:0:Belt:Encoder:Pin"] = "22",
            ["Stations:0:Belt:Encoder:CountsPerMillimetre"] = "10",
            ["Stations:0:Reject:Ejectors:0:Pin"] = "10",
            ["Stations:0:Recipe:Name"] = wishes.Photographs is null ? "biscuit" : Path.GetFileName(Path.GetFullPath(wishes.Photographs)),
            ["Stations:0:Model:Package"] = wishes.Model,
            ["Stations:0:Virtual:Seed"] = Text(wishes.Seed),
            ["Stations:0:Virtual:PartsPerSecond"] = Text(wishes.PartsPerSecond),
            ["Stations:0:Virtual:DefectRate"] = Text(wishes.DefectRate),
            ["Stations:0:Virtual:PartCount"] = Text(partCount),
            ["Broker:Enabled"] = "true",
            ["Broker:Port"] = "0",
            ["Web:Address"] = $"http://127.0.0.1:{wishes.Port}",
        };
        if (wishes.Photographs is not null)
        {
            presets["Stations:0:Virtual:Photographs"] = wishes.Photographs;
        }

        return presets;
    }

    private static string Text(IFormattable value) => value.ToString(null, CultureInfo.InvariantCulture);

    /// <summary>What was asked on the command line.</summary>
    private sealed record Wishes(
        TimeSpan? Time,
        bool Fast,
        bool Headless,
        bool Json,
        double PartsPerSecond,
        double DefectRate,
        int Seed,
        string? Photographs,
        string Model,
        int Port,
        string? Data,
        IReadOnlyList<string> Settings
    );
}
