using OpenCvSharp;

namespace EdgeInspector.Simulation.Rendering;

/// <summary>
/// Tiles of smooth noise with mean 0 and variance 1 that repeat without a seam, made once for the process and read by
/// every surface: a lookup with a random offset costs a hundredth of making noise per pixel.
/// </summary>
internal static class Grain
{
    /// <summary>Side of a tile, a power of two so that wrapping is a mask.</summary>
    public const int Size = 512;

    private const int Mask = Size - 1;

    /// <summary>Detail of about a pixel.</summary>
    public static readonly float[] Fine = Create(0.7, 11);

    /// <summary>Detail of a few pixels.</summary>
    public static readonly float[] Medium = Create(2.4, 12);

    /// <summary>Blotches of 20 pixels or so.</summary>
    public static readonly float[] Coarse = Create(8, 13);

    /// <summary>Clouds as large as a part.</summary>
    public static readonly float[] Broad = Create(26, 14);

    public static float At(float[] tile, int x, int y)
    {
        return tile[((y & Mask) * Size) + (x & Mask)];
    }

    private static float[] Create(double sigma, ulong purpose)
    {
        var random = SeededRandom.For(0, purpose, 0);
        var values = new float[Size * Size];
        for (var i = 0; i < values.Length; i++)
        {
            values[i] = (float)random.Normal();
        }

        // The filter knows no wrapping border, so the tile is surrounded by itself first.
        var margin = (int)Math.Ceiling(sigma * 4);
        using var tile = Mat.FromPixelData(Size, Size, MatType.CV_32FC1, values);
        using var wide = new Mat();
        Cv2.CopyMakeBorder(tile, wide, margin, margin, margin, margin, BorderTypes.Wrap);
        Cv2.GaussianBlur(wide, wide, new Size(0, 0), sigma);
        using var inner = new Mat(wide, new Rect(margin, margin, Size, Size));
        inner.CopyTo(tile);
        var sum = 0.0;
        foreach (var value in values)
        {
            sum += value * value;
        }

        var scale = (float)(1 / Math.Sqrt(sum / values.Length));
        for (var i = 0; i < values.Length; i++)
        {
            values[i] *= scale;
        }

        return values;
    }
}
