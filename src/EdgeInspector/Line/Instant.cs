using System.Globalization;

namespace EdgeInspector.Line;

/// <summary>
/// A point on the monotonic clock, in nanoseconds (Linux CLOCK_MONOTONIC, the clock of V4L2 buffers and of GPIO edges).
/// Durations between two instants are <see cref="TimeSpan"/>; a wall-clock time never becomes one.
/// </summary>
internal readonly record struct Instant(long Nanoseconds) : IComparable<Instant>
{
    /// <summary>Later than anything that can happen: "no time set".</summary>
    public static readonly Instant Never = new(long.MaxValue);

    /// <summary>The time since <paramref name="earlier"/>, in milliseconds with its fraction.</summary>
    public double MillisecondsSince(Instant earlier) => (Nanoseconds - earlier.Nanoseconds) / 1e6;

    /// <inheritdoc/>
    public int CompareTo(Instant other) => Nanoseconds.CompareTo(other.Nanoseconds);

    /// <inheritdoc/>
    public override string ToString() =>
        this == Never ? "never" : (Nanoseconds / 1e9).ToString("F6", CultureInfo.InvariantCulture) + " s";

    public static Instant operator +(Instant at, TimeSpan later) => new(checked(at.Nanoseconds + (later.Ticks * 100)));

    public static Instant operator -(Instant at, TimeSpan earlier) => new(checked(at.Nanoseconds - (earlier.Ticks * 100)));

    public static TimeSpan operator -(Instant later, Instant earlier) =>
        new((later.Nanoseconds - earlier.Nanoseconds) / 100);

    public static bool operator <(Instant left, Instant right) => left.Nanoseconds < right.Nanoseconds;

    public static bool operator >(Instant left, Instant right) => left.Nanoseconds > right.Nanoseconds;

    public static bool operator <=(Instant left, Instant right) => left.Nanoseconds <= right.Nanoseconds;

    public static bool operator >=(Instant left, Instant right) => left.Nanoseconds >= right.Nanoseconds;
}

/// <summary>Reads instants from a <see cref="TimeProvider"/>, so that tests and the virtual line set the time.</summary>
internal static class InstantTimeProviderExtensions
{
    private const long NanosecondsPerSecond = 1_000_000_000;

    /// <summary>Now, on the provider's monotonic clock.</summary>
    public static Instant GetInstant(this TimeProvider time)
    {
        var frequency = time.TimestampFrequency;
        var timestamp = time.GetTimestamp();
        return frequency == NanosecondsPerSecond
            ? new Instant(timestamp)
            : new Instant((long)((Int128)timestamp * NanosecondsPerSecond / frequency));
    }
}
