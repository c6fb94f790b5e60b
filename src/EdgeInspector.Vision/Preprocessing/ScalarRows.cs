namespace EdgeInspector.Vision.Preprocessing;

/// <summary>
/// The kernel one number at a time: what <see cref="Rows128"/>, <see cref="Rows256"/> and <see cref="Rows512"/> must
/// equal to the last bit, and what they leave to do at the end of short rows.
/// </summary>
internal static unsafe class ScalarRows
{
    /// <summary>Two rows of bytes become one of floats: above + (below − above) × weight.</summary>
    public static void Blend(byte* above, byte* below, float weight, float* row, int length)
    {
        for (var i = 0; i < length; i++)
        {
            row[i] = above[i] + ((below[i] - above[i]) * weight);
        }
    }

    /// <summary>
    /// Two neighbours in the row become one pixel of the output: left + (right − left) × weight, each channel.
    /// </summary>
    public static void Sample(float* row, in Columns columns, in Tone tone, in Planes to, int from = 0)
    {
        for (var x = from; x < columns.Count; x++)
        {
            var left = row + columns.Index[x];
            var weight = columns.Weight[x];
            tone.Write(
                left[0] + ((left[3] - left[0]) * weight),
                left[1] + ((left[4] - left[1]) * weight),
                left[2] + ((left[5] - left[2]) * weight),
                to,
                x);
        }
    }

    /// <summary>
    /// Exactly half the size: four pixels become one. The blends' weights are a half then and their results exact, so
    /// a sum of whole numbers gives the same.
    /// </summary>
    /// <param name="above">Of 2 × count pixels.</param>
    /// <param name="below">The next row.</param>
    /// <param name="count">Output pixels.</param>
    /// <param name="tone">For sums of four.</param>
    /// <param name="to">The output.</param>
    /// <param name="from">The first output pixel to write.</param>
    public static void Halve(byte* above, byte* below, int count, in Tone tone, in Planes to, int from = 0)
    {
        for (var x = from; x < count; x++)
        {
            var a = above + (x * 6);
            var b = below + (x * 6);
            tone.Write(a[0] + a[3] + b[0] + b[3], a[1] + a[4] + b[1] + b[4], a[2] + a[5] + b[2] + b[5], to, x);
        }
    }

    /// <summary>The same size: pixels are taken as they are.</summary>
    public static void Copy(byte* row, int count, in Tone tone, in Planes to, int from = 0)
    {
        for (var x = from; x < count; x++)
        {
            tone.Write(row[x * 3], row[(x * 3) + 1], row[(x * 3) + 2], to, x);
        }
    }
}
