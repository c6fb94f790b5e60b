using System.Numerics.Tensors;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace EdgeInspector.Vision.Preprocessing;

/// <summary>
/// Rows of floats, one for each channel, become what networks with other layouts or elements take. One number at a
/// time is the oracle here too.
/// </summary>
internal static unsafe class Packing
{
    /// <summary>Three channels side by side.</summary>
    public static void Interleave(float* first, float* second, float* third, float* to, int count, SimdPath path)
    {
        var x = 0;
        if (path is not SimdPath.Scalar)
        {
            // Each store's fourth float is overwritten by the next, so the last pixels are left to the loop below.
            for (; x < count - 4; x += 4)
            {
                var (a, b, c) = (Vector128.Load(first + x), Vector128.Load(second + x), Vector128.Load(third + x));
                var (low, high) = (Rows128.Low(a, c), Rows128.High(a, c));
                var (lowB, highB) = (Rows128.Low(b, b), Rows128.High(b, b));
                var pixel = to + (x * 3);
                Rows128.Low(low, lowB).Store(pixel);
                Rows128.High(low, lowB).Store(pixel + 3);
                Rows128.Low(high, highB).Store(pixel + 6);
                Rows128.High(high, highB).Store(pixel + 9);
            }
        }

        for (; x < count; x++)
        {
            (to[x * 3], to[(x * 3) + 1], to[(x * 3) + 2]) = (first[x], second[x], third[x]);
        }
    }

    /// <summary>Rounded to the nearest level, halves up as OpenCV rounds them when it halves a picture.</summary>
    public static void ToLevels(float* from, byte* to, int count, SimdPath path)
    {
        var x = 0;
        if (path is SimdPath.Wide512)
        {
            for (; x <= count - 16; x += 16)
            {
                Avx512F.ConvertToVector128Byte(Levels512(from + x)).Store(to + x);
            }
        }

        if (path is not SimdPath.Scalar)
        {
            for (; x <= count - 16; x += 16)
            {
                var low = Vector128.Narrow(Levels(from + x), Levels(from + x + 4));
                var high = Vector128.Narrow(Levels(from + x + 8), Levels(from + x + 12));
                Vector128.Narrow(low.AsUInt16(), high.AsUInt16()).Store(to + x);
            }
        }

        for (; x < count; x++)
        {
            to[x] = Level(from[x]);
        }
    }

    /// <summary>Levels of three channels side by side.</summary>
    public static void InterleaveLevels(float* first, float* second, float* third, byte* to, int count, SimdPath path)
    {
        var x = 0;
        if (path is not SimdPath.Scalar)
        {
            // Four lanes of twelve bytes that count: 64 are stored for 48, then 16 for 12.
            var order = Vector128.Create((byte)0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14, 255, 255, 255, 255);
            if (path is SimdPath.Wide512)
            {
                var orders = Vector512.Create(Vector256.Create(order, order), Vector256.Create(order, order));
                var gather = Vector512.Create(0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14, 3, 3, 3, 3);
                for (; x <= count - 22; x += 16)
                {
                    var pixels = Levels512(first + x) | (Levels512(second + x) << 8) | (Levels512(third + x) << 16);
                    var lanes = Avx512BW.Shuffle(pixels.AsByte(), orders).AsInt32();
                    Avx512F.PermuteVar16x32(lanes, gather).AsByte().Store(to + (x * 3));
                }
            }

            for (; x <= count - 6; x += 4)
            {
                var pixels = Levels(first + x) | (Levels(second + x) << 8) | (Levels(third + x) << 16);
                Vector128.ShuffleNative(pixels.AsByte(), order).Store(to + (x * 3));
            }
        }

        for (; x < count; x++)
        {
            (to[x * 3], to[(x * 3) + 1], to[(x * 3) + 2]) = (Level(first[x]), Level(second[x]), Level(third[x]));
        }
    }

    /// <summary>Rounded to the nearest half-precision number, ties to even.</summary>
    public static void ToHalves(float* from, Half* to, int count, SimdPath path)
    {
        if (path is not SimdPath.Scalar)
        {
            TensorPrimitives.ConvertToHalf(new ReadOnlySpan<float>(from, count), new Span<Half>(to, count));
            return;
        }

        for (var x = 0; x < count; x++)
        {
            to[x] = (Half)from[x];
        }
    }

    public static byte Level(float value) => (byte)(Math.Min(Math.Max(value, 0), 255) + 0.5f);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<int> Levels(float* at) => Vector128.ConvertToInt32Native(
        Vector128.Min(Vector128.Max(Vector128.Load(at), Vector128<float>.Zero), Vector128.Create(255f))
            + Vector128.Create(0.5f));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<int> Levels512(float* at) => Vector512.ConvertToInt32Native(
        Vector512.Min(Vector512.Max(Vector512.Load(at), Vector512<float>.Zero), Vector512.Create(255f))
            + Vector512.Create(0.5f));
}
