using EdgeInspector.Benchmarks.Contenders;
using EdgeInspector.Benchmarks.Models;
using EdgeInspector.Vision;
using OpenCvSharp;

namespace EdgeInspector.Benchmarks.Works;

/// <summary>
/// A second opinion on what a detector finds, written for clearness alone: OpenCV's resize, a raw run, every cell in double
/// precision, suppression by comparing all with all.
/// </summary>
internal static class ReferenceDecode
{
    private const double Threshold = 0.5;
    private const double Overlap = 0.5;

    /// <summary>Largest difference of a box's edge, pixels, and of a score; infinite when the boxes are not the same ones.</summary>
    public static (double Pixels, double Score) Compare(RawRun raw, int size, Mat picture, ReadOnlySpan<Detection> found)
    {
        var expected = Detect(raw, size, picture);
        if (expected.Count != found.Length)
        {
            return (double.PositiveInfinity, double.PositiveInfinity);
        }

        var (pixels, score) = (0.0, 0.0);
        foreach (var detection in found)
        {
            var box = detection.Box;
            var nearest = expected.MinBy(e => Math.Abs(e.X1 - box.X1) + Math.Abs(e.Y1 - box.Y1));
            pixels = new[]
            {
                pixels, Math.Abs(nearest.X1 - box.X1), Math.Abs(nearest.Y1 - box.Y1), Math.Abs(nearest.X2 - box.X2), Math.Abs(nearest.Y2 - box.Y2),
            }.Max();
            score = Math.Max(score, Math.Abs(nearest.Score - detection.Score));
        }

        return (pixels, score);
    }

    private static List<(double X1, double Y1, double X2, double Y2, double Score, int Label)> Detect(RawRun raw, int size, Mat picture)
    {
        var scale = (double)size / Math.Max(picture.Width, picture.Height);
        var (width, height) = ((int)Math.Round(picture.Width * scale), (int)Math.Round(picture.Height * scale));
        var (left, top) = ((size - width) / 2, (size - height) / 2);
        using var resized = new Mat();
        Cv2.Resize(picture, resized, new Size(width, height), interpolation: InterpolationFlags.Linear);
        var input = raw.Input;
        input.Fill(114 / 255f);
        for (var y = 0; y < height; y++)
        {
            for (var x = 0; x < width; x++)
            {
                var pixel = resized.At<Vec3b>(y, x);
                var at = ((top + y) * size) + left + x;
                input[at] = pixel.Item2 / 255f;
                input[(size * size) + at] = pixel.Item1 / 255f;
                input[(2 * size * size) + at] = pixel.Item0 / 255f;
            }
        }

        raw.Run();
        var output = raw.Output;
        var cells = (int)raw.OutputShape[2];
        List<(double X1, double Y1, double X2, double Y2, double Score, int Label)> all = [];
        for (var cell = 0; cell < cells; cell++)
        {
            for (var label = 0; label < YoloGraph.Labels; label++)
            {
                double score = output[((4 + label) * cells) + cell];
                if (score >= Threshold)
                {
                    double x = output[cell], y = output[cells + cell], w = output[(2 * cells) + cell], h = output[(3 * cells) + cell];
                    all.Add((
                        Math.Clamp((x - (w / 2) - left) / scale, 0, picture.Width),
                        Math.Clamp((y - (h / 2) - top) / scale, 0, picture.Height),
                        Math.Clamp((x + (w / 2) - left) / scale, 0, picture.Width),
                        Math.Clamp((y + (h / 2) - top) / scale, 0, picture.Height),
                        score,
                        label));
                }
            }
        }

        List<(double X1, double Y1, double X2, double Y2, double Score, int Label)> kept = [];
        foreach (var box in all.OrderByDescending(box => box.Score))
        {
            if (!kept.Exists(other => other.Label == box.Label && IoU(other, box) > Overlap))
            {
                kept.Add(box);
            }
        }

        return kept;
    }

    private static double IoU(
        (double X1, double Y1, double X2, double Y2, double Score, int Label) a,
        (double X1, double Y1, double X2, double Y2, double Score, int Label) b)
    {
        var shared = Math.Max(0, Math.Min(a.X2, b.X2) - Math.Max(a.X1, b.X1)) * Math.Max(0, Math.Min(a.Y2, b.Y2) - Math.Max(a.Y1, b.Y1));
        return shared / (((a.X2 - a.X1) * (a.Y2 - a.Y1)) + ((b.X2 - b.X1) * (b.Y2 - b.Y1)) - shared);
    }
}
