using System.Globalization;

namespace EdgeInspector.Simulation;

/// <summary>
/// Parts without a face: flat discs and rectangles, "good" or "defect" by the line's defect rate. They cost next to
/// nothing, so that a line of them can carry a million in seconds when nobody asks for pictures.
/// </summary>
public sealed record PlainParts
{
    /// <summary>Shortest extent along or across the belt in millimetres, 5-500.</summary>
    public double MinimumLength { get; init; } = 50;

    /// <summary>Longest extent along or across the belt in millimetres, 5-500.</summary>
    public double MaximumLength { get; init; } = 65;

    /// <summary>Share of parts that are rectangles; the others are discs. 0-1.</summary>
    public double RectangleShare { get; init; } = 0.3;

    /// <summary>Least clear belt between parts that do not touch, in millimetres, 1-500.</summary>
    public double MinimumGap { get; init; } = 4;

    /// <summary>Every fault, one line each, empty when the parts can be made.</summary>
    internal IEnumerable<string> Validate()
    {
        (string Name, double Value, double Low, double High)[] values =
        [
            (nameof(MinimumLength), MinimumLength, 5, MaximumLength),
            (nameof(MaximumLength), MaximumLength, 5, 500),
            (nameof(RectangleShare), RectangleShare, 0, 1),
            (nameof(MinimumGap), MinimumGap, 1, 500),
        ];
        return values
            .Where(v => !(v.Value >= v.Low && v.Value <= v.High))
            .Select(v =>
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"PlainParts.{v.Name}: {v.Value} is outside {v.Low} to {v.High}"
                )
            );
    }
}
