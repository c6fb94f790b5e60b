using EdgeInspector.Line;

namespace EdgeInspector.Hosting;

/// <summary>A monotonic clock that moves only when the one thread of a lockstep run moves it.</summary>
internal sealed class LockstepClock : TimeProvider
{
    private readonly DateTimeOffset _started = System.GetUtcNow();
    private readonly long _origin = System.GetInstant().Nanoseconds;
    private long _now;

    /// <summary>Starts at the machine's present time, so that labels are of today.</summary>
    public LockstepClock() => _now = _origin;

    /// <summary>The present instant; set by the lockstep thread, never back.</summary>
    public Instant Now
    {
        get => new(Volatile.Read(ref _now));
        set => Volatile.Write(ref _now, value.Nanoseconds);
    }

    /// <inheritdoc/>
    public override long TimestampFrequency => 1_000_000_000;

    /// <inheritdoc/>
    public override long GetTimestamp() => Volatile.Read(ref _now);

    /// <inheritdoc/>
    public override DateTimeOffset GetUtcNow() => _started + TimeSpan.FromTicks((Volatile.Read(ref _now) - _origin) / 100);
}
