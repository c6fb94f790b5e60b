using System.CommandLine;
using System.Text.Json;
using EdgeInspector.Configuration;
using EdgeInspector.Control;
using EdgeInspector.Line;

namespace EdgeInspector.Cli;

/// <summary>`audit`: the log of every command, walked and shown.</summary>
internal static class AuditCommand
{
    private static readonly Option<string?> Data = new("--data")
    {
        Description = "The folder with the folder audit. Without it, DataFolder of the configuration that `run` reads.",
        HelpName = "FOLDER",
        Recursive = true,
    };

    private static readonly Option<bool> Json = new("--json") { Description = "JSON for programs.", Recursive = true };

    private static readonly Option<string[]> Config = Recursive(CommandLine.Config());

    private static readonly Option<string[]> Set = Recursive(CommandLine.Set());

    /// <summary>Makes the verb.</summary>
    public static Command Create() =>
        new("audit", "The log of every command: who gave it, and what came of it.")
        {
            CreateVerify(),
            CreateShow(),
            Data,
            Json,
            Config,
            Set,
        };

    private static Command CreateVerify()
    {
        var anchors = new Option<string[]>("--anchor")
        {
            Description = "A place that the log must hold, as replies, journal and /v1/audit/head give it. Repeatable.",
            HelpName = "N:HASH",
        };
        var device = new Option<string?>("--device")
        {
            Description = "The device whose log it is, when that is not this one.",
            HelpName = "ID",
        };
        var command = new Command(
            "verify",
            "Walk the log from its beginning: every entry must be as it was written, and none may be missing. Exits 1 and names "
                + "the first that is not. A log cut off at its end shows by the anchor file, or by any place kept elsewhere."
        )
        {
            anchors,
            device,
        };
        command.SetAction(
            (parsed, _) =>
                CommandLine.TellFaultsAsync(() =>
                    Task.FromResult(Verify(parsed, parsed.GetValue(anchors) ?? [], parsed.GetValue(device)))
                )
        );
        return command;
    }

    private static Command CreateShow()
    {
        var last = new Option<int>("--last") { Description = "So many entries.", HelpName = "N", DefaultValueFactory = _ => 20 };
        var command = new Command("show", "Show the last entries.") { last };
        command.SetAction(
            (parsed, _) => CommandLine.TellFaultsAsync(() => Task.FromResult(Show(parsed, Math.Max(1, parsed.GetValue(last)))))
        );
        return command;
    }

    private static int Verify(ParseResult parsed, IReadOnlyList<string> given, string? device)
    {
        var (folder, anchorFile) = PlaceOf(parsed);
        var anchors = new List<AuditHead>();
        foreach (var text in given)
        {
            if (!AuditHead.TryParse(text, out var head))
            {
                throw new SettingException($"--anchor: '{text}' is no place in a log; write N:HASH, the hash in 64 hexadecimal digits.");
            }

            anchors.Add(head);
        }

        var log = CommandDesk.FolderOf(folder);
        if (AuditLog.ReadAnchor(anchorFile) is { } kept)
        {
            anchors.Add(kept);
        }
        else if (AuditChain.Files(log).Count == 0)
        {
            throw new SettingException($"{log}: there is no audit log; check the data folder.");
        }

        AuditReport report;
        try
        {
            report = AuditVerification.Walk(log, device ?? DeviceIdentity.Of(folder, mayMake: false), anchors);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new SettingException($"{log}: cannot be read: {e.Message}", e);
        }

        if (parsed.GetValue(Json))
        {
            Console.WriteLine(JsonSerializer.Serialize(report, AuditReportJson.Default.AuditReport));
        }
        else
        {
            Tell(report, AuditLog.ReadAnchor(anchorFile) is null ? anchorFile : null);
        }

        return report.IsSound ? 0 : 1;
    }

    private static void Tell(AuditReport report, string? missingAnchor)
    {
        if (report.Fault is { } fault)
        {
            Console.WriteLine($"BROKEN at entry {report.FaultyEntry}{(report.FaultyPlace is { } place ? $" ({place})" : "")}: {fault}");
            Console.WriteLine($"Right up to {report.Head}{(report.Last is { } at ? $", {at:u}" : "")}.");
            return;
        }

        Console.WriteLine($"Sound: entries {report.First} to {report.Head}{(report.Last is { } last ? $", {last:u}" : "")}.");
        if (report.First > 1)
        {
            Console.WriteLine($"Entries 1 to {report.First - 1} made room, as the log itself says.");
        }

        if (report.EndsUnfinished)
        {
            Console.WriteLine("The last line has no end: an entry is being written, or a power cut met one that nobody was told of.");
        }

        Console.WriteLine(
            missingAnchor is not null
                ? $"There is no anchor in {missingAnchor}: whether the end was cut off only a place kept elsewhere can tell (--anchor)."
                : $"Its end reaches to the {(report.Anchors == 1 ? "place" : $"{report.Anchors} places")} kept apart from it."
        );
    }

    private static int Show(ParseResult parsed, int count)
    {
        var (folder, _) = PlaceOf(parsed);
        var log = CommandDesk.FolderOf(folder);
        if (AuditChain.Files(log).Count == 0)
        {
            throw new SettingException($"{log}: there is no audit log; check the data folder.");
        }

        foreach (var entry in AuditLog.Tail(log, DateTimeOffset.MinValue).TakeLast(count))
        {
            Console.WriteLine(
                parsed.GetValue(Json)
                    ? JsonSerializer.Serialize(entry, AuditJson.Default.AuditEntry)
                    : $"{entry.N,6}  {entry.At.UtcDateTime:yyyy-MM-dd HH:mm:ss}  {Line(entry)}"
            );
        }

        return 0;
    }

    private static string Line(AuditEntry entry) =>
        entry.Kind switch
        {
            AuditKind.Genesis => $"begins, device {entry.Device}, version {entry.Version}",
            AuditKind.Segment => "goes on in a new file",
            AuditKind.Start => $"service started, version {entry.Version}",
            AuditKind.Stop => "service stopped",
            AuditKind.Command =>
                $"{entry.Station} {entry.Verb} {Arguments(entry)}by {entry.Who} ({entry.Role.ToString()!.ToLowerInvariant()}, {entry.Via})"
                + $"{(entry.Issuer is null ? "" : $", says {entry.Issuer}")}, id {entry.Id}",
            AuditKind.Reply => $"{entry.Station} {entry.Verb} {entry.Outcome.ToString()!.ToLowerInvariant()}: {entry.Text}",
            AuditKind.Refused => $"{entry.Station} {entry.Verb} by {entry.Who} ({entry.Via}) refused, {entry.Code}: {entry.Text}",
            AuditKind.Refusals => $"refused besides: {string.Join(", ", entry.Counts!.Select(pair => $"{pair.Value} {pair.Key}"))}",
            AuditKind.Removed => $"entries up to {entry.Through} made room",
            _ => entry.Text ?? "",
        };

    private static string Arguments(AuditEntry entry) =>
        entry.Arguments is null ? "" : JsonSerializer.Serialize(entry.Arguments, CommandJson.Default.CommandArguments) + " ";

    private static (string Folder, string Anchor) PlaceOf(ParseResult parsed)
    {
        var inputs = new ConfigurationInputs { Files = parsed.GetValue(Config) ?? [], Settings = parsed.GetValue(Set) ?? [] };
        if (parsed.GetValue(Data) is { } folder && inputs is { Files: [], Settings: [] })
        {
            return (folder, CommandDesk.AnchorOf(folder, new ControlOptions()));
        }

        var loaded = StrictConfiguration.Load<EdgeInspectorOptions>(inputs);
        var data = parsed.GetValue(Data) ?? loaded.Value.DataFolder;
        return (data, CommandDesk.AnchorOf(data, loaded.Value.Control));
    }

    private static Option<string[]> Recursive(Option<string[]> option)
    {
        option.Recursive = true;
        return option;
    }
}
