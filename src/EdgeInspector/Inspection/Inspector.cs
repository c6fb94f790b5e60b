using System.Diagnostics.CodeAnalysis;
using System.Threading.Channels;
using EdgeInspector.Line;
using EdgeInspector.Telemetry;
using EdgeInspector.Vision;

namespace EdgeInspector.Inspection;

/// <summary>
/// Frame in, decisions out: detect, track, crop, classify, decide. Every part that the camera or the entry eye sees gets
/// exactly one decision. Several workers may <see cref="Look"/> at a frame each; all else is called by one of them at a
/// time, in the order of the frames. Allocates nothing once warm and waits for nobody.
/// </summary>
internal sealed class Inspector
{
    /// <summary>A change of place, mm, that a nozzle notices; less is a box that wobbles.</summary>
    private const double WorthTelling = 1;

    /// <summary>A frame may be this long on its way; until then nothing is decided for want of it.</summary>
    private static readonly TimeSpan InFlight = TimeSpan.FromMilliseconds(100);

    /// <summary>
    /// Share of a part's width that may reach across a lane's border before the neighbour's ejector fires too. A tenth is
    /// more than a box wobbles, and less than what one nozzle leaves lying.
    /// </summary>
    private const double Straddle = 0.1;

    /// <summary>
    /// Share of a part's length within which two centres are one part's: parts that touch are a length apart, and a place
    /// that is guessed is off by a little.
    /// </summary>
    private const double SamePlace = 0.6;

    private readonly Lock _swapping = new();
    private readonly Findings[] _findings;
    private Stages _stages;
    private volatile DecisionRules _rules;
    private readonly IBelt _belt;
    private readonly EntryEyes _entryEyes;
    private readonly RejectDeadline? _deadline;
    private readonly DecisionQueue _decisions;
    private readonly ChannelWriter<PartEvent> _events;
    private readonly EvidenceWorker? _evidence;
    private readonly InspectionFigures _figures;
    private readonly TimeProvider _time;
    private readonly double _millimetresPerPixel;
    private readonly double _shortestPart;
    private readonly int _passSampleInterval;
    private readonly int _lanes;
    private readonly byte _allLanes;
    private readonly Box[] _boxes = new Box[64];
    private readonly int[] _viewed = new int[64];
    private readonly Classification[] _classifications = new Classification[64];
    private readonly BeltDirection _direction;
    private Detection[] _detections = []; // Of the frame that is being concluded.
    private PartTracker _tracker;
    private int _pictureWidth;
    private int _pictureHeight;
    private int _viewWidth;
    private double _viewCentre;
    private double _typicalLength;
    private double _travel = double.NegativeInfinity;
    private long _lastPart;
    private long _passes;
    private int _underWay;

    /// <summary>
    /// Joins the stages. Owns none of them. The picture size is what to expect until the first frame tells.
    /// </summary>
    public Inspector(
        Stages stages,
        DecisionRules rules,
        InspectionOptions options,
        int pictureWidth,
        int pictureHeight,
        int lanes,
        IBelt belt,
        EntryEyes entryEyes,
        RejectDeadline? deadline,
        DecisionQueue decisions,
        ChannelWriter<PartEvent> events,
        EvidenceWorker? evidence,
        InspectionFigures figures,
        TimeProvider time
    )
    {
        _stages = stages;
        _findings = [.. stages.Detectors.Select(_ => new Findings())];
        _rules = rules;
        _belt = belt;
        _entryEyes = entryEyes;
        _deadline = deadline;
        _decisions = decisions;
        _events = events;
        _evidence = evidence;
        _figures = figures;
        _time = time;
        _direction = options.Direction;
        _millimetresPerPixel = options.MillimetresPerPixel;
        _shortestPart = options.ShortestPart;
        _typicalLength = 2 * options.ShortestPart; // Until parts have shown theirs.
        _lanes = lanes;
        _allLanes = (byte)((1 << lanes) - 1);
        _passSampleInterval = options.PassSampleInterval;
        Fit(pictureWidth, pictureHeight);
    }

    /// <summary>Parts in view that are not decided yet.</summary>
    public int UnderWay => Volatile.Read(ref _underWay);

    /// <summary>Puts other rules in force, from the next decision on. Any thread.</summary>
    public void Use(DecisionRules rules) => _rules = rules;

    /// <summary>How many frames may be looked at side by side.</summary>
    public int Workers => _findings.Length;

    /// <summary>
    /// Puts other stages in force, with their rules, from the next frame on. A frame in hand is finished with those that it
    /// was begun with, so the old ones must live until <see cref="Uses"/> denies it. Parts under way keep their views, so the
    /// labels must be the same. Any thread.
    /// </summary>
    /// <exception cref="ArgumentException">They have fewer detectors than there are workers.</exception>
    public void Use(Stages stages, DecisionRules rules)
    {
        if (stages.Detectors.Count < Workers)
        {
            throw new ArgumentException($"{stages.Detectors.Count} detectors are too few for {Workers} workers.", nameof(stages));
        }

        lock (_swapping)
        {
            _stages = stages;
            _rules = rules;
        }
    }

    /// <summary>Whether a worker is still looking at a frame with these stages, or the next one will.</summary>
    public bool Uses(Stages stages)
    {
        lock (_swapping)
        {
            return _stages == stages || Array.Exists(_findings, findings => findings.Stages == stages);
        }
    }

    /// <summary>Inspects one frame. The frame stays the caller's.</summary>
    public void Inspect(Frame frame)
    {
        Look(frame, worker: 0);
        Conclude(frame, worker: 0);
    }

    /// <summary>Finds the parts in one frame: what can be done before the frames that came earlier are decided.</summary>
    public void Look(Frame frame, int worker)
    {
        var findings = _findings[worker];
        findings.Travel = _belt.TravelAt(new Instant(frame.CapturedAt)) / _millimetresPerPixel;
        findings.IsTooOld = IsTooOld(findings.Travel);
        if (findings.IsTooOld)
        {
            return;
        }

        Stages stages;
        lock (_swapping)
        {
            findings.Stages = stages = _stages;
        }

        findings.Count = stages.Detectors[worker].Detect(frame.Picture, findings.Detections);
    }

    /// <summary>Follows, classifies and decides what the same worker found in the frame. The frame stays the caller's.</summary>
    public void Conclude(Frame frame, int worker)
    {
        var findings = _findings[worker];
        if (findings.IsTooOld)
        {
            _figures.FrameTooOld(); // Its parts are decided and forgotten; looking again would make new ones of them.
            return;
        }

        var capturedAt = new Instant(frame.CapturedAt);
        if (frame.Picture.Width != _pictureWidth || frame.Picture.Height != _pictureHeight)
        {
            Fit(frame.Picture.Width, frame.Picture.Height);
        }

        Volatile.Write(ref _travel, Math.Max(_travel, findings.Travel));
        _detections = findings.Detections;
        _tracker.Update(_detections.AsSpan(0, findings.Count), findings.Travel, frame.Sequence);
        CorrectPlaces(capturedAt);
        ClassifyNewViews(frame, findings.Stages!.Classifier, findings.Travel);
        findings.Stages = null;
        DecideRipe(frame, capturedAt);
        RetireEntryBlocks(findings.Travel, capturedAt);
        _figures.FrameInspected(_time.GetInstant() - capturedAt);
    }

    /// <summary>
    /// No frame came for a while. Parts go on riding the belt, so those that leave the view are still decided, by what is
    /// known of them.
    /// </summary>
    public void Idle()
    {
        var now = _time.GetInstant() - InFlight;
        var travel = _belt.TravelAt(now) / _millimetresPerPixel;
        Volatile.Write(ref _travel, Math.Max(_travel, travel));
        _tracker.Update([], travel, frame: -1);
        DecideRipe(frame: null, now);
        RetireEntryBlocks(travel, now);
    }

    /// <summary>The line stops for good: every part still undecided ends NotInspected.</summary>
    public void Finish()
    {
        var now = _time.GetInstant();
        foreach (ref var track in _tracker.Tracks)
        {
            if (!track.Decided)
            {
                Emit(ref track, _rules.NotInspected(Reason.Stopped), now, frame: null);
            }
        }

        Retire(double.MaxValue, Reason.Stopped, now);
    }

    [MemberNotNull(nameof(_tracker))]
    private void Fit(int pictureWidth, int pictureHeight)
    {
        _pictureWidth = pictureWidth;
        _pictureHeight = pictureHeight;
        _tracker = new PartTracker(pictureWidth, pictureHeight, _direction);
        _viewCentre = _tracker.ViewLength / 2.0 * _millimetresPerPixel;
        _viewWidth = _direction is BeltDirection.Right or BeltDirection.Left ? pictureHeight : pictureWidth;
    }

    /// <summary>Parts that were decided and have slid since: their ejector must fire where they lie now.</summary>
    private void CorrectPlaces(Instant capturedAt)
    {
        var worthTelling = WorthTelling / _millimetresPerPixel;
        foreach (ref var track in _tracker.Tracks)
        {
            if (track.PartId == 0 || track.Detection < 0 || Math.Abs(track.Offset - track.ToldOffset) < worthTelling)
            {
                continue;
            }

            track.ToldOffset = track.Offset;
            _decisions.Write(
                default(Decision) with
                {
                    PartId = track.PartId,
                    Offset = OffsetOf(track),
                    CapturedAt = capturedAt,
                    DecidedAt = _time.GetInstant(),
                    IsCorrection = true,
                }
            );
        }
    }

    private void ClassifyNewViews(Frame frame, IClassifier classifier, double travel)
    {
        var tracks = _tracker.Tracks;
        var viewSpacing = _rules.Recipe.ViewSpacing / _millimetresPerPixel;
        var views = 0;
        for (var i = 0; i < tracks.Length && views < _boxes.Length; i++)
        {
            ref readonly var track = ref tracks[i];
            if (!track.Decided && track.Detection >= 0 && travel - track.LastViewTravel >= viewSpacing)
            {
                _boxes[views] = _detections[track.Detection].Box;
                _viewed[views++] = i;
            }
        }

        if (views == 0)
        {
            return;
        }

        classifier.Classify(frame.Picture, _boxes.AsSpan(0, views), _classifications);
        for (var v = 0; v < views; v++)
        {
            ref var track = ref tracks[_viewed[v]];
            var classification = _classifications[v];
            track.LastViewTravel = travel;
            if (classification.IsUnsure)
            {
                track.ScoreMissing = true;
                continue;
            }

            track.Views++;
            track.ScoreSum += classification.DefectScore;
            if (track.Label < 0 || classification.DefectScore > track.ScoreMax)
            {
                track.ScoreMax = classification.DefectScore;
                track.Label = classification.Label;
            }
        }
    }

    private bool IsTooOld(double travel) =>
        Volatile.Read(ref _travel) - travel > PartTracker.Memory * Volatile.Read(ref _tracker).ViewLength;

    private void DecideRipe(Frame? frame, Instant capturedAt)
    {
        var underWay = 0;
        for (var i = _tracker.Tracks.Length - 1; i >= 0; i--)
        {
            ref var track = ref _tracker.Tracks[i];
            var left = _tracker.HasLeft(track);
            if (!track.Decided && (track.Views >= _rules.Recipe.Views || left))
            {
                // A single flicker that the entry eye did not see either is no part, if it stays one; anything more is.
                if (track.Sightings > 1 || _entryEyes.Count == 0 || _entryEyes.Saw(LanesOf(track), OffsetOf(track)))
                {
                    Emit(ref track, _rules.Judge(track), capturedAt, frame);
                }
                else if (left)
                {
                    _figures.GhostSeen();
                    track.Decided = true;
                }
            }

            underWay += track.Decided ? 0 : 1;
            if (track.Decided && _tracker.IsGone(track))
            {
                _tracker.RemoveAt(i);
            }
        }

        Volatile.Write(ref _underWay, underWay);
    }

    private void Emit(ref Track track, in Judgement judgement, Instant capturedAt, Frame? frame)
    {
        track.Decided = true;
        var length = track.Length * _millimetresPerPixel;
        _typicalLength += (length - _typicalLength) / 20;
        var offset = OffsetOf(track);
        var lanes = LanesOf(track);
        var now = _time.GetInstant();
        var (verdict, reason, disposition) = InTime(judgement, offset, now);
        var decision = new Decision(
            ++_lastPart,
            verdict,
            reason,
            disposition,
            (short)judgement.Label,
            judgement.Score,
            (byte)Math.Min(track.Views, byte.MaxValue),
            offset,
            (track.Across - (_viewWidth / 2.0)) * _millimetresPerPixel,
            length,
            lanes,
            EntrySeen: _entryEyes.Count == 0 || _entryEyes.Claim(lanes, offset, length),
            capturedAt,
            now
        );
        track.PartId = decision.PartId;
        track.ToldOffset = track.Offset;
        Send(decision);
        if (frame is not null)
        {
            _figures.Decided(decision.DecidedAt - decision.CapturedAt);
        }

        if (frame is not null && track.Detection >= 0 && WantsEvidence(decision))
        {
            _evidence!.Offer(frame, _detections[track.Detection].Box, decision);
        }
    }

    private void EmitUnseen(in Stretch unseen, double ahead, double behind, byte lanes, Reason reason, Instant at)
    {
        if (IsDecided(unseen, lanes))
        {
            return; // Two parts cannot lie in one place: this is the one whose edges were lost.
        }

        var now = _time.GetInstant();
        var judgement = _rules.NotInspected(reason);
        var (verdict, because, disposition) = InTime(judgement, unseen.Centre, now);
        _tracker.AddDecided((unseen.Centre - _viewCentre) / _millimetresPerPixel, unseen.Length / _millimetresPerPixel);
        Send(
            new Decision(
                ++_lastPart,
                verdict,
                because,
                disposition,
                Label: -1,
                Score: float.NaN,
                Views: 0,
                unseen.Centre,
                Across: 0,
                unseen.Length,
                lanes,
                EntrySeen: true,
                at,
                now,
                ahead,
                behind
            )
        );
    }

    /// <summary>
    /// The judgement, or that it came too late to matter. What is to be rejected goes on in any case: whether its pulse
    /// is still in time is for the reject thread to say.
    /// </summary>
    private (Verdict Verdict, Reason Reason, Disposition Disposition) InTime(in Judgement judgement, double offset, Instant now)
    {
        var onLate = _rules.Recipe.OnLate;
        var late = judgement.Disposition == Disposition.Pass
            && _deadline is not null
            && (onLate == Disposition.Reject ? _deadline.MayHaveActed(offset, now) : _deadline.HasPassed(offset, now));
        return late
            ? (Verdict.Late, Reason.Deadline, onLate)
            : (judgement.Verdict, judgement.Reason, judgement.Disposition);
    }

    private void Send(in Decision decision)
    {
        // The reject schedule first: nothing is recorded, encoded or published before it knows.
        _decisions.Write(decision);
        if (!_events.TryWrite(new PartEvent(PartEventKind.Decided, decision.PartId, decision.DecidedAt, Decision: decision)))
        {
            _figures.EventLost();
        }
    }

    private bool WantsEvidence(in Decision decision) =>
        _evidence is not null
        && (
            decision.Verdict != Verdict.Pass
            || (_passSampleInterval > 0 && _passes++ % _passSampleInterval == 0)
        );

    private void RetireEntryBlocks(double travel, Instant at) =>
        Retire((travel - _tracker.ViewLength) * _millimetresPerPixel + _viewCentre, Reason.NotSeen, at);

    /// <summary>What the eye saw ahead of an offset and no part accounts for becomes a part that was not inspected.</summary>
    private void Retire(double offset, Reason reason, Instant at)
    {
        for (var i = 0; i < _entryEyes.Count; i++)
        {
            Retire(_entryEyes[i], (byte)(_entryEyes.LanesOf(i) & _allLanes), offset, reason, at);
        }
    }

    private void Retire(EntryEye eye, byte lanes, double offset, Reason reason, Instant at)
    {
        while (eye.TryRetire(offset, out var block))
        {
            // Where the eye lost edges, it knows how many parts there were, and not where.
            for (var i = 0; i < block.PartsMissing; i++)
            {
                var guess = block.Guess(i, _typicalLength);
                EmitUnseen(guess, guess.Length / 2, guess.Length / 2, lanes, reason, at);
            }

            var from = block.Seen.From;
            while (block.TryFindUnclaimed(from, _shortestPart, out var unseen))
            {
                // Several unseen parts in a row are told apart by the length parts have had so far.
                var parts = Math.Max(1, (int)Math.Round(unseen.Length / _typicalLength));
                var each = unseen.Length / parts;

                // No centre is nearer to the row's ends than half the shortest part; within the row it may be anywhere.
                var toEnd = Math.Max(0, (each - _shortestPart) / 2);
                for (var i = 0; i < parts; i++)
                {
                    var part = new Stretch(unseen.From + (i * each), unseen.From + ((i + 1) * each));
                    EmitUnseen(part, i == 0 ? toEnd : each / 2, i == parts - 1 ? toEnd : each / 2, lanes, reason, at);
                }

                from = Math.BitIncrement(unseen.To);
            }
        }
    }

    /// <summary>The lanes in which a part lies: that of its centre, and a neighbour into which enough of it reaches.</summary>
    private byte LanesOf(in Track track)
    {
        var laneWidth = (double)_viewWidth / _lanes;
        var half = track.Width / 2 * (1 - (2 * Straddle));
        var first = Math.Clamp((int)((track.Across - half) / laneWidth), 0, _lanes - 1);
        var last = Math.Clamp((int)((track.Across + half) / laneWidth), first, _lanes - 1);
        return (byte)(((1 << (last - first + 1)) - 1) << first);
    }

    private bool IsDecided(in Stretch place, byte lanes)
    {
        foreach (ref readonly var track in _tracker.Tracks)
        {
            if (track.PartId > 0 && (LanesOf(track) & lanes) != 0 && Math.Abs(OffsetOf(track) - place.Centre) < SamePlace * _typicalLength)
            {
                return true;
            }
        }

        return false;
    }

    private double OffsetOf(in Track track) => (track.Offset * _millimetresPerPixel) + _viewCentre;
}
