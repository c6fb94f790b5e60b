namespace EdgeInspector.Line;

/// <summary>
/// Until when a verdict still matters. Two moments: the last at which a part can still be thrown out, and, some way before
/// it, the first at which the reject thread may already have thrown it out because nobody had decided it.
/// </summary>
/// <param name="belt">Where parts are.</param>
/// <param name="position">Of the ejector's nozzle, mm along the line.</param>
/// <param name="halfWindow">Half the width of its window, mm.</param>
/// <param name="shortest">Valve latency and shortest pulse: the least that a blast needs.</param>
/// <param name="whole">Valve latency and half a dwell: what a blast on time needs.</param>
/// <param name="slack">How far, mm, a part's place may be off from where the entry eye saw it.</param>
internal sealed class RejectDeadline(
    IBelt belt,
    double position,
    double halfWindow,
    TimeSpan shortest,
    TimeSpan whole,
    double slack
)
{
    /// <summary>Whether it is too late to throw out the part at an offset.</summary>
    public bool HasPassed(double offset, Instant now) => Ahead(now, shortest) > offset + position + halfWindow;

    /// <summary>Whether the part at an offset may have been thrown out undecided.</summary>
    public bool MayHaveActed(double offset, Instant now) => Ahead(now, whole) > offset + position - slack;

    private double Ahead(Instant now, TimeSpan lead) => belt.TravelAt(now) + (Math.Max(0, belt.Speed) * lead.TotalSeconds);
}
