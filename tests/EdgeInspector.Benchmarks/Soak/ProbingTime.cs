using System.Collections.Concurrent;

namespace EdgeInspector.Benchmarks.Soak;

/// <summary>
/// The machine's clock, which also notes what each real-time thread has allocated so far whenever that thread reads it. They
/// all do, many times a frame; nothing of the service is changed for it.
/// </summary>
internal sealed class ProbingTime : TimeProvider
{
    /// <summary>Threads that must not allocate, by how their names begin.</summary>
    public static readonly string[] RealTimeThreads = ["capture", "inspect", "reject", "sensors"];

    [ThreadStatic]
    private static Probe? _mine;

    private readonly ConcurrentBag<Probe> _probes = [];

    /// <summary>What the virtual camera's drawing has allocated so far, which does not count: a real one draws nothing.</summary>
    public Func<long>? Drawn { get; set; }

    /// <summary>Bytes allocated so far, by kind of thread.</summary>
    public IReadOnlyDictionary<string, long> Allocated =>
        RealTimeThreads.ToDictionary(kind => kind, kind => _probes.Where(probe => probe.Kind == kind).Sum(probe => Volatile.Read(ref probe.Bytes)));

    /// <inheritdoc/>
    public override long GetTimestamp()
    {
        var probe = _mine ??= Enter();
        if (probe.Kind is not null)
        {
            // The drawing is the capture thread's, so both numbers stand still meanwhile.
            var drawn = probe.IsCapture && Drawn is { } bytes ? bytes() : 0;
            Volatile.Write(ref probe.Bytes, GC.GetAllocatedBytesForCurrentThread() - drawn);
        }

        return base.GetTimestamp();
    }

    private Probe Enter()
    {
        var name = Thread.CurrentThread.Name ?? "";
        var probe = new Probe { Kind = Array.Find(RealTimeThreads, kind => name.StartsWith(kind, StringComparison.Ordinal) && name.Contains('-', StringComparison.Ordinal)) };
        _probes.Add(probe);
        return probe;
    }

    /// <summary>One thread's; <see cref="Kind"/> is null for those that may allocate.</summary>
    private sealed class Probe
    {
        public string? Kind { get; init; }

        public bool IsCapture => ReferenceEquals(Kind, RealTimeThreads[0]);

        public long Bytes;
    }
}
