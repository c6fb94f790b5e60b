namespace EdgeInspector.Timing;

/// <summary>
/// How long to wait before trying again: doubles from <paramref name="first"/> to <paramref name="longest"/>, each time
/// between half of that and all of it, so that a fleet whose broker or switch returned does not come back in one stroke.
/// Knows no clock and waits for nothing. Not thread-safe.
/// </summary>
internal sealed class Backoff(TimeSpan first, TimeSpan longest, Random random)
{
    private int _failures;

    /// <summary>The wait after one more failure.</summary>
    public TimeSpan Next()
    {
        // 2^30 of anything allowed here is beyond the longest wait; the cap keeps the shift defined.
        var ceiling = Math.Min(first.Ticks * (double)(1L << Math.Min(_failures, 30)), longest.Ticks);
        _failures++;
        return TimeSpan.FromTicks((long)(ceiling * (0.5 + (0.5 * random.NextDouble()))));
    }

    /// <summary>Things went well for long enough: the next failure starts from the first wait again.</summary>
    public void Reset() => _failures = 0;
}
