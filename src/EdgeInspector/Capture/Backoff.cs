namespace EdgeInspector.Capture;

/// <summary>
/// How long to wait before the next attempt: the first wait, doubled after each failure up to the longest. Pure;
/// without jitter, since a camera serves one station.
/// </summary>
internal sealed class Backoff(TimeSpan first, TimeSpan longest)
{
    private TimeSpan? _next;

    /// <summary>The wait before the next attempt.</summary>
    public TimeSpan Next()
    {
        var wait = _next ?? first;
        _next = wait + wait < longest ? wait + wait : longest;
        return wait;
    }

    /// <summary>An attempt succeeded: start again at the first wait.</summary>
    public void Reset() => _next = null;
}
