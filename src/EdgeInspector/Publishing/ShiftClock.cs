using EdgeInspector.Line;

namespace EdgeInspector.Publishing;

/// <summary>What a station made within some time, from the ledger.</summary>
/// <param name="Passed">Judged good.</param>
/// <param name="Rejected">Judged defective.</param>
/// <param name="NotInspected">Never judged.</param>
/// <param name="Late">Judged too late.</param>
/// <param name="ChallengeParts">Parts of challenge tests, in none of the others.</param>
/// <param name="Defects">Rejected parts by label.</param>
internal sealed record ShiftFigures(
    long Passed,
    long Rejected,
    long NotInspected,
    long Late,
    long ChallengeParts,
    IReadOnlyDictionary<string, long> Defects
);

/// <summary>
/// Knows from when to when a shift goes, by the plant's wall clock: the night in which clocks change is an hour longer or shorter.
/// </summary>
/// <param name="starts">Times of day, in order; none for no shifts.</param>
/// <param name="zone">The plant's time zone.</param>
internal sealed class ShiftClock(IList<TimeSpan> starts, TimeZoneInfo zone)
{
    /// <summary>The shift that a time belongs to; null where there are none.</summary>
    public (DateTimeOffset From, DateTimeOffset To)? At(DateTimeOffset time)
    {
        if (starts.Count == 0)
        {
            return null;
        }

        var day = TimeZoneInfo.ConvertTime(time, zone).Date;
        var from = DateTimeOffset.MinValue;
        foreach (var start in from d in Enumerable.Range(-1, 3) from s in starts select Place(day.AddDays(d) + s))
        {
            if (start > time)
            {
                return (from, start);
            }

            from = start;
        }

        // A time zone whose clocks jump by more than a day is none of this world.
        return null;
    }

    /// <summary>A local time that the clock jumps over begins when it has jumped; one that comes twice, the first time.</summary>
    private DateTimeOffset Place(DateTime local)
    {
        while (zone.IsInvalidTime(local))
        {
            local = local.AddMinutes(15);
        }

        var offset = zone.IsAmbiguousTime(local) ? zone.GetAmbiguousTimeOffsets(local).Max() : zone.GetUtcOffset(local);
        return new DateTimeOffset(local, offset);
    }
}
