namespace EdgeInspector.Vision;

/// <summary>What runs one stage of a package and, where something faster was tried first, why not that.</summary>
/// <param name="Stage">"detector" or "classifier".</param>
/// <param name="Provider">The execution provider that proved itself in the warm-up: "TensorRT", "CUDA" or "CPU".</param>
/// <param name="Fallback">One line; null when the first choice runs.</param>
public sealed record StageReport(string Stage, string Provider, string? Fallback)
{
    /// <summary>For a log line: "detector on CPU, since CUDA does not work here (…)".</summary>
    public override string ToString() => $"{Stage} on {Provider}{(Fallback is null ? "" : $", since {Fallback}")}";
}
