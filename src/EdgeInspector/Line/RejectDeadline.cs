namespace EdgeInspector.Line;

/// <summary>
/// Until when a verdict still matters: a part whose far end of the ejector's window is nearer than the valve's latency and
/// its shortest pulse can no longer be thrown out.
/// </summary>
/// <param name="belt">Where parts are.</param>
/// <param name="exit">End of the ejector's window, mm along the line.</param>
/// <param name="lead">Valve latency and shortest pulse together.</param>
internal sealed class RejectDeadline(IBelt belt, double exit, TimeSpan lead)
{
    /// <summary>Whether it is too late for the part at an offset.</summary>
    public bool HasPassed(double offset, Instant now) =>
        belt.TravelAt(now) + (Math.Max(0, belt.Speed) * lead.TotalSeconds) > offset + exit;
}
