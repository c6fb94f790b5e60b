using EdgeInspector.Line;

namespace EdgeInspector.Inspection;

/// <summary>One blockage of the entry eye, in belt coordinates: one part, or several that touch.</summary>
internal struct EntryBlock
{
    /// <summary>Offset of its leading end on the belt, mm.</summary>
    public double LeadOffset;

    /// <summary>Offset of its trailing end, mm; larger than the lead's.</summary>
    public double TrailOffset;

    /// <summary>Parts that the camera found within it.</summary>
    public int Parts;
}

/// <summary>
/// What the entry eye saw and the camera has yet to account for. The sensor thread writes edges, the inspect thread reads
/// blocks; the lock is held for a few instructions and never across I/O. A part that no frame shows still gets a
/// verdict, because this remembers it.
/// </summary>
/// <param name="belt">Gives edges their place on the belt.</param>
/// <param name="position">Where the eye looks, mm along the line from the camera's centre; upstream is negative.</param>
/// <param name="tolerance">How far a part may lie from its block, mm.</param>
internal sealed class EntryEye(IBelt belt, double position, double tolerance)
{
    private const int Capacity = 256;
    private readonly Lock _gate = new();
    private readonly EntryBlock[] _blocks = new EntryBlock[Capacity];
    private int _count;
    private double _lead = double.NaN;

    /// <summary>Blockages so far.</summary>
    public long Seen { get; private set; }

    /// <summary>Blockages that found no room: the line runs and the inspect thread does not.</summary>
    public long Overflowed { get; private set; }

    /// <summary>Takes an edge of the eye's beam; true when it ended a blockage. Sensor thread.</summary>
    public bool Edge(bool blocked, Instant at)
    {
        var offset = belt.TravelAt(at) - position;
        lock (_gate)
        {
            if (blocked)
            {
                _lead = offset;
                return false;
            }

            if (double.IsNaN(_lead))
            {
                return false; // The eye was blocked when the station started: its beginning is unknown.
            }

            Seen++;
            if (_count == Capacity)
            {
                Overflowed++;
            }
            else
            {
                _blocks[_count++] = new EntryBlock { LeadOffset = Math.Min(_lead, offset), TrailOffset = Math.Max(_lead, offset) };
            }

            _lead = double.NaN;
            return true;
        }
    }

    /// <summary>Claims the block at an offset for a part; false when the eye saw nothing there. Inspect thread.</summary>
    public bool Claim(double offset)
    {
        lock (_gate)
        {
            for (var i = 0; i < _count; i++)
            {
                ref var block = ref _blocks[i];
                if (offset >= block.LeadOffset - tolerance && offset <= block.TrailOffset + tolerance)
                {
                    block.Parts++;
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
                if (offset >= _blocks[i].LeadOffset - tolerance && offset <= _blocks[i].TrailOffset + tolerance)
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
            if (_count == 0 || _blocks[0].TrailOffset + tolerance >= offset)
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
}
