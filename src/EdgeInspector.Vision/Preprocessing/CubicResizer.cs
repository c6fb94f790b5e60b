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

        // A pixel is read as four floats, so the last one reaches one float further.
        Grow(ref _row, length + 1);
        Grow(ref _result, placement.Width * placement.Height * 3);

        var row = (float*)Unsafe.AsPointer(ref MemoryMarshal.GetArrayDataReference(_row));
        var result = (byte*)Unsafe.AsPointer(ref MemoryMarshal.GetArrayDataReference(_result));
        for (var y = 0; y < placement.Height; y++)
        {
            var taps = y * _rows.Count;
            BlendRows(
                source.Start + (_columns.First * 3),
                source.Step,
                _rows.Index.AsSpan(taps, _rows.Count),
                _rows.Weight.AsSpan(taps, _rows.Count),
                row,
                length);
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

    private static void BlendRows(
        byte* start, long step, ReadOnlySpan<int> rows, ReadOnlySpan<float> weights, float* row, int length)
    {
        var i = 0;
        for (; i <= length - 8; i += 8)
        {
            var (low, high) = (Vector128<float>.Zero, Vector128<float>.Zero);
            for (var tap = 0; tap < rows.Length; tap++)
            {
                var bytes = Vector128.CreateScalarUnsafe(*(ulong*)(start + (rows[tap] * step) + i)).AsByte();
                var (lowLevels, highLevels) = Vector128.Widen(Vector128.WidenLower(bytes));
                var weight = Vector128.Create(weights[tap]);
                low += Vector128.ConvertToSingle(lowLevels.AsInt32()) * weight;
                high += Vector128.ConvertToSingle(highLevels.AsInt32()) * weight;
            }

            low.Store(row + i);
            high.Store(row + i + 4);
        }

        for (; i < length; i++)
        {
            row[i] = 0;
            for (var tap = 0; tap < rows.Length; tap++)
            {
                row[i] += start[(rows[tap] * step) + i] * weights[tap];
            }
        }
    }

    private void BlendPixels(float* row, byte* result, int count)
    {
        var taps = _columns.Count;
        for (var x = 0; x < count; x++)
        {
            var columns = _columns.Index.AsSpan(x * taps, taps);
            var weights = _columns.Weight.AsSpan(x * taps, taps);
            var sum = Vector128<float>.Zero;
            for (var tap = 0; tap < columns.Length; tap++)
            {
                sum += Vector128.Load(row + ((columns[tap] - _columns.First) * 3)) * weights[tap];
            }

            // The fourth lane is the next pixel's blue, or what lies beyond the row: never looked at.
            var levels = Vector128.ConvertToInt32(Vector128.Round(
                Vector128.Min(Vector128.Max(sum, Vector128<float>.Zero), Vector128.Create(255f))));
            result[x * 3] = (byte)levels[0];
            result[(x * 3) + 1] = (byte)levels[1];
            result[(x * 3) + 2] = (byte)levels[2];
        }
    }

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
