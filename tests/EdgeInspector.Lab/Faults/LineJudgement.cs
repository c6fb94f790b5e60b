using EdgeInspector.Cli;
using EdgeInspector.Line;
using EdgeInspector.Simulation;

namespace EdgeInspector.Lab.Faults;

/// <summary>What a station's records say of a line in trouble, held against the truth.</summary>
internal sealed class LineJudgement
{
    /// <summary>What an edge of the eye takes on a busy machine to be read.</summary>
    private static readonly TimeSpan Reading = TimeSpan.FromMilliseconds(50);

    private LineJudgement() { }

    /// <summary>Parts thrown out that nobody fired at.</summary>
    public List<string> WrongHits { get; } = [];

    /// <summary>Parts fired at that stayed, and the eye in the chute is not said to have missed them.</summary>
    public List<string> Escapes { get; } = [];

    /// <summary>Parts fired at that stayed, and whose missing confirmation raised an alarm: a pulse at the very last moment.</summary>
    public List<string> Noticed { get; } = [];

    /// <summary>Parts without exactly one record, records without a part.</summary>
    public List<string> Unaccounted { get; } = [];

    /// <summary>Undecided parts that the recipe wanted thrown out and that were not fired at.</summary>
    public List<string> AgainstPolicy { get; } = [];

    /// <summary>Judges.</summary>
    /// <param name="truth">When all was over.</param>
    /// <param name="records">Of the whole run.</param>
    /// <param name="begun">When the station was healthy first, on the line's time: what came to the entry eye before is not its business.</param>
    /// <param name="known">When it was asked to stop: what comes later is not, either.</param>
    /// <param name="isExcused">Parts whose fate nobody is to blame for.</param>
    /// <param name="stoodStill">Whether the machine did when what lies at an offset was at the ejector.</param>
    public static LineJudgement Of(
        IReadOnlyList<PartTruth> truth,
        IReadOnlyList<PartRecord> records,
        TimeSpan begun,
        TimeSpan known,
        Func<PartTruth, bool>? isExcused = null,
        Func<double, bool>? stoodStill = null
    )
    {
        var result = new LineJudgement();
        var match = DemoReport.Match(truth, records);
        foreach (var part in truth.Where(part => part.Fate != PartFate.OnBelt))
        {
            var of = match.GetValueOrDefault(part.Index) ?? [];
            if (of.Count != 1 && !(of.Count == 0 && (part.EnteredAt < begun || part.EnteredAt > known - Reading)))
            {
                // How many parts lie in a row that no frame showed is a guess: any record that covers the part will do.
                var covering = records.Where(record => Covers(record, part)).ToList();
                if (covering.Count == 0 || of.Exists(record => record.Views > 0))
                {
                    result.Unaccounted.Add($"part {part.Index} at {part.Offset:F1} mm has {of.Count} records");
                    continue;
                }

                of = covering;
            }

            var ejected = part.Fate == PartFate.Ejected;
            if (of.Count > 0 && isExcused?.Invoke(part) != true && !of.Exists(record => record.Fired == ejected))
            {
                var list = ejected ? result.WrongHits
                    : of.Exists(record => record.Confirmation == Confirmation.Missing) ? result.Noticed
                    : result.Escapes;
                list.Add($"part {part.Index} at {part.Offset:F1} mm {(ejected ? "went out and was not fired at" : "was fired at and stayed")}: {Text(of[0])}");
            }
        }

        var matched = match.Values.SelectMany(found => found).ToHashSet();
        result.Unaccounted.AddRange(
            records
                .Where(record => !matched.Contains(record) && (record.Views > 0 || !truth.Any(part => Covers(record, part))))
                .Select(record => $"no part for {Text(record)}")
        );
        result.AgainstPolicy.AddRange(
            records
                .Where(record => record.Verdict is Verdict.NotInspected or Verdict.Late && record.Reason != Reason.Stopped)
                .Where(record => record.EntrySeen && !record.Fired && stoodStill?.Invoke(record.Offset) != true)
                .Select(Text)
        );
        return result;
    }

    private static bool Covers(PartRecord record, PartTruth part) =>
        Math.Abs(record.Offset - part.Offset) <= (record.Length + part.Length) / 2;

    private static string Text(PartRecord record) =>
        $"#{record.Number} {record.Verdict}/{record.Reason} {record.Disposition}{(record.Fired ? $" fired {record.FiredLateMicroseconds:F0} us late, {record.Confirmation}" : "")}, {record.Views} views, {record.Offset:F1} mm";
}
