using System.Runtime.CompilerServices;
using EdgeInspector.Line;

namespace EdgeInspector.Inspection;

/// <summary>A stretch of belt, mm of offset.</summary>
internal readonly record struct Stretch(double From, double To)
{
    /// <summary>Its extent, mm.</summary>
    public double Length => To - From;

    /// <summary>Its middle, mm of offset.</summary>
    public double Centre => (From + To) / 2;
}

/// <summary>Stretches in place, so that a block carries its own without allocating.</summary>
[InlineArray(Capacity)]
internal struct Stretches
{
    /// <summary>More parts than ever touch in one row; a longer row is claimed in part, and the rest stays visible.</summary>
    public const int Capacity = 32;

    private Stretch _first;
}

/// <summary>One blockage of the entry eye, in belt coordinates: one part, or several that touch.</summary>
internal struct EntryBlock
{
    /// <summary>From its leading end to its trailing end; the latter is infinite while it lasts.</summary>
    public Stretch Seen;

    /// <summary>The parts that the camera found within it, in no order.</summary>
    public Stretches Claims;

    /// <summary>How many of <see cref="Claims"/> are set.</summary>
    public int Parts;

    /// <summary>
    /// Takes the next stretch of at least <paramref name="shortest"/> mm, from <paramref name="from"/> on, that no part
    /// accounts for; a block without any part is one such stretch, however short. False when there is none left.
    /// </summary>
    public readonly bool TryFindUnclaimed(double from, double shortest, out Stretch unclaimed)
    {
        unclaimed = Seen;
        if (Parts == 0)
        {
            return from <= Seen.From;
        }

        while (from < Seen.To)
        {
            // The claim that begins first at or after here ends the stretch; one that covers here moves it on.
            var end = Seen.To;
            var next = from;
            for (var i = 0; i < Parts; i++)
            {
                var claim = Claims[i];
                if (claim.From <= from && claim.To > next)
                {
                    next = claim.To;
                }
                else if (claim.From > from && claim.From < end)
                {
                    end = claim.From;
                }
            }

            if (next > from)
            {
                from = next;
            }
            else if (end - from >= shortest)
            {
                unclaimed = new Stretch(from, end);
                return true;
            }
            else
            {
                from = end;
            }
        }

        return false;
    }
}

/// <summary>
/// What the entry eye saw and the camera has yet to account for. The sensor thread writes edges, the inspect thread reads
/// blocks; the lock is held for a few instructions and never across I/O. A part that no frame shows still gets a
/// verdict, because this remembers it.
/// </summary>
/// <param name="belt">Gives edges their place on the belt.</param>
/// <param name="position">Where the eye looks, mm along the line from the camera's centre; upstream is negative.</param>
/// <param name="tolerance">How far a part may lie from its block, mm.</param>
/// <param name="mark">Told of each end of a blockage, by whether it begins and its offset; null when nobody else listens.</param>
internal sealed class EntryEye(IBelt belt, double position, double tolerance, Action<bool, double>? mark = null)
{
    private const int Capacity = 256;
    private readonly Lock _gate = new();
    private readonly EntryBlock[] _blocks = new EntryBlock[Capacity];
    private int _count;

    /// <summary>Blockages so far.</summary>
    public long Seen { get; private set; }

    /// <summary>Blockages that found no room: the line runs and the inspect thread does not.</summary>
    public long Overflowed { get; private set; }

    /// <summary>Whether the last blockage has not ended yet.</summary>
    public bool IsBlocked
    {
        get
        {
            lock (_gate)
            {
                return _count > 0 && double.IsPositiveInfinity(_blocks[_count - 1].Seen.To);
            }
        }
    }

    /// <summary>Takes an edge of the eye's beam; true when it ended a blockage. Sensor thread.</summary>
    public bool Edge(bool blocked, Instant at)
    {
        if (!belt.IsKnown)
        {
            return false; // What passed before the first counts cannot be placed; the camera still sees it.
        }

        var offset = belt.TravelAt(at) - position;
        lock (_gate)
        {
            if (!blocked)
            {
                return TryClose(offset);
            }

            if (_count == Capacity)
            {
                Overflowed++;
                return false;
            }

            // A row of touching parts may be longer than the way to the camera: its first part is claimed while its last
            // still blocks the beam.
            _blocks[_count++] = new EntryBlock { Seen = new Stretch(offset, double.PositiveInfinity) };
            mark?.Invoke(true, offset);
            return false;
        }
    }

    /// <summary>Claims a stretch of the block at an offset for a part; false when the eye saw nothing there. Inspect thread.</summary>
    public bool Claim(double offset, double length)
    {
        lock (_gate)
        {
            for (var i = 0; i < _count; i++)
            {
                ref var block = ref _blocks[i];
                if (Covers(block, offset))
                {
                    if (block.Parts < Stretches.Capacity)
                    {
                        block.Claims[block.Parts++] = new Stretch(offset - (length / 2), offset + (length / 2));
                    }

                    return true;
                }
            }

            return false;
        }
    }

    /// <summary>Whether the eye saw something at an offset. Inspect thread.</summary>
    public bool Saw(double offset)
    {
        lock (_gate)
        {
            for (var i = 0; i < _count; i++)
            {
                if (Covers(_blocks[i], offset))
                {
                    return true;
                }
            }

            return false;
        }
    }

    /// <summary>
    /// Takes the oldest block whose trailing end lies before <paramref name="offset"/>: by now the camera has said all it
    /// will. Inspect thread.
    /// </summary>
    public bool TryRetire(double offset, out EntryBlock block)
    {
        lock (_gate)
        {
            if (_count == 0 || _blocks[0].Seen.To + tolerance >= offset)
            {
                block = default;
                return false;
            }

            block = _blocks[0];
            _count--;
            Array.Copy(_blocks, 1, _blocks, 0, _count);
            return true;
        }
    }

    private bool TryClose(double offset)
    {
        if (_count == 0 || !double.IsPositiveInfinity(_blocks[_count - 1].Seen.To))
        {
            return false; // The eye was blocked when the station started, or there was no room: the beginning is unknown.
        }

        _blocks[_count - 1].Seen = new Stretch(_blocks[_count - 1].Seen.From, offset);
        mark?.Invoke(false, offset);
        Seen++;
        return true;
    }

    private bool Covers(in EntryBlock block, double offset) =>
        offset >= block.Seen.From - tolerance && offset <= block.Seen.To + tolerance;
}
