using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace EdgeInspector.Vision.Preprocessing;

/// <summary>
/// Byte orders for shuffles of interleaved pixels, blues first. 255 gives zero on every processor. The names say at
/// which byte of the loaded sixteen the first pixel begins.
/// </summary>
internal static class ByteOrders
{
    /// <summary>Neighbouring pixels side by side by channel, for sums of two: 4 pixels.</summary>
    public static Vector128<byte> Pairs
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => Vector128.Create((byte)0, 3, 6, 9, 1, 4, 7, 10, 2, 5, 8, 11, 255, 255, 255, 255);
    }

    public static Vector128<byte> PairsFour
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => Vector128.Create((byte)4, 7, 10, 13, 5, 8, 11, 14, 6, 9, 12, 15, 255, 255, 255, 255);
    }

    /// <summary>Two pixels, each byte made 16 bits.</summary>
    public static Vector128<byte> Singles
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => Vector128.Create((byte)0, 255, 3, 255, 1, 255, 4, 255, 2, 255, 5, 255, 255, 255, 255, 255);
    }

    public static Vector128<byte> SinglesFour
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => Vector128.Create((byte)4, 255, 7, 255, 5, 255, 8, 255, 6, 255, 9, 255, 255, 255, 255, 255);
    }

    public static Vector128<byte> SinglesSix
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => Vector128.Create((byte)6, 255, 9, 255, 7, 255, 10, 255, 8, 255, 11, 255, 255, 255, 255, 255);
    }

    public static Vector128<byte> SinglesTen
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => Vector128.Create((byte)10, 255, 13, 255, 11, 255, 14, 255, 12, 255, 15, 255, 255, 255, 255, 255);
    }
}
