using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace EdgeInspector.Vision.Preprocessing;

/// <summary>
/// Resizes with a cubic that widens with the reduction, so every picture pixel counts. Networks judged on pictures
/// that FFmpeg had scaled need it to give the same scores. Allocates only when sizes change.
/// </summary>
internal sealed unsafe class CubicResizer
{
    // The sharpness of FFmpeg's bicubic (libswscale: param 0, 0.6); Pillow takes −0.5, OpenCV −0.75.
    private const double Sharpness = -0.6;

    private readonly Taps _columns = new();
    private readonly Taps _rows = new();
    private float[] _row = [];
    private byte[] _result = [];

    /// <summary>The result holds until the next call.</summary>
    public Pixels Resize(in Pixels source, double left, double top, in Placement placement)
    {
        _columns.Prepare(left, placement.FactorX, placement.Width, source.Width);
        _rows.Prepare(top, placement.FactorY, placement.Height, source.Height);
        var length = (_columns.Last - _columns.First + 1) * 3;
        Grow(ref _row, length);
        Grow(ref _result, placement.Width * placement.Height * 3);

        var row = (float*)Unsafe.AsPointer(ref MemoryMarshal.GetArrayDataReference(_row));
        var result = (byte*)Unsafe.AsPointer(ref MemoryMarshal.GetArrayDataReference(_result));
        for (var y = 0; y < placement.Height; y++)
        {
            new Span<float>(row, length).Clear();
            for (var tap = y * _rows.Count; tap < (y + 1) * _rows.Count; tap++)
            {
                AddRow(
                    source.Start + (_rows.Index[tap] * source.Step) + (_columns.First * 3),
                    _rows.Weight[tap],
                    row,
                    length);
            }

            BlendPixels(row, result + (y * placement.Width * 3), placement.Width);
        }

        return new Pixels(result, placement.Width * 3, placement.Width, placement.Height);
    }

    private static void Grow<T>(ref T[] buffer, int length)
    {
        if (buffer.Length < length)
        {
            buffer = GC.AllocateArray<T>(length, pinned: true);
        }
    }

    private static void AddRow(byte* pixels, float weight, float* row, int length)
    {
        var i = 0;
        for (; i <= length - 8; i += 8)
        {
            var wide = Vector128.WidenLower(Vector128.CreateScalarUnsafe(*(ulong*)(pixels + i)).AsByte());
            var (low, high) = Vector128.Widen(wide);
            var lowSum = Vector128.Load(row + i) + (Vector128.ConvertToSingle(low.AsInt32()) * weight);
            var highSum = Vector128.Load(row + i + 4) + (Vector128.ConvertToSingle(high.AsInt32()) * weight);
            lowSum.Store(row + i);
            highSum.Store(row + i + 4);
        }

        for (; i < length; i++)
        {
            row[i] += pixels[i] * weight;
        }
    }

    private void BlendPixels(float* row, byte* result, int count)
    {
        var taps = _columns.Count;
        for (var x = 0; x < count; x++)
        {
            var (blue, green, red) = (0f, 0f, 0f);
            for (var tap = x * taps; tap < (x + 1) * taps; tap++)
            {
                var pixel = row + ((_columns.Index[tap] - _columns.First) * 3);
                var weight = _columns.Weight[tap];
                blue += pixel[0] * weight;
                green += pixel[1] * weight;
                red += pixel[2] * weight;
            }

            result[x * 3] = Level(blue);
            result[(x * 3) + 1] = Level(green);
            result[(x * 3) + 2] = Level(red);
        }
    }

    private static byte Level(float value) => (byte)Math.Clamp(MathF.Round(value), 0, 255);

    /// <summary>Which source pixels make up each output pixel along one axis, and how much each counts.</summary>
    private sealed class Taps
    {
        private (double Start, double Factor, int Outputs, int Pixels) _prepared;

        public int Count { get; private set; }

        public int[] Index { get; private set; } = [];

        public float[] Weight { get; private set; } = [];

        public int First { get; private set; }

        public int Last { get; private set; }

        public void Prepare(double start, double factor, int outputs, int pixels)
        {
            if ((start, factor, outputs, pixels) == _prepared)
            {
                return;
            }

            // Enlarging, the cubic spans four pixels; reducing, four output pixels' worth.
            var spread = Math.Max(1, factor);
            Count = (int)Math.Ceiling(4 * spread) + 1;
            if (Index.Length < Count * outputs)
            {
                (Index, Weight) = (new int[Count * outputs], new float[Count * outputs]);
            }

            (First, Last) = (int.MaxValue, 0);
            for (var output = 0; output < outputs; output++)
            {
                var position = start + ((output + 0.5) * factor) - 0.5;
                var lowest = (int)Math.Ceiling(position - (2 * spread));
                var sum = 0.0;
                for (var tap = 0; tap < Count; tap++)
                {
                    sum += Cubic((lowest + tap - position) / spread);
                }

                for (var tap = 0; tap < Count; tap++)
                {
                    var index = Math.Clamp(lowest + tap, 0, pixels - 1);
                    Index[(output * Count) + tap] = index;
                    Weight[(output * Count) + tap] = (float)(Cubic((lowest + tap - position) / spread) / sum);
                    (First, Last) = (Math.Min(First, index), Math.Max(Last, index));
                }
            }

            _prepared = (start, factor, outputs, pixels);
        }

        /// <summary>Keys' cubic convolution (IEEE ASSP 29, 1981).</summary>
        private static double Cubic(double x)
        {
            x = Math.Abs(x);
            return x < 1 ? ((((Sharpness + 2) * x) - (Sharpness + 3)) * x * x) + 1
                : x < 2 ? Sharpness * (((((x - 5) * x) + 8) * x) - 4)
                : 0;
        }
    }
}
