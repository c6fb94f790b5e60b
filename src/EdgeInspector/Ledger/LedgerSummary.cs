using EdgeInspector.Line;

namespace EdgeInspector.Ledger;

/// <summary>How many parts ended alike.</summary>
/// <param name="Recipe">Under which recipe.</param>
/// <param name="Verdict">Their verdict.</param>
/// <param name="Label">The label of rejected parts; null for the others.</param>
/// <param name="OfChallenge">Whether they belong to challenge tests, which production figures leave out.</param>
/// <param name="Parts">How many.</param>
internal sealed record LedgerTally(string Recipe, Verdict Verdict, string? Label, bool OfChallenge, long Parts);

/// <summary>What the records of one run add up to.</summary>
/// <param name="Parts">Records.</param>
/// <param name="ChallengeParts">Of these, parts of challenge tests.</param>
/// <param name="ToReject">Parts that the line meant to throw out.</param>
/// <param name="Fired">Parts fired at.</param>
/// <param name="Confirmed">Parts that the confirm eye saw fall.</param>
/// <param name="Missing">Parts that it did not see fall.</param>
/// <param name="Lanes">Parts, each as often as it lies on lanes: the most that an eye a lane can count.</param>
internal sealed record RunSums(
    long Parts,
    long ChallengeParts,
    long ToReject,
    long Fired,
    long Confirmed,
    long Missing,
    long Lanes
);

/// <summary>One run's records held against what it counted itself: sensors, pulses, confirmations.</summary>
/// <param name="Run">The run with its totals.</param>
/// <param name="Sums">Its records.</param>
internal sealed record RunReconciliation(LedgerRun Run, RunSums Sums)
{
    /// <summary>Where the sums differ, a line each; empty when all is accounted for.</summary>
    public IReadOnlyList<string> Faults { get; } = [.. Compare(Run, Sums)];

    /// <summary>Parts that the run counted and the ledger does not have: still open, or lost with a crash.</summary>
    public long WithoutRecord => Run.Totals is { } totals ? Math.Max(0, totals.Parts - Sums.Parts - Run.Removed) : 0;

    private static IEnumerable<string> Compare(LedgerRun run, RunSums sums)
    {
        if (run.Ended is null)
        {
            if (run.GapNoticed is not null)
            {
                var lost = (run.Totals?.Parts ?? 0) - sums.Parts - run.Removed;
                yield return lost > 0
                    ? $"it crashed: {lost} parts it counted have no record, and more may be missing"
                    : "it crashed: its last parts may be missing";
            }

            yield break; // Parts under way have no record yet.
        }

        if (run.Totals is not { } totals)
        {
            yield return "its totals were not kept: nothing to compare with";
            yield break;
        }

        var records = sums.Parts + run.Removed;
        if (records != totals.Parts)
        {
            yield return $"{totals.Parts} parts were counted and {records} recorded";
        }

        if (totals.Unaccounted != 0)
        {
            yield return $"{totals.Unaccounted} parts or events are unaccounted for";
        }

        // Touching parts block an eye once, so it may have counted fewer. More are parts that nobody accounted for, or parts
        // across two lanes that have an eye each.
        if (totals.EntryEye > (totals.EntryEyes > 1 ? sums.Lanes + run.Removed : totals.Parts))
        {
            yield return $"the entry eye counted {totals.EntryEye} and only {totals.Parts} parts have a state";
        }

        if (run.Removed == 0 && totals.Pulses != sums.Fired)
        {
            yield return $"{totals.Pulses} pulses were counted and {sums.Fired} recorded";
        }

        if (run.Removed == 0 && totals.Confirmed is { } confirmed && confirmed != sums.Confirmed)
        {
            yield return $"{confirmed} confirmations were counted and {sums.Confirmed} recorded";
        }

        if (totals.Confirmed < totals.Pulses)
        {
            yield return $"{totals.Pulses - totals.Confirmed} pulses were not confirmed";
        }

        if (totals.UnexpectedBinEntries > 0)
        {
            yield return $"{totals.UnexpectedBinEntries} falls into the bin were not rejects";
        }
    }
}
