using System.Globalization;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text.RegularExpressions;

namespace EdgeInspector.Vision.Inference;

/// <summary>What a built engine depends on besides its model and settings.</summary>
/// <param name="OnnxRuntime">For example 1.31.1: it decides which part of the graph becomes an engine.</param>
/// <param name="TensorRt">For example 10.9.0: an engine of another is refused at best. Null where it is not installed.</param>
/// <param name="L4T">A Jetson's system, for example 36.4.3: its driver comes with it. Null elsewhere.</param>
internal sealed partial record EngineVersions(string OnnxRuntime, string? TensorRt, string? L4T)
{
    /// <summary>Where a Jetson says which L4T it runs.</summary>
    private const string Release = "/etc/nv_tegra_release";

    /// <summary>This machine's.</summary>
    public static EngineVersions OfThisMachine(string onnxRuntime) =>
        new(onnxRuntime, TensorRtVersion(), File.Exists(Release) ? ParseL4T(File.ReadAllText(Release)) : null);

    /// <summary>From "# R36 (release), REVISION: 4.3, GCID: …" to 36.4.3; null for anything else.</summary>
    internal static string? ParseL4T(string release) =>
        ReleaseLine().Match(release) is { Success: true } found ? $"{found.Groups[1].Value}.{found.Groups[2].Value}" : null;

    private static string? TensorRtVersion()
    {
        foreach (var name in new[] { "libnvinfer.so.10", "libnvinfer.so.8", "libnvinfer.so" })
        {
            if (NativeLibrary.TryLoad(name, out var library))
            {
                // The library stays: the provider that follows needs it.
                return NativeLibrary.TryGetExport(library, "getInferLibVersion", out var version) ? Ask(version) : name;
            }
        }

        return null;
    }

    /// <summary>TensorRT 10 answers 10,000 a major version (100900 is 10.9.0), earlier ones 1,000 (8601 is 8.6.1).</summary>
    internal static string FormatTensorRt(int number)
    {
        var major = number >= 100_000 ? 10_000 : 1_000;
        return string.Create(CultureInfo.InvariantCulture, $"{number / major}.{number % major / 100}.{number % 100}");
    }

    private static unsafe string Ask(nint version) => FormatTensorRt(((delegate* unmanaged<int>)version)());

    [GeneratedRegex(@"R(\d+) \(release\), REVISION: ([\d.]+)")]
    private static partial Regex ReleaseLine();
}

/// <summary>
/// Where an engine is kept. Everything it depends on is in the folder's name, so one that fits no more is never found
/// rather than refused, and a rollback finds its own again. TensorRT itself adds the graphics processor's kind.
/// </summary>
internal static class EngineCache
{
    /// <param name="root">The folder of all engines.</param>
    /// <param name="sha256">The model's.</param>
    /// <param name="precision">With what numbers it computes.</param>
    /// <param name="shapes">The profile it was built for, such as "1-4-16x3x64x64".</param>
    /// <param name="versions">What it was built with.</param>
    public static string FolderOf(
        string root, string sha256, EnginePrecision precision, string shapes, EngineVersions versions)
    {
        var parts = new List<string>
        {
            sha256[..16],
            precision is EnginePrecision.Half ? "fp16" : "model",
            shapes,
            $"ort{versions.OnnxRuntime}",
            $"trt{versions.TensorRt ?? "none"}",
        };
        if (versions.L4T is { } system)
        {
            parts.Add($"l4t{system}");
        }

        return Path.Combine(root, string.Join('-', parts));
    }

    /// <summary>
    /// The file that says that a package's engines have been built here: with this manifest, which names both models, and
    /// with all else that they depend on.
    /// </summary>
    public static string ReadyFile(string root, byte[] manifest, EnginePrecision precision, EngineVersions versions) =>
        FolderOf(root, Convert.ToHexStringLower(SHA256.HashData(manifest)), precision, "package", versions) + ".ready";
}
