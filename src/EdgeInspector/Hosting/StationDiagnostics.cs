using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using EdgeInspector.Configuration;
using EdgeInspector.Control;
using EdgeInspector.Ledger;
using EdgeInspector.Telemetry;
using EdgeInspector.Web;

namespace EdgeInspector.Hosting;

/// <summary>What a diagnostic bundle is made of.</summary>
internal static class StationDiagnostics
{
    /// <summary>How far back the ledger is asked.</summary>
    private static readonly TimeSpan Recent = TimeSpan.FromDays(1);

    /// <summary>The files of a bundle; each is made when it is written.</summary>
    /// <param name="options">The settings.</param>
    /// <param name="snapshots">The stations now; null when the service is not asked.</param>
    /// <param name="ledger">The ledger.</param>
    /// <param name="commands">Commands by reason, and the audit log's last entry; null when the service is not asked.</param>
    /// <param name="log">The last lines; null when the service is not asked.</param>
    /// <param name="version">The program's.</param>
    /// <param name="now">Now.</param>
    public static IEnumerable<DiagnosticFile> Of(
        EdgeInspectorOptions options,
        Func<IReadOnlyList<StationSnapshot>>? snapshots,
        LedgerReader ledger,
        CommandDesk? commands,
        RecentLog? log,
        string version,
        DateTimeOffset now
    )
    {
        yield return new("versions.txt", () => Text(Versions(version, now)));
        yield return new("settings.txt", () => Text(SettingsView.Of(options).Select(pair => $"{pair.Key}={pair.Value}")));
        if (snapshots is not null)
        {
            yield return new(
                "state.json",
                () => JsonSerializer.SerializeToUtf8Bytes(snapshots(), WebJson.Default.IReadOnlyListStationSnapshot)
            );
        }

        yield return new("alarms.txt", () => Text(Alarms(ledger, now)));
        yield return new("ledger.txt", () => Text(Ledger(ledger, now)));
        yield return new("disk.txt", () => Text(Disk(options.DataFolder)));
        if (commands is not null)
        {
            yield return new(
                "commands.txt",
                () => Text(commands.Figures.ByCode.Select(pair => $"{pair.Key} {pair.Value}").Append($"audit {commands.AuditHead}"))
            );
        }

        if (log is not null)
        {
            yield return new("log.txt", () => Text(log.Lines()));
        }
    }

    private static IEnumerable<string> Versions(string version, DateTimeOffset now) =>
        [
            $"edge-inspector {version}",
            $"{RuntimeInformation.FrameworkDescription} on {RuntimeInformation.OSDescription}, {RuntimeInformation.ProcessArchitecture}",
            $"{Environment.ProcessorCount} processors, {GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / 1_000_000} MB",
            $"working set {Environment.WorkingSet / 1_000_000} MB",
            $"packed {now:u}",
        ];

    private static IEnumerable<string> Alarms(LedgerReader ledger, DateTimeOffset now) =>
        ledger
            .Alarms(new LedgerQuery { From = now - Recent })
            .TakeLast(1000)
            .Select(row => $"{row.Alarm.RaisedAt:u} {row.Station} {(int)row.Alarm.Code} {row.Alarm.Name} {row.Alarm.State} x{row.Alarm.Count}: {row.Alarm.Text}");

    private static IEnumerable<string> Ledger(LedgerReader ledger, DateTimeOffset now) =>
        [
            .. ledger
                .Runs()
                .TakeLast(20)
                .Select(run => $"run {run.Id} {run.Recipe} {run.Model} started {run.Started:u} ended {run.Ended:u} gap {run.GapNoticed:u}"),
            .. ledger.Tallies(new LedgerQuery { From = now - Recent }).Select(tally => $"{tally}"),
            .. ledger
                .Challenges(new LedgerQuery { From = now - TimeSpan.FromDays(30) })
                .TakeLast(50)
                .Select(test => $"challenge {test.Id} {test.StartedAt:u} {test.Who} {test.Outcome} {test.Fault}"),
        ];

    private static IEnumerable<string> Disk(string dataFolder)
    {
        var drive = new DriveInfo(Path.GetFullPath(dataFolder));
        yield return $"{dataFolder} on {drive.Name}: {drive.AvailableFreeSpace / 1_000_000} of {drive.TotalSize / 1_000_000} MB free";
        foreach (var file in new DirectoryInfo(dataFolder).EnumerateFiles().OrderBy(file => file.Name))
        {
            yield return $"{file.Length,14} {file.LastWriteTimeUtc:u} {file.Name}";
        }
    }

    private static byte[] Text(IEnumerable<string> lines) => Encoding.UTF8.GetBytes(string.Join('\n', lines) + "\n");
}
