using System.Globalization;
using EdgeInspector.Vision.Inference;
using EdgeInspector.Vision.Preprocessing;
using Microsoft.ML.OnnxRuntime;
using OpenCvSharp;
using Found = EdgeInspector.Vision.Tests.Detectors.ReferenceDecoder.Found;
using Table = EdgeInspector.Vision.Tests.Detectors.ReferenceDecoder.Table;

namespace EdgeInspector.Vision.Tests.Detectors;

/// <summary>Every reader against the reference, through a whole package: boxes within 1 pixel, scores within 0.01.</summary>
public sealed class DecoderAgreementTests(ITestOutputHelper output)
{
    [Fact]
    public void EveryFormatIsReadAsTheReferenceReadsIt()
    {
        var cases = FormatGraphs.All().ToList();
        var (pixels, score, boxes) = (0.0, 0.0, 0);
        foreach (var one in cases)
        {
            using var builder = new PackageBuilder();
            var hash = builder.Add("detector.onnx", one.Model);
            builder.Manifest = builder.Manifest with { Detector = one.Detector with { Sha256 = hash } };
            using var picture = Some.Noise(one.Picture.Width, one.Picture.Height, 3);
            var difference = Compare(one.Name, builder, picture, one.Expected);
            (pixels, score) = (Math.Max(pixels, difference.Pixels), Math.Max(score, difference.Score));
            boxes += one.Expected.Count;
        }

        output.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{cases.Count} graphs, {boxes} boxes: largest difference {pixels:0.00000} pixels, score {score:0.0000000}"));
        Assert.InRange(cases.Count, 30, 1000);
        Assert.InRange(boxes, 300, 10_000);
    }

    [Theory]
    [InlineData("yolov8n_coco_int8dyn_opset12.onnx", 640, "bus.jpg")]
    [InlineData("yolov8n_coco_int8dyn_opset12.onnx", 640, "dog.jpg")]
    [InlineData("yolox_nano_coco_416.onnx", 416, "bus.jpg")]
    [InlineData("yolox_nano_coco_416.onnx", 416, "dog.jpg")]
    [InlineData("nanodet_m_320_opset12.onnx", 320, "bus.jpg")]
    [InlineData("nanodet_m_320_opset12.onnx", 320, "dog.jpg")]
    public void PublishedNetworksAreReadAsTheReferenceReadsThem(string model, int size, string pictureName)
    {
        var input = new NetworkInput { Width = size, Height = size };
        input = model[..5] switch
        {
            "yolox" => input with { Channels = ChannelOrder.Bgr, Std = [1, 1, 1] },
            "nanod" => input with
            {
                Channels = ChannelOrder.Bgr,
                Mean = [103.53f, 116.28f, 123.675f],
                Std = [57.375f, 57.12f, 58.395f],
            },
            _ => input,
        };
        using var picture = TestData.Picture(pictureName);
        var outputs = Run(TestData.Model(model), input, picture);
        var proposals = model[..5] switch
        {
            "yolox" => ReferenceDecoder.YoloX(outputs["output"], 80, size, size, 3),
            "nanod" => NanoDet(outputs, size),
            _ => ReferenceDecoder.YoloV8(outputs["output0"], 80),
        };
        var expected = ReferenceDecoder.Keep(proposals, 0.35, 0.5);

        // No format is stated: it has to be found, in all three.
        using var builder = new PackageBuilder();
        var hash = builder.Add("detector.onnx", File.ReadAllBytes(TestData.Model(model)));
        builder.Manifest = builder.Manifest with
        {
            Detector = new DetectorManifest
            {
                File = "detector.onnx",
                Sha256 = hash,
                Input = input,
                Labels = TestData.CocoLabels(),
                ScoreThreshold = 0.35f,
            },
        };
        var (pixels, score) = Compare($"{model} {pictureName}", builder, picture, expected);
        output.WriteLine(string.Create(
            CultureInfo.InvariantCulture, $"{expected.Count} boxes: {pixels:0.00000} pixels, score {score:0.0000000}"));
        Assert.InRange(expected.Count, 2, 50);

        // Both pictures are of things everybody's detector finds.
        Assert.Contains(expected, one => TestData.CocoLabels()[one.Label] is "dog" or "bus");
    }

    private static IEnumerable<Found> NanoDet(Dictionary<string, Table> outputs, int size)
    {
        var scores = outputs.Values.Where(table => table.Columns == 80).OrderByDescending(table => table.Rows).ToList();
        var bins = outputs.Values.Where(table => table.Columns == 32).OrderByDescending(table => table.Rows).ToList();
        return ReferenceDecoder.NanoDet(scores, bins, 80, size, size);
    }

    private static Dictionary<string, Table> Run(string model, NetworkInput input, Mat picture)
    {
        OrtRuntime.Start();
        var numbers = new float[3 * input.Width * input.Height];
        var sampler = new Sampler(input);
        sampler.Pad(numbers);
        sampler.Place(Pixels.Of(picture), Placement.Of(picture.Width, picture.Height, input), numbers);
        using var session = new InferenceSession(model, new SessionOptions { IntraOpNumThreads = 2 });
        using var value = OrtValue.CreateTensorValueFromMemory(numbers, [1, 3, input.Height, input.Width]);
        using var run = new RunOptions();
        using var results = session.Run(run, session.InputNames, [value], session.OutputNames);
        return session.OutputNames.Zip(results).ToDictionary(
            pair => pair.First,
            pair => new Table(
                [.. pair.Second.GetTensorDataAsSpan<float>().ToArray().Select(number => (double)number)],
                [.. pair.Second.GetTensorTypeAndShape().Shape.Select(one => (int)one)]));
    }

    private static (double Pixels, double Score) Compare(
        string name, PackageBuilder builder, Mat picture, List<Found> inInput)
    {
        var detector = builder.Manifest.Detector!;
        var expected = ReferenceDecoder.ToPicture(
            inInput, detector.Input.Width, detector.Input.Height, picture.Width, picture.Height, detector.Input.Fit);
        using var package = builder.Write().Load();
        var room = new Detection[1024];
        var found = room[..package.Detector.Detect(picture, room)];
        Assert.True(expected.Count == found.Length, $"{name}: {found.Length} boxes, the reference has {expected.Count}");
        Assert.True(expected.Count > 0, $"{name}: nothing was planted");
        Assert.Equal(0, package.Detector.Unreadable);

        var (pixels, score) = (0.0, 0.0);
        foreach (var one in expected)
        {
            var (distance, apart) = found.Where(detection => detection.Label == one.Label)
                .Select(detection => (Distance(detection.Box, one), Math.Abs(detection.Score - one.Score)))
                .Where(difference => difference.Item2 <= 0.01)
                .DefaultIfEmpty((double.PositiveInfinity, double.PositiveInfinity)).Min();
            Assert.True(distance <= 1 && apart <= 0.01, $"{name}: {one} has no counterpart ({distance} pixels)");
            (pixels, score) = (Math.Max(pixels, distance), Math.Max(score, apart));
        }

        return (pixels, score);
    }

    private static double Distance(Box box, Found one) => Math.Max(
        Math.Max(Math.Abs(box.X1 - one.X1), Math.Abs(box.Y1 - one.Y1)),
        Math.Max(Math.Abs(box.X2 - one.X2), Math.Abs(box.Y2 - one.Y2)));
}
