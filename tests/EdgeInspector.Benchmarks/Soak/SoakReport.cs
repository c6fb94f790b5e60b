namespace EdgeInspector.Benchmarks.Soak;

/// <summary>What a soak comes to, after its warm-up.</summary>
internal sealed record SoakReport
{
    /// <summary>Length, s.</summary>
    public required double Seconds { get; init; }

    /// <summary>Frames inspected.</summary>
    public required long Frames { get; init; }

    /// <summary>Bytes that each kind of real-time thread allocated.</summary>
    public required IReadOnlyDictionary<string, long> Bytes { get; init; }

    /// <summary>Bytes that the whole process allocated.</summary>
    public required long AllBytes { get; init; }

    /// <summary>Collections of generations 0, 1 and 2.</summary>
    public required int[] Collections { get; init; }

    /// <summary>What they took together, ms.</summary>
    public required double PauseMilliseconds { get; init; }

    /// <summary>Resident memory, MB, early and late: medians of a tenth of the time each.</summary>
    public required double[] Memory { get; init; }

    /// <summary>Open descriptors, early and late.</summary>
    public required double[] Handles { get; init; }

    /// <summary>Threads, early and late.</summary>
    public required double[] Threads { get; init; }

    /// <summary>Parts decided, whole run.</summary>
    public required long Parts { get; init; }

    /// <summary>Parts without exactly one end, whole run.</summary>
    public required long Unaccounted { get; init; }

    /// <summary>Records not written, pictures shed, messages shed, whole run.</summary>
    public required long Shed { get; init; }

    /// <summary>Capture to decision, p50 and p99, ms.</summary>
    public required double[] Decision { get; init; }

    /// <summary>Lateness of the ejector's edge, p50 and p99, ms.</summary>
    public required double[] Lateness { get; init; }

    /// <summary>Parts thrown out.</summary>
    public required int Fired { get; init; }

    /// <summary>Capture to decision plus lateness of the edge, of every part thrown out: p50 and p99, ms.</summary>
    public required double[] Edge { get; init; }
}
