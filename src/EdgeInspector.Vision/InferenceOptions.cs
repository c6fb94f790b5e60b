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

/// <summary>How a <see cref="ModelPackage"/> is run on this machine.</summary>
public sealed record InferenceOptions
{
    /// <summary>
    /// Anything but <see cref="ProviderChoice.Auto"/> is taken at its word: when it fails, loading fails.
    /// </summary>
    public ProviderChoice Provider { get; init; } = ProviderChoice.Auto;

    /// <summary>
    /// Processor threads per network, 0 to 64. 0 chooses: one for an input up to 256 × 256 pixels, where handing work
    /// over costs more than it gains, otherwise one per processor up to four.
    /// </summary>
    public int Threads { get; init; }

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
}
