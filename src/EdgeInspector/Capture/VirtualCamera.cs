using EdgeInspector.Line;
using EdgeInspector.Simulation;
using OpenCvSharp;

namespace EdgeInspector.Capture;

/// <summary>
/// The virtual line's camera. A picture is rendered ahead of its time and handed out at the moment of its exposure, as a
/// real camera's would be, so that rendering does not count as latency.
/// </summary>
/// <param name="line">The line; stays the caller's.</param>
/// <param name="start">When the line's time is zero.</param>
/// <param name="time">The clock to wait by.</param>
internal sealed class VirtualCamera(VirtualLine line, Instant start, TimeProvider time) : ICamera
{
    /// <summary>How long a triggered camera keeps a picture for its reader.</summary>
    private static readonly TimeSpan Buffered = TimeSpan.FromSeconds(1);

    /// <summary>Until a picture is due within this time, none is waited for.</summary>
    private static readonly TimeSpan ReadTimeout = TimeSpan.FromMilliseconds(200);

    /// <summary>How long to look away when none is.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(20);

    private readonly ManualResetEventSlim _never = new();
    private long _next;

    /// <inheritdoc/>
    public string Name => "virtual:";

    /// <inheritdoc/>
    public int Width => line.Options.FrameWidth;

    /// <inheritdoc/>
    public int Height => line.Options.FrameHeight;

    /// <inheritdoc/>
    public bool IsLive => true;

    /// <inheritdoc/>
    public string? Fault => null;

    /// <inheritdoc/>
    public ReadOutcome Read(Mat destination, out Instant capturedAt)
    {
        // A camera does not wait for a slow reader: exposures that nobody read are gone, of a triggered one after a while.
        var now = time.GetInstant() - start;
        var oldest = line.Options.TriggerDistance is null ? now : now - Buffered;
        while (line.FrameTime(_next) < oldest)
        {
            _next++;
        }

        var exposure = line.FrameTime(_next);
        if (exposure > now + ReadTimeout)
        {
            _never.Wait(Patience);
            capturedAt = Instant.Never;
            return ReadOutcome.TimedOut;
        }

        _next++;
        line.Render(exposure, destination);
        capturedAt = start + exposure;
        var wait = capturedAt - time.GetInstant();
        if (wait > TimeSpan.Zero)
        {
            _never.Wait(wait);
        }

        return ReadOutcome.Frame;
    }

    /// <inheritdoc/>
    public void Dispose() => _never.Dispose();
}
