namespace EdgeInspector.Simulation;

/// <summary>Which pin of the virtual board leads where. Lists are by lane; a missing entry is not wired.</summary>
public sealed record VirtualLinePins
{
    /// <summary>Outputs to the ejectors' valves.</summary>
    public IReadOnlyList<int> Ejectors { get; init; } = [17];

    /// <summary>Inputs from the entry photo-eyes, high while blocked.</summary>
    public IReadOnlyList<int> EntryEyes { get; init; } = [];

    /// <summary>Inputs from the photo-eyes in the chutes, high while blocked.</summary>
    public IReadOnlyList<int> ConfirmEyes { get; init; } = [];

    /// <summary>Encoder channel A, one pulse in four counts; null when not wired.</summary>
    public int? EncoderA { get; init; }

    /// <summary>Encoder channel B, a quarter period after A.</summary>
    public int? EncoderB { get; init; }

    /// <summary>A low level opens the valve.</summary>
    public bool EjectorActiveLow { get; init; }
}

/// <summary>A level written to an ejector's pin.</summary>
/// <param name="Active">Whether it opens the valve.</param>
public readonly record struct EjectorWrite(int Lane, bool Active, TimeSpan At);
