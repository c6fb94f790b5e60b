using EdgeInspector.Vision;

namespace EdgeInspector.Benchmarks.Works;

/// <summary>How the product is set in the works.</summary>
internal static class Own
{
    /// <summary>The least time from a frame to its verdicts.</summary>
    public static InferenceOptions Latency { get; } = new() { Provider = ProviderChoice.Cpu };

    /// <summary>The most frames a second: stations side by side, each network on its caller's thread.</summary>
    public static InferenceOptions Throughput { get; } = new() { Provider = ProviderChoice.Cpu, Threads = 1 };
}
