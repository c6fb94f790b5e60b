using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;

namespace EdgeInspector.Vision.Preprocessing;

/// <summary>
/// How wide the processor is told to work. All paths do the same operations in the same order on each number, none of
/// them fused, so what they give is equal to the last bit.
/// </summary>
internal enum SimdPath
{
    /// <summary>One number at a time: the oracle of the others, and what remains on any other processor.</summary>
    Scalar,

    /// <summary>Four floats: Arm's NEON, and x86 with SSSE3 alone.</summary>
    Wide128,

    /// <summary>Eight floats: AVX2.</summary>
    Wide256,

    /// <summary>Sixteen floats: AVX-512 with byte and word instructions.</summary>
    Wide512,
}

/// <summary>Which paths this processor has.</summary>
internal static class SimdPaths
{
    public static SimdPath Widest { get; } = Enum.GetValues<SimdPath>().Last(IsSupported);

    public static bool IsSupported(SimdPath path) => path switch
    {
        // Vector512 says no where a processor pays for such width with its clock.
        SimdPath.Wide512 => Avx512BW.IsSupported && Vector512.IsHardwareAccelerated,
        SimdPath.Wide256 => Avx2.IsSupported,
        SimdPath.Wide128 => Ssse3.IsSupported || AdvSimd.Arm64.IsSupported,
        _ => true,
    };
}
