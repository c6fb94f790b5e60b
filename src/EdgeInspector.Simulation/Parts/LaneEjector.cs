namespace EdgeInspector.Simulation.Parts;

/// <summary>
/// The air valve of one lane. Levels may arrive a little out of order; which part a blast takes is worked out from all
/// of them, never stepped through. Not thread-safe.
/// </summary>
internal sealed class LaneEjector(TimeSpan latency)
{
    private readonly List<(TimeSpan At, bool Active)> _levels = [];

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

    /// <summary>When a blast first meets the interval; null when none does.</summary>
    public TimeSpan? FirstBlast(TimeSpan from, TimeSpan to)
    {
        for (var i = 0; i < _levels.Count; i++)
        {
            if (!_levels[i].Active)
            {
                continue;
            }

            var start = _levels[i].At + latency;
            if (start > to)
            {
                return null;
            }

            var end = i + 1 < _levels.Count ? _levels[i + 1].At + latency : TimeSpan.MaxValue;
            if (end > from && end > start)
            {
                return start > from ? start : from;
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
}
