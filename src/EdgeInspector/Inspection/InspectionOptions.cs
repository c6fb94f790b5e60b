using System.ComponentModel.DataAnnotations;

namespace EdgeInspector.Inspection;

/// <summary>How the picture lies on the belt.</summary>
internal sealed class InspectionOptions
{
    /// <summary>Millimetres of belt per picture pixel, 0.001 to 100. Measure it: photograph a ruler lying on the belt.</summary>
    [Range(0.001, 100.0)]
    public double MillimetresPerPixel { get; set; } = 0.5;

    /// <summary>Which way parts move in the picture.</summary>
    public BeltDirection Direction { get; set; } = BeltDirection.Right;

    /// <summary>Whether the belt moves along the picture's width, and not along its height.</summary>
    internal bool IsAlongWidth => Direction is BeltDirection.Right or BeltDirection.Left;

    /// <summary>
    /// How far, mm, a part may lie from where the entry eye saw it, 0 to 1000. It takes in the eye's beam, the belt's
    /// slip and the speed's error between eye and camera.
    /// </summary>
    [Range(0.0, 1000.0)]
    public double EntryTolerance { get; set; } = 15;

    /// <summary>
    /// Extent along the belt, mm, 1 to 10,000, from which a stretch that the entry eye saw and the camera did not explain
    /// is taken for a part that was not inspected: about half the shortest part.
    /// </summary>
    [Range(1.0, 10_000.0)]
    public double ShortestPart { get; set; } = 25;

    /// <summary>
    /// One in this many passed parts has its picture kept, 0 to 1,000,000; 0 keeps none. Audits of passes are the only way
    /// to learn of escapes.
    /// </summary>
    [Range(0, 1_000_000)]
    public int PassSampleInterval { get; set; } = 50;
}
