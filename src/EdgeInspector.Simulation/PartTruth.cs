namespace EdgeInspector.Simulation;

/// <summary>Where a part has ended up.</summary>
public enum PartFate
{
    /// <summary>Between the entry eye and the end of the ejector's window.</summary>
    OnBelt,

    /// <summary>Past the ejector for good, still on the belt.</summary>
    Passed,

    /// <summary>Blown into the chute.</summary>
    Ejected,

    /// <summary>Lifted off by hand between camera and ejector.</summary>
    Removed,
}

/// <summary>What went wrong with one part, as far as it has been told.</summary>
[Flags]
public enum PartTroubles
{
    /// <summary>Nothing.</summary>
    None = 0,

    /// <summary>An edge of the entry eye at one of its ends was lost.</summary>
    EntryEdgeLost = 1,

    /// <summary>The entry eye flickered at one of its ends.</summary>
    EntryEdgeBounced = 2,

    /// <summary>It went out, but the confirm eye's edge was lost; known once it would have been told.</summary>
    ConfirmEdgeLost = 4,

    /// <summary>The valve does not open for it.</summary>
    ValveStuck = 8,

    /// <summary>It slides on the belt.</summary>
    Slides = 16,

    /// <summary>It turns on the belt.</summary>
    Turns = 32,

    /// <summary>A hand takes it away before the ejector.</summary>
    Removed = 64,

    /// <summary>A hand put it on the belt after the entry eye.</summary>
    Added = 128,

    /// <summary>It lies across the border between two lanes, and both must blow at once to take it.</summary>
    Straddles = 256,
}

/// <summary>What is true of one part, whatever the inspection believes.</summary>
/// <param name="Index">Counts from 0 in order of entry.</param>
/// <param name="Offset">Fixed to the belt: the centre is at travel - offset (mm) along the belt. For a part that
/// slides, the place where it comes to rest, which is that at the ejector.</param>
/// <param name="Across">Centre across the belt in millimetres from the middle of the picture, positive
/// downwards.</param>
/// <param name="Length">Extent along the belt in millimetres.</param>
/// <param name="Class">"good", a kind of defect, or the photograph's sub-folder.</param>
/// <param name="IsDefect">Whether it must be thrown out.</param>
/// <param name="Source">The photograph's file; null for a rendered part.</param>
/// <param name="Fate">As of the time asked for.</param>
/// <param name="EnteredAt">When its front edge first reached the entry eye, or its place there passed.</param>
/// <param name="EjectedAt">When the blast took it; null otherwise.</param>
/// <param name="Lane">From 0, top of the picture first; the lower of two. Its chute is the one it goes down.</param>
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
)
{
    /// <summary>The lanes it lies in, one bit a lane, lane 0 the lowest.</summary>
    public byte Lanes { get; init; } = (byte)(1 << Lane);

    /// <summary>What is wrong with it other than its looks.</summary>
    public PartTroubles Troubles { get; init; }

    /// <summary>How far it slid in all (mm), positive upstream; <see cref="Offset"/> has it already.</summary>
    public double Slide { get; init; }
}

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
