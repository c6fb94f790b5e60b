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

    /// <summary>Outputs whose level comes back on an input, as a self-test is wired.</summary>
    public IReadOnlyList<PinLoop> Loopbacks { get; init; } = [];

    /// <summary>
    /// A file to make, of 1024 bytes, one a pin: 1 while it is high. It follows every write at once and stays when the
    /// process goes, so that another one that maps it sees what the outputs do, and that they have stopped. Pins that
    /// the line drives are in it as they were last read. Null: none.
    /// </summary>
    public string? PinFile { get; init; }
}

/// <summary>A wire from an output to an input.</summary>
public readonly record struct PinLoop(int Output, int Input);

/// <summary>A level written to any output.</summary>
public readonly record struct PinWrite(int Pin, bool High, TimeSpan At);

/// <summary>A level written to an ejector's pin.</summary>
/// <param name="Active">Whether it opens the valve.</param>
public readonly record struct EjectorWrite(int Lane, bool Active, TimeSpan At);
