using EdgeInspector.Vision;

namespace EdgeInspector.Benchmarks.Works;

/// <summary>How the product is set in the works.</summary>
internal static class Own
{
    /// <summary>The least time from a frame to its verdicts.</summary>
    public static InferenceOptions Latency { get; } = new() { Provider = ProviderChoice.Cpu, Mode = ThreadMode.Latency };

    /// <summary>The most frames a second over so many cameras.</summary>
    public static InferenceOptions Throughput(int cameras) =>
        new() { Provider = ProviderChoice.Cpu, Mode = ThreadMode.Throughput, Cameras = cameras };
}
