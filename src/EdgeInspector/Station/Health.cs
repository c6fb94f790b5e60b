using EdgeInspector.Line;
using EdgeInspector.Telemetry;

namespace EdgeInspector.Station;

/// <summary>One part of a station that has been silent for too long.</summary>
/// <param name="Name">Which part.</param>
/// <param name="Alarm">The alarm that says so.</param>
/// <param name="Silent">For how long; null when it has never given a sign.</param>
/// <param name="Limit">How long it may be silent.</param>
internal readonly record struct Silence(string Name, AlarmCode Alarm, TimeSpan? Silent, TimeSpan Limit)
{
    /// <inheritdoc/>
    public override string ToString() =>
        Silent is { } silent
            ? $"{Name} has been silent for {silent.TotalMilliseconds:F0} ms, more than {Limit.TotalMilliseconds:F0} ms"
            : $"{Name} has not begun";
}

/// <summary>
/// Which parts of a station must give signs of life, and whether they do. Filled while the station is wired, then asked by
/// the panel and the watchdog; asking allocates nothing.
/// </summary>
internal sealed class Health
{
    private Part[] _parts = [];

    /// <summary>How many parts it watches.</summary>
    public int Count => _parts.Length;

    /// <summary>Adds a part. Not once anybody asks.</summary>
    /// <param name="name">As an operator would say it: capture, inspect, reject.</param>
    /// <param name="alarm">What its silence is called.</param>
    /// <param name="limit">How long it may be silent.</param>
    /// <returns>The cell for that part's thread to beat.</returns>
    public Liveness Add(string name, AlarmCode alarm, TimeSpan limit) => Add(name, alarm, limit, new Liveness());

    /// <summary>Adds a part whose cell exists, such as the ledger that several stations share.</summary>
    public Liveness Add(string name, AlarmCode alarm, TimeSpan limit, Liveness cell)
    {
        _parts = [.. _parts, new Part(name, alarm, limit, cell)];
        return cell;
    }

    /// <summary>Whether every part has begun and none is silent for too long.</summary>
    public bool IsAlive(Instant now) => !TryFindSilent(now, out _);

    /// <summary>The first part, in the order of adding, that has not begun or is silent for too long.</summary>
    public bool TryFindSilent(Instant now, out Silence silence)
    {
        for (var i = 0; i < _parts.Length; i++)
        {
            silence = Look(i, now);
            if (silence.Name is not null)
            {
                return true;
            }
        }

        silence = default;
        return false;
    }

    /// <summary>
    /// Whether every thread turns, so that a restart would mend nothing. A camera that is unplugged and a disk that is
    /// full are waited for, and a restart would only lose what waits in memory.
    /// </summary>
    public bool IsResponding(Instant now)
    {
        for (var i = 0; i < _parts.Length; i++)
        {
            if (_parts[i].Alarm == AlarmCode.NotResponding && Look(i, now).Name is not null)
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>
    /// One part's silence, by the order of adding; <c>default</c> while it is alive.
    /// </summary>
    public Silence Look(int part, Instant now)
    {
        var (name, alarm, limit, cell) = _parts[part];
        if (!cell.HasBegun)
        {
            return new Silence(name, alarm, null, limit);
        }

        // A beat may be newer than the caller's now: then it is alive, and the difference is negative.
        var since = cell.SilentSince;
        return since != Instant.Never && now - since > limit ? new Silence(name, alarm, now - since, limit) : default;
    }

    /// <summary>What a part's silence is called, by the order of adding.</summary>
    public AlarmCode AlarmOf(int part) => _parts[part].Alarm;

    private sealed record Part(string Name, AlarmCode Alarm, TimeSpan Limit, Liveness Cell);
}
