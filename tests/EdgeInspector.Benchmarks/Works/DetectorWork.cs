using EdgeInspector.Benchmarks.Contenders;
using EdgeInspector.Benchmarks.Models;
using EdgeInspector.Benchmarks.Report;
using EdgeInspector.Benchmarks.Rounds;
using EdgeInspector.Lab;
using EdgeInspector.Vision;

namespace EdgeInspector.Benchmarks.Works;

/// <summary>W1: a detector alone, with boxes to suppress, and where its overhead goes.</summary>
internal static class DetectorWork
{
    private const int Size = 640;
    private const int Cells = 8400;

    /// <summary>Runs it.</summary>
    public static Section Run(Bench bench, Peers peers)
    {
        var section = new Section("W1", "detector only, 1280 × 1024 in, YOLOv8n at 640, 8 parts of 5 proposals each");
        var package = bench.Yolo(Size, ClassifierKind.None);
        using var picture = Scene.Picture(bench.Seed);
        using var ours = new OwnDetector("EdgeInspector", package.Folder, Own.Latency, picture);
        using var raw = Floor.Fastest(package, 0);
        ours.Run();
        var (pixels, score) = ReferenceDecode.Compare(raw, Size, picture, ours.Found);
        section.Checks.Add(LabCheck.AtMost("W1 boxes missing or too many", Math.Abs(ours.Found.Length - Scene.Parts), 0));
        section.Checks.Add(LabCheck.AtMost("W1 boxes beside the reference, px", pixels, 1));
        section.Checks.Add(LabCheck.AtMost("W1 scores beside the reference", score, 0.01));

        var others = peers.Open(package, Size, picture, 0);
        try
        {
            var table = RoundRunner.Run(
                [raw, ours, .. others],
                bench.IsFull ? 200 : 20,
                TimeSpan.FromMilliseconds(bench.IsFull ? 30 : 10),
                "W1",
                bench.IsFull ? null : TimeSpan.FromSeconds(10)
            );
            section.Table(table);
            var mine = table[ours.Name];
            section.Checks.Add(LabCheck.AtMost("W1 over F, ms", mine.Over(table.Raw).Median, 0.6, LabCheck.Timing));
            section.Checks.Add(LabCheck.AtMost("W1 ratio to F", mine.RatioTo(table.Raw).Median, 1.02, LabCheck.Timing));
        }
        finally
        {
            others.ForEach(other => other.Dispose());
        }

        Overhead(bench, section);
        return section;
    }

    /// <summary>
    /// The overhead by itself: networks that compute nothing, with the sizes that count one after the other. Differences of
    /// some tens of microseconds stand out here, where beside 50 ms of convolutions they would drown.
    /// </summary>
    private static void Overhead(Bench bench, Section section)
    {
        using var picture = Scene.Picture(bench.Seed);
        List<string[]> rows = [];
        foreach (var (what, size, cells) in new[]
        {
            ("all of it: 640 in, 84 × 8400 out", Size, Cells),
            ("pre-processing: 640 in, 84 × 40 out", Size, 40),
            ("decoding: 32 in, 84 × 8400 out", 32, Cells),
            ("the call: 32 in, 84 × 40 out", 32, 40),
            ("320 in, 84 × 2100 out", 320, Cells / 4),
        })
        {
            var package = bench.Stub(size, cells);
            using var ours = new OwnDetector("ours", package.Folder, Own.Latency, picture);
            using var raw = new RawRun("raw", package.Detector, null, [], RawThreads.Own);
            var table = RoundRunner.Run([raw, ours], bench.IsFull ? 400 : 100, TimeSpan.FromMilliseconds(1), what);

            // Of the fast: what else runs on the machine only ever adds.
            var over = table["ours"].Over(table.Raw);
            rows.Add([what, Section.R(over.Lower), Section.R(over.Median), Section.R(over.Upper)]);
        }

        section.Say($"Where it goes, shown with networks that compute nothing (ms over their raw run; caches are warmer here than after 50 ms of convolutions):");
        section.Table(["stage", "lower quartile", "median", "upper quartile"], rows);
    }
}
