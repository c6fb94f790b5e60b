namespace EdgeInspector.Simulation.Parts;

/// <summary>
/// The photo-eye before the camera, of one lane. Parts that lie against each other block it as one. Each end of what
/// blocks it passes the beam when the belt gets there, and again each time the belt runs back through it. Not
/// thread-safe.
/// </summary>
/// <param name="position">Millimetres along the belt.</param>
internal sealed class EntryEye(int lane, double position, BeltMotion motion)
{
    /// <summary>Parts closer than this along the belt look like one, in millimetres.</summary>
    public const double Gap = 1;

    // Edges that nobody drains, as a real driver's buffer: the oldest are lost and the sequence shows it.
    private const int Kept = 65_536;

    private readonly PriorityQueue<SensorEdge, (TimeSpan At, long Order)> _edges = new();
    private readonly List<BeltCrossing> _crossings = [];
    private TimeSpan _settled = TimeSpan.MinValue;
    private double? _rear;
    private long _order;
    private long _sequence;

    /// <summary>
    /// Whether the next edge is known whatever lies further upstream: the belt has not come further by then than the
    /// last part laid, or never will.
    /// </summary>
    public bool Knows =>
        _settled == BeltMotion.Never || (_edges.TryPeek(out _, out var next) && next.At <= _settled);

    /// <summary>The next part along the lane.</summary>
    public void Pass(LinePart part)
    {
        if (_rear is { } rear && part.FrontOffset - rear < Gap)
        {
            _rear = Math.Max(rear, part.RearOffset);
            return;
        }

        End();
        Add(part.FrontOffset, true);
        _rear = part.RearOffset;
    }

    /// <summary>Nothing more lies against the last part.</summary>
    public void End()
    {
        if (_rear is { } rear)
        {
            Add(rear, false);
        }

        _rear = null;
    }

    public bool TryPeek(out SensorEdge edge)
    {
        var any = _edges.TryPeek(out edge, out _);
        edge = edge with { Sequence = _sequence };
        return any;
    }

    public SensorEdge Dequeue()
    {
        return _edges.Dequeue() with { Sequence = _sequence++ };
    }

    /// <summary>One end of what blocks the beam: the front blocks it on the way forward, the rear clears it.</summary>
    private void Add(double offset, bool front)
    {
        _crossings.Clear();
        motion.Crossings(position + offset, _crossings);
        _settled = _crossings.Count == 0 ? BeltMotion.Never : _crossings[0].At;
        foreach (var crossing in _crossings)
        {
            var edge = new SensorEdge(LineSensor.EntryEye, crossing.Forward == front, crossing.At, 0, lane);
            _edges.Enqueue(edge, (crossing.At, _order++));
            if (_edges.Count > Kept)
            {
                Dequeue();
            }
        }
    }
}
