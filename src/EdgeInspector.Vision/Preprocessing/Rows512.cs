using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace EdgeInspector.Vision.Preprocessing;

/// <summary>
/// The kernel sixteen floats at a time, with AVX-512: what <see cref="Rows128"/> does, in each 128-bit lane. Only the
/// blends: where there is nothing to blend memory is the limit, and <see cref="Rows256"/> is no slower.
/// </summary>
internal static unsafe class Rows512
{
    private const int Step = 16;

    public static void Blend(byte* above, byte* below, float weight, float* row, int length)
    {
        if (length < Step)
        {
            Rows256.Blend(above, below, weight, row, length);
            return;
        }

        var factor = Vector512.Create(weight);
        for (var i = 0; i < length; i += Step)
        {
            i = Math.Min(i, length - Step);
            var a = Avx512F.ConvertToVector512Int32(Vector128.Load(above + i));
            var b = Avx512F.ConvertToVector512Int32(Vector128.Load(below + i));
            (Vector512.ConvertToSingle(a) + (Vector512.ConvertToSingle(b - a) * factor)).Store(row + i);
        }
    }

    public static void Sample(float* row, in Columns columns, in Tone tone, in Planes to)
    {
        if (columns.Count < Step)
        {
            Rows256.Sample(row, columns, tone, to);
            return;
        }

        var lanes = new ToneLanes(tone);
        for (var x = 0; x < columns.Count; x += Step)
        {
            x = Math.Min(x, columns.Count - Step);
            var index = columns.Index + x;
            var weight = Vector512.Load(columns.Weight + x);
            Split(row, index, out var blue, out var green, out var red);
            Split(row + 3, index, out var nextBlue, out var nextGreen, out var nextRed);
            lanes.Write(
                blue + ((nextBlue - blue) * weight),
                green + ((nextGreen - green) * weight),
                red + ((nextRed - red) * weight),
                to,
                x);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Split(
        float* row,
        int* index,
        out Vector512<float> blue,
        out Vector512<float> green,
        out Vector512<float> red) =>
        Transpose(
            EveryFourth(row, index),
            EveryFourth(row, index + 1),
            EveryFourth(row, index + 2),
            EveryFourth(row, index + 3),
            out blue,
            out green,
            out red);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> EveryFourth(float* row, int* index) => Vector512.Create(
        Vector256.Create(Vector128.Load(row + index[0]), Vector128.Load(row + index[4])),
        Vector256.Create(Vector128.Load(row + index[8]), Vector128.Load(row + index[12])));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Transpose(
        Vector512<float> v0,
        Vector512<float> v1,
        Vector512<float> v2,
        Vector512<float> v3,
        out Vector512<float> blue,
        out Vector512<float> green,
        out Vector512<float> red)
    {
        var (even, odd) = (Avx512F.UnpackLow(v0, v2), Avx512F.UnpackLow(v1, v3));
        blue = Avx512F.UnpackLow(even, odd);
        green = Avx512F.UnpackHigh(even, odd);
        red = Avx512F.UnpackLow(Avx512F.UnpackHigh(v0, v2), Avx512F.UnpackHigh(v1, v3));
    }

    /// <summary>A <see cref="Tone"/> in each lane.</summary>
    private readonly struct ToneLanes(in Tone tone)
    {
        private readonly bool _isGrey = tone.IsGrey;
        private readonly Vector512<float> _blueScale = Vector512.Create(tone.BlueScale);
        private readonly Vector512<float> _greenScale = Vector512.Create(tone.GreenScale);
        private readonly Vector512<float> _redScale = Vector512.Create(tone.RedScale);
        private readonly Vector512<float> _blueBias = Vector512.Create(tone.BlueBias);
        private readonly Vector512<float> _greenBias = Vector512.Create(tone.GreenBias);
        private readonly Vector512<float> _redBias = Vector512.Create(tone.RedBias);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Write(Vector512<float> blue, Vector512<float> green, Vector512<float> red, in Planes to, int x)
        {
            if (_isGrey)
            {
                var grey = (blue * Tone.GreyOfBlue) + (green * Tone.GreyOfGreen) + (red * Tone.GreyOfRed);
                ((grey * _blueScale) + _blueBias).Store(to.Blue + x);
                return;
            }

            ((blue * _blueScale) + _blueBias).Store(to.Blue + x);
            ((green * _greenScale) + _greenBias).Store(to.Green + x);
            ((red * _redScale) + _redBias).Store(to.Red + x);
        }
    }
}
