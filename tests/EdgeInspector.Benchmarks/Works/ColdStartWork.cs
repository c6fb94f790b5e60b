using System.Diagnostics;
using System.Globalization;
using EdgeInspector.Benchmarks.Contenders;
using EdgeInspector.Benchmarks.Models;
using EdgeInspector.Benchmarks.Report;
using EdgeInspector.Benchmarks.Rounds;
using EdgeInspector.Lab;
using OpenCvSharp;

namespace EdgeInspector.Benchmarks.Works;

/// <summary>W7: from starting the program until it says its first verdict.</summary>
internal static class ColdStartWork
{
    private const string Published = "EdgeInspector, published";

    /// <summary>Runs it.</summary>
    public static Section Run(Bench bench, Peers peers)
    {
        var section = new Section("W7", "cold start to the first verdict: YOLOv8n at 320 and 8 crops of an int8 classifier");
        var package = bench.Yolo(320, ClassifierKind.Int8);
        var picture = Path.Combine(bench.Folder, "first.bmp");
        using (var scene = Scene.Picture(bench.Seed))
        {
            Cv2.ImWrite(picture, scene);
        }

        List<Contender> contenders = [];
        try
        {
            contenders.Add(
                new FreshProcess("raw C++, without picture and boxes", peers.Native(), Peers.OrtLibrary(), "once", package.Detector!, package.Classifier!, Text(Scene.Parts))
            );
        }
        catch (PeerMissingException fault)
        {
            section.Say($"The C++ program cannot run here: {fault.Message}. There is nothing to compare with.");
            return section;
        }

        string[] arguments = ["inspect", picture, "--model", package.Folder, "--provider", "cpu", "--json"];
        contenders.Add(new FreshProcess("EdgeInspector, as built", Path.Combine(AppContext.BaseDirectory, "edge-inspector"), arguments));
        if (BenchmarkPage.Root() is { } root && Path.Combine(root, "artifacts", "edge-inspector", "edge-inspector") is var program && File.Exists(program))
        {
            contenders.Add(new FreshProcess(Published, program, arguments));
        }
        else
        {
            section.Say($"Not published here, so measured as built: without code compiled ahead.");
        }

        var table = RoundRunner.Run(contenders, bench.IsFull ? 40 : 5, TimeSpan.FromMilliseconds(30), "W7");
        section.Table(table);
        var ours = table.Series[^1];
        section.Checks.Add(LabCheck.AtMost("W7 cold start, ratio to the C++ program", ours.RatioTo(table.Raw).Median, 1.3, LabCheck.Timing));
        return section;
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);

    /// <summary>A program started anew for each run, timed until it first prints something.</summary>
    private sealed class FreshProcess(string name, string program, params string[] arguments) : Contender(name)
    {
        /// <inheritdoc/>
        public override double Run()
        {
            var start = new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
            var began = TimeProvider.System.GetTimestamp();
            using var process = Process.Start(start)!;
            var first = process.StandardOutput.Read();
            var took = TimeProvider.System.GetElapsedTime(began).TotalMilliseconds;
            process.StandardOutput.ReadToEnd();
            var said = process.StandardError.ReadToEnd();
            process.WaitForExit();
            return first >= 0 && process.ExitCode == 0
                ? took
                : throw new InvalidOperationException($"{Name} failed: {said.Trim()}");
        }
    }
}
