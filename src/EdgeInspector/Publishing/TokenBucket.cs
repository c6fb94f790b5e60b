using EdgeInspector.Line;

namespace EdgeInspector.Publishing;

/// <summary>
/// Allows so much a second, and a short burst. Knows no clock: whoever asks says when it is. Not thread-safe.
/// </summary>
/// <param name="perSecond">What flows in, above 0.</param>
/// <param name="burst">What it holds at most, and at first.</param>
internal sealed class TokenBucket(double perSecond, double burst)
{
    private readonly double _burst = burst;
    private double _level = burst;
    private Instant? _at;

    /// <summary>Takes so much if it is there; a single amount above the burst passes when the bucket is full.</summary>
    public bool TryTake(Instant now, double amount = 1)
    {
        Fill(now);
        if (_level < Math.Min(amount, _burst))
        {
            return false;
        }

        _level -= amount;
        return true;
    }

    /// <summary>How long until so much is there; zero when it is.</summary>
    public TimeSpan WaitFor(Instant now, double amount = 1)
    {
        Fill(now);
        var missing = Math.Min(amount, _burst) - _level;
        // Rounded up, or a clock of milliseconds would turn in circles.
        return missing <= 0 ? TimeSpan.Zero : TimeSpan.FromMilliseconds(Math.Ceiling(missing / perSecond * 1000));
    }

    private void Fill(Instant now)
    {
        if (_at is { } then && now > then)
        {
            _level = Math.Min(_burst, _level + ((now - then).TotalSeconds * perSecond));
        }

        _at = now;
    }
}
