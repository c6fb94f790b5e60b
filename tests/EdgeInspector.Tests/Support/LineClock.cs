using EdgeInspector.Line;

namespace EdgeInspector.Tests.Support;

/// <summary>A monotonic clock in nanoseconds that stands still until the test moves it.</summary>
internal sealed class LineClock : TimeProvider
{
    public Instant Now { get; set; } = Some.Start;

    public override long TimestampFrequency => 1_000_000_000;

    public override long GetTimestamp() => Now.Nanoseconds;

    public override DateTimeOffset GetUtcNow() =>
        new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero) + (Now - Some.Start);
}
