namespace EdgeInspector.Simulation.Parts;

/// <summary>
/// Lays parts on the belt one after another, ahead of the entry eye: which part, in which lane, how far behind the one
/// before. Parts of a lane never overlap; touching ones meet somewhere along their outlines. Not thread-safe.
/// </summary>
internal sealed class PartFeed
{
    // Clear belt between parts that are not meant to touch, in millimetres.
    private const double LeastGap = 4;
    private const double LeastPhotographGap = 12;

    // Touching parts are up to this many pixels apart where they are nearest.
    private const double LargestTouch = 2.5;

    // A part can only meet the few laid before it in its lane.
    private const int Neighbours = 3;

    private const double TypicalBiscuit = 59;

    private readonly VirtualLineOptions _options;
    private readonly BeltMotion _motion;
    private readonly IPartSource _source;
    private readonly PlainRange? _plain;
    private readonly List<BeltInterval> _windows = [];
    private readonly bool _touching;
    private readonly double _pitch;
    private readonly double _meanGap;
    private readonly double _leastGap;
    private readonly double _sideways;
    private readonly Lane[] _lanes;
    private long _next;

    public PartFeed(VirtualLineOptions options, BeltMotion motion)
    {
        _options = options;
        _motion = motion;
        var length = TypicalBiscuit;
        var widest = BiscuitRange.LargestWidth;
        var leastGap = LeastGap;
        if (options.PlainParts is { } plain)
        {
            _source = _plain = new PlainRange(options);
            _touching = true;
            length = (plain.MinimumLength + plain.MaximumLength) / 2;
            widest = plain.MaximumLength;
            leastGap = plain.MinimumGap;
            Count = options.PartCount;
        }
        else if (options.PhotographsFolder is null)
        {
            _source = new BiscuitRange(options.Seed, options.DefectRate, options.MillimetresPerPixel);
            _touching = true;
            Count = options.PartCount;
        }
        else
        {
            var photographs = new PhotographSet(options);
            _source = photographs;
            length = photographs.MeanLength;
            widest = photographs.LargestAcross;
            Count = options.PartCount == 0 ? photographs.Count : options.PartCount;
        }

        _pitch = options.BeltSpeed * 1000 * options.Lanes / options.PartsPerSecond;
        var touching = _touching ? options.TouchingShare : 0;
        _leastGap = _touching ? leastGap : LeastPhotographGap;
        _meanGap = Math.Max(_leastGap, (_pitch - length) / (1 - touching));
        _sideways = Math.Min(options.SidewaysJitter, Math.Max(0, ((options.WidthAcross / options.Lanes) - widest) / 2));
        _lanes = new Lane[options.Lanes];
        for (var i = 0; i < _lanes.Length; i++)
        {
            // The belt starts empty: the first part is still upstream of the entry eye.
            var random = SeededRandom.For((ulong)options.Seed, 40, i);
            var start = options.EntryEyePosition - random.Range(5, Math.Max(10, _pitch));
            _lanes[i] = new Lane { Due = start, Front = start };
        }
    }

    /// <summary>Parts in all; 0 means endless.</summary>
    public long Count { get; }

    public long Laid => _next;

    public bool Ended => Count > 0 && _next >= Count;

    /// <summary>
    /// Belt place (mm, negative of the offset) up to which every part has been laid: nothing more comes downstream of
    /// it.
    /// </summary>
    public double LaidTo
    {
        get
        {
            var place = double.NegativeInfinity;
            for (var i = 0; i < _lanes.Length && !Ended; i++)
            {
                place = Math.Max(place, _lanes[i].Front);
            }

            return place;
        }
    }

    public PartDesign Design(long index)
    {
        return _source.Design(index);
    }

    /// <summary>Lays the next part; the caller has seen that there is one.</summary>
    public LinePart Lay()
    {
        var laneNumber = 0;
        for (var i = 1; i < _lanes.Length; i++)
        {
            laneNumber = _lanes[i].Front > _lanes[laneNumber].Front ? i : laneNumber;
        }

        var lane = _lanes[laneNumber];
        var index = _next++;
        var random = SeededRandom.For((ulong)_options.Seed, 41, index);
        var shape = _plain?.Shape(index);
        var design = shape is null ? _source.Design(index) : null;
        var extent = shape?.Extent ?? design!.Extent;
        var mm = _options.MillimetresPerPixel;
        var laneWidth = _options.WidthAcross / _options.Lanes;
        var across =
            ((laneNumber + 0.5) * laneWidth) - (_options.WidthAcross / 2) + random.Range(-_sideways, _sideways);
        var row = (int)Math.Round((_options.WidthAcross / 2 / mm) + (across / mm)) - extent.Origin;
        var touches = lane.TouchNext && lane.Laid;
        var column = (int)Math.Round(lane.Front / mm) - extent.Right;
        if (touches)
        {
            var apart = (int)random.Range(0, LargestTouch + 0.99);
            column = design is null ? lane.Rear - apart - extent.Right : Against(lane, design, row, apart);
        }

        if (_options.MinimumPitch > 0 && lane.Laid)
        {
            var nearest = -(lane.Offset + _options.MinimumPitch) / mm;
            column = Math.Min(column, (int)Math.Floor(nearest - ((extent.Left + extent.Right) / 2.0)));
        }

        var part = Place(index, laneNumber, column, row, extent, shape, design);
        lane.Rear = column + extent.Left;
        if (design is not null)
        {
            lane.Recent.Enqueue((part, design));
            if (lane.Recent.Count > Neighbours)
            {
                lane.Recent.Dequeue();
            }

            lane.Rear = lane.Recent.Min(r => r.Part.Column + r.Design.Left);
        }

        // The next gap: random, and leaning towards the mean rate where long or touching parts have disturbed it.
        var rear = lane.Rear * mm;
        (lane.Laid, lane.Offset) = (true, part.Offset);
        lane.Due -= _pitch;
        lane.TouchNext = _touching && random.Chance(_options.TouchingShare);
        var gap =
            (_meanGap * random.Range(0.35, 1.65))
            + Math.Clamp(0.15 * (rear - _meanGap - lane.Due), -0.3 * _meanGap, 0.3 * _meanGap);
        lane.Front = lane.TouchNext ? rear : rear - Math.Max(_leastGap, gap);
        return part;
    }

    /// <summary>
    /// The column at which the outlines come within <paramref name="gap"/> pixels of those already there.
    /// </summary>
    private static int Against(Lane lane, PartDesign design, int row, int gap)
    {
        var column = int.MaxValue;
        foreach (var (part, other) in lane.Recent)
        {
            for (var y = 0; y < design.Side; y++)
            {
                // Rows next to each other count too, or outlines could meet at a corner.
                for (var near = -1; near <= 1; near++)
                {
                    var there = y + row - part.Row + near;
                    if (there >= 0 && there < other.Side && other.RowEnd[there] > 0 && design.RowEnd[y] > 0)
                    {
                        column = Math.Min(column, part.Column + other.RowStart[there] - gap - design.RowEnd[y]);
                    }
                }
            }
        }

        // Two parts so far aside that no row is shared would pass each other.
        return Math.Min(column, lane.Rear - (design.Right / 2) - (design.Left / 2));
    }

    private LinePart Place(
        long index,
        int lane,
        int column,
        int row,
        PartExtent extent,
        PlainShape? shape,
        PartDesign? design
    )
    {
        var mm = _options.MillimetresPerPixel;
        var offset = -(column + ((extent.Left + extent.Right) / 2.0)) * mm;
        var length = (extent.Right - extent.Left) * mm;
        var half = _options.EjectorWindow / 2;
        _windows.Clear();
        _motion.Within(_options.EjectorPosition - half + offset, _options.EjectorPosition + half + offset, _windows);
        return new LinePart
        {
            Index = index,
            Lane = lane,
            Column = column,
            Row = row,
            Side = extent.Side,
            Offset = offset,
            Across = ((row + ((extent.Top + extent.Bottom) / 2.0)) * mm) - (_options.WidthAcross / 2),
            Length = length,
            Width = (extent.Bottom - extent.Top) * mm,
            Class = shape?.Class ?? design!.Class,
            IsDefect = shape?.IsDefect ?? design!.IsDefect,
            Source = design?.Source,
            EnteredAt = _motion.TimeAt(_options.EntryEyePosition + offset - (length / 2)),
            Windows = [.. _windows],
            Shape = shape,
            Design = design,
        };
    }

    private sealed class Lane
    {
        /// <summary>Where the next front edge would be at a perfectly even rate.</summary>
        public double Due { get; set; }

        /// <summary>Where the next front edge goes, unless it touches.</summary>
        public double Front { get; set; }

        public bool TouchNext { get; set; }

        /// <summary>Whether a part lies on it yet.</summary>
        public bool Laid { get; set; }

        /// <summary>Of the last part.</summary>
        public double Offset { get; set; }

        /// <summary>Belt column of the rearmost pixel of the latest parts.</summary>
        public int Rear { get; set; }

        public Queue<(LinePart Part, PartDesign Design)> Recent { get; } = new();
    }
}
