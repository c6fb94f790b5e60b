namespace EdgeInspector.Simulation.Parts;

/// <summary>
/// The air valve of one lane. Levels may arrive a little out of order; which part a blast takes is worked out from all
/// of them, never stepped through. Not thread-safe.
/// </summary>
internal sealed class LaneEjector(TimeSpan latency)
{
    // Room for more than a line's memory holds, so that telling a level allocates nothing.
    private readonly List<(TimeSpan At, bool Active)> _levels = new(1024);

    /// <summary>The pin has this level from <paramref name="t"/> on.</summary>
    public void Set(bool active, TimeSpan t)
    {
        var at = _levels.Count;
        while (at > 0 && _levels[at - 1].At > t)
        {
            at--;
        }

        _levels.Insert(at, (t, active));
    }

    /// <summary>
    /// When this valve and the other, if any, first blow at once in one of the intervals, which are in order; null when
    /// they never do.
    /// </summary>
    public TimeSpan? FirstBlast(BeltInterval[] intervals, LaneEjector? other)
    {
        foreach (var interval in intervals)
        {
            if (FirstBlast(interval.From, interval.To, other) is { } blast)
            {
                return blast;
            }
        }

        return null;
    }

    /// <summary>Lets go of levels that no part after <paramref name="from"/> can feel.</summary>
    public void Forget(TimeSpan from)
    {
        var keep = 0;
        while (keep + 1 < _levels.Count && _levels[keep + 1].At + latency < from)
        {
            keep++;
        }

        _levels.RemoveRange(0, keep);
    }

    private TimeSpan? FirstBlast(TimeSpan from, TimeSpan to, LaneEjector? other)
    {
        var mine = FirstBlast(from, to);
        while (other is not null && mine is { } at)
        {
            var both = other.FirstBlast(at, to);
            if (both is null || both == at)
            {
                return both;
            }

            // The other valve opens later: is this one still open then?
            mine = FirstBlast(both.Value, to);
            if (mine == both)
            {
                return both;
            }
        }

        return mine;
    }

    private TimeSpan? FirstBlast(TimeSpan from, TimeSpan to)
    {
        // The first level whose blast, or rest, is not over by then.
        var (low, high) = (0, _levels.Count - 1);
        while (low < high)
        {
            var middle = (low + high) / 2;
            (low, high) = _levels[middle + 1].At + latency > from ? (low, middle) : (middle + 1, high);
        }

        for (var i = low; i < _levels.Count; i++)
        {
            var start = _levels[i].At + latency;
            if (start > to)
            {
                return null;
            }

            var end = i + 1 < _levels.Count ? _levels[i + 1].At + latency : TimeSpan.MaxValue;
            if (_levels[i].Active && end > from && end > start)
            {
                return start > from ? start : from;
            }
        }

        return null;
    }
}
