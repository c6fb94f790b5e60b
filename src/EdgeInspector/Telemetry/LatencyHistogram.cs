using System.Numerics;

namespace EdgeInspector.Telemetry;

/// <summary>
/// Durations counted in logarithmic buckets, each 1/64 of a power of two wide (a percentile is at most 1.6 % too high),
/// from 1 microsecond to hours. One thread records; any thread reads, and may then miss the newest few. No allocation.
/// </summary>
internal sealed class LatencyHistogram
{
    private const int SubBits = 6;
    private const int SubBuckets = 1 << SubBits;
    private readonly long[] _counts = new long[SubBuckets * 36];
    private long _count;
    private long _maxMicroseconds;

    /// <summary>Records one duration; a negative one counts as zero.</summary>
    public void Record(TimeSpan duration)
    {
        var microseconds = Math.Max(0, duration.Ticks / 10);
        _counts[Math.Min(Bucket(microseconds), _counts.Length - 1)]++;
        Volatile.Write(ref _maxMicroseconds, Math.Max(_maxMicroseconds, microseconds));
        Volatile.Write(ref _count, _count + 1);
    }

    /// <summary>The figures so far.</summary>
    public LatencyFigures Figures()
    {
        var count = Volatile.Read(ref _count);
        var max = Volatile.Read(ref _maxMicroseconds) / 1000.0;
        return count == 0
            ? default
            : new(
                Math.Min(max, Percentile(count, 0.5)),
                Math.Min(max, Percentile(count, 0.99)),
                Math.Min(max, Percentile(count, 0.999)),
                max,
                count
            );
    }

    private double Percentile(long count, double share)
    {
        var rank = (long)Math.Ceiling(share * count);
        long seen = 0;
        for (var i = 0; i < _counts.Length; i++)
        {
            seen += _counts[i];
            if (seen >= rank)
            {
                return UpperEdge(i) / 1000.0;
            }
        }

        return double.MaxValue;
    }

    private static int Bucket(long microseconds)
    {
        var power = Math.Max(0, 63 - SubBits - BitOperations.LeadingZeroCount((ulong)microseconds | 1));
        return (power * SubBuckets) + (int)(microseconds >> power);
    }

    private static long UpperEdge(int bucket)
    {
        if (bucket < 2 * SubBuckets)
        {
            return bucket;
        }

        var power = (bucket / SubBuckets) - 1;
        var sub = (bucket % SubBuckets) + SubBuckets;
        return ((sub + 1L) << power) - 1;
    }
}
