using System.Runtime.InteropServices;

namespace EdgeInspector.Quantization;

/// <summary>What this machine's processor is and can do, as the kernel tells it.</summary>
public static class Processor
{
    private static readonly Lazy<string[]> Facts = new(() =>
    {
        try
        {
            return File.ReadAllLines("/proc/cpuinfo");
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    });

    /// <summary>Name and what matters for int8: "… (VNNI)".</summary>
    public static string Name
    {
        get
        {
            var name = Value("model name") ?? RuntimeInformation.ProcessArchitecture.ToString();
            return $"{name}, {Environment.ProcessorCount} processors, {(HasVnni ? "VNNI" : IsX86 ? "no VNNI" : "Arm")}";
        }
    }

    /// <summary>
    /// Whether 8-bit products are added in 32 bits. x86 processors without VNNI add two of them in 16, which 8-bit
    /// weights can overflow: <see cref="QuantizationOptions.ReduceRange"/> is for them.
    /// </summary>
    public static bool HasVnni => Value("flags")?.Split(' ').Any(f => f is "avx512_vnni" or "avx_vnni") ?? false;

    public static bool NeedsReducedRange => IsX86 && !HasVnni;

    private static bool IsX86 => RuntimeInformation.ProcessArchitecture is Architecture.X64 or Architecture.X86;

    private static string? Value(string key) => Facts.Value
        .FirstOrDefault(line => line.StartsWith(key, StringComparison.Ordinal))?
        .Split(':', 2)[^1]
        .Trim();
}
