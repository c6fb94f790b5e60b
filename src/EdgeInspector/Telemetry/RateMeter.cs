namespace EdgeInspector.Telemetry;

/// <summary>
/// How fast a counter grows, over a sliding window. One thread samples, any thread reads the last rate.
/// </summary>
/// <param name="window">Length of the window.</param>
internal sealed class RateMeter(TimeSpan window)
{
    private readonly Queue<(TimeSpan At, long Count)> _samples = new();
    private double _perSecond;

    /// <summary>Growth per second over the window.</summary>
    public double PerSecond => Volatile.Read(ref _perSecond);

    /// <summary>Takes the counter's value at a time that never runs backwards.</summary>
    public void Sample(TimeSpan at, long count)
    {
        _samples.Enqueue((at, count));
        while (_samples.Count > 2 && at - _samples.Peek().At > window)
        {
            _samples.Dequeue();
        }

        var (from, first) = _samples.Peek();
        if (at > from)
        {
            Volatile.Write(ref _perSecond, (count - first) / (at - from).TotalSeconds);
        }
    }
}
