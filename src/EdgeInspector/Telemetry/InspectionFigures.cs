namespace EdgeInspector.Telemetry;

/// <summary>
/// What the three real threads count. Each counter has one writing thread; anyone reads. No allocation, no lock.
/// </summary>
internal sealed class InspectionFigures
{
    private readonly LatencyHistogram _decision = new();
    private readonly LatencyHistogram _frame = new();
    private readonly LatencyHistogram _actuation = new();
    private long _frames;
    private long _ghosts;
    private long _tooOld;
    private long _eventsLost;

    /// <summary>Frames inspected.</summary>
    public long Frames => Volatile.Read(ref _frames);

    /// <summary>Single detections that neither a second frame nor the entry eye confirmed.</summary>
    public long Ghosts => Volatile.Read(ref _ghosts);

    /// <summary>Frames passed over because they came too late to say anything new.</summary>
    public long FramesTooOld => Volatile.Read(ref _tooOld);

    /// <summary>Part events that found the part book's channel full.</summary>
    public long EventsLost => Volatile.Read(ref _eventsLost);

    /// <summary>Capture to decision, of the parts that a frame decided.</summary>
    public LatencyFigures Decision => _decision.Figures();

    /// <summary>Capture to the end of that frame's inspection.</summary>
    public LatencyFigures Frame => _frame.Figures();

    /// <summary>Planned to actual ejector edge.</summary>
    public LatencyFigures Actuation => _actuation.Figures();

    /// <summary>Inspect thread.</summary>
    public void FrameInspected(TimeSpan sinceCapture)
    {
        _frame.Record(sinceCapture);
        Volatile.Write(ref _frames, _frames + 1);
    }

    /// <summary>Inspect thread.</summary>
    public void Decided(TimeSpan sinceCapture) => _decision.Record(sinceCapture);

    /// <summary>Inspect thread.</summary>
    public void GhostSeen() => Volatile.Write(ref _ghosts, _ghosts + 1);

    /// <summary>Inspect thread.</summary>
    public void FrameTooOld() => Volatile.Write(ref _tooOld, _tooOld + 1);

    /// <summary>Any thread.</summary>
    public void EventLost() => Interlocked.Increment(ref _eventsLost);

    /// <summary>Reject thread.</summary>
    public void Fired(TimeSpan lateness) => _actuation.Record(lateness);
}
