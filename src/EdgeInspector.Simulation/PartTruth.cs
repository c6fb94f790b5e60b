namespace EdgeInspector.Simulation;

/// <summary>Where a part has ended up.</summary>
public enum PartFate
{
    /// <summary>Between the entry eye and the end of the ejector's window.</summary>
    OnBelt,

    /// <summary>Past the ejector, still on the belt.</summary>
    Passed,

    /// <summary>Blown into the chute.</summary>
    Ejected,
}

/// <summary>What is true of one part, whatever the inspection believes.</summary>
/// <param name="Index">Counts from 0 in order of entry.</param>
/// <param name="Offset">Fixed to the belt: the centre is at travel - offset (mm) along the belt.</param>
/// <param name="Across">Centre across the belt in millimetres from the middle of the picture, positive
/// downwards.</param>
/// <param name="Length">Extent along the belt in millimetres.</param>
/// <param name="Class">"good", a kind of defect, or the photograph's sub-folder.</param>
/// <param name="IsDefect">Whether it must be thrown out.</param>
/// <param name="Source">The photograph's file; null for a rendered part.</param>
/// <param name="Fate">As of the time asked for.</param>
/// <param name="EnteredAt">When its front edge reached the entry eye.</param>
/// <param name="EjectedAt">When the blast took it; null otherwise.</param>
/// <param name="Lane">From 0, top of the picture first.</param>
/// <param name="Width">Extent across the belt in millimetres.</param>
public sealed record PartTruth(
    long Index,
    double Offset,
    double Across,
    double Length,
    string Class,
    bool IsDefect,
    string? Source,
    PartFate Fate,
    TimeSpan EnteredAt,
    TimeSpan? EjectedAt,
    int Lane,
    double Width
);

/// <summary>A part as one frame shows it; pixels of that frame, cut at its edges.</summary>
/// <param name="Index">The part's <see cref="PartTruth.Index"/>.</param>
/// <param name="Class">The part's <see cref="PartTruth.Class"/>.</param>
/// <param name="Visible">Share of the part's area inside the picture, 0-1.</param>
public readonly record struct VisiblePart(
    long Index,
    string Class,
    bool IsDefect,
    double Left,
    double Top,
    double Right,
    double Bottom,
    double Visible
);
