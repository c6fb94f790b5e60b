using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace EdgeInspector.Vision.Preprocessing;

/// <summary>
/// The kernel eight floats at a time, with AVX2: what <see cref="Rows128"/> does, in each 128-bit lane.
/// </summary>
internal static unsafe class Rows256
{
    private const int Step = 8;
    private const int Block = 16;

    public static void Blend(byte* above, byte* below, float weight, float* row, int length)
    {
        if (length < Step)
        {
            Rows128.Blend(above, below, weight, row, length);
            return;
        }

        var factor = Vector256.Create(weight);
        for (var i = 0; i < length; i += Step)
        {
            i = Math.Min(i, length - Step);
            var a = Avx2.ConvertToVector256Int32(above + i);
            var b = Avx2.ConvertToVector256Int32(below + i);
            (Vector256.ConvertToSingle(a) + (Vector256.ConvertToSingle(b - a) * factor)).Store(row + i);
        }
    }

    public static void Sample(float* row, in Columns columns, in Tone tone, in Planes to)
    {
        if (columns.Count < Step)
        {
            Rows128.Sample(row, columns, tone, to);
            return;
        }

        var lanes = new ToneLanes(tone);
        for (var x = 0; x < columns.Count; x += Step)
        {
            x = Math.Min(x, columns.Count - Step);
            var index = columns.Index + x;
            var weight = Vector256.Load(columns.Weight + x);
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

    public static void Halve(byte* above, byte* below, int count, in Tone tone, in Planes to)
    {
        if (count < Block)
        {
            Rows128.Halve(above, below, count, tone, to);
            return;
        }

        var lanes = new ToneLanes(tone);
        for (var x = 0; x < count; x += Block)
        {
            x = Math.Min(x, count - Block);
            var a = above + (x * 6);
            var b = below + (x * 6);
            Transpose(
                Pairs(a, b, ByteOrders.Pairs),
                Pairs(a + 12, b + 12, ByteOrders.Pairs),
                Pairs(a + 24, b + 24, ByteOrders.Pairs),
                Pairs(a + 32, b + 32, ByteOrders.PairsFour),
                out var blue,
                out var green,
                out var red);
            lanes.WriteLevels(blue.AsUInt16(), green.AsUInt16(), red.AsUInt16(), to, x);
        }
    }

    public static void Copy(byte* row, int count, in Tone tone, in Planes to)
    {
        if (count < Block)
        {
            Rows128.Copy(row, count, tone, to);
            return;
        }

        var lanes = new ToneLanes(tone);
        for (var x = 0; x < count; x += Block)
        {
            x = Math.Min(x, count - Block);
            var (low, high) = (Lanes(row + (x * 3), 24), Lanes(row + (x * 3) + 8, 24));
            Transpose(
                Shuffle(low, ByteOrders.Singles).AsSingle(),
                Shuffle(low, ByteOrders.SinglesSix).AsSingle(),
                Shuffle(high, ByteOrders.SinglesFour).AsSingle(),
                Shuffle(high, ByteOrders.SinglesTen).AsSingle(),
                out var blue,
                out var green,
                out var red);
            lanes.WriteLevels(blue.AsUInt16(), green.AsUInt16(), red.AsUInt16(), to, x);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Split(
        float* row,
        int* index,
        out Vector256<float> blue,
        out Vector256<float> green,
        out Vector256<float> red) =>
        Transpose(
            EveryFourth(row, index),
            EveryFourth(row, index + 1),
            EveryFourth(row, index + 2),
            EveryFourth(row, index + 3),
            out blue,
            out green,
            out red);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> EveryFourth(float* row, int* index) => 
        Vector256.Create(Vector128.Load(row + index[0]), Vector128.Load(row + index[4]));

    /// <summary>Sixteen bytes for each lane, so many bytes apart.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<byte> Lanes(byte* at, int step) => 
        Vector256.Create(Vector128.Load(at), Vector128.Load(at + step));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<byte> Shuffle(Vector256<byte> lanes, Vector128<byte> order) =>
        Avx2.Shuffle(lanes, Vector256.Create(order, order));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> Pairs(byte* above, byte* below, Vector128<byte> order) =>
        (Avx2.MultiplyAddAdjacent(Shuffle(Lanes(above, 48), order), Vector256<sbyte>.One)
            + Avx2.MultiplyAddAdjacent(Shuffle(Lanes(below, 48), order), Vector256<sbyte>.One)).AsSingle();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Transpose(
        Vector256<float> v0,
        Vector256<float> v1,
        Vector256<float> v2,
        Vector256<float> v3,
        out Vector256<float> blue,
        out Vector256<float> green,
        out Vector256<float> red)
    {
        var (even, odd) = (Avx.UnpackLow(v0, v2), Avx.UnpackLow(v1, v3));
        blue = Avx.UnpackLow(even, odd);
        green = Avx.UnpackHigh(even, odd);
        red = Avx.UnpackLow(Avx.UnpackHigh(v0, v2), Avx.UnpackHigh(v1, v3));
    }

    /// <summary>A <see cref="Tone"/> in each lane.</summary>
    private readonly struct ToneLanes(in Tone tone)
    {
        private readonly bool _isGrey = tone.IsGrey;
        private readonly Vector256<float> _blueScale = Vector256.Create(tone.BlueScale);
        private readonly Vector256<float> _greenScale = Vector256.Create(tone.GreenScale);
        private readonly Vector256<float> _redScale = Vector256.Create(tone.RedScale);
        private readonly Vector256<float> _blueBias = Vector256.Create(tone.BlueBias);
        private readonly Vector256<float> _greenBias = Vector256.Create(tone.GreenBias);
        private readonly Vector256<float> _redBias = Vector256.Create(tone.RedBias);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void WriteLevels(
            Vector256<ushort> blue, Vector256<ushort> green, Vector256<ushort> red, in Planes to, int x)
        {
            Write(
                Vector256.ConvertToSingle(Vector256.WidenLower(blue).AsInt32()),
                Vector256.ConvertToSingle(Vector256.WidenLower(green).AsInt32()),
                Vector256.ConvertToSingle(Vector256.WidenLower(red).AsInt32()),
                to,
                x);
            Write(
                Vector256.ConvertToSingle(Vector256.WidenUpper(blue).AsInt32()),
                Vector256.ConvertToSingle(Vector256.WidenUpper(green).AsInt32()),
                Vector256.ConvertToSingle(Vector256.WidenUpper(red).AsInt32()),
                to,
                x + 8);
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Write(Vector256<float> blue, Vector256<float> green, Vector256<float> red, in Planes to, int x)
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
