namespace EdgeInspector.Simulation.Parts;

/// <summary>
/// The photo-eye before the camera, of one lane. Parts that lie against each other block it as one. Each end of what
/// blocks it passes the beam when the belt gets there, and again each time the belt runs back through it. Not
/// thread-safe.
/// </summary>
internal sealed class EntryEye(int lane, VirtualLineOptions options, BeltMotion motion)
{
    /// <summary>Parts closer than this along the belt look like one, in millimetres.</summary>
    public const double Gap = 1;

    // Edges that nobody drains, as a real driver's buffer: the oldest are lost and the sequence shows it.
    private const int Kept = 65_536;

    // A flicker is over within this time and, so that no other end comes into it, this much belt (mm).
    private static readonly TimeSpan LongestFlicker = TimeSpan.FromMilliseconds(2);
    private const double FlickerTravel = 0.8 * Gap;

    // The fastest ramp, for this long: millimetres a second that the belt may gain meanwhile.
    private const double Gain = 40;

    private readonly Disturbances _disturbances = options.Disturbances;
    private readonly PriorityQueue<(SensorEdge Edge, bool Lost), (TimeSpan At, long Order)> _edges = new();
    private readonly List<BeltCrossing> _crossings = [];
    private readonly List<TimeSpan> _exposures = [];
    private long _forgotten;
    private TimeSpan _settled = TimeSpan.MinValue;
    private double? _rear;
    private LinePart? _last;
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
            (_rear, _last) = part.RearOffset > rear ? (part.RearOffset, part) : (rear, _last);
            return;
        }

        End();
        Add(part, part.FrontOffset, true);
        (_rear, _last) = (part.RearOffset, part);
    }

    /// <summary>Nothing more lies against the last part.</summary>
    public void End()
    {
        if (_rear is { } rear)
        {
            Add(_last!, rear, false);
        }

        (_rear, _last) = (null, null);
    }

    /// <summary>
    /// When the camera takes its picture of the blockage with this index, counted from 0; null while that is not known. Those
    /// long past are forgotten: <see cref="BeltMotion.Never"/>.
    /// </summary>
    public TimeSpan? ExposureOf(long index) =>
        index < _forgotten ? BeltMotion.Never
        : index - _forgotten < _exposures.Count ? _exposures[(int)(index - _forgotten)]
        : null;

    /// <summary>The next edge, one that gets lost included.</summary>
    public bool TryPeek(out SensorEdge edge)
    {
        var any = _edges.TryPeek(out var next, out _);
        edge = next.Edge with { Sequence = _sequence };
        return any;
    }

    /// <summary>The next edge; null where it is lost.</summary>
    public SensorEdge? Dequeue()
    {
        var (edge, lost) = _edges.Dequeue();
        edge = edge with { Sequence = _sequence++ };
        return lost ? null : edge;
    }

    /// <summary>One end of what blocks the beam: the front blocks it on the way forward, the rear clears it.</summary>
    private void Add(LinePart part, double offset, bool front)
    {
        if (front && lane == 0 && options.TriggerDistance is { } distance)
        {
            _exposures.Add(motion.TimeAt(options.EntryEyePosition + offset + distance));
            if (_exposures.Count > Kept)
            {
                _exposures.RemoveRange(0, Kept / 2);
                _forgotten += Kept / 2;
            }
        }

        _crossings.Clear();
        motion.Crossings(options.EntryEyePosition + offset, _crossings);
        _settled = _crossings.Count == 0 ? BeltMotion.Never : _crossings[0].At;
        var random = SeededRandom.For((ulong)options.Seed, 75, (part.Index * 16) + (lane * 2) + (front ? 1 : 0));
        for (var i = 0; i < _crossings.Count; i++)
        {
            var (at, forward) = _crossings[i];
            Enqueue(part, forward == front, at, ref random);
            if (random.Chance(_disturbances.EntryEdgesBounced))
            {
                Flicker(part, forward == front, at, i + 1 < _crossings.Count ? _crossings[i + 1].At : null, ref random);
            }
        }
    }

    private void Flicker(LinePart part, bool blocked, TimeSpan at, TimeSpan? next, ref SeededRandom random)
    {
        var longest = TimeSpan.FromSeconds(FlickerTravel / (Math.Abs(motion.SpeedAt(at)) + Gain));
        longest = longest < LongestFlicker ? longest : LongestFlicker;
        longest = next is { } end && (end - at) * 0.8 < longest ? (end - at) * 0.8 : longest;
        var edges = random.Chance(0.5) ? 4 : 2;
        if (longest.Ticks < 10 * edges)
        {
            return;
        }

        part.Troubles |= PartTroubles.EntryEdgeBounced;
        for (var k = 1; k <= edges; k++)
        {
            var after = longest * ((k - 0.9 + (0.9 * random.NextDouble())) / edges);
            Enqueue(part, blocked == (k % 2 == 0), at + after, ref random);
        }
    }

    private void Enqueue(LinePart part, bool blocked, TimeSpan at, ref SeededRandom random)
    {
        var lost = random.Chance(_disturbances.EntryEdgesLost);
        part.Troubles |= lost ? PartTroubles.EntryEdgeLost : 0;
        _edges.Enqueue((new SensorEdge(LineSensor.EntryEye, blocked, at, 0, lane), lost), (at, _order++));
        if (_edges.Count > Kept)
        {
            Dequeue();
        }
    }
}
