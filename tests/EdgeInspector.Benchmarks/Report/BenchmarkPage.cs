using System.Globalization;
using System.Text;
using EdgeInspector.Lab;
using Microsoft.ML.OnnxRuntime;

namespace EdgeInspector.Benchmarks.Report;

/// <summary>
/// The page of figures. Each work has a section between two marks, so that a run of some works leaves the others' as they were.
/// </summary>
internal static class BenchmarkPage
{
    private const string Head = """
        # Benchmarks

        Written by `./build.sh bench --scale=full`; a section is replaced whenever its work is run. Figures are ratios taken in one
        run, side by side: absolute milliseconds of two runs cannot be compared. **F**, the floor, is ONNX Runtime's own run of the
        very same models in C#, buffers bound before, nothing around it. Each round runs every contender once, in an order of its
        own with a pause before each; a round in which F took over 1.25 times its best is dropped; stated are medians and quartiles of what was
        paired round by round. Networks have random weights with planted parts; what ours finds is held against an independent
        reference before anything is timed.

        """;

    /// <summary>Where the page is in this repository; null when the program does not run from within it.</summary>
    public static string? Find() => Root() is { } root ? Path.Combine(root, "docs", "benchmarks.md") : null;

    /// <summary>The repository's folder; null when the program does not run from within it.</summary>
    public static string? Root()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "EdgeInspector.sln")))
        {
            folder = folder.Parent;
        }

        return folder?.FullName;
    }

    /// <summary>Puts sections into the page.</summary>
    public static void Write(string path, IEnumerable<Section> sections, int seed, LabScale scale)
    {
        var page = File.Exists(path) ? File.ReadAllText(path) : Head;
        foreach (var section in sections)
        {
            var (open, close) = ($"<!-- {section.Key} -->\n", $"<!-- end of {section.Key} -->\n");
            var text = open + Text(section, seed, scale) + close;
            var from = page.IndexOf(open, StringComparison.Ordinal);
            var to = page.IndexOf(close, StringComparison.Ordinal);
            page = from >= 0 && to > from ? page[..from] + text + page[(to + close.Length)..] : $"{page.TrimEnd()}\n\n{text}";
        }

        File.WriteAllText(path, page);
    }

    private static string Text(Section section, int seed, LabScale scale)
    {
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"\n## {section.Key}: {section.Title}\n\n");
        foreach (var line in section.Lines)
        {
            text.Append(line).Append('\n');
        }

        if (section.Checks.Count > 0)
        {
            text.Append("| Check | Value | Limit | |\n|---|---:|---:|---|\n");
            foreach (var check in section.Checks)
            {
                text.Append(
                    CultureInfo.InvariantCulture,
                    $"| {check.Name} ({check.Kind}) | {check.Value:0.####} | {check.Limit:0.####} | {(check.Pass ? "holds" : "**does not hold**")} |\n"
                );
            }

            text.Append('\n');
        }

        text.Append(
            CultureInfo.InvariantCulture,
            $"{DateTime.UtcNow:yyyy-MM-dd}, {Processor()}, {Environment.ProcessorCount} processors, .NET {Environment.Version}, ONNX Runtime {OrtEnv.Instance().GetVersionString()}, seed {seed}, {(scale == LabScale.Full ? "full" : "short")} scale.\n\n"
        );
        return text.ToString();
    }

    private static string Processor() =>
        File.ReadLines("/proc/cpuinfo").FirstOrDefault(line => line.StartsWith("model name", StringComparison.Ordinal))?.Split(':')[1].Trim()
        ?? System.Runtime.InteropServices.RuntimeInformation.ProcessArchitecture.ToString();
}
