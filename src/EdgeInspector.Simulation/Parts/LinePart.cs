using EdgeInspector.Simulation.Rendering;

namespace EdgeInspector.Simulation.Parts;

/// <summary>
/// A part lying on the belt. Its place never changes; what becomes of it is worked out from the blasts. Owned by
/// <see cref="VirtualLine"/>, which guards it with its lock; the design and the sprite are let go once out of view and
/// made again when asked for.
/// </summary>
internal sealed class LinePart
{
    public required long Index { get; init; }

    public required int Lane { get; init; }

    /// <summary>Belt pixel column and picture row of the design's first pixel.</summary>
    public required int Column { get; init; }

    public required int Row { get; init; }

    public required double Offset { get; init; }

    public required double Across { get; init; }

    public required double Length { get; init; }

    public required double Width { get; init; }

    public required string Class { get; init; }

    public required bool IsDefect { get; init; }

    public required string? Source { get; init; }

    public required TimeSpan EnteredAt { get; init; }

    /// <summary>
    /// While its centre is in the ejector's window: once, or more often where the belt runs back. Empty where it never
    /// gets there.
    /// </summary>
    public required BeltInterval[] Windows { get; init; }

    /// <summary>Columns and rows of the grid.</summary>
    public required int Side { get; init; }

    /// <summary>What it looks like where it is plain.</summary>
    public PlainShape? Shape { get; init; }

    public TimeSpan? EjectedAt { get; set; }

    /// <summary>Too long ago for a blast still to change it.</summary>
    public bool Settled { get; set; }

    /// <summary>Its passing of the confirm eye has been told.</summary>
    public bool Confirmed { get; set; }

    public PartDesign? Design { get; set; }

    public Lazy<Sprite>? Painting { get; set; }

    public TimeSpan WindowFrom => Windows.Length == 0 ? BeltMotion.Never : Windows[0].From;

    /// <summary>When it leaves the window for good.</summary>
    public TimeSpan WindowTo => Windows.Length == 0 ? BeltMotion.Never : Windows[^1].To;

    public double FrontOffset => Offset - (Length / 2);

    public double RearOffset => Offset + (Length / 2);
}
