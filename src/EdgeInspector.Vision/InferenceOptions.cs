namespace EdgeInspector.Vision;

/// <summary>What runs the networks.</summary>
public enum ProviderChoice
{
    /// <summary>TensorRT, CUDA, CPU, tried in that order; the first that completes a warm-up inference.</summary>
    Auto,
    TensorRt,
    Cuda,
    Cpu,
}

/// <summary>What the processors are spent on, where they run the networks.</summary>
public enum ThreadMode
{
    /// <summary><see cref="Latency"/> for one camera, <see cref="Throughput"/> where several share the processors.</summary>
    Auto,

    /// <summary>One frame at a time, all threads on it: the shortest way from capture to verdict.</summary>
    Latency,

    /// <summary>Several frames at a time, a thread each: the most frames a second.</summary>
    Throughput,
}

/// <summary>With what numbers TensorRT computes. The golden pictures say whether a package bears it.</summary>
public enum EnginePrecision
{
    /// <summary>As the model says: 32-bit floats, and 8-bit integers where it is quantised.</summary>
    Model,

    /// <summary>16-bit floats where they are faster.</summary>
    Half,
}

/// <summary>How a <see cref="ModelPackage"/> is run on this machine.</summary>
public sealed record InferenceOptions
{
    /// <summary>
    /// Anything but <see cref="ProviderChoice.Auto"/> is taken at its word: when it fails, loading fails.
    /// </summary>
    public ProviderChoice Provider { get; init; } = ProviderChoice.Auto;

    /// <summary>
    /// Refuses the processor where an accelerator is wanted: neither a whole stage, where <see cref="Provider"/> is
    /// Auto, nor a single operation may run there.
    /// </summary>
    public bool ForbidFallback { get; init; }

    /// <summary>What the processors are spent on.</summary>
    public ThreadMode Mode { get; init; } = ThreadMode.Auto;

    /// <summary>Cameras whose networks share this machine's processors, 1 to 64; Auto decides by them.</summary>
    public int Cameras { get; init; } = 1;

    /// <summary>
    /// Processor threads per network in latency mode, 0 to 64. 0 chooses: one for a small network, to which handing work
    /// over costs more than it gains, otherwise one per processor up to four.
    /// </summary>
    public int Threads { get; init; }

    /// <summary>Frames of one camera in work at a time in throughput mode, 0 to 64; 0 chooses: the processors shared out.</summary>
    public int Workers { get; init; }

    /// <summary>
    /// Whether single operations that an accelerator lacks may run on the processor. When false such a model is
    /// refused instead.
    /// </summary>
    public bool AllowCpuNodes { get; init; } = true;

    /// <summary>Folder for TensorRT's built engines, which take minutes to make; none are kept when null.</summary>
    public string? EngineCache { get; init; }

    /// <summary>
    /// How long a network's first picture may take on the processor before the model is refused: the slowest one known
    /// to run at all needs a few seconds.
    /// </summary>
    internal TimeSpan LongestFirstRun { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>With what numbers TensorRT computes.</summary>
    public EnginePrecision Precision { get; init; } = EnginePrecision.Model;

    /// <summary>
    /// Most memory that TensorRT may use to try its kernels, MiB, 16 to 65,536. 1,024: what the largest detectors gain
    /// from; a Jetson shares its memory with everything else.
    /// </summary>
    public int WorkspaceMegabytes { get; init; } = 1024;

    /// <exception cref="ModelPackageException">A number is out of its range.</exception>
    internal void Require()
    {
        Require("threads", Threads, 0, 64, "0 (automatic) to 64");
        Require("workers", Workers, 0, 64, "0 (automatic) to 64");
        Require("cameras", Cameras, 1, 64, "1 to 64");
        Require("workspace", WorkspaceMegabytes, 16, 65_536, "16 to 65536 MiB");

        static void Require(string what, int value, int least, int most, string range)
        {
            if (value < least || value > most)
            {
                throw new ModelPackageException($"{what}: {value} is out of range; use {range}.");
            }
        }
    }
}
