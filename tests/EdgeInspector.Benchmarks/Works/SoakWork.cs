using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using EdgeInspector.Benchmarks.Models;
using EdgeInspector.Benchmarks.Report;
using EdgeInspector.Benchmarks.Soak;
using EdgeInspector.Lab;

namespace EdgeInspector.Benchmarks.Works;

/// <summary>W8: the whole service for long, with everything on; and how fast the factory's package is from capture to edge.</summary>
internal static class SoakWork
{
    /// <summary>Fewer parts thrown out than this have no 99th in a hundred.</summary>
    private const int EnoughEdges = 200;

    /// <summary>Runs it.</summary>
    public static Section Run(Bench bench)
    {
        var section = new Section("W8", "the whole service, factory package, two stages, 10 parts and 60 frames a second");
        var (warmUp, length) = bench.IsFull ? (60, 1800) : (6, 14);
        LabReport.Tell($"  {warmUp + length} s with everything on");
        var on = Child(warmUp, length, "everything", bench.Seed);
        LabReport.Tell($"  {warmUp + (length / 4)} s with the ledger alone");
        var off = Child(warmUp, length / 4, "ledger", bench.Seed);
        section.Table(
            ["", "everything on", "ledger alone"],
            [
                Row("length, s", report => $"{report.Seconds:F0}"),
                Row("frames", report => $"{report.Frames}"),
                .. ProbingTime.RealTimeThreads.Select(kind => Row($"bytes allocated by the {kind} thread", report => $"{report.Bytes[kind]}")),
                Row("bytes a frame, whole process", report => $"{(double)report.AllBytes / report.Frames:F0}"),
                Row("collections, generations 0, 1, 2", report => string.Join(", ", report.Collections)),
                Row("their pauses together, ms", report => $"{report.PauseMilliseconds:F1}"),
                Row("resident memory early and late, MB", report => $"{report.Memory[0]:F1}, {report.Memory[1]:F1}"),
                Row("descriptors early and late", report => $"{report.Handles[0]:F0}, {report.Handles[1]:F0}"),
                Row("threads early and late", report => $"{report.Threads[0]:F0}, {report.Threads[1]:F0}"),
                Row("capture to decision, p50 and p99, ms", report => $"{report.Decision[0]:F2}, {report.Decision[1]:F2}"),
                Row("lateness of the edge, p50 and p99, ms", report => $"{report.Lateness[0]:F3}, {report.Lateness[1]:F3}"),
                Row("both, of parts thrown out, p50 and p99, ms", report => $"{report.Edge[0]:F2}, {report.Edge[1]:F2}"),
                Row("parts, thrown out, unaccounted, shed", report => $"{report.Parts}, {report.Fired}, {report.Unaccounted}, {report.Shed}"),
            ]
        );
        var hot = on.Bytes.Values.Sum();
        section.Checks.Add(LabCheck.AtMost("W8 bytes a frame allocated by the real-time threads", (double)hot / on.Frames, 0));

        // Collections come of allocation alone: what the hot path did not allocate it cannot have caused.
        section.Checks.Add(LabCheck.AtMost("W8 bytes allocated by the real-time threads, ledger alone", off.Bytes.Values.Sum(), 0));
        section.Checks.Add(LabCheck.AtMost("W8 growth of resident memory, share", (on.Memory[1] / on.Memory[0]) - 1, bench.IsFull ? 0.03 : 0.15));
        section.Checks.Add(LabCheck.AtMost("W8 growth of open descriptors", on.Handles[1] - on.Handles[0], 0));

        // The thread pool takes one more now and then, and gives it back.
        section.Checks.Add(LabCheck.AtMost("W8 growth of threads", on.Threads[1] - on.Threads[0], bench.IsFull ? 3 : 8));
        section.Checks.Add(LabCheck.AtMost("W8 parts unaccounted", on.Unaccounted + off.Unaccounted, 0));
        var edge = on.Fired >= EnoughEdges ? on.Edge[1] : on.Decision[1] + on.Lateness[1];
        section.Checks.Add(LabCheck.AtMost("factory package, capture to ejector edge p99 less the belt's way, ms", edge, 9.5, LabCheck.Timing));
        return section;

        string[] Row(string name, Func<SoakReport, string> value) =>
            [name, value(on), value(off)];
    }

    private static SoakReport Child(int warmUp, int length, string what, int seed)
    {
        var program = Environment.ProcessPath!;
        string[] arguments = [SoakProgram.Verb, Text(warmUp), Text(length), what, Text(seed)];
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true })!;
        var last = process.StandardOutput.ReadToEnd().Split('\n', StringSplitOptions.RemoveEmptyEntries).LastOrDefault();
        process.WaitForExit();
        return process.ExitCode == 0 && last is not null
            ? JsonSerializer.Deserialize<SoakReport>(last)!
            : throw new InvalidOperationException($"the soak ended with exit code {process.ExitCode}");
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
