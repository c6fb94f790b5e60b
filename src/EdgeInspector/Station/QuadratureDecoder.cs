namespace EdgeInspector.Station;

/// <summary>
/// Counts the edges of both channels of an encoder, with direction: forward while A leads B. Pure, not thread-safe.
/// <para>
/// The four states follow one another in a ring, so position and levels always agree modulo four. Where edges are known
/// to be lost, or levels jump, the position that agrees with the levels and lies nearest to "as many edges as there were,
/// in the direction as before" is taken.
/// </para>
/// </summary>
/// <param name="reversed">Forward while B leads A instead.</param>
internal sealed class QuadratureDecoder(bool reversed)
{
    private bool _a;
    private bool _b;
    private long _position;
    private long _start;
    private int _direction = reversed ? -1 : 1;

    /// <summary>Edges forward less edges backward since <see cref="Start"/>.</summary>
    public long Count => reversed ? _start - _position : _position - _start;

    /// <summary>Transitions that no sequence of known edges explains.</summary>
    public long IllegalTransitions { get; private set; }

    /// <summary>Takes the levels as they are now; the count begins here.</summary>
    public void Start(bool a, bool b)
    {
        (_a, _b) = (a, b);
        _position = _start = State;
    }

    /// <summary>Whether a channel's level, as far as it is known, is high.</summary>
    public bool LevelOf(bool channelB) => channelB ? _b : _a;

    /// <summary>Takes an edge.</summary>
    /// <param name="channelB">On channel B, else on A.</param>
    /// <param name="high">The channel's level after it.</param>
    /// <param name="lost">Edges of the same channel that were lost just before.</param>
    /// <param name="otherLost">Edges of the other channel that were lost just before.</param>
    public void Edge(bool channelB, bool high, int lost = 0, int otherLost = 0)
    {
        if (channelB)
        {
            _b = high;
            _a ^= (otherLost & 1) != 0;
        }
        else
        {
            _a = high;
            _b ^= (otherLost & 1) != 0;
        }

        var edges = 1L + lost + otherLost;
        var step = StepNear(_direction * edges);
        if (((step - edges) & 1) != 0)
        {
            IllegalTransitions++;
        }

        Move(step);
    }

    /// <summary>Takes back a channel's edge that was taken for lost and has shown up late; it is told next.</summary>
    public void TakeBack(bool channelB)
    {
        if (channelB)
        {
            _b = !_b;
        }
        else
        {
            _a = !_a;
        }

        _position += StepNear(-_direction);
    }

    // 00, 10, 11, 01: one bit changes from each to the next.
    private int State => _a ? (_b ? 2 : 1) : (_b ? 3 : 0);

    /// <summary>The step that leads to a position which agrees with the levels and lies nearest to <paramref name="expected"/>.</summary>
    private long StepNear(long expected)
    {
        var over = (State - _position - expected) & 3; // 0 to 3 steps beyond what was expected.
        return over switch
        {
            3 => expected - 1,
            2 => expected > 0 ? expected - 2 : expected + 2, // Rather too little than too much.
            _ => expected + over,
        };
    }

    private void Move(long step)
    {
        _position += step;
        if (step != 0)
        {
            _direction = Math.Sign(step);
        }
    }
}
