using EdgeInspector.Vision.Inference;

namespace EdgeInspector.Vision.Detectors;

/// <summary>Whether a model's outputs can be read in one format, and how.</summary>
internal sealed record FormatFit
{
    /// <summary>No misfit was found.</summary>
    public required bool Fits { get; init; }

    /// <summary>What shows that it is this format and no other. False with a fit: it may be, if somebody says so.</summary>
    public bool Certain { get; init; }

    /// <summary>What speaks for or against it, half a sentence.</summary>
    public required string Why { get; init; }

    /// <summary>The outputs that are read, in the reader's order.</summary>
    public IReadOnlyList<TensorOutline> Outputs { get; init; } = [];

    /// <summary>Those of them whose number of rows is open, and the dimension it stands in.</summary>
    public IReadOnlyList<(TensorOutline Output, int Axis)> Open { get; init; } = [];

    /// <summary>How many labels the outputs hold, null when they do not tell.</summary>
    public int? Labels { get; init; }

    /// <summary>What the user should know, for example that masks are not used.</summary>
    public string? Remark { get; init; }

    /// <summary>
    /// Makes the reader, once every size is known; the number of labels must be known too.
    /// </summary>
    public Func<IDetectorOutput>? Reader { get; init; }

    /// <summary>Names to bind, in the reader's order.</summary>
    public IReadOnlyList<string> BoundNames =>
        [.. Outputs.Select(output => Open.Any(open => open.Output == output) ? BoundedOutputs.NameOf(output) : output.Name)];

    public static FormatFit No(string why) => new() { Fits = false, Why = why };
}
