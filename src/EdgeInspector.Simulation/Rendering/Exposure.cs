using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using OpenCvSharp;

namespace EdgeInspector.Simulation.Rendering;

/// <summary>
/// Turns a stretch of belt into a camera frame: the belt's sub-pixel place and its movement during the exposure are one
/// short horizontal filter, then come the lamp and the sensor's noise, all in one pass of 16-bit arithmetic over the
/// rows. Keeps its tables between frames and allocates nothing per frame. One caller at a time.
/// </summary>
internal sealed unsafe class Exposure
{
    // Normal noise with standard deviation 32, read from a random place for each row of each frame.
    private const int NoiseSize = 1 << 20;
    private const double NoiseScale = 32;

    private static readonly Lazy<sbyte[]> SharedNoise = new(CreateNoise);

    private readonly int _width;
    private readonly int _height;
    private readonly ulong _seed;
    private readonly Lamp _lamp;
    private readonly sbyte[] _noise = SharedNoise.Value;
    private readonly double[] _along;
    private readonly ushort[] _rowLight;
    private readonly ushort[] _columnLight;
    private readonly ushort[] _taps = new ushort[64];

    public Exposure(int width, int height, int seed, Lamp lamp)
    {
        _width = width;
        _height = height;
        _seed = (ulong)seed;
        _lamp = lamp;
        _along = new double[width];
        _rowLight = new ushort[height];
        _columnLight = new ushort[width * 3];
        for (var x = 0; x < width; x++)
        {
            _along[x] = lamp.Along(((2.0 * x) + 1 - width) / width);
        }

        for (var y = 0; y < height; y++)
        {
            _rowLight[y] = (ushort)(65535 * lamp.AcrossBelt(((2.0 * y) + 1 - height) / height));
        }
    }

    /// <summary>Columns of belt that a frame starting at <paramref name="left"/> needs.</summary>
    public (long From, long To) Reach(double left, double blur)
    {
        var from = (long)Math.Floor(left - (blur / 2));
        return (from, from + _width + TapCount(left, blur) + 1);
    }

    /// <param name="belt">The pixel at the first column of <see cref="Reach"/>.</param>
    /// <param name="left">Belt column, with fraction, in the middle of the frame's first pixel.</param>
    /// <param name="blur">Pixels that the belt moves during the exposure.</param>
    public void Take(byte* belt, int stride, double left, double blur, TimeSpan t, Mat destination)
    {
        var count = TapCount(left, blur);
        FillTaps(left, blur, count);
        FillLight(t);
        var random = SeededRandom.For(_seed, 4, t.Ticks);
        var bytes = _width * 3;
        fixed (sbyte* noise = _noise)
        fixed (ushort* light = _columnLight)
        fixed (ushort* taps = _taps)
        {
            for (var y = 0; y < _height; y++)
            {
                var grain = noise + (int)(random.NextUInt64() % (ulong)(NoiseSize - bytes - 64));
                Row(
                    belt + ((long)y * stride),
                    (byte*)destination.Ptr(y),
                    bytes,
                    taps,
                    count,
                    light,
                    _rowLight[y],
                    grain
                );
            }
        }
    }

    private static int TapCount(double left, double blur)
    {
        var first = Math.Floor(left - (blur / 2));
        return (int)(Math.Floor(left + (blur / 2)) - first) + 2;
    }

    /// <summary>
    /// How much of each belt column falls into a pixel: linear interpolation, averaged over the movement. The shares
    /// add up to 256.
    /// </summary>
    private void FillTaps(double left, double blur, int count)
    {
        var first = Math.Floor(left - (blur / 2));
        var sum = 0;
        var largest = 0;
        for (var i = 0; i < count; i++)
        {
            var from = left - (blur / 2) - first - i;
            var share = blur < 1e-6 ? Math.Max(0, 1 - Math.Abs(from)) : (HatArea(from + blur) - HatArea(from)) / blur;
            _taps[i] = (ushort)Math.Round(share * 256);
            sum += _taps[i];
            largest = _taps[i] > _taps[largest] ? i : largest;
        }

        _taps[largest] = (ushort)(_taps[largest] + 256 - sum);
        for (var i = count; i < 4; i++)
        {
            _taps[i] = 0;
        }
    }

    /// <summary>Area under the triangle of height 1 from -1 to 1, left of <paramref name="x"/>.</summary>
    private static double HatArea(double x)
    {
        return x <= -1 ? 0
            : x >= 1 ? 1
            : x < 0 ? (1 + x) * (1 + x) / 2
            : 1 - ((1 - x) * (1 - x) / 2);
    }

    private void FillLight(TimeSpan t)
    {
        var (blue, green, red) = _lamp.At(t);
        for (var x = 0; x < _width; x++)
        {
            _columnLight[x * 3] = (ushort)(16384 * blue * _along[x]);
            _columnLight[(x * 3) + 1] = (ushort)(16384 * green * _along[x]);
            _columnLight[(x * 3) + 2] = (ushort)(16384 * red * _along[x]);
        }
    }

    private static void Row(
        byte* source,
        byte* target,
        int bytes,
        ushort* taps,
        int count,
        ushort* light,
        ushort rowLight,
        sbyte* noise
    )
    {
        var row = Vector256.Create(rowLight);
        var (tap0, tap1, tap2) = (Vector256.Create(taps[0]), Vector256.Create(taps[1]), Vector256.Create(taps[2]));
        var i = 0;
        while (true)
        {
            var a = Vector256.Load(source + i);
            var b = Vector256.Load(source + i + 3);
            var c = Vector256.Load(source + i + 6);
            var low =
                (Vector256.WidenLower(a) * tap0) + (Vector256.WidenLower(b) * tap1) + (Vector256.WidenLower(c) * tap2);
            var high =
                (Vector256.WidenUpper(a) * tap0) + (Vector256.WidenUpper(b) * tap1) + (Vector256.WidenUpper(c) * tap2);
            for (var k = 3; k < count; k++)
            {
                var more = Vector256.Load(source + i + (3 * k));
                var tap = Vector256.Create(taps[k]);
                low += Vector256.WidenLower(more) * tap;
                high += Vector256.WidenUpper(more) * tap;
            }

            var grain = Vector256.Load(noise + i);
            var left = Sense(low, MultiplyHigh(Vector256.Load(light + i), row), Vector256.WidenLower(grain));
            var right = Sense(high, MultiplyHigh(Vector256.Load(light + i + 16), row), Vector256.WidenUpper(grain));
            Vector256.Narrow(left, right).Store(target + i);
            if (i + 32 >= bytes)
            {
                return;
            }

            // The last vector of a row overlaps the one before it and writes the same values again.
            i = Math.Min(i + 32, bytes - 32);
        }
    }

    /// <summary>Belt (8.8 fixed point) under light (2.14) with noise, in grey levels 0-255.</summary>
    private static Vector256<ushort> Sense(Vector256<ushort> belt, Vector256<ushort> light, Vector256<short> noise)
    {
        // 8.8 times 2.14, high half: 10.6 fixed point.
        var level = MultiplyHigh(belt, light).AsInt16();

        // Standard deviation 1 level from the amplifier and 0.8 % of the signal from the photons.
        var spread = Vector256.Create((short)64) + Vector256.ShiftRightArithmetic(level, 7);
        level = Vector256.AddSaturate(
            level,
            Vector256.ShiftRightArithmetic(noise * spread, 5) + Vector256.Create((short)32)
        );
        level = Vector256.ShiftRightArithmetic(level, 6);
        return Vector256.Min(Vector256.Max(level, Vector256<short>.Zero), Vector256.Create((short)255)).AsUInt16();
    }

    private static Vector256<ushort> MultiplyHigh(Vector256<ushort> a, Vector256<ushort> b)
    {
        if (Avx2.IsSupported)
        {
            return Avx2.MultiplyHigh(a, b);
        }

        var low = Vector256.ShiftRightLogical(Vector256.WidenLower(a) * Vector256.WidenLower(b), 16);
        var high = Vector256.ShiftRightLogical(Vector256.WidenUpper(a) * Vector256.WidenUpper(b), 16);
        return Vector256.Narrow(low, high);
    }

    private static sbyte[] CreateNoise()
    {
        var random = SeededRandom.For(0, 5, 0);
        var noise = new sbyte[NoiseSize];
        var shared = 0.0;
        for (var i = 0; i < noise.Length; i++)
        {
            // Colour interpolation on the sensor leaves the channels of a pixel partly alike.
            if (i % 3 == 0)
            {
                shared = random.Normal();
            }

            noise[i] = (sbyte)
                Math.Clamp(Math.Round(NoiseScale * ((0.8 * shared) + (0.6 * random.Normal()))), -100, 100);
        }

        return noise;
    }
}
