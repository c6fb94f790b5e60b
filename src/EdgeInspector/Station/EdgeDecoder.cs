using System.Numerics;
using EdgeInspector.Line;

namespace EdgeInspector.Station;

/// <summary>
/// Makes readings of the kernel's events and notices what is missing. Pure, not thread-safe, allocates nothing.
/// <para>
/// Three things tell of a lost edge (gpiolib-cdev.c). A gap in the line's own numbers: the kernel's buffer ran over. A gap
/// in the numbers of the whole request, which are drawn at the interrupt, without one in the line's, which are drawn by the
/// thread that serves it: two interrupts of one line became one event. The same level twice: the chip saw two edges as
/// one interrupt, or the same as before. Events of different lines may overtake each other by a few numbers; a number that
/// shows up late is taken back.
/// </para>
/// </summary>
internal sealed class EdgeDecoder
{
    /// <summary>
    /// More missing numbers than this in a row are no interrupts that became one, but a buffer that ran over; the lines'
    /// own numbers tell of that.
    /// </summary>
    private const int MostMerged = 8;

    private readonly InputLine[] _lines;
    private readonly uint[] _lineSequence;
    private readonly uint[] _sequenceOf;
    private readonly bool[] _active;
    private readonly long[] _lost;
    private readonly QuadratureDecoder? _quadrature;
    private readonly int _channelA = -1;
    private readonly int _channelB = -1;
    private readonly int[] _assumedLost;
    private uint _sequence;
    private ulong _missing; // Bit n: the number n + 1 below the newest has not been seen.
    private ulong _assumed; // Those of them that are counted as lost edges of the encoder.
    private ulong _assumedB; // Those of these that are counted as channel B's.
    private long _count;
    private Instant _startFrom;
    private Instant _startTo;

    /// <summary>Makes a decoder for the lines of a request, in its order.</summary>
    /// <param name="lines">The lines.</param>
    /// <param name="reversed">Encoder: forward while B leads A.</param>
    /// <param name="sequence">The number before the first; the kernel counts from 1.</param>
    public EdgeDecoder(IReadOnlyList<InputLine> lines, bool reversed = false, uint sequence = 0)
    {
        _lines = [.. lines];
        _lineSequence = new uint[_lines.Length];
        _sequenceOf = new uint[_lines.Length];
        _active = new bool[_lines.Length];
        _lost = new long[_lines.Length];
        _assumedLost = new int[_lines.Length];
        _sequence = sequence;
        Array.Fill(_lineSequence, sequence);
        Array.Fill(_sequenceOf, sequence);
        for (var i = 0; i < _lines.Length; i++)
        {
            if (_lines[i].Input == SensorInput.Encoder)
            {
                if (_lines[i].IsChannelB)
                {
                    _channelB = i;
                    _quadrature = new QuadratureDecoder(reversed);
                }
                else
                {
                    _channelA = i;
                }
            }
        }
    }

    /// <summary>Encoder counts since <see cref="Start"/>; negative behind it.</summary>
    public long Count => _quadrature?.Count ?? _count;

    /// <summary>Encoder: transitions that no sequence of known edges explains.</summary>
    public long IllegalTransitions => _quadrature?.IllegalTransitions ?? 0;

    /// <summary>Edges of all lines that are known to have been lost.</summary>
    public long LostEdges { get; private set; }

    /// <summary>Edges of a line that are known to have been lost; line by its place in the request.</summary>
    public long LostEdgesOf(int line) => _lost[line];

    /// <summary>Takes the levels that the lines were found at.</summary>
    /// <param name="bits">Bit n: line n is active.</param>
    /// <param name="before">When they were about to be read: earlier edges are part of them.</param>
    /// <param name="after">When they had been read: edges in between may be part of them.</param>
    public void Start(ulong bits, Instant before, Instant after)
    {
        (_startFrom, _startTo) = (before, after);
        for (var i = 0; i < _lines.Length; i++)
        {
            _active[i] = (bits >> i & 1) != 0;
        }

        if (_channelB >= 0)
        {
            _quadrature!.Start(_active[_channelA], _active[_channelB]);
        }
    }

    /// <summary>The level a line was last known to have.</summary>
    public bool IsActive(int line) => _active[line];

    /// <summary>Takes one event; false when it tells nothing new.</summary>
    public bool TryDecode(in GpioUapi.LineEvent edge, out SensorReading reading)
    {
        reading = default;
        var line = IndexOf(edge.Offset);
        if (line < 0)
        {
            return false;
        }

        var lost = Math.Max(0, (int)(edge.LineSequence - _lineSequence[line] - 1));
        _lineSequence[line] = edge.LineSequence;
        var skipped = TakeNumber(edge.Sequence, overrun: lost > 0);

        // A filter tells of an edge when it has lasted.
        var at = new Instant((long)edge.TimestampNanoseconds - (_lines[line].Debounce * 1000L));
        var active = edge.Id == GpioUapi.EventRising;
        return _lines[line].IsLevel
            ? Level(line, active, lost, edge.Sequence, at, out reading)
            : Encoder(line, active, lost, skipped, edge.Sequence, at, out reading);
    }

    private bool Level(int line, bool active, int lost, uint sequence, Instant at, out SensorReading reading)
    {
        reading = default;
        var same = _active[line] == active;
        _active[line] = active;
        var merged = MissingSince(_sequenceOf[line], sequence);
        _sequenceOf[line] = sequence;
        if (at <= _startFrom || (same && at <= _startTo))
        {
            return false; // Part of what the line was found at.
        }

        // An odd number of edges changes the level; if it does not fit, there was one more.
        if (same != ((lost & 1) != 0))
        {
            lost++;
            if (merged != 0)
            {
                _missing &= ~LowestBit(merged);
            }
        }

        CountLost(line, lost);
        ref readonly var of = ref _lines[line];
        reading = new(of.Input, active, 0, at, of.Lane, lost);
        return true;
    }

    private bool Encoder(
        int line,
        bool active,
        int lost,
        int skipped,
        uint sequence,
        Instant at,
        out SensorReading reading
    )
    {
        reading = default;
        var since = _sequenceOf[line];
        _sequenceOf[line] = sequence;
        if (at <= _startFrom && _quadrature is not null)
        {
            _active[line] = active;
            return false; // Part of the levels that the count began with.
        }

        // What was assumed before is not lost a second time.
        var known = Math.Min(lost, _assumedLost[line]);
        _assumedLost[line] = 0;
        lost -= known;

        var other = line == _channelA ? _channelB : _channelA;
        var (merged, otherLost) = (0, 0);
        var unseen = MissingSince(since, sequence) & ~_assumed;
        if (lost == 0 && unseen != 0 && BitOperations.PopCount(unseen) is var count and <= MostMerged)
        {
            // On one channel they are its own. On two, the level tells: an odd number of own edges would not have changed it.
            merged = _quadrature is null || active == _active[line] ? count : 0;
            otherLost = count - merged;
            _assumed |= unseen;
            var owner = merged > 0 ? line : other;
            _assumedB = owner == _channelB ? _assumedB | unseen : _assumedB & ~unseen;
        }
        else if (lost > 0 && _quadrature is not null)
        {
            // The buffer ran over. The channels take turns, so the other lost as many, or one more or less.
            otherLost = Math.Clamp(skipped - lost, lost - 1, lost + 1);
        }

        if (otherLost > 0)
        {
            _assumedLost[other] += otherLost;
        }

        _active[line] = active;
        if (_quadrature is null)
        {
            _count += 1 + lost + merged;
        }
        else
        {
            var illegal = _quadrature.IllegalTransitions;
            _quadrature.Edge(line == _channelB, active, lost + merged, otherLost);
            if (otherLost % 2 != 0)
            {
                _active[other] = !_active[other];
            }

            // Unless the levels were read between two of the edges, an unexplained jump is at least one more lost edge.
            if (_quadrature.IllegalTransitions > illegal && at > _startTo)
            {
                lost++;
            }
        }

        CountLost(line, lost + merged);
        if (otherLost > 0)
        {
            CountLost(other, otherLost);
        }

        reading = new(SensorInput.Encoder, active, Count, at, Lost: lost + merged + otherLost);
        return true;
    }

    /// <summary>Keeps the numbers of the request in view; gives how many were skipped.</summary>
    private int TakeNumber(uint sequence, bool overrun)
    {
        var ahead = (int)(sequence - _sequence);
        if (ahead > 0)
        {
            _sequence = sequence;
            _missing = ShiftedUp(_missing, ahead) | LowBits(ahead - 1);
            _assumed = ShiftedUp(_assumed, ahead);
            _assumedB = ShiftedUp(_assumedB, ahead);
            if (overrun)
            {
                _missing = 0; // The buffer ran over: the lines' own numbers tell what was lost of which.
            }

            return ahead - 1;
        }

        // It was overtaken.
        var bit = ahead is 0 or < -64 ? 0 : 1UL << (-ahead - 1);
        if ((_assumed & bit) != 0)
        {
            TakeBack((_assumedB & bit) != 0);
        }

        _missing &= ~bit;
        _assumed &= ~bit;
        return 0;
    }

    private void TakeBack(bool channelB)
    {
        var line = channelB ? _channelB : _channelA;
        CountLost(line, -1);
        _assumedLost[line] = Math.Max(0, _assumedLost[line] - 1);
        if (_quadrature is null)
        {
            _count--;
        }
        else
        {
            _quadrature.TakeBack(channelB);
            _active[line] = !_active[line];
        }
    }

    private void CountLost(int line, int lost)
    {
        _lost[line] += lost;
        LostEdges += lost;
    }

    /// <summary>Missing numbers between two, neither included.</summary>
    private ulong MissingSince(uint since, uint sequence)
    {
        var below = (int)(_sequence - sequence); // Bits of numbers that are not below it.
        var span = (int)(sequence - since) - 1;
        return span <= 0 || below >= 64 ? 0 : _missing & ShiftedUp(LowBits(span), below);
    }

    private int IndexOf(uint offset)
    {
        for (var i = 0; i < _lines.Length; i++)
        {
            if (_lines[i].Offset == offset)
            {
                return i;
            }
        }

        return -1;
    }

    private static ulong LowBits(int count) => count <= 0 ? 0 : count >= 64 ? ulong.MaxValue : (1UL << count) - 1;

    private static ulong ShiftedUp(ulong bits, int by) => by >= 64 ? 0 : bits << by;

    private static ulong LowestBit(ulong bits) => bits & (0 - bits);
}
