using System.Security.Cryptography;
using System.Text.Json.Nodes;
using EdgeInspector.Benchmarks.Contenders;
using EdgeInspector.Benchmarks.Models;
using EdgeInspector.Benchmarks.Report;
using EdgeInspector.Benchmarks.Rounds;
using EdgeInspector.Lab;
using EdgeInspector.Quantization;
using EdgeInspector.Quantization.Graph;
using EdgeInspector.Simulation;
using EdgeInspector.Vision;
using OpenCvSharp;

namespace EdgeInspector.Benchmarks.Works;

/// <summary>What int8 gains in speed, on networks of the usual sizes, and whether the factory's package still says the same.</summary>
internal static class QuantisedWork
{
    private const string Files = "models/biscuit";

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
        var factory = Path.Combine(AppContext.BaseDirectory, Files);
        using var floats = ModelPackage.Load(factory, Own.Latency);
        using var classifier = ModelPackage.Load(Quantised(bench, floats, "classifier"), Own.Latency);
        using var detector = ModelPackage.Load(Quantised(bench, floats, "detector"), Own.Latency);
        var wanted = bench.IsFull ? 20_000 : 1_000;
        var (parts, verdicts, found) = (0, 0, 0);
        var (detections, others) = (new Detection[64], new Detection[64]);
        var (expected, actual) = (new Classification[64], new Classification[64]);
        foreach (var picture in Pictures(bench.Seed + 1000))
        {
            var count = floats.Detector.Detect(picture, detections);
            var boxes = detections[..count].Select(detection => detection.Box).ToArray();
            floats.Classifier!.Classify(picture, boxes, expected);
            classifier.Classifier!.Classify(picture, boxes, actual);
            var othersCount = detector.Detector.Detect(picture, others);
            for (var i = 0; i < count; i++, parts++)
            {
                verdicts += floats.IsDefect(expected[i]) == classifier.IsDefect(actual[i]) ? 1 : 0;
                found += others[..othersCount].Any(other => other.Box.IoU(boxes[i]) >= SamePart) ? 1 : 0;
            }

            if (parts >= wanted)
            {
                break;
            }
        }

        section.Say($"Factory package, {parts:N0} views of parts of another line than the one it was calibrated on: {verdicts} verdicts of the int8 classifier equal ({(double)verdicts / parts:P2}); the int8 detector finds {found} of the parts that the other finds ({(double)found / parts:P2}).");

        // A few views cannot tell 99.9 % from a little less: there three standard deviations are allowed.
        const double Wanted = 0.999;
        var limit = bench.IsFull ? Wanted : Wanted - (3 * Math.Sqrt(Wanted * (1 - Wanted) / parts));
        section.Checks.Add(LabCheck.AtLeast("int8 classifier of the factory package, share of verdicts equal", (double)verdicts / parts, limit));

        using var scene = Pictures(bench.Seed + 2000).Select(picture => picture.Clone()).First();
        using var slow = new OwnDetector("factory detector, floats", floats.Folder, Own.Latency, scene);
        using var quick = new OwnDetector("factory detector, int8", detector.Folder, Own.Latency, scene);
        var many = new Box[8];
        var at = slow.Run() > 0 && slow.Found.Length > 0 ? slow.Found[0].Box : new Box(10, 10, 130, 130);
        Array.Fill(many, at);
        var table = RoundRunner.Run(
            [slow, quick, new OwnClassifier("factory classifier, 8 crops, floats", floats, scene, many), new OwnClassifier("factory classifier, 8 crops, int8", classifier, scene, many)],
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

    /// <summary>The factory's package with one stage in int8, in a folder of its own.</summary>
    private static string Quantised(Bench bench, ModelPackage package, string stage)
    {
        var folder = Path.Combine(bench.Folder, $"factory-{stage}-int8");
        Directory.CreateDirectory(folder);
        foreach (var file in new[] { "detector.onnx", "classifier.onnx", "manifest.json" })
        {
            File.Copy(Path.Combine(package.Folder, file), Path.Combine(folder, file));
        }

        var path = Path.Combine(folder, $"{stage}.onnx");
        var inputs = stage == "detector" ? DetectorInputs(package, bench.Seed) : ClassifierInputs(package, bench.Seed);
        var bytes = Quantizer.Quantize(OnnxGraph.Load(path), new QuantizationOptions(), inputs).Graph.ToBytes();
        File.WriteAllBytes(path, bytes);

        // Golden pictures are the float package's; whether int8 reproduces them is what is being measured.
        var manifest = JsonNode.Parse(File.ReadAllText(Path.Combine(folder, "manifest.json")))!;
        manifest[stage]!["sha256"] = Convert.ToHexStringLower(SHA256.HashData(bytes));
        manifest["golden"] = new JsonArray();
        File.WriteAllText(Path.Combine(folder, "manifest.json"), manifest.ToJsonString());
        return folder;
    }

    private static List<Func<InputTensor>> DetectorInputs(ModelPackage package, int seed)
    {
        var input = package.Manifest.Detector!.Input;
        return [.. Pictures(seed).Take(32).Select(picture => Tensor(picture, input)).ToList().Select(tensor => (Func<InputTensor>)(() => tensor))];
    }

    private static List<Func<InputTensor>> ClassifierInputs(ModelPackage package, int seed)
    {
        var manifest = package.Manifest.Classifier!;
        var detections = new Detection[64];
        List<Func<InputTensor>> inputs = [];
        foreach (var picture in Pictures(seed))
        {
            var count = package.Detector.Detect(picture, detections);
            foreach (var detection in detections[..count])
            {
                // A square around the part, as the product crops it.
                var box = detection.Box;
                var side = Math.Max(box.Width, box.Height) * (1 + (2 * manifest.CropMargin));
                var area = new Rect((int)(box.CentreX - (side / 2)), (int)(box.CentreY - (side / 2)), (int)side, (int)side)
                    & new Rect(0, 0, picture.Width, picture.Height);
                using var crop = new Mat(picture, area);
                var tensor = Tensor(crop, manifest.Input);
                inputs.Add(() => tensor);
            }

            if (inputs.Count >= 256)
            {
                break;
            }
        }

        return inputs;
    }

    /// <summary>As the manifest says, with OpenCV's means; for calibration near enough.</summary>
    private static InputTensor Tensor(Mat picture, NetworkInput input)
    {
        using var resized = new Mat();
        Cv2.Resize(picture, resized, new Size(input.Width, input.Height));
        var plane = input.Width * input.Height;
        var values = new float[3 * plane];
        for (var y = 0; y < input.Height; y++)
        {
            for (var x = 0; x < input.Width; x++)
            {
                var pixel = resized.At<Vec3b>(y, x);
                var at = (y * input.Width) + x;
                for (var channel = 0; channel < 3; channel++)
                {
                    var level = input.Channels is ChannelOrder.Bgr ? pixel[channel] : pixel[2 - channel];
                    values[(channel * plane) + at] = (level - input.Mean[channel]) / input.Std[channel];
                }
            }
        }

        return InputTensor.Of(values, 1, 3, input.Height, input.Width);
    }
}
