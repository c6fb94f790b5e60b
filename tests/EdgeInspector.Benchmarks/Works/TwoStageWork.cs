using EdgeInspector.Benchmarks.Contenders;
using EdgeInspector.Benchmarks.Models;
using EdgeInspector.Benchmarks.Report;
using EdgeInspector.Benchmarks.Rounds;
using EdgeInspector.Lab;
using EdgeInspector.Vision;
using OpenCvSharp;

namespace EdgeInspector.Benchmarks.Works;

/// <summary>W2 and W3: a detector and eight crops, from the captured frame to the last verdict.</summary>
internal static class TwoStageWork
{
    private const int Size = 320;

    /// <summary>W2 in latency mode: the second stage in int8.</summary>
    public static Section Latency(Bench bench, Peers peers)
    {
        var section = new Section("W2", "1280 × 1024 in, YOLOv8n at 320 and 8 crops of an int8 classifier, capture to the last verdict");
        var table = Rounds(bench, peers, section, ClassifierKind.Int8, bench.IsFull ? 200 : 30);
        var ours = table["EdgeInspector"];
        section.Checks.Add(LabCheck.AtMost("W2 capture to verdict p50, ratio to F", ours.RatioTo(table.Raw).Median, 1.04, LabCheck.Timing));
        if (table.Series.FirstOrDefault(series => series.Name == "tutorial way") is { } tutorial)
        {
            section.Checks.Add(LabCheck.AtMost("W2 capture to verdict p50, ratio to the tutorial way", ours.RatioTo(tutorial).Median, 0.5, LabCheck.Timing));
        }

        Tail(bench, section);
        Overhead(bench, section);
        return section;
    }

    /// <summary>W3: the second stage in 32-bit floats.</summary>
    public static Section Floats(Bench bench, Peers peers)
    {
        var section = new Section("W3", "as W2, the classifier in 32-bit floats");
        Rounds(bench, peers, section, ClassifierKind.Float, bench.IsFull ? 100 : 8);
        return section;
    }

    private static RoundTable Rounds(Bench bench, Peers peers, Section section, ClassifierKind kind, int rounds)
    {
        var package = bench.Yolo(Size, kind);
        using var picture = Scene.Picture(bench.Seed);
        using var ours = new OwnTwoStages("EdgeInspector", package.Folder, Own.Latency, picture);
        using var raw = Floor.Fastest(package, Scene.Parts);
        var others = peers.Open(package, Size, picture, Scene.Parts);
        try
        {
            var table = RoundRunner.Run(
                [raw, ours, .. others],
                rounds,
                TimeSpan.FromMilliseconds(bench.IsFull ? 30 : 10),
                section.Key,
                bench.IsFull ? null : TimeSpan.FromSeconds(kind == ClassifierKind.Int8 ? 10 : 5)
            );
            section.Table(table);
            section.Checks.Add(LabCheck.AtMost($"{section.Key} verdicts missing or too many", ours.Missing, 0));
            return table;
        }
        finally
        {
            others.ForEach(other => other.Dispose());
        }
    }

    /// <summary>Where it goes: the same way with a detector that computes nothing, piece by piece.</summary>
    private static void Overhead(Bench bench, Section section)
    {
        const int Cells = 2100;
        var package = bench.Stub(Size, Cells, ClassifierKind.Int8);
        using var picture = Scene.Picture(bench.Seed);
        using var loaded = ModelPackage.Load(package.Folder, Own.Latency);
        using var rawDetector = new RawRun("raw detector", package.Detector, null, [], RawThreads.Own);
        using var rawMany = new RawRun("raw crops, all threads", null, package.Classifier, [Scene.Parts], RawThreads.Own);
        using var rawOne = new RawRun("raw crops, one thread", null, package.Classifier, [Scene.Parts], RawThreads.One);
        using var detector = new OwnDetector("detector", package.Folder, Own.Latency, picture);
        using var crops = new OwnClassifier("crops", loaded, picture, [.. Scene.Centres.Select(c => Around(c.X, c.Y))]);
        using var all = new OwnTwoStages("all", package.Folder, Own.Latency, picture);
        var table = RoundRunner.Run(
            [rawMany, rawOne, rawDetector, detector, crops, all],
            bench.IsFull ? 200 : 40,
            TimeSpan.FromMilliseconds(2),
            "W2 overhead"
        );
        var stages = new Series("stages", [.. table[detector.Name].Values.Zip(table[crops.Name].Values, (a, b) => a + b)]);
        section.Say($"Where it goes, with a detector that computes nothing (ms):");
        section.Table(
            ["piece", "lower quartile", "median", "upper quartile"],
            new[]
            {
                ("detector: pre-processing, decoding, call", table[detector.Name].Over(table[rawDetector.Name])),
                ("8 crops, over the raw run with all threads", table[crops.Name].Over(table.Raw)),
                ("8 crops, over the raw run with one thread", table[crops.Name].Over(table[rawOne.Name])),
                ("hand-over, tracking, 8 decisions", table[all.Name].Over(stages)),
            }.Select(row => new[] { row.Item1, Section.R(row.Item2.Lower), Section.R(row.Item2.Median), Section.R(row.Item2.Upper) })
        );

        static Box Around(float x, float y) =>
            new(x - (Scene.Side / 2), y - (Scene.Side / 2), x + (Scene.Side / 2), y + (Scene.Side / 2));
    }

    /// <summary>The slowest in a thousand, beside the raw run's own: many frames, in short turns.</summary>
    private static void Tail(Bench bench, Section section)
    {
        const int Turn = 20;
        var frames = bench.IsFull ? 20_000 : 200;
        var package = bench.Yolo(Size, ClassifierKind.Int8);
        using var picture = Scene.Picture(bench.Seed);
        using var ours = new OwnTwoStages("EdgeInspector", package.Folder, Own.Latency, picture);
        using var raw = Floor.Fastest(package, Scene.Parts);
        List<double> mine = new(frames), theirs = new(frames);
        ours.Run();
        while (mine.Count < frames)
        {
            for (var i = 0; i < Turn; i++)
            {
                theirs.Add(raw.Run());
            }

            for (var i = 0; i < Turn; i++)
            {
                mine.Add(ours.Run());
            }
        }

        double Share(List<double> all, double share) => Series.Quantile(all, share) / Series.Quantile(all, 0.5);
        section.Say($"Tail over {frames} frames each, as a multiple of one's own p50: ours p99 {Share(mine, 0.99):F3}, p99.9 {Share(mine, 0.999):F3}; F p99 {Share(theirs, 0.99):F3}, p99.9 {Share(theirs, 0.999):F3}.");
        section.Checks.Add(LabCheck.AtMost("W2 p99.9 / p50, ratio to F's", Share(mine, 0.999) / Share(theirs, 0.999), 1.2, LabCheck.Timing));
    }
}
