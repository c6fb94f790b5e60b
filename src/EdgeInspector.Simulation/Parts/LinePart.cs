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

    /// <summary>The lower of its lanes, and all of them, one bit each.</summary>
    public required int Lane { get; init; }

    public required byte Lanes { get; init; }

    /// <summary>Belt pixel column and picture row of the design's first pixel, as it was laid.</summary>
    public required int Column { get; init; }

    public required int Row { get; init; }

    /// <summary>Where it was laid, and where it lies once it has slid.</summary>
    public required double LaidOffset { get; init; }

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

    /// <summary>How it moves on the belt; null where it lies still.</summary>
    public PartSlip? Slip { get; init; }

    /// <summary>When a hand takes it.</summary>
    public TimeSpan? RemovedAt { get; init; }

    public PartTroubles Troubles { get; set; }

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

    /// <summary>When nothing can become of it any more.</summary>
    public TimeSpan DoneAt => RemovedAt ?? WindowTo;

    /// <summary>Its ends where the entry eye sees them, before any slide.</summary>
    public double FrontOffset => LaidOffset - (Length / 2);

    public double RearOffset => LaidOffset + (Length / 2);

    /// <summary>Column of the design in the picture being made, and in the belt drawn last.</summary>
    public int Shown { get; set; }

    public int? Drawn { get; set; }

    public bool Straddles => Troubles.HasFlag(PartTroubles.Straddles);

    public bool LiesIn(int lane)
    {
        return (Lanes & (1 << lane)) != 0;
    }

    /// <summary>Column of the design when the belt has come this far.</summary>
    public int ColumnAt(double furthest)
    {
        return Slip is null ? Column : Column - (int)Math.Round(Slip.Pixels * Slip.Share(furthest));
    }
}

/// <summary>A part that moves on the belt while the belt goes from one travel to another, and never back.</summary>
/// <param name="Pixels">Slide in all, positive upstream.</param>
/// <param name="Turn">Radians in all.</param>
internal sealed record PartSlip(double From, double To, int Pixels, double Turn)
{
    /// <summary>How much of it has happened when the belt has come this far, 0-1.</summary>
    public double Share(double furthest)
    {
        return Math.Clamp((furthest - From) / (To - From), 0, 1);
    }
}
