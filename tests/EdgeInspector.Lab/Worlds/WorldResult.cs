using EdgeInspector.Cli;
using EdgeInspector.Line;
using EdgeInspector.Simulation;
using EdgeInspector.Telemetry;

namespace EdgeInspector.Lab.Worlds;

/// <summary>What came of a world: counts of what must not be, and the first few of them in words.</summary>
internal sealed class WorldResult
{
    /// <summary>Before the encoder's first readings the eye's edges have no place on the belt.</summary>
    private static readonly TimeSpan FirstReadings = TimeSpan.FromMilliseconds(20);

    /// <summary>How far from a part whose edge was lost a guess may lie, mm: some pitches.</summary>
    private const double GuessReach = 400;

    /// <summary>A slide of less, mm, no nozzle of these worlds notices: half the narrowest window.</summary>
    private const double NoticedSlide = 3;

    /// <summary>Parts that passed the ejector or went out there.</summary>
    public int Parts { get; private set; }

    /// <summary>Parts thrown out.</summary>
    public int Ejected { get; private set; }

    /// <summary>Parts that ended NotInspected or Late.</summary>
    public int Undecided { get; private set; }

    /// <summary>Parts thrown out that nobody meant, and parts fired at that stayed.</summary>
    public int WrongHits { get; private set; }

    /// <summary>Parts without exactly one record, records without a part.</summary>
    public int Unaccounted { get; private set; }

    /// <summary>Undecided parts that the recipe wanted handled otherwise.</summary>
    public int AgainstPolicy { get; private set; }

    /// <summary>Counts of the station that contradict its records.</summary>
    public int Unreconciled { get; private set; }

    /// <summary>Parts of rows no frame showed, whose number is a guess: covered by records, but not one to one.</summary>
    public int Guessed { get; private set; }

    /// <summary>Parts of which no sensor and no frame ever told, and those thrown out beside one, unseen, under no name.</summary>
    public int Unknowable { get; private set; }

    /// <summary>Parts that slid on the belt where no frame showed it, were fired at in vain, and were said to be missing.</summary>
    public int SlidUnseen { get; private set; }

    /// <summary>Simulated time.</summary>
    public TimeSpan Time { get; private set; }

    /// <summary>What went wrong, the first few.</summary>
    public List<string> Faults { get; } = [];

    /// <summary>Whether nothing did.</summary>
    public bool IsClean => WrongHits + Unaccounted + AgainstPolicy + Unreconciled == 0;

    /// <summary>Holds records and counts against the truth.</summary>
    public static WorldResult Judge(
        World world,
        VirtualLine line,
        IReadOnlyList<PartTruth> truth,
        IReadOnlyList<PartRecord> records,
        PartCounts counts,
        TimeSpan time,
        IReadOnlyDictionary<long, double> lastSeen
    )
    {
        var result = new WorldResult { Time = time };
        var slidUnseen = truth
            .Where(part => part.Troubles.HasFlag(PartTroubles.Slides) && lastSeen.TryGetValue(part.Index, out var seen) && Math.Abs(seen - part.Offset) > NoticedSlide)
            .Select(part => part.Index)
            .ToHashSet();
        truth = [.. truth.Select(part => part with { Offset = SeenOffset(world, line, part) })];
        var match = DemoReport.Match(truth, records);
        var recipe = world.Options.Recipe;
        foreach (var part in truth.Where(part => part.Fate != PartFate.OnBelt))
        {
            result.Parts++;
            var ejected = part.Fate == PartFate.Ejected;
            result.Ejected += ejected ? 1 : 0;
            var of = match.GetValueOrDefault(part.Index) ?? [];
            if (of.Count == 0 && (IsUnknowable(part) || truth.Any(other => IsGuessedBeside(other, part))))
            {
                result.Unknowable++; // No eye and no frame ever showed it.
                continue;
            }

            if (of.Count != 1)
            {
                if (of.TrueForAll(record => record.Views == 0) && records.Any(record => Covers(record, part)))
                {
                    result.Guessed++;
                    of = [.. records.Where(record => Covers(record, part))];
                }
                else
                {
                    result.Unaccounted++;
                    result.Say($"part {part.Index} at {part.Offset:F1} mm has {of.Count} records: {string.Join("; ", of.Select(Text))}");
                    continue;
                }
            }

            // Of a guessed row any of the records that cover the part may be its own.
            var guessedBeside = of.TrueForAll(record => record.Views == 0) && truth.Any(other => IsGuessedBeside(other, part));
            var unseenStraddler = part.Troubles.HasFlag(PartTroubles.Straddles) && of.TrueForAll(record => record.Views == 0);
            result.Unknowable += unseenStraddler && ejected ? 1 : 0; // Two pulses, two records, one fall.
            result.Unknowable += guessedBeside && ejected && !of.Exists(record => record.Fired) ? 1 : 0;

            // No frame came after it slid; that it then stayed, the eye in the chute must have said.
            var missedUnseen = slidUnseen.Contains(part.Index) && !ejected && of.TrueForAll(record => record.Confirmation == Confirmation.Missing);
            result.SlidUnseen += missedUnseen ? 1 : 0;
            var excused =
                part.Fate == PartFate.Removed
                || unseenStraddler // It is two to the eyes.
                || (part.Troubles.HasFlag(PartTroubles.ValveStuck) && !ejected)
                || guessedBeside
                || missedUnseen
                || (ejected && truth.Any(other => LiesWithAdded(other, part, world.Window)))
                || of.Exists(record => record.Reason == Reason.OutputFault);
            if (!excused && !of.Exists(record => record.Fired == ejected))
            {
                result.WrongHits++;
                result.Say($"part {part.Index} at {part.Offset:F1} mm lane {part.Lane} {(ejected ? "went out and was not fired at" : "was fired at and stayed")}: {string.Join("; ", of.Select(Text))}");
            }

            foreach (var record in of)
            {
                result.Undecided += record.Verdict is Verdict.NotInspected or Verdict.Late ? 1 : 0;
                if (!IsUnknowable(part) && !guessedBeside && IsAgainstPolicy(record, recipe))
                {
                    result.AgainstPolicy++;
                    result.Say($"part {part.Index} at {part.Offset:F1} mm: {Text(record)}, and the recipe says not inspected {recipe.OnNotInspected}, late {recipe.OnLate}");
                }
            }
        }

        var matched = match.Values.SelectMany(found => found).ToHashSet();
        foreach (var ghost in records.Where(record => !matched.Contains(record)))
        {
            if (ghost.Views > 0 || !truth.Any(part => Covers(ghost, part) || MayBeGuessed(ghost, part)))
            {
                result.Unaccounted++;
                result.Say($"no part for {Text(ghost)}");
            }
        }

        // A part that no sensor told of may be hit by a blast over belt where edges were lost: the eye in the chute notices.
        result.Reconcile("unaccounted", counts.Unaccounted, Math.Min(counts.Unaccounted, result.Unknowable));
        result.Reconcile("pulses", counts.Pulses, records.Count(record => record.Fired));
        result.Reconcile("parts", counts.Parts, records.Count);
        result.Reconcile(
            "states",
            counts.Passed + counts.Rejected + counts.NotInspected + counts.Late,
            records.Count
        );
        return result;
    }

    /// <summary>
    /// Where the encoder says the part lies: one that loses counts is wrong about the belt's length, and right about what
    /// is near.
    /// </summary>
    private static double SeenOffset(World world, VirtualLine line, PartTruth part)
    {
        if (world.Options.Belt.Encoder is not { } encoder || world.Disturbances is { EncoderCountsLost: 0, EncoderCountsDoubled: 0 })
        {
            return part.Offset;
        }

        return line.EncoderCountAt(line.Motion.TimeAt(part.Offset)) / encoder.CountsPerMillimetre;
    }

    /// <summary>
    /// Undecided parts end as the recipe says. What it wants thrown out and the entry eye announced must have been fired
    /// at; only a stop of the service, or an output that is one no more, excuses it: that is an alarm of its own.
    /// </summary>
    private static bool IsAgainstPolicy(PartRecord record, Recipe recipe) =>
        record.Reason is not (Reason.Stopped or Reason.OutputFault)
        && record.Verdict switch
        {
            Verdict.NotInspected => record.Disposition != recipe.OnNotInspected || (record.Disposition == Disposition.Reject && !record.Fired),
            Verdict.Late when recipe.OnLate == Disposition.Reject => !record.Fired,
            _ => false,
        };

    /// <summary>
    /// Where edges were lost, the eye knows how many blockages there were and not where: what is booked for them may lie on
    /// bare belt beside the part.
    /// </summary>
    private static bool MayBeGuessed(PartRecord record, PartTruth part) =>
        part.Troubles.HasFlag(PartTroubles.EntryEdgeLost) && Math.Abs(record.Offset - part.Offset) < GuessReach;

    /// <summary>Whether the entry eye lost an edge near a part: unseen by the camera, its place is a guess.</summary>
    private static bool IsGuessedBeside(PartTruth other, PartTruth part) =>
        IsUnknowable(other) && (other.Lanes & part.Lanes) != 0 && Math.Abs(other.Offset - part.Offset) < GuessReach;

    /// <summary>Whether the entry eye may have known nothing of it: then only a frame can tell.</summary>
    private static bool IsUnknowable(PartTruth part) =>
        (part.Troubles & (PartTroubles.Added | PartTroubles.EntryEdgeLost)) != 0 || part.EnteredAt < FirstReadings;

    /// <summary>Whether somebody laid a part so near to another that no nozzle takes the one alone.</summary>
    private static bool LiesWithAdded(PartTruth other, PartTruth part, double window) =>
        other.Index != part.Index
        && other.Fate == PartFate.Ejected
        && (other.Troubles | part.Troubles).HasFlag(PartTroubles.Added)
        && (other.Lanes & part.Lanes) != 0
        && Math.Abs(other.Offset - part.Offset) < window;

    private static bool Covers(PartRecord record, PartTruth part) =>
        (record.Lanes & (1 << part.Lane)) != 0 && Math.Abs(record.Offset - part.Offset) <= (record.Length + part.Length) / 2;

    private static string Text(PartRecord record) =>
        $"#{record.Number} {record.Verdict}/{record.Reason} {record.Disposition}{(record.Fired ? $" fired, {record.Confirmation}" : "")}, {record.Views} views, {record.Offset:F1} mm, length {record.Length:F1}, lanes {record.Lanes:b}";

    private void Reconcile(string what, long said, long found)
    {
        if (said != found)
        {
            Unreconciled++;
            Say($"the station counts {said} {what}, its records {found}");
        }
    }

    private void Say(string fault)
    {
        if (Faults.Count < 5)
        {
            Faults.Add(fault);
        }
    }
}
