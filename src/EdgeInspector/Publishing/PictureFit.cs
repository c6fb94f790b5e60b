using OpenCvSharp;

namespace EdgeInspector.Publishing;

/// <summary>Makes pictures small enough for a broker: first by quality, then by size.</summary>
internal static class PictureFit
{
    /// <summary>A picture smaller than this on its shorter side shows nobody anything.</summary>
    private const int SmallestSide = 24;

    // From what is hardly seen to what still tells a hole from a crack.
    private static readonly int[] Qualities = [80, 60, 40];

    /// <summary>
    /// The JPEG itself when it fits, else the same picture in fewer bytes; null when it cannot be made to fit or is no picture.
    /// </summary>
    public static ReadOnlyMemory<byte>? Within(ReadOnlyMemory<byte> jpeg, long bytes)
    {
        if (jpeg.Length <= bytes)
        {
            return jpeg;
        }

        try
        {
            using var whole = Cv2.ImDecode(jpeg.ToArray(), ImreadModes.Unchanged);
            if (whole.Empty())
            {
                return null;
            }

            var side = Math.Min(whole.Width, whole.Height);
            for (var scale = 1.0; side * scale >= SmallestSide; scale *= 0.7)
            {
                using var smaller = scale < 1 ? whole.Resize(new Size(), scale, scale, InterpolationFlags.Area) : whole.Clone();
                foreach (var quality in Qualities)
                {
                    Cv2.ImEncode(".jpg", smaller, out var encoded, new ImageEncodingParam(ImwriteFlags.JpegQuality, quality));
                    if (encoded.Length <= bytes)
                    {
                        return encoded;
                    }
                }
            }

            return null;
        }
        catch (OpenCVException)
        {
            // No JPEG, or one that somebody cut off.
            return null;
        }
    }
}
