using EdgeInspector.Capture;
using EdgeInspector.Line;
using EdgeInspector.Timing;
using OpenCvSharp;

namespace EdgeInspector.Benchmarks.Works;

/// <summary>A camera with a pace of its own, whom nobody can slow down; every picture differs from the last.</summary>
/// <param name="picture">What it shows, but for one pixel.</param>
/// <param name="interval">From exposure to exposure.</param>
internal sealed class PacedCamera(Mat picture, TimeSpan interval) : ICamera
{
    private readonly PreciseTimer _timer = new(TimeSpan.Zero);
    private Instant _next = TimeProvider.System.GetInstant();
    private Instant _last;
    private Instant _beforeLast;
    private long _handedOver;
    private long _count;

    /// <inheritdoc/>
    public string Name => "paced";

    /// <inheritdoc/>
    public int Width => picture.Width;

    /// <inheritdoc/>
    public int Height => picture.Height;

    /// <inheritdoc/>
    public bool IsLive => true;

    /// <inheritdoc/>
    public string? Fault => null;

    /// <summary>Exposure of the newest frame that is surely in the slot: the capture thread has come back for another.</summary>
    public Instant HandedOver => new(Volatile.Read(ref _handedOver));

    /// <summary>Longest time from an exposure until the frame after it was in the slot.</summary>
    public TimeSpan LongestInterval { get; private set; }

    /// <inheritdoc/>
    public ReadOutcome Read(Mat destination, out Instant capturedAt)
    {
        var now = TimeProvider.System.GetInstant();
        Volatile.Write(ref _handedOver, _last.Nanoseconds);
        if (_count > 10 && now - _beforeLast > LongestInterval)
        {
            LongestInterval = now - _beforeLast;
        }

        _next = _next + interval > now ? _next + interval : now;
        picture.CopyTo(destination);
        destination.Set(0, 0, new Vec3b((byte)_count, (byte)(_count >> 8), (byte)(_count >> 16)));
        _count++;
        _timer.WaitUntil(_next, spin: false);
        capturedAt = TimeProvider.System.GetInstant();
        (_beforeLast, _last) = (_last, capturedAt);
        return ReadOutcome.Frame;
    }

    /// <inheritdoc/>
    public void Dispose() { }
}
