using EdgeInspector.Simulation.Parts;
using EdgeInspector.Simulation.Rendering;
using OpenCvSharp;

namespace EdgeInspector.Simulation;

/// <summary>
/// A conveyor with a camera, an encoder, photo-eyes and ejectors that exists only in numbers, and knows the truth about
/// every part. All times are since the line's start and are given by the caller: the line has no clock, so it can run
/// in real time, faster, or be asked about any moment twice. Everything follows from the seed and the ejector's
/// levels.
/// <para>
/// Safe to call from any thread. The sensors, the ejector and the truth share one short lock; pictures are made under
/// another, so a frame never delays a pulse. Calls may be up to <see cref="Memory"/> out of order with each other: a
/// part is past saving after that.
/// </para>
/// </summary>
public sealed class VirtualLine : IDisposable
{
    /// <summary>
    /// How late a level of the ejector may be told, measured from the latest time any call has named.
    /// </summary>
    public static readonly TimeSpan Memory = TimeSpan.FromSeconds(5);

    // How long a falling part blocks the confirm eye.
    private static readonly TimeSpan ChutePassage = TimeSpan.FromMilliseconds(25);

    // A touching part can reach this far past the rear of the one before it, beside it; in millimetres.
    private const double Interlock = 45;

    // Lanes take turns, so a part may lie this far out of the list's order along the belt, in millimetres.
    private const double Stray = 300;

    // Parts are laid, and their painting begins, this far before they come into view, in millimetres.
    private const double Foresight = 500;

    // Belt between two stretches on which the encoder fails, in millimetres.
    private const double SlipSpacing = 250;

    // Parts remembered with their truth: nearly three hours of the default line.
    private const int Kept = 100_000;

    private readonly Lock _gate = new();
    private readonly Lock _picture = new();
    private readonly BeltMotion _motion;
    private readonly PartFeed _feed;
    private readonly List<LinePart> _parts = [];
    private readonly List<LinePart> _inView = [];
    private readonly List<LinePart> _painted = [];
    private readonly EntryEye[] _entry;
    private readonly Chute[] _chutes;
    private readonly LaneEjector[] _ejectors;
    private readonly EncoderSlips _lost;
    private readonly EncoderSlips _doubled;
    private readonly SpritePool _sprites = new();
    private readonly Lazy<Optics> _optics;
    private TimeSpan _latest;
    private TimeSpan _allOut;
    private long _forgotten;
    private int _settled;
    private int _told;
    private int _light;
    private long _renderedBytes;
    private bool _disposed;

    /// <exception cref="InvalidDataException">An option is out of range, or a photograph cannot be used.</exception>
    /// <exception cref="DirectoryNotFoundException">The folder of photographs is not there.</exception>
    public VirtualLine(VirtualLineOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        var faults = options.Validate();
        if (faults.Count > 0)
        {
            throw new InvalidDataException("virtual line: " + string.Join("; ", faults));
        }

        Options = options;
        _motion = options.Motion is { } profile
            ? new BeltMotion(profile, options.Seed)
            : new BeltMotion(options.BeltSpeed);
        _feed = new PartFeed(options, _motion);
        _entry =
        [
            .. Enumerable.Range(0, options.Lanes).Select(i => new EntryEye(i, options, _motion)),
        ];
        _chutes = [.. Enumerable.Range(0, options.Lanes).Select(_ => new Chute())];
        _ejectors = [.. Enumerable.Range(0, options.Lanes).Select(_ => new LaneEjector(options.EjectorLatency))];
        var block = Math.Max(64, (long)(SlipSpacing * options.EncoderCountsPerMillimetre));
        _lost = new EncoderSlips((ulong)options.Seed, 80, options.Disturbances.EncoderCountsLost, block);
        _doubled = new EncoderSlips((ulong)options.Seed, 82, options.Disturbances.EncoderCountsDoubled, block);
        _optics = new Lazy<Optics>(() => new Optics(options));
    }

    /// <summary>What the line was built from.</summary>
    public VirtualLineOptions Options { get; }

    /// <summary>How the belt moves.</summary>
    public BeltMotion Motion => _motion;

    /// <summary>Parts the line will carry in all; null when endless.</summary>
    public long? PartCount => _feed.Count > 0 ? _feed.Count : null;

    /// <summary>
    /// When the next photo-eye edge comes that <see cref="DrainEdges"/> has not told yet, as far as the ejector's
    /// levels told so far decide it; null when there is none. It may turn out to be one that gets lost.
    /// </summary>
    public TimeSpan? NextEdgeAt
    {
        get
        {
            lock (_gate)
            {
                return FindNext(out _, out _)?.At;
            }
        }
    }

    /// <summary>Millimetres the belt has moved at <paramref name="t"/>.</summary>
    public double TravelAt(TimeSpan t)
    {
        return _motion.TravelAt(t);
    }

    /// <summary>
    /// The encoder's count at <paramref name="t"/>, 0 at the start; less what it has lost until then and more what it
    /// has told twice.
    /// </summary>
    public long EncoderCountAt(TimeSpan t)
    {
        var count = (long)Math.Floor(_motion.TravelAt(t) * Options.EncoderCountsPerMillimetre);
        if (Options.Disturbances is not { EncoderCountsLost: 0, EncoderCountsDoubled: 0 })
        {
            var furthest = (long)Math.Floor(_motion.FurthestAt(t) * Options.EncoderCountsPerMillimetre);
            count += _doubled.UpTo(furthest) - _lost.UpTo(furthest);
        }

        return count;
    }

    /// <summary>Whether a frame never reaches the computer; the camera's count of frames goes on.</summary>
    public bool IsFrameDropped(long index)
    {
        return SeededRandom.For((ulong)Options.Seed, 78, index).Chance(Options.Disturbances.FramesDropped);
    }

    /// <summary>
    /// The middle of the exposure of frame <paramref name="index"/>, the first being 0; of a triggered camera
    /// <see cref="BeltMotion.Never"/> where there is none.
    /// </summary>
    public TimeSpan FrameTime(long index)
    {
        if (Options.TriggerDistance is not null)
        {
            lock (_gate)
            {
                TimeSpan? exposure;
                while ((exposure = _entry[0].ExposureOf(index)) is null && !_feed.Ended)
                {
                    LayNext();
                }

                return exposure ?? BeltMotion.Never;
            }
        }

        return TimeSpan.FromTicks((long)Math.Round(index * (TimeSpan.TicksPerSecond / Options.FramesPerSecond)));
    }

    /// <summary>
    /// Managed bytes that <see cref="Render"/> has allocated so far: parts are painted as they come into view. Whoever
    /// measures what a capture thread allocates takes them off, since no real camera paints.
    /// </summary>
    public long RenderedBytes => Volatile.Read(ref _renderedBytes);

    /// <summary>
    /// The camera's picture at <paramref name="t"/>: 8-bit blue, green, red of the frame's size; the destination is
    /// allocated only where it does not have that shape already. The same time gives the same picture, bit for bit.
    /// </summary>
    public void Render(TimeSpan t, Mat destination)
    {
        ArgumentNullException.ThrowIfNull(destination);
        var before = GC.GetAllocatedBytesForCurrentThread();
        lock (_picture)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            var optics = _optics.Value;
            destination.Create(Options.FrameHeight, Options.FrameWidth, MatType.CV_8UC3);
            var left = FirstColumn(_motion.TravelAt(t));
            var blur = Math.Abs(_motion.SpeedAt(t)) * Options.Exposure.TotalSeconds / Options.MillimetresPerPixel;
            var (from, to) = optics.Exposure.Reach(left, blur);
            CollectParts(from - BeltSurface.Chunk, to + BeltSurface.Chunk, t);
            unsafe
            {
                var belt = optics.Strip.Look(from, to, _inView);
                optics.Exposure.Take(belt, optics.Strip.Stride, left, blur, t, destination);
            }

            Volatile.Write(ref _renderedBytes, _renderedBytes + GC.GetAllocatedBytesForCurrentThread() - before);
        }
    }

    /// <summary>Every part of which the picture at <paramref name="t"/> shows something, in order of entry.</summary>
    public VisiblePart[] PartsInView(TimeSpan t)
    {
        var parts = new VisiblePart[16];
        int count;
        while ((count = PartsInView(t, parts)) > parts.Length)
        {
            parts = new VisiblePart[count];
        }

        return parts[..count];
    }

    /// <summary>
    /// As <see cref="PartsInView(TimeSpan)"/>, into a span; allocates nothing but the parts themselves, as they are
    /// laid. Those furthest downstream are left out where it is too short.
    /// </summary>
    /// <returns>How many there are in view, which may be more than fit.</returns>
    public int PartsInView(TimeSpan t, Span<VisiblePart> parts)
    {
        lock (_gate)
        {
            var travel = _motion.TravelAt(t);
            var left = FirstColumn(travel);
            var furthest = _motion.FurthestAt(t);
            Lay(-travel - Options.HalfView);
            var count = 0;
            for (var i = _parts.Count - 1; i >= 0; i--)
            {
                var part = _parts[i];
                var x = part.ColumnAt(furthest) - left;
                if (x > Options.FrameWidth + (Stray / Options.MillimetresPerPixel))
                {
                    break;
                }

                if (x + part.Side <= 0 || x >= Options.FrameWidth || !Look(part, x, furthest, out var seen))
                {
                    continue;
                }

                if (count < parts.Length)
                {
                    parts[count] = seen;
                }

                count++;
            }

            parts[..Math.Min(count, parts.Length)].Reverse();
            return count;
        }
    }

    /// <summary>
    /// Tells the edges up to and including <paramref name="upTo"/> in order of time, each once, as many as fit. A
    /// second call gets the rest.
    /// </summary>
    /// <returns>How many were written.</returns>
    public int DrainEdges(TimeSpan upTo, Span<SensorEdge> edges)
    {
        lock (_gate)
        {
            Advance(upTo);
            var count = 0;
            while (count < edges.Length && FindNext(out var lane, out var part) is { } next && next.At <= upTo)
            {
                if (Tell(next, lane, part) is { } edge)
                {
                    edges[count++] = edge;
                }
            }

            return count;
        }
    }

    /// <summary>
    /// The level of a lane's ejector pin from <paramref name="t"/> on. The blast follows after the valve's latency; any
    /// part of the lane whose centre is in the window meanwhile goes out.
    /// </summary>
    public void SetEjector(int lane, bool active, TimeSpan t)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(lane);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(lane, _ejectors.Length);
        lock (_gate)
        {
            _ejectors[lane].Set(active, t);

            // Parts that lie in two lanes go down the chute of the lower one.
            _chutes[lane].Knows = false;
            _chutes[Math.Max(0, lane - 1)].Knows = false;
            Advance(t);
        }
    }

    /// <summary>
    /// Every part that has reached its entry eye by <paramref name="t"/>, in order of entry, with its fate at that
    /// time. A line that runs for hours remembers its last 100,000 parts.
    /// </summary>
    public PartTruth[] Truth(TimeSpan t)
    {
        return Truth(t, 0);
    }

    /// <summary>As <see cref="Truth(TimeSpan)"/>, from the part with index <paramref name="first"/> on.</summary>
    public PartTruth[] Truth(TimeSpan t, long first)
    {
        lock (_gate)
        {
            Advance(t);
            Lay(Options.EntryEyePosition - _motion.FurthestAt(t));
            var start = (int)Math.Clamp(first - _forgotten, 0, _parts.Count);
            var truth = new List<PartTruth>(_parts.Count - start);
            for (var i = start; i < _parts.Count; i++)
            {
                if (_parts[i].EnteredAt <= t)
                {
                    truth.Add(Describe(_parts[i], t));
                }
            }

            return [.. truth];
        }
    }

    /// <summary>
    /// Whether the last part has left the ejector and the chute, or the belt stands for good and the chute is empty;
    /// never for an endless line that moves.
    /// </summary>
    public bool Finished(TimeSpan t)
    {
        lock (_gate)
        {
            Lay(Options.EntryEyePosition - _motion.FurthestAt(t));
            return (_feed.Ended && t >= _allOut) || t >= OutOfChute(_motion.StopsAt);
        }
    }

    /// <summary>Level of an eye at any time, for pins that are read rather than waited for.</summary>
    internal bool IsBlocked(LineSensor sensor, int lane, TimeSpan t)
    {
        lock (_gate)
        {
            return sensor == LineSensor.EntryEye ? IsEntryBlocked(lane, t) : IsChuteBlocked(lane, t);
        }
    }

    /// <summary>Frees the pictures. The truth can still be asked for.</summary>
    public void Dispose()
    {
        lock (_picture)
        {
            if (!_disposed && _optics.IsValueCreated)
            {
                _optics.Value.Dispose();
            }

            _disposed = true;
        }
    }

    /// <summary>Later by a while, where that time ever comes.</summary>
    private static TimeSpan Later(TimeSpan t, TimeSpan by)
    {
        return t < BeltMotion.Never - by ? t + by : BeltMotion.Never;
    }

    /// <summary>When the chute is empty again after the last blast that a level at this time can bring.</summary>
    private TimeSpan OutOfChute(TimeSpan t)
    {
        return Later(t, Options.EjectorLatency + Options.ConfirmDelay + Options.ConfirmJitter + ChutePassage);
    }

    /// <summary>Belt column, with fraction, in the middle of the picture's first pixel.</summary>
    private double FirstColumn(double travel)
    {
        return -(Options.FrameWidth / 2.0) - (travel / Options.MillimetresPerPixel);
    }

    /// <summary>What a picture shows of a part whose grid begins at <paramref name="x"/>.</summary>
    private bool Look(LinePart part, double x, double furthest, out VisiblePart seen)
    {
        // A column counts when its middle is in the picture.
        var from = (int)Math.Ceiling(-x - 0.5);
        var to = (int)Math.Ceiling(Options.FrameWidth - x - 0.5);
        var box = part.Shape is { } shape
            ? shape.Between(from, to, part.Slip is { } slip ? slip.Turn * slip.Share(furthest) : 0)
            : (part.Design ??= _feed.Design(part.Index)).Between(from, to);
        seen = new VisiblePart(
            part.Index,
            part.Class,
            part.IsDefect,
            Math.Max(0, x + box.Left),
            Math.Max(0, part.Row + box.Top),
            Math.Min(Options.FrameWidth, x + box.Right),
            Math.Min(Options.FrameHeight, part.Row + box.Bottom),
            box.Share
        );
        return box.Share > 0;
    }

    /// <summary>
    /// Parts on these columns into <see cref="_inView"/>; those about to come are set to be painted by another thread,
    /// those gone by give their sprites back.
    /// </summary>
    private void CollectParts(long from, long to, TimeSpan t)
    {
        lock (_gate)
        {
            Lay(-_motion.TravelAt(t) - Options.HalfView - Foresight);
            var furthest = _motion.FurthestAt(t);
            _inView.Clear();
            var slack = (int)(Stray / Options.MillimetresPerPixel);
            var foresight = (int)(2 * Foresight / Options.MillimetresPerPixel);
            for (var i = _painted.Count - 1; i >= 0; i--)
            {
                if (_painted[i].Shown > to || _painted[i].Shown < from - foresight)
                {
                    Release(_painted[i]);
                    _painted.RemoveAt(i);
                }
            }

            for (var i = _parts.Count - 1; i >= 0 && _parts[i].Column <= to + slack; i--)
            {
                var part = _parts[i];
                part.Shown = part.ColumnAt(furthest);
                if (part.Shown < from - foresight || part.Shown > to)
                {
                    continue;
                }

                if (part.Painting is null)
                {
                    part.Painting = Begin(part, part.Shown + part.Side < from);
                    _painted.Add(part);
                }

                if (part.Shown + part.Side > from && part.Shown < to)
                {
                    _inView.Add(part);
                }
            }

            _inView.Reverse();
        }
    }

    private Lazy<Sprite> Begin(LinePart part, bool early)
    {
        var design = part.Design ??= _feed.Design(part.Index);
        var painting = new Lazy<Sprite>(() =>
        {
            var sprite = _sprites.Rent(design.Side, design.Side);
            design.Paint(sprite);
            return sprite;
        });
        if (early)
        {
            ThreadPool.UnsafeQueueUserWorkItem(PaintAhead, painting, preferLocal: false);
        }

        return painting;
    }

    private static void PaintAhead(Lazy<Sprite> painting)
    {
        try
        {
            _ = painting.Value;
        }
        catch (Exception e) when (e is InvalidDataException or IOException)
        {
            // A photograph that has gone since the start: the Lazy keeps the error and Render throws it.
        }
    }

    private void Release(LinePart part)
    {
        if (part.Painting is { IsValueCreated: true } painting)
        {
            _sprites.Return(painting.Value);
        }

        part.Painting = null;
        part.Design = null;
    }

    /// <summary>
    /// Lays parts until the belt is settled from <paramref name="place"/> (mm at the start) downstream.
    /// </summary>
    private void Lay(double place)
    {
        while (!_feed.Ended && _feed.LaidTo > place - Interlock)
        {
            LayNext();
        }
    }

    private void LayNext()
    {
        var part = _feed.Lay();
        if (_parts.Count >= Kept + (Kept / 10))
        {
            Forget(Kept / 10);
        }

        _parts.Add(part);
        for (var lane = 0; lane < _entry.Length && !part.Troubles.HasFlag(PartTroubles.Added); lane++)
        {
            if (part.LiesIn(lane))
            {
                _entry[lane].Pass(part);
            }
        }

        _allOut = OutOfChute(part.DoneAt) is var end && end > _allOut ? end : _allOut;
        if (EjectionOf(part) is not null)
        {
            _chutes[part.Lane].Knows = false;
        }

        if (_feed.Ended)
        {
            foreach (var eye in _entry)
            {
                eye.End();
            }
        }

        // Designs are needed near the view only; a line that is never looked at must let go of them too.
        while (_light < _parts.Count && _parts[_light].Offset < part.Offset - Foresight - (4 * Options.HalfView) - 1000)
        {
            if (_parts[_light].Painting is null)
            {
                _parts[_light].Design = null;
            }

            _light++;
        }
    }

    private void Forget(int count)
    {
        // Edges that nobody drains are lost in the end.
        _told = _parts.Count > 2 * Kept ? Math.Max(_told, Math.Min(count, _settled)) : _told;
        count = Math.Min(count, Math.Min(_settled, _told));
        _parts.RemoveRange(0, count);
        _forgotten += count;
        _settled -= count;
        _told -= count;
        _light = Math.Max(0, _light - count);
    }

    /// <summary>Notes the time and fixes the fate of parts that no blast can reach any more.</summary>
    private void Advance(TimeSpan t)
    {
        if (t <= _latest)
        {
            return;
        }

        _latest = t;
        while (
            _settled < _parts.Count
            && Later(_parts[_settled].DoneAt, Options.EjectorLatency + Memory) < t
        )
        {
            var part = _parts[_settled++];
            part.EjectedAt = EjectionOf(part);
            part.Settled = true;
            if (_settled == _parts.Count || _settled % 64 == 0)
            {
                ForgetLevels(part);
            }
        }
    }

    /// <summary>Lets go of the valves' levels and of the belt's motion as far as no part needs them any more.</summary>
    private void ForgetLevels(LinePart settled)
    {
        var needed = settled.WindowFrom < settled.DoneAt ? settled.WindowFrom : settled.DoneAt;
        for (var i = _settled; i < _parts.Count && _parts[i].Offset < settled.Offset + Stray; i++)
        {
            needed = _parts[i].WindowFrom < needed ? _parts[i].WindowFrom : needed;
        }

        foreach (var ejector in _ejectors)
        {
            ejector.Forget(needed - Memory);
        }

        // Parts still to be laid ask when they reach the eye.
        _motion.Forget(needed - Memory, Options.EntryEyePosition - _feed.LaidTo - Stray);
    }

    private TimeSpan? EjectionOf(LinePart part)
    {
        return part.Settled || part.Confirmed ? part.EjectedAt
            : part.Troubles.HasFlag(PartTroubles.ValveStuck) ? null
            : _ejectors[part.Lane].FirstBlast(part.Windows, part.Straddles ? _ejectors[part.Lane + 1] : null);
    }

    private PartTruth Describe(LinePart part, TimeSpan t)
    {
        var ejected = EjectionOf(part);
        if (ejected > t)
        {
            ejected = null;
        }

        var fate =
            ejected is not null ? PartFate.Ejected
            : part.RemovedAt <= t ? PartFate.Removed
            : part.WindowTo < t ? PartFate.Passed
            : PartFate.OnBelt;
        return new PartTruth(
            part.Index,
            part.Offset,
            part.Across,
            part.Length,
            part.Class,
            part.IsDefect,
            part.Source,
            fate,
            part.EnteredAt,
            ejected,
            part.Lane,
            part.Width
        )
        {
            Lanes = part.Lanes,
            Troubles = part.Troubles,
            Slide = part.Offset - part.LaidOffset,
        };
    }

    /// <summary>When an ejected part reaches the eye in the chute.</summary>
    private TimeSpan ConfirmAt(LinePart part, TimeSpan ejected)
    {
        var random = SeededRandom.For((ulong)Options.Seed, 50, part.Index);
        return ejected + Options.ConfirmDelay + (Options.ConfirmJitter * random.Range(-1, 1));
    }

    private SensorEdge? FindNext(out int lane, out LinePart? part)
    {
        SensorEdge? next = null;
        (lane, part) = (0, null);
        for (var i = 0; i < _entry.Length; i++)
        {
            while (!_entry[i].Knows && !_feed.Ended)
            {
                LayNext();
            }

            if (_entry[i].TryPeek(out var edge) && !(edge.At >= next?.At))
            {
                (next, lane) = (edge, i);
            }
        }

        while (_told < _settled && (_parts[_told].Confirmed || _parts[_told].EjectedAt is null))
        {
            _told++;
        }

        for (var i = 0; i < _chutes.Length; i++)
        {
            // Nothing can be in a chute later than this and still matter here.
            var until = next?.At ?? TimeSpan.MaxValue;
            if (_chutes[i].BlockedUntil is { } end)
            {
                // Parts that follow into the beam before it clears keep it blocked.
                while (FirstInChute(i, end) is { } following)
                {
                    following.Part.EjectedAt = following.Ejected;
                    following.Part.Confirmed = true;
                    _chutes[i].Knows = false;
                    end = following.At + ChutePassage;
                    _chutes[i].BlockedUntil = end;
                }

                if (end < until)
                {
                    (next, lane, part) = (new SensorEdge(LineSensor.ConfirmEye, false, end, 0, i), i, null);
                }
            }
            else if (FirstInChute(i, until) is { } first)
            {
                (next, lane, part) = (new SensorEdge(LineSensor.ConfirmEye, true, first.At, 0, i), i, first.Part);
            }
        }

        return next;
    }

    /// <summary>The part that first reaches the lane's confirm eye, of those not told yet, before a time.</summary>
    private (LinePart Part, TimeSpan Ejected, TimeSpan At)? FirstInChute(int lane, TimeSpan before)
    {
        var chute = _chutes[lane];
        if (!chute.Knows)
        {
            (chute.Next, chute.Knows) = (null, true);
            for (var i = _told; i < _parts.Count; i++)
            {
                var part = _parts[i];
                if (
                    part.Lane == lane
                    && !part.Confirmed
                    && EjectionOf(part) is { } ejected
                    && ConfirmAt(part, ejected) is var at
                    && !(at >= chute.Next?.At)
                )
                {
                    chute.Next = (part, ejected, at);
                }
            }
        }

        return chute.Next?.At < before ? chute.Next : null;
    }

    /// <summary>Notes that an edge has been told; null where it gets lost on the way.</summary>
    private SensorEdge? Tell(SensorEdge edge, int lane, LinePart? part)
    {
        if (edge.Sensor == LineSensor.EntryEye)
        {
            return _entry[lane].Dequeue();
        }

        if (part is not null)
        {
            part.EjectedAt = EjectionOf(part);
            part.Confirmed = true;
            _chutes[lane].Knows = false;
        }

        _chutes[lane].BlockedUntil = edge.Blocked ? edge.At + ChutePassage : null;
        edge = edge with { Sequence = _chutes[lane].Sequence++ };
        if (
            !SeededRandom
                .For((ulong)Options.Seed, 76, (edge.Sequence * 8) + lane)
                .Chance(Options.Disturbances.ConfirmEdgesLost)
        )
        {
            return edge;
        }

        if (part is not null)
        {
            part.Troubles |= PartTroubles.ConfirmEdgeLost;
        }

        return null;
    }

    private bool IsEntryBlocked(int lane, TimeSpan t)
    {
        var at = _motion.TravelAt(t) - Options.EntryEyePosition;
        Lay(-at - EntryEye.Gap);
        var (behind, ahead) = (double.NegativeInfinity, double.PositiveInfinity);
        for (var i = _parts.Count - 1; i >= 0 && _parts[i].RearOffset > at - 1000; i--)
        {
            var part = _parts[i];
            if (!part.LiesIn(lane) || part.Troubles.HasFlag(PartTroubles.Added))
            {
                continue;
            }

            if (part.FrontOffset <= at && at < part.RearOffset)
            {
                return true;
            }

            behind = part.RearOffset <= at ? Math.Max(behind, part.RearOffset) : behind;
            ahead = part.FrontOffset > at ? Math.Min(ahead, part.FrontOffset) : ahead;
        }

        return ahead - behind < EntryEye.Gap;
    }

    private bool IsChuteBlocked(int lane, TimeSpan t)
    {
        var past = _motion.FurthestAt(t) - Options.EjectorPosition - Stray;
        for (var i = _parts.Count - 1; i >= 0; i--)
        {
            var part = _parts[i];
            if (Later(part.WindowTo, Memory) < t && part.Offset < past)
            {
                return false;
            }

            if (
                part.Lane == lane
                && EjectionOf(part) is { } ejected
                && ConfirmAt(part, ejected) is var at
                && at <= t
                && t < at + ChutePassage
            )
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>What only pictures need, made with the first of them.</summary>
    private sealed class Optics(VirtualLineOptions options) : IDisposable
    {
        public BeltStrip Strip { get; } =
            new(
                new BeltSurface(options.Seed, options.FrameHeight, options.MillimetresPerPixel),
                options.FrameHeight,
                options.FrameWidth + 64
            );

        public Exposure Exposure { get; } =
            new(options.FrameWidth, options.FrameHeight, options.Seed, new Lamp(options.Seed, options.LampDrift));

        public void Dispose()
        {
            Strip.Dispose();
        }
    }

    /// <summary>The confirm eye of a lane, and what comes to it next as far as that has been worked out.</summary>
    private sealed class Chute
    {
        public TimeSpan? BlockedUntil { get; set; }

        public long Sequence { get; set; }

        public bool Knows { get; set; }

        public (LinePart Part, TimeSpan Ejected, TimeSpan At)? Next { get; set; }
    }
}
