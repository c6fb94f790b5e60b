using System.Numerics;
using System.Runtime.InteropServices;
using OpenCvSharp;

namespace EdgeInspector.Capture;

/// <summary>
/// A cheap fingerprint of a picture, to notice a camera that repeats its last one: 32 rows spread over the height,
/// whole, so that sensor noise in any of some ten thousand pixels changes it.
/// </summary>
internal static class PictureDigest
{
    private const int Rows = 32;
    private const ulong Seed = 0x9E37_79B9_7F4A_7C15;
    private const ulong Factor = 0xFF51_AFD7_ED55_8CCD;

    /// <summary>
    /// Equal for equal pictures; not a cryptographic hash. The picture is 8-bit and of any channel count.
    /// </summary>
    public static unsafe ulong Of(Mat picture)
    {
        var hash = Seed;
        var rowBytes = picture.Cols * picture.ElemSize();
        var rows = Math.Min(Rows, picture.Rows);
        for (var i = 0; i < rows; i++)
        {
            var row = (int)(((long)i * picture.Rows) / rows);
            var bytes = new ReadOnlySpan<byte>((void*)picture.Ptr(row), (int)rowBytes);
            var words = MemoryMarshal.Cast<byte, ulong>(bytes);
            foreach (var word in words)
            {
                hash = BitOperations.RotateLeft((hash ^ word) * Factor, 29);
            }

            foreach (var last in bytes[(words.Length * sizeof(ulong))..])
            {
                hash = BitOperations.RotateLeft((hash ^ last) * Factor, 29);
            }
        }

        return hash;
    }
}
