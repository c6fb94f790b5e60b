using System.Numerics;

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
    private readonly PartTroubleMaker? _troubles;
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
        _troubles = options.Disturbances.Touch ? new PartTroubleMaker(options, motion.Reach) : null;
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
        var front = lane.Front;
        var beside = SeededRandom.For((ulong)_options.Seed, 42, index);
        var otherNumber = Straddle(laneNumber, ref beside);
        var other = otherNumber < 0 ? null : _lanes[otherNumber];
        if (other is not null)
        {
            // A fifth of its width off the border at most: enough of it lies on either side.
            var aside = beside.Range(-0.2, 0.2) * (extent.Bottom - extent.Top) * mm;
            across = (Math.Max(laneNumber, otherNumber) * laneWidth) - (_options.WidthAcross / 2) + aside;
            front = Math.Min(lane.ClearFront(_leastGap), other.ClearFront(_leastGap));
        }

        var row = (int)Math.Round((_options.WidthAcross / 2 / mm) + (across / mm)) - extent.Origin;
        var touches = lane.TouchNext && lane.Laid && other is null;
        var column = (int)Math.Round(front / mm) - extent.Right;
        if (touches)
        {
            var apart = (int)random.Range(0, LargestTouch + 0.99);
            column = design is null ? lane.Rear - apart - extent.Right : Against(lane, design, row, apart);
        }

        var middle = (extent.Left + extent.Right) / 2.0;
        var nearest = Math.Min(
            lane.Nearest(_options.MinimumPitch, mm),
            other?.Nearest(_options.MinimumPitch, mm) ?? double.MaxValue
        );
        column = (int)Math.Min(column, Math.Floor(nearest - middle));
        var laid = new Laid(index, column, row, extent, shape, design);
        var ahead = Math.Min(lane.RoomAhead(laid), other?.RoomAhead(laid) ?? int.MaxValue) * mm;
        var offset = laid.Offset(mm);
        var pitch = Math.Min(lane.Pitch(offset), other?.Pitch(offset) ?? double.MaxValue);
        lane.Take(laid, Neighbours, mm);
        other?.Take(laid, Neighbours, mm);

        // The next gap: random, and leaning towards the mean rate where long or touching parts have disturbed it.
        var rear = lane.Rear * mm;
        lane.Due -= _pitch;
        lane.TouchNext = _touching && random.Chance(_options.TouchingShare);
        var gap =
            (_meanGap * random.Range(0.35, 1.65))
            + Math.Clamp(0.15 * (rear - _meanGap - lane.Due), -0.3 * _meanGap, 0.3 * _meanGap);
        lane.Front = lane.TouchNext ? rear : rear - Math.Max(_leastGap, gap);
        var behind = rear - lane.Front;
        if (other is not null)
        {
            other.TouchNext = false;
            other.Front = (other.Rear * mm) - Math.Max(_leastGap, _meanGap * beside.Range(0.35, 1.65));
            behind = Math.Min(behind, (other.Rear * mm) - other.Front);
        }

        var lanes = (byte)((1 << laneNumber) | (other is null ? 0 : 1 << otherNumber));
        return Place(laid, lanes, _troubles?.Of(laid, ahead, behind, pitch) ?? default);
    }

    /// <summary>The neighbouring lane into which the next part reaches; -1 for none.</summary>
    private int Straddle(int lane, ref SeededRandom random)
    {
        if (_lanes.Length < 2 || !random.Chance(_options.StraddlingShare))
        {
            return -1;
        }

        var up = lane > 0 && (lane == _lanes.Length - 1 || random.Chance(0.5));
        return up ? lane - 1 : lane + 1;
    }

    /// <summary>
    /// The column at which the outlines come within <paramref name="gap"/> pixels of those already there.
    /// </summary>
    private static int Against(Lane lane, PartDesign design, int row, int gap)
    {
        var column = int.MaxValue;
        foreach (var part in lane.Recent)
        {
            var other = part.Design!;
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

    private LinePart Place(in Laid laid, byte lanes, in PartTrouble trouble)
    {
        var mm = _options.MillimetresPerPixel;
        var extent = laid.Extent;
        var laidOffset = laid.Offset(mm);
        var offset = laidOffset + ((trouble.Slip?.Pixels ?? 0) * mm);
        var length = (extent.Right - extent.Left) * mm;
        var (ejector, half) = (_options.EjectorPosition + offset, _options.EjectorWindow / 2);
        _windows.Clear();
        if (trouble.RemovedAtPosition is null)
        {
            _motion.Within(ejector - half, ejector + half, _windows);
        }

        return new LinePart
        {
            Index = laid.Index,
            Lane = BitOperations.TrailingZeroCount(lanes),
            Lanes = lanes,
            Column = laid.Column,
            Row = laid.Row,
            Side = extent.Side,
            LaidOffset = laidOffset,
            Offset = offset,
            Across = ((laid.Row + ((extent.Top + extent.Bottom) / 2.0)) * mm) - (_options.WidthAcross / 2),
            Length = length,
            Width = (extent.Bottom - extent.Top) * mm,
            Class = laid.Shape?.Class ?? laid.Design!.Class,
            IsDefect = laid.Shape?.IsDefect ?? laid.Design!.IsDefect,
            Source = laid.Design?.Source,
            EnteredAt = _motion.TimeAt(_options.EntryEyePosition + laidOffset - (length / 2)),
            Windows = [.. _windows],
            Slip = trouble.Slip,
            RemovedAt = trouble.RemovedAtPosition is { } position ? _motion.TimeAt(position + offset) : null,
            Troubles = trouble.Kinds | (BitOperations.IsPow2(lanes) ? PartTroubles.None : PartTroubles.Straddles),
            Shape = laid.Shape,
            Design = laid.Design,
        };
    }

    private sealed class Lane
    {
        private double? _offset;

        /// <summary>Where the next front edge would be at a perfectly even rate.</summary>
        public double Due { get; set; }

        /// <summary>Where the next front edge goes, unless it touches.</summary>
        public double Front { get; set; }

        public bool TouchNext { get; set; }

        /// <summary>Whether a part lies on it yet.</summary>
        public bool Laid => _offset is not null;

        /// <summary>Belt column of the rearmost pixel of the latest parts.</summary>
        public int Rear { get; private set; }

        /// <summary>The latest parts with designs.</summary>
        public Queue<Laid> Recent { get; } = new();

        public void Take(in Laid laid, int neighbours, double mm)
        {
            (_offset, Rear) = (laid.Offset(mm), laid.Rear);
            if (laid.Design is not null)
            {
                Recent.Enqueue(laid);
                if (Recent.Count > neighbours)
                {
                    Recent.Dequeue();
                }

                Rear = Recent.Min(r => r.Rear);
            }
        }

        /// <summary>Where the next front edge goes when it must not touch.</summary>
        public double ClearFront(double gap)
        {
            return TouchNext ? Front - gap : Front;
        }

        /// <summary>Column at which the next centre keeps a pitch (mm).</summary>
        public double Nearest(double pitch, double mm)
        {
            return _offset is { } offset && pitch > 0 ? -(offset + pitch) / mm : double.MaxValue;
        }

        /// <summary>Clear columns between a part and those before it.</summary>
        public int RoomAhead(in Laid laid)
        {
            return Laid ? Rear - laid.Column - laid.Extent.Right : int.MaxValue;
        }

        /// <summary>From the centre of the latest part to an offset.</summary>
        public double Pitch(double offset)
        {
            return offset - _offset ?? double.MaxValue;
        }
    }
}
