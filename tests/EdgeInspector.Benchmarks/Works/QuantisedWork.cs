using EdgeInspector.Benchmarks.Contenders;
using EdgeInspector.Benchmarks.Models;
using EdgeInspector.Benchmarks.Report;
using EdgeInspector.Benchmarks.Rounds;
using EdgeInspector.Lab;
using EdgeInspector.Simulation;
using EdgeInspector.Vision;
using OpenCvSharp;

namespace EdgeInspector.Benchmarks.Works;

/// <summary>What int8 gains in speed, on networks of the usual sizes, and whether the factory's package still says the same.</summary>
internal static class QuantisedWork
{
    /// <summary>What the factory's package was made from, and the package as it is shipped.</summary>
    private const string Floats = "models/biscuit-float";

    private const string Shipped = "models/biscuit";

    /// <summary>Two detections of one part: the boxes share at least this much.</summary>
    private const float SamePart = 0.8f;

    /// <summary>Runs it.</summary>
    public static Section Run(Bench bench)
    {
        var section = new Section("int8", "int8 beside 32-bit floats: speed, and verdicts of the factory package");
        Classifiers(bench, section);
        Detectors(bench, section);
        Agreement(bench, section);
        return section;
    }

    private static void Classifiers(Bench bench, Section section)
    {
        var (small, large) = (bench.Yolo(320, ClassifierKind.Int8), bench.Yolo(320, ClassifierKind.Float));
        using var picture = Scene.Picture(bench.Seed);
        using var int8 = ModelPackage.Load(small.Folder, Own.Latency);
        using var floats = ModelPackage.Load(large.Folder, Own.Latency);
        using var raw8 = new RawRun("raw classifier, int8", null, small.Classifier, [Scene.Parts], RawThreads.Own);
        using var raw32 = new RawRun("raw classifier, floats", null, large.Classifier, [Scene.Parts], RawThreads.Own);
        var boxes = Scene.Boxes(Scene.Parts);
        var table = RoundRunner.Run(
            [raw8, raw32, new OwnClassifier("ours, int8", int8, picture, boxes), new OwnClassifier("ours, floats", floats, picture, boxes)],
            bench.IsFull ? 200 : 20,
            TimeSpan.FromMilliseconds(5),
            "int8 classifier"
        );
        section.Table(table);
        var gain = table["ours, floats"].RatioTo(table["ours, int8"]);
        section.Say($"8 crops: int8 is {gain.Median:F2} times as fast ({gain.Lower:F2} to {gain.Upper:F2}); raw {table["raw classifier, floats"].RatioTo(table.Raw).Median:F2}.");
        section.Checks.Add(LabCheck.AtLeast("int8 classifier, times as fast as floats", gain.Median, 2.8, LabCheck.Timing));
    }

    private static void Detectors(Bench bench, Section section)
    {
        using var picture = Scene.Picture(bench.Seed);
        using var floats = new OwnDetector("YOLOv8n at 320, floats", bench.Yolo(320, ClassifierKind.None).Folder, Own.Latency, picture);
        using var int8 = new OwnDetector("YOLOv8n at 320, int8", bench.Int8Yolo(320).Folder, Own.Latency, picture);
        var table = RoundRunner.Run([floats, int8], bench.IsFull ? 100 : 15, TimeSpan.FromMilliseconds(5), "int8 detector");
        var gain = table[floats.Name].RatioTo(table[int8.Name]);
        section.Say($"{int8.Name}: {table[int8.Name].Median:F2} ms, floats {table.Raw.Median:F2} ms; {gain.Median:F2} times as fast ({gain.Lower:F2} to {gain.Upper:F2}), by the product's own way.");
    }

    /// <summary>Both forms of the factory's networks judge the same pictures of a line that the calibration never saw.</summary>
    private static void Agreement(Bench bench, Section section)
    {
        using var floats = ModelPackage.Load(Path.Combine(AppContext.BaseDirectory, Floats), Own.Latency);
        using var shipped = ModelPackage.Load(Path.Combine(AppContext.BaseDirectory, Shipped), Own.Latency);
        var wanted = bench.IsFull ? 20_000 : 1_000;
        var (parts, verdicts, found) = (0, 0, 0);
        var (detections, others) = (new Detection[64], new Detection[64]);
        var (expected, actual) = (new Classification[64], new Classification[64]);
        foreach (var picture in Pictures(bench.Seed + 1000))
        {
            var count = floats.Detector.Detect(picture, detections);
            var boxes = detections[..count].Select(detection => detection.Box).ToArray();
            floats.Classifier!.Classify(picture, boxes, expected);
            shipped.Classifier!.Classify(picture, boxes, actual);
            var othersCount = shipped.Detector.Detect(picture, others);
            for (var i = 0; i < count; i++, parts++)
            {
                verdicts += floats.IsDefect(expected[i]) == shipped.IsDefect(actual[i]) ? 1 : 0;
                found += others[..othersCount].Any(other => other.Box.IoU(boxes[i]) >= SamePart) ? 1 : 0;
            }

            if (parts >= wanted)
            {
                break;
            }
        }

        section.Say($"Factory package, {parts:N0} views of parts of another line than the one it was calibrated on: {verdicts} verdicts of the shipped classifier equal ({(double)verdicts / parts:P2}); its detector finds {found} of the parts that the other finds ({(double)found / parts:P2}).");

        // A few views cannot tell 99.9 % from a little less: there three standard deviations are allowed.
        const double Wanted = 0.999;
        var limit = bench.IsFull ? Wanted : Wanted - (3 * Math.Sqrt(Wanted * (1 - Wanted) / parts));
        section.Checks.Add(LabCheck.AtLeast("int8 classifier of the factory package, share of verdicts equal", (double)verdicts / parts, limit));

        using var scene = Pictures(bench.Seed + 2000).Select(picture => picture.Clone()).First();
        using var slow = new OwnDetector("factory detector, floats", floats.Folder, Own.Latency, scene);
        using var quick = new OwnDetector("factory detector, int8", shipped.Folder, Own.Latency, scene);
        var many = new Box[8];
        var at = slow.Run() > 0 && slow.Found.Length > 0 ? slow.Found[0].Box : new Box(10, 10, 130, 130);
        Array.Fill(many, at);
        var table = RoundRunner.Run(
            [slow, quick, new OwnClassifier("factory classifier, 8 crops, floats", floats, scene, many), new OwnClassifier("factory classifier, 8 crops, int8", shipped, scene, many)],
            bench.IsFull ? 200 : 40,
            TimeSpan.FromMilliseconds(2),
            "int8 factory package"
        );
        section.Table(["factory package, ms", "p50", "min"], table.Series.Select(series => new[] { series.Name, Section.R(series.Median), Section.R(series.Min) }));
    }

    /// <summary>Frames of a virtual line, far enough apart to show other parts. One picture, drawn over again.</summary>
    private static IEnumerable<Mat> Pictures(int seed)
    {
        using var line = new VirtualLine(new VirtualLineOptions { Seed = seed, DefectRate = 0.3 });
        using var picture = new Mat();
        for (var i = 1; ; i++)
        {
            line.Render(TimeSpan.FromSeconds(0.37 * i), picture);
            yield return picture;
        }
    }
}
