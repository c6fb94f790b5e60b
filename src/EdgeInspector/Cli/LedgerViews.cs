using System.Globalization;
using EdgeInspector.Ledger;
using EdgeInspector.Line;
using Spectre.Console;

namespace EdgeInspector.Cli;

/// <summary>A run as it is listed.</summary>
/// <param name="Run">The run.</param>
/// <param name="State">
/// <c>ended</c>, <c>running</c>, <c>crashed</c>, or <c>not ended</c> when nothing has been heard lately.
/// </param>
/// <param name="GapFrom">Crashed: the last sign of life.</param>
/// <param name="GapTo">Crashed: when a later start found the gap.</param>
internal sealed record LedgerRunRow(LedgerRun Run, string State, DateTimeOffset? GapFrom, DateTimeOffset? GapTo);

/// <summary>What the ledger's answers look like: the columns of each kind of row, and the summary.</summary>
internal static class LedgerViews
{
    private const string Bars = "▁▂▃▄▅▆▇█";

    /// <summary>Cells of a margin's bar.</summary>
    private const int BarLength = 12;

    /// <summary>A running run is heard of once a minute at least; twice that, and something is wrong.</summary>
    private static readonly TimeSpan Silence = TimeSpan.FromMinutes(2);

    /// <summary>Columns of parts.</summary>
    public static readonly IReadOnlyList<LedgerColumn<PartRecord>> Parts =
    [
        new("id", part => part.Id),
        new("number", part => part.Number, "part"),
        new("station", part => part.Station, "station"),
        new("decidedAt", part => part.DecidedAt, "decided (UTC)")
        {
            Cell = part => part.DecidedAt.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss.fff", CultureInfo.InvariantCulture),
        },
        new("verdict", part => part.Verdict, "verdict") { Cell = part => VerdictCell(part.Verdict) },
        new("reason", part => part.Reason, "reason")
        {
            Cell = part => part.Reason == Reason.None ? "" : Words($"{part.Reason}"),
        },
        new("disposition", part => part.Disposition),
        new("label", part => part.Label, "label"),
        new("score", part => Rounded(part.Score, 6), "score") { Cell = part => Number(part.Score, "0.000") },
        new("views", part => part.Views),
        new("offsetMm", part => Rounded(part.Offset, 3)),
        new("acrossMm", part => Rounded(part.Across, 3)),
        new("lengthMm", part => Rounded(part.Length, 3)),
        new("lanes", part => part.Lanes, "lanes") { Cell = part => Lanes(part.Lanes) },
        new("entrySeen", part => part.EntrySeen),
        new("decisionMs", part => Rounded(part.DecisionMilliseconds, 3)),
        new("fired", part => part.Fired),
        new("firedLateUs", part => Rounded(part.FiredLateMicroseconds, 1), "fired late µs")
        {
            Cell = part => Number(part.FiredLateMicroseconds, "0"),
        },
        new("confirmation", part => part.Confirmation, "bin") { Cell = part => BinCell(part.Confirmation) },
        new("challenge", part => part.Challenge, "test")
        {
            Cell = part => Markup.Escape(part.Challenge?.Split('/')[^1] ?? ""),
        },
        new("recipe", part => part.Recipe, "recipe"),
        new("model", part => part.Model),
        new("simulated", part => part.IsSimulated),
    ];

    /// <summary>Columns of counts.</summary>
    public static readonly IReadOnlyList<LedgerColumn<LedgerTally>> Tallies =
    [
        new("recipe", tally => tally.Recipe),
        new("verdict", tally => tally.Verdict),
        new("defect", tally => tally.Label),
        new("ofChallenge", tally => tally.OfChallenge),
        new("parts", tally => tally.Parts),
    ];

    /// <summary>Columns of runs.</summary>
    public static readonly IReadOnlyList<LedgerColumn<LedgerRunRow>> Runs =
    [
        new("id", row => row.Run.Id, "run"),
        new("station", row => row.Run.Station),
        new("started", row => row.Run.Started, "started (UTC)"),
        new("ended", row => row.Run.Ended, "ended (UTC)"),
        new("state", row => row.State, "state") { Cell = StateCell },
        new("gapFrom", row => row.GapFrom),
        new("gapTo", row => row.GapTo),
        new("parts", row => row.Run.Totals?.Parts, "parts"),
        new("challengeParts", row => row.Run.Totals?.ChallengeParts),
        new("unaccounted", row => row.Run.Totals?.Unaccounted, "unaccounted"),
        new("removed", row => row.Run.Removed, "removed") { Cell = row => row.Run.Removed == 0 ? "" : $"{row.Run.Removed}" },
        new("entryEye", row => row.Run.Totals?.EntryEye),
        new("pulses", row => row.Run.Totals?.Pulses),
        new("confirmed", row => row.Run.Totals?.Confirmed),
        new("unconfirmed", row => row.Run.Totals?.Unconfirmed),
        new("unexpectedBinEntries", row => row.Run.Totals?.UnexpectedBinEntries),
        new("recipe", row => row.Run.Recipe, "recipe"),
        new("model", row => row.Run.Model, "model"),
        new("version", row => row.Run.Version, "program") { Cell = row => Markup.Escape(row.Run.Version.Split('+')[0]) },
    ];

    /// <summary>Columns of alarms.</summary>
    public static readonly IReadOnlyList<LedgerColumn<LedgerAlarm>> Alarms =
    [
        new("raised", row => row.Alarm.RaisedAt, "raised (UTC)"),
        new("station", row => row.Station, "station"),
        new("code", row => (int)row.Alarm.Code, "code"),
        new("name", row => row.Alarm.Name, "alarm"),
        new("severity", row => row.Alarm.Severity, "severity")
        {
            Cell = row => row.Alarm.Severity == AlarmSeverity.Stop ? "[red]stop[/]" : Words($"{row.Alarm.Severity}"),
        },
        new("state", row => row.Alarm.State),
        new("latched", row => row.Alarm.IsLatched),
        new("text", row => row.Alarm.Text, "text"),
        new("lastRaised", row => row.Alarm.LastRaisedAt),
        new("count", row => row.Alarm.Count, "times"),
        new("cleared", row => row.Alarm.ClearedAt, "cleared (UTC)")
        {
            Cell = row => row.Alarm is { ClearedAt: null, IsStanding: true }
                ? "[red]lasts[/]"
                : LedgerOutput.Show(row.Alarm.ClearedAt),
        },
        new("acknowledged", row => row.Alarm.AcknowledgedAt, "acknowledged (UTC)"),
        new("who", row => row.Alarm.AcknowledgedBy, "by"),
    ];

    /// <summary>Columns of challenge tests; bars are drawn on one scale.</summary>
    public static IReadOnlyList<LedgerColumn<ChallengeRecord>> ChallengesOf(IReadOnlyList<ChallengeRecord> tests)
    {
        var widest = tests.Max(test => test.LeastMargin) ?? 0;
        return
        [
            new("id", test => test.Id, "test"),
            new("station", test => test.Station),
            new("run", test => test.Run),
            new("started", test => test.StartedAt, "started (UTC)"),
            new("ended", test => test.EndedAt),
            new("who", test => test.Who, "by"),
            new("defect", test => test.Defect),
            new("outcome", test => test.Outcome, "outcome") { Cell = OutcomeCell },
            new("found", test => test.Found, "found") { Cell = test => $"{test.Found} of {test.Pieces.Count}" },
            new("expected", test => test.Pieces.Count),
            new("named", test => test.Pieces.Count(piece => piece.LabelMatches), "named")
            {
                Cell = test => $"{test.Pieces.Count(piece => piece.LabelMatches)}",
            },
            new("leastMargin", test => Rounded(test.LeastMargin, 6), "least margin")
            {
                Cell = test => test.LeastMargin is { } margin ? $"{Number(margin, "0.000")} {Bar(margin, widest)}" : "",
            },
            new("fault", test => test.Fault, "fault"),
            new("afterPart", test => test.AfterPart),
            new("lastPart", test => test.LastPart),
            new("pieces", test => test.Pieces, "pieces") { Cell = PiecesCell },
        ];
    }

    /// <summary>The runs that reach into the query's time, with what became of them.</summary>
    public static IReadOnlyList<LedgerRunRow> RunRows(LedgerReader reader, LedgerQuery query, DateTimeOffset now)
    {
        var rows = RunsOf(reader, query).Select(run =>
        {
            var last = reader.LastSign(run);
            return run switch
            {
                { Ended: not null } => new LedgerRunRow(run, "ended", null, null),
                { GapNoticed: { } noticed } => new LedgerRunRow(run, "crashed", last, noticed),
                _ => new LedgerRunRow(run, now - last < Silence ? "running" : "not ended", null, null),
            };
        });
        var ordered = query.NewestFirst ? rows.Reverse() : rows;
        return [.. ordered.Take(query.Limit ?? int.MaxValue)];
    }

    /// <summary>Since which test parts are to be held, a line a station.</summary>
    public static IEnumerable<string> HoldNotes(LedgerReader reader, string? station)
    {
        var stations = reader.Runs().Select(run => run.Station).Where(name => station is null || name == station).Distinct();
        foreach (var name in stations)
        {
            var good = reader.Challenges(new LedgerQuery { Station = name })
                .LastOrDefault(test => test.Outcome == ChallengeOutcome.Passed);
            yield return good is null
                ? $"{name}: no challenge test has passed; every part is listed."
                : $"{name}: after part {good.LastPart} of test {good.Id}, which passed at {LedgerOutput.Show(good.EndedAt)} UTC.";
        }
    }

    /// <summary>The summary, as tables or one JSON object.</summary>
    public static void Summarize(
        LedgerReader reader,
        LedgerQuery query,
        IReadOnlyList<LedgerTally> tallies,
        LedgerOutput output
    )
    {
        var runs = RunsOf(reader, query).Select(reader.Reconcile).ToArray();
        var removals = reader.Removals();
        if (output.Format == LedgerFormat.Json)
        {
            output.WriteObject(
                new
                {
                    query.From,
                    query.To,
                    Recipes = tallies.Where(tally => !tally.OfChallenge).GroupBy(tally => tally.Recipe).Select(Counts),
                    ChallengeParts = tallies.Where(tally => tally.OfChallenge).Sum(tally => tally.Parts),
                    Runs = runs.Select(run => new
                    {
                        run.Run.Id,
                        run.Run.Started,
                        run.Run.Ended,
                        run.Run.Removed,
                        Counted = run.Run.Totals,
                        Recorded = run.Sums,
                        run.WithoutRecord,
                        Reconciles = run.Faults.Count == 0,
                        run.Faults,
                    }),
                    Removals = removals,
                });
            return;
        }

        if (tallies.Count > 0)
        {
            ShowCounts(tallies, output);
        }

        if (runs.Length > 0)
        {
            ShowReconciliation(runs, output);
        }

        ShowRemovals(reader, output);
    }

    /// <summary>What retention took, so that it is not taken for lost.</summary>
    public static void ShowRemovals(LedgerReader reader, LedgerOutput output)
    {
        foreach (var why in reader.Removals().GroupBy(removal => removal.Why))
        {
            var parts = why.Sum(removal => removal.Parts);
            var first = LedgerOutput.Show(why.Min(removal => removal.FirstDecided));
            var last = LedgerOutput.Show(why.Max(removal => removal.LastDecided));
            var day = why.Max(removal => removal.Day);
            output.Console.MarkupLineInterpolated(
                $"[grey]Retention by {why.Key} removed {parts} parts of {first} to {last} UTC, the last on {day:yyyy-MM-dd}.[/]");
        }
    }

    /// <summary>The least margins in the order of the tests, a line a station.</summary>
    public static void ShowTrend(IReadOnlyList<ChallengeRecord> tests, LedgerOutput output)
    {
        foreach (var station in tests.GroupBy(test => test.Station))
        {
            ChallengeRecord[] scored = [.. station.Where(test => test.LeastMargin is not null).OrderBy(test => test.StartedAt)];
            double[] margins = [.. scored.Select(test => test.LeastMargin!.Value)];
            if (margins.Length < 2)
            {
                continue;
            }

            var widest = Math.Max(margins.Max(), 1e-9);

            // A piece that was missed has no margin to show, hence the cross.
            var line = string.Concat(
                scored.TakeLast(60).Select(test =>
                    test.Outcome == ChallengeOutcome.Failed
                        ? '×'
                        : Bars[Step(test.LeastMargin!.Value / widest, Bars.Length - 1)]));
            var (first, last) = (Number(margins[0], "0.000"), Number(margins[^1], "0.000"));
            output.Console.MarkupLineInterpolated(
                $"Least margin of {station.Key}, oldest to newest: {line}  {first} to {last}");
        }
    }

    private static IEnumerable<LedgerRun> RunsOf(LedgerReader reader, LedgerQuery query) =>
        reader.Runs().Where(run =>
            (query.Station is null || run.Station == query.Station)
            && (query.Run is null || run.Id == query.Run)
            && (query.To is null || run.Started < query.To)
            && (query.From is not { } from || reader.LastSign(run) >= from || run.GapNoticed >= from));

    private static object Counts(IGrouping<string, LedgerTally> recipe) => new
    {
        Recipe = recipe.Key,
        Parts = recipe.Sum(tally => tally.Parts),
        Passed = Sum(recipe, Verdict.Pass),
        Rejected = Sum(recipe, Verdict.Reject),
        NotInspected = Sum(recipe, Verdict.NotInspected),
        Late = Sum(recipe, Verdict.Late),
        Defects = recipe
            .Where(tally => tally.Verdict == Verdict.Reject)
            .ToDictionary(tally => tally.Label!, tally => tally.Parts),
    };

    private static long Sum(IEnumerable<LedgerTally> tallies, Verdict verdict) =>
        tallies.Where(tally => tally.Verdict == verdict).Sum(tally => tally.Parts);

    private static void ShowCounts(IReadOnlyList<LedgerTally> tallies, LedgerOutput output)
    {
        var counts = new Table { Border = TableBorder.Simple };
        counts.AddColumns("recipe", "parts", "passed", "rejected", "not inspected", "late", "reject rate");
        var defects = new Table { Border = TableBorder.Simple };
        defects.AddColumns("recipe", "defect", "parts", "of rejects");
        foreach (var recipe in tallies.Where(tally => !tally.OfChallenge).GroupBy(tally => tally.Recipe))
        {
            var parts = recipe.Sum(tally => tally.Parts);
            var rejected = Sum(recipe, Verdict.Reject);
            counts.AddRow(
                Markup.Escape(recipe.Key),
                $"{parts}",
                $"{Sum(recipe, Verdict.Pass)}",
                $"{rejected}",
                $"{Sum(recipe, Verdict.NotInspected)}",
                $"{Sum(recipe, Verdict.Late)}",
                Share(rejected, parts));
            foreach (var defect in recipe.Where(tally => tally.Verdict == Verdict.Reject).OrderByDescending(tally => tally.Parts))
            {
                defects.AddRow(
                    Markup.Escape(recipe.Key),
                    Markup.Escape(defect.Label!),
                    $"{defect.Parts}",
                    $"{Share(defect.Parts, rejected)} {Bar(defect.Parts, rejected)}");
            }
        }

        if (counts.Rows.Count > 0)
        {
            output.Console.Write(counts);
        }

        if (defects.Rows.Count > 0)
        {
            output.Console.Write(defects);
        }

        if (tallies.Where(tally => tally.OfChallenge).Sum(tally => tally.Parts) is > 0 and var tested)
        {
            output.Console.MarkupLineInterpolated($"Challenge tests: {tested} parts, counted in none of the above.");
        }
    }

    private static void ShowReconciliation(IReadOnlyList<RunReconciliation> runs, LedgerOutput output)
    {
        var table = new Table { Border = TableBorder.Simple };
        table.AddColumns(
            "run", "entry eye", "parts", "recorded", "to reject", "pulses", "confirmed", "missing", "unexpected", "sums");
        foreach (var run in runs)
        {
            var totals = run.Run.Totals;
            table.AddRow(
                Markup.Escape(run.Run.Id),
                Counted(totals?.EntryEye),
                Counted(totals?.Parts),
                $"{run.Sums.Parts}" + (run.Run.Removed == 0 ? "" : $" + {run.Run.Removed} removed"),
                $"{run.Sums.ToReject}",
                Counted(totals?.Pulses),
                Counted(totals?.Confirmed),
                Counted(totals?.Unconfirmed),
                Counted(totals?.UnexpectedBinEntries),
                run switch
                {
                    { Faults.Count: > 0 } => $"[red]{Markup.Escape(string.Join("; ", run.Faults))}[/]",
                    { Run.Ended: null } => "not ended",
                    _ => "[green]agree[/]",
                });
        }

        output.Console.Write(table);

        static string Counted(long? count) => count?.ToString(CultureInfo.InvariantCulture) ?? "-";
    }

    private static string StateCell(LedgerRunRow row) =>
        row.State switch
        {
            "crashed" => $"[red]CRASHED: gap {LedgerOutput.Show(row.GapFrom)} to {LedgerOutput.Show(row.GapTo)} "
                + $"({LedgerOutput.Show(row.GapTo!.Value - row.GapFrom!.Value)})[/]",
            "running" => "[green]running[/]",
            "not ended" => $"[yellow]not ended, last heard {LedgerOutput.Show(row.Run.Heard ?? row.Run.Started)}[/]",
            _ => "ended",
        };

    private static string VerdictCell(Verdict verdict) =>
        verdict switch
        {
            Verdict.Pass => "pass",
            Verdict.Reject => "[red]reject[/]",
            Verdict.NotInspected => "[yellow]not inspected[/]",
            _ => "[yellow]late[/]",
        };

    private static string BinCell(Confirmation confirmation) =>
        confirmation switch
        {
            Confirmation.NotExpected => "",
            Confirmation.Missing => "[red]missing[/]",
            _ => Words($"{confirmation}"),
        };

    private static string OutcomeCell(ChallengeRecord test) =>
        test.Outcome switch
        {
            ChallengeOutcome.Passed => "[green]passed[/]",
            ChallengeOutcome.Failed => "[red]FAILED[/]",
            ChallengeOutcome.Aborted => "[yellow]aborted[/]",
            _ => "under way",
        };

    private static string PiecesCell(ChallengeRecord test) =>
        Markup.Escape(
            string.Join(
                ", ",
                test.Pieces.Select(piece =>
                    !piece.Found ? $"{piece.Expected}: not found"
                    : piece.LabelMatches ? $"{piece.Expected} {Number(piece.Score, "0.00")}"
                    : $"{piece.Expected} as {piece.Label} {Number(piece.Score, "0.00")}")));

    /// <summary>NotInspected becomes "not inspected".</summary>
    private static string Words(string name) =>
        string.Concat(
            name.Select((letter, i) => (i > 0 && char.IsUpper(letter) ? " " : "") + char.ToLowerInvariant(letter)));

    private static string Lanes(int lanes) =>
        string.Join('+', Enumerable.Range(0, 32).Where(lane => (lanes >> lane & 1) != 0));

    private static string Bar(double value, double widest) =>
        new('█', value > 0 && widest > 0 ? Math.Max(1, Step(value / widest, BarLength)) : 0);

    private static int Step(double share, int steps) => (int)Math.Round(Math.Clamp(share, 0, 1) * steps);

    private static string Share(long part, long whole) =>
        whole == 0 ? "" : (100.0 * part / whole).ToString("0.00", CultureInfo.InvariantCulture) + " %";

    private static string Number(double? value, string format) => value?.ToString(format, CultureInfo.InvariantCulture) ?? "";

    private static double? Rounded(double? value, int digits) =>
        value is { } number && double.IsFinite(number) ? Math.Round(number, digits) : null;
}
