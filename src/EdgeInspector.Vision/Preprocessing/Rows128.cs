using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;

namespace EdgeInspector.Vision.Preprocessing;

/// <summary>
/// The kernel four floats at a time. One code for Arm and x86, but for three instructions that .NET names apart.
/// </summary>
internal static unsafe class Rows128
{
    private const int Block = 8;

    public static void Blend(byte* above, byte* below, float weight, float* row, int length)
    {
        if (length < Block)
        {
            ScalarRows.Blend(above, below, weight, row, length);
            return;
        }

        var factor = Vector128.Create(weight);
        for (var i = 0; i < length; i += Block)
        {
            // The last block reaches back over what is done already instead of beyond the end.
            i = Math.Min(i, length - Block);
            var a = Vector128.WidenLower(Vector128.CreateScalarUnsafe(*(ulong*)(above + i)).AsByte());
            var b = Vector128.WidenLower(Vector128.CreateScalarUnsafe(*(ulong*)(below + i)).AsByte());
            Blend(Vector128.WidenLower(a), Vector128.WidenLower(b), factor).Store(row + i);
            Blend(Vector128.WidenUpper(a), Vector128.WidenUpper(b), factor).Store(row + i + 4);
        }
    }

    public static void Sample(float* row, in Columns columns, in Tone tone, in Planes to)
    {
        if (columns.Count < 4)
        {
            ScalarRows.Sample(row, columns, tone, to);
            return;
        }

        var lanes = new ToneLanes(tone);
        for (var x = 0; x < columns.Count; x += 4)
        {
            x = Math.Min(x, columns.Count - 4);
            var index = columns.Index + x;
            var weight = Vector128.Load(columns.Weight + x);
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
            ScalarRows.Halve(above, below, count, tone, to);
            return;
        }

        var lanes = new ToneLanes(tone);
        for (var x = 0; x < count; x += Block)
        {
            x = Math.Min(x, count - Block);
            var a = above + (x * 6);
            var b = below + (x * 6);

            // The fourth of four loads would reach 4 bytes beyond the block's 48, so it begins 4 earlier.
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
            ScalarRows.Copy(row, count, tone, to);
            return;
        }

        var lanes = new ToneLanes(tone);
        for (var x = 0; x < count; x += Block)
        {
            x = Math.Min(x, count - Block);
            var (low, high) = (Vector128.Load(row + (x * 3)), Vector128.Load(row + (x * 3) + 8));
            Transpose(
                Vector128.ShuffleNative(low, ByteOrders.Singles).AsSingle(),
                Vector128.ShuffleNative(low, ByteOrders.SinglesSix).AsSingle(),
                Vector128.ShuffleNative(high, ByteOrders.SinglesFour).AsSingle(),
                Vector128.ShuffleNative(high, ByteOrders.SinglesTen).AsSingle(),
                out var blue,
                out var green,
                out var red);
            lanes.WriteLevels(blue.AsUInt16(), green.AsUInt16(), red.AsUInt16(), to, x);
        }
    }

    /// <summary>The lower halves by turns: a0 b0 a1 b1.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> Low(Vector128<float> a, Vector128<float> b) =>
        AdvSimd.Arm64.IsSupported ? AdvSimd.Arm64.ZipLow(a, b) : Sse.UnpackLow(a, b);

    /// <summary>The upper halves by turns: a2 b2 a3 b3.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> High(Vector128<float> a, Vector128<float> b) =>
        AdvSimd.Arm64.IsSupported ? AdvSimd.Arm64.ZipHigh(a, b) : Sse.UnpackHigh(a, b);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<float> Blend(Vector128<uint> a, Vector128<uint> b, Vector128<float> weight) =>
        Vector128.ConvertToSingle(a.AsInt32())
            + (Vector128.ConvertToSingle(b.AsInt32() - a.AsInt32()) * weight);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Split(
        float* row,
        int* index,
        out Vector128<float> blue,
        out Vector128<float> green,
        out Vector128<float> red) =>
        Transpose(
            Vector128.Load(row + index[0]),
            Vector128.Load(row + index[1]),
            Vector128.Load(row + index[2]),
            Vector128.Load(row + index[3]),
            out blue,
            out green,
            out red);

    /// <summary>From 4 pixels of each row: sums of 2 blues, 2 greens, 2 reds and nothing, 16 bits each.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<float> Pairs(byte* above, byte* below, Vector128<byte> order)
    {
        var a = Vector128.ShuffleNative(Vector128.Load(above), order);
        var b = Vector128.ShuffleNative(Vector128.Load(below), order);
        return AdvSimd.IsSupported
            ? (AdvSimd.AddPairwiseWidening(a) + AdvSimd.AddPairwiseWidening(b)).AsSingle()
            : (Ssse3.MultiplyAddAdjacent(a, Vector128<sbyte>.One)
                + Ssse3.MultiplyAddAdjacent(b, Vector128<sbyte>.One)).AsSingle();
    }

    /// <summary>
    /// Four times blue, green, red and anything become four blues, four greens, four reds: floats, or pairs of 16-bit
    /// levels that travel as floats do.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Transpose(
        Vector128<float> v0,
        Vector128<float> v1,
        Vector128<float> v2,
        Vector128<float> v3,
        out Vector128<float> blue,
        out Vector128<float> green,
        out Vector128<float> red)
    {
        var (even, odd) = (Low(v0, v2), Low(v1, v3));
        blue = Low(even, odd);
        green = High(even, odd);
        red = Low(High(v0, v2), High(v1, v3));
    }

    /// <summary>A <see cref="Tone"/> in each lane.</summary>
    private readonly struct ToneLanes(in Tone tone)
    {
        private readonly bool _isGrey = tone.IsGrey;
        private readonly Vector128<float> _blueScale = Vector128.Create(tone.BlueScale);
        private readonly Vector128<float> _greenScale = Vector128.Create(tone.GreenScale);
        private readonly Vector128<float> _redScale = Vector128.Create(tone.RedScale);
        private readonly Vector128<float> _blueBias = Vector128.Create(tone.BlueBias);
        private readonly Vector128<float> _greenBias = Vector128.Create(tone.GreenBias);
        private readonly Vector128<float> _redBias = Vector128.Create(tone.RedBias);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void WriteLevels(
            Vector128<ushort> blue, Vector128<ushort> green, Vector128<ushort> red, in Planes to, int x)
        {
            Write(
                Vector128.ConvertToSingle(Vector128.WidenLower(blue).AsInt32()),
                Vector128.ConvertToSingle(Vector128.WidenLower(green).AsInt32()),
                Vector128.ConvertToSingle(Vector128.WidenLower(red).AsInt32()),
                to,
                x);
            Write(
                Vector128.ConvertToSingle(Vector128.WidenUpper(blue).AsInt32()),
                Vector128.ConvertToSingle(Vector128.WidenUpper(green).AsInt32()),
                Vector128.ConvertToSingle(Vector128.WidenUpper(red).AsInt32()),
                to,
                x + 4);
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Write(Vector128<float> blue, Vector128<float> green, Vector128<float> red, in Planes to, int x)
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
