using EdgeInspector.Line;

namespace EdgeInspector.Reject;

/// <summary>What the reject thread has to do now.</summary>
internal enum RejectAction : byte
{
    /// <summary>Nothing yet.</summary>
    Wait,

    /// <summary>Energise the lane's ejector for a part.</summary>
    Open,

    /// <summary>Release the lane's ejector.</summary>
    Close,

    /// <summary>A part's window has passed: it is late.</summary>
    Miss,
}

/// <summary>One step of the schedule.</summary>
/// <param name="Action">What to do.</param>
/// <param name="Lane">On which lane.</param>
/// <param name="PartId">For which part; 0 for a close.</param>
/// <param name="Due">When it should happen.</param>
internal readonly record struct RejectStep(RejectAction Action, byte Lane, long PartId, Instant Due);

/// <summary>
/// Which part is due at which ejector, and when. Parts are held by their place on the belt, so a belt that slows down or
/// stops takes its rejects along. Pure: belt and time in, steps out; the reject thread does what they say.
/// <para>
/// The blast reaches the part <see cref="RejectOptions.Latency"/> after the output's edge and lasts
/// <see cref="RejectOptions.Dwell"/>; it is centred on the moment the part's centre is under the nozzle:
/// <c>open = t(offset + position) - latency - dwell / 2</c>. Pulses that overlap on one lane merge into one.
/// </para>
/// </summary>
internal sealed class RejectSchedule
{
    private readonly IBelt _belt;
    private readonly double _position;
    private readonly TimeSpan _latency;
    private readonly TimeSpan _dwell;
    private readonly double _halfWindow;
    private readonly Pending[] _pending;
    private readonly Instant[] _closeAt;
    private int _count;

    /// <summary>Makes an empty schedule.</summary>
    /// <param name="options">Where the ejectors stand and how they behave.</param>
    /// <param name="belt">Turns places into times.</param>
    /// <param name="capacity">Most parts between camera and ejector.</param>
    public RejectSchedule(RejectOptions options, IBelt belt, int capacity = 1024)
    {
        _belt = belt;
        _position = options.Position;
        _latency = options.Latency;
        _dwell = options.Dwell;
        _halfWindow = options.Window / 2;
        _pending = new Pending[capacity];
        _closeAt = new Instant[Math.Max(1, options.Ejectors.Count)];
        Array.Fill(_closeAt, Instant.Never);
    }

    /// <summary>Parts waiting for their pulse.</summary>
    public int Count => _count;

    /// <summary>Adds a part that is to be rejected; false when the schedule is full.</summary>
    public bool Add(in Decision decision)
    {
        if (_count == _pending.Length)
        {
            return false;
        }

        // Sorted by place; parts come nearly in order, so the shift is short.
        var at = _count++;
        while (at > 0 && _pending[at - 1].Offset > decision.Offset)
        {
            _pending[at] = _pending[at - 1];
            at--;
        }

        _pending[at] = new Pending(decision.PartId, decision.Offset, (byte)decision.Lane);
        return true;
    }

    /// <summary>What is due at or before <paramref name="now"/>, one step a call; <see cref="RejectAction.Wait"/> when nothing is.</summary>
    public RejectStep Next(Instant now)
    {
        var (lane, closeAt) = FirstClose();
        var openAt = _count == 0 ? Instant.Never : OpenAt(_pending[0]);
        if (openAt <= closeAt && openAt <= now)
        {
            var part = _pending[0];
            _count--;
            Array.Copy(_pending, 1, _pending, 0, _count);
            if (now - openAt > Slack())
            {
                return new(RejectAction.Miss, part.Lane, part.PartId, openAt);
            }

            var close = openAt + _dwell;
            _closeAt[part.Lane] =
                _closeAt[part.Lane] == Instant.Never || _closeAt[part.Lane] < close ? close : _closeAt[part.Lane];
            return new(RejectAction.Open, part.Lane, part.PartId, openAt);
        }

        if (closeAt <= now)
        {
            _closeAt[lane] = Instant.Never;
            return new(RejectAction.Close, lane, 0, closeAt);
        }

        return new(RejectAction.Wait, 0, 0, openAt < closeAt ? openAt : closeAt);
    }

    /// <summary>Takes out a waiting part, oldest first, when the line stops for good.</summary>
    public bool TryAbandon(out long partId)
    {
        if (_count == 0)
        {
            partId = 0;
            return false;
        }

        partId = _pending[--_count].PartId;
        return true;
    }

    private (byte Lane, Instant At) FirstClose()
    {
        byte lane = 0;
        var at = Instant.Never;
        for (var i = 0; i < _closeAt.Length; i++)
        {
            if (_closeAt[i] < at)
            {
                (lane, at) = ((byte)i, _closeAt[i]);
            }
        }

        return (lane, at);
    }

    private Instant OpenAt(in Pending part)
    {
        var underNozzle = _belt.WhenTravelReaches(part.Offset + _position);
        return underNozzle == Instant.Never ? Instant.Never : underNozzle - _latency - (_dwell / 2);
    }

    /// <summary>
    /// How late an edge may be and its blast still meets the part: the part stays in the window half its width beyond the
    /// nozzle's centre, and the blast was to begin half a dwell before that.
    /// </summary>
    private TimeSpan Slack()
    {
        var speed = _belt.Speed;
        return speed <= 0 ? TimeSpan.MaxValue : TimeSpan.FromSeconds(_halfWindow / speed) + (_dwell / 2);
    }

    private readonly record struct Pending(long PartId, double Offset, byte Lane);
}
