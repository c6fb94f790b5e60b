using EdgeInspector.Vision;
using OpenCvSharp;

namespace EdgeInspector.Benchmarks.Models;

/// <summary>What the camera sees in every work: a picture of 1280 × 1024 with parts in it whose places are known.</summary>
internal static class Scene
{
    public const int Width = 1280;
    public const int Height = 1024;

    /// <summary>Side of a part, picture pixels.</summary>
    public const float Side = 120;

    /// <summary>Parts in view in the works with two stages.</summary>
    public const int Parts = 8;

    /// <summary>Side of a classifier's input.</summary>
    public const int CropSize = 64;

    /// <summary>Centres of the parts, in picture pixels.</summary>
    public static IReadOnlyList<(float X, float Y)> Centres { get; } =
        [.. Enumerable.Range(0, Parts).Select(i => (204f + (288 * (i % 4)), 304f + (416 * (i / 4))))];

    /// <summary>The same in the pixels of a square input, letterboxed.</summary>
    public static IReadOnlyList<(float X, float Y)> In(int size)
    {
        var scale = (float)size / Width;
        var top = (size - (Height * scale)) / 2;
        return [.. Centres.Select(centre => (centre.X * scale, (centre.Y * scale) + top))];
    }

    /// <summary>Side of a part in the pixels of a square input.</summary>
    public static float SideIn(int size) => Side * size / Width;

    /// <summary>So many places to crop from, spread over the picture.</summary>
    public static Box[] Boxes(int count)
    {
        var boxes = new Box[count];
        for (var i = 0; i < count; i++)
        {
            var x = 90 + (i % 8 * 155);
            var y = 100 + (i / 8 % 4 * 260);
            boxes[i] = new Box(x - (Side / 2), y - (Side / 2), x + (Side / 2), y + (Side / 2));
        }

        return boxes;
    }

    /// <summary>Cloudy noise, so that no two pixels' work is alike; the same seed gives the same picture. The caller's.</summary>
    public static Mat Picture(int seed)
    {
        var random = new Random(seed);
        using var coarse = new Mat(Height / 8, Width / 8, MatType.CV_8UC3);
        var bytes = new byte[coarse.Rows * coarse.Cols * 3];
        random.NextBytes(bytes);
        System.Runtime.InteropServices.Marshal.Copy(bytes, 0, coarse.Data, bytes.Length);
        var picture = new Mat();
        Cv2.Resize(coarse, picture, new Size(Width, Height), interpolation: InterpolationFlags.Cubic);
        return picture;
    }
}
