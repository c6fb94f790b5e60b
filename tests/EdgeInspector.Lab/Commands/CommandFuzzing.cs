using System.Diagnostics;
using EdgeInspector.Control;
using EdgeInspector.Line;
using EdgeInspector.Tests.Control;
using Microsoft.Extensions.Logging.Abstractions;

namespace EdgeInspector.Lab.Commands;

/// <summary>Commands of a stranger's invention, by the million: none may be let in, none may break anything, each is counted.</summary>
internal static class CommandFuzzing
{
    /// <summary>Runs it.</summary>
    public static async Task<IReadOnlyList<LabCheck>> RunAsync(int seed, LabScale scale)
    {
        var count = scale == LabScale.Full ? 1_000_000 : 20_000;
        var folder = Directory.CreateTempSubdirectory("edge-inspector-lab-").FullName;
        try
        {
            return await RunAsync(seed, count, folder).ConfigureAwait(false);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static async Task<IReadOnlyList<LabCheck>> RunAsync(int seed, int count, string folder)
    {
        var (letIn, crashed, executed) = (0L, 0L, 0L);
        var codes = new SortedDictionary<string, long>(StringComparer.Ordinal);
        var fuzz = new CommandFuzz(seed);
        var options = new ControlOptions();
        var watch = Stopwatch.StartNew();
        var before = GC.GetTotalAllocatedBytes();
        using var desk = new CommandDesk(
            options,
            folder,
            station => station == "biscuit-1",
            _ =>
            {
                executed++;
                return ValueTask.FromResult(CommandEffect.Done("done"));
            },
            TimeProvider.System,
            NullLogger<CommandDesk>.Instance
        );
        desk.Open("lab");
        for (var i = 0; i < count; i++)
        {
            var (station, verb, payload, role) = fuzz.Next(TimeProvider.System.GetUtcNow());
            try
            {
                var reply = await desk.TakeAsync(new CommandArrival(station, verb, payload, new CommandOrigin("mallory", role, "mqtt")))
                    .ConfigureAwait(false);
                codes[reply.Code] = codes.GetValueOrDefault(reply.Code) + 1;
                if (reply.Outcome != CommandOutcome.Refused)
                {
                    letIn++;
                    LabReport.Tell($"let in, seed {seed}, command {i}: {verb} {System.Text.Encoding.UTF8.GetString(payload)}");
                }
            }
            catch (Exception e)
            {
                crashed++;
                LabReport.Tell($"crashed, seed {seed}, command {i}: {e}");
            }

            if ((i + 1) % 250_000 == 0)
            {
                LabReport.Tell($"{i + 1,9} commands in {watch.Elapsed.TotalSeconds:F0} s");
            }
        }

        var seconds = watch.Elapsed.TotalSeconds;
        foreach (var (code, times) in codes)
        {
            LabReport.Tell($"{times,9}  {code}");
        }

        var counted = desk.Figures.ByCode;
        var miscounted = codes.Sum(pair => Math.Abs(pair.Value - counted.GetValueOrDefault(pair.Key)));
        LabReport.Tell($"{(GC.GetTotalAllocatedBytes() - before) / 1e3 / count:F1} KB allocated a command");
        var report = AuditVerification.Walk(
            CommandDesk.FolderOf(folder),
            DeviceIdentity.Of(folder),
            AuditLog.ReadAnchor(CommandDesk.AnchorOf(folder, options)) is { } head ? [head] : []
        );
        var logged = AuditChain.Files(CommandDesk.FolderOf(folder)).Sum(file => new FileInfo(file.Path).Length);
        return
        [
            LabCheck.AtMost("fuzzed commands: let in", letIn, 0),
            LabCheck.AtMost("fuzzed commands: executed", executed, 0),
            LabCheck.AtMost("fuzzed commands: crashes", crashed, 0),
            LabCheck.AtMost("fuzzed commands: not counted by their reason", miscounted, 0),
            LabCheck.AtLeast("fuzzed commands: refused", codes.Values.Sum(), count),
            LabCheck.AtMost("fuzzed commands: audit log broken", report.IsSound ? 0 : 1, 0),
            LabCheck.AtMost("fuzzed commands: audit log, KB", logged / 1e3, 1000),
            LabCheck.AtLeast("fuzzed commands: refused a second", count / seconds, 1000, LabCheck.Timing),
        ];
    }
}
