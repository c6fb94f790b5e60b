namespace EdgeInspector.Vision;

/// <summary>
/// An upright rectangle in picture pixels: (X1, Y1) is its upper left corner, (X2, Y2) its lower right one. Pixel
/// (i, j) covers [i, i + 1) × [j, j + 1), so a box over a whole 640 × 480 picture is (0, 0, 640, 480).
/// </summary>
public readonly record struct Box(float X1, float Y1, float X2, float Y2)
{
    public float Width => X2 - X1;

    public float Height => Y2 - Y1;

    public float CentreX => (X1 + X2) * 0.5f;

    public float CentreY => (Y1 + Y2) * 0.5f;

    /// <summary>Square pixels; 0 for a box turned inside out.</summary>
    public float Area => Math.Max(0, Width) * Math.Max(0, Height);

    /// <summary>True when all four edges are numbers and the box encloses something.</summary>
    public bool IsSound => float.IsFinite(X1) && float.IsFinite(Y1) && float.IsFinite(X2) && float.IsFinite(Y2)
        && X2 > X1 && Y2 > Y1;

    /// <summary>Intersection over union, 0 to 1; 0 when neither box encloses anything.</summary>
    public float IoU(Box other)
    {
        var width = Math.Min(X2, other.X2) - Math.Max(X1, other.X1);
        var height = Math.Min(Y2, other.Y2) - Math.Max(Y1, other.Y1);
        if (!(width > 0 && height > 0))
        {
            return 0;
        }

        var shared = width * height;
        return shared / (Area + other.Area - shared);
    }

    /// <summary>The part of this box inside a picture of the given size; without area when it lies outside.</summary>
    public Box Clip(float width, float height) => new(
        Math.Clamp(X1, 0, width), Math.Clamp(Y1, 0, height), Math.Clamp(X2, 0, width), Math.Clamp(Y2, 0, height));
}
