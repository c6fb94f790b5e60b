using EdgeInspector.Vision.Preprocessing;

namespace EdgeInspector.Vision.Tests.Detectors;

/// <summary>
/// Published networks on the pictures their authors show. The known boxes are in input pixels; the known results were
/// made with pictures that FFmpeg had scaled and padded, hence the bicubic input.
/// </summary>
public sealed class RealDetectorTests
{
    private sealed record Known(string Label, float Score, float X1, float Y1, float X2, float Y2);

    [Fact]
    public void YoloV8FindsThePeopleAndTheBus() => Check("bus.jpg", YoloV8(), [
        new("person", 0.92f, 479, 227, 560, 521),
        new("person", 0.90f, 211, 242, 283, 507),
        new("person", 0.89f, 110, 236, 224, 535),
        new("bus", 0.83f, 101, 136, 553, 458)]);

    [Fact]
    public void YoloXFindsThePeopleAndTheBus() => Check("bus.jpg", YoloX(), [
        new("bus", 0.90f, 55, 86, 361, 290),
        new("person", 0.87f, 71, 153, 134, 348),
        new("person", 0.80f, 313, 175, 364, 338),
        new("person", 0.79f, 134, 154, 188, 332)]);

    [Fact]
    public void YoloV8FindsTheDogTheBicycleAndTheTruck() => Check("dog.jpg", YoloV8(), [
        new("dog", 0.96f, 110, 263, 257, 530),
        new("bicycle", 0.89f, 110, 194, 474, 430),
        new("car", 0.57f, 390, 142, 578, 222),
        new("truck", 0.55f, 390, 142, 578, 222)]);

    [Fact]
    public void YoloXFindsTheDogTheBicycleAndTheTruck() => Check("dog.jpg", YoloX(), [
        new("dog", 0.86f, 70, 164, 187, 345),
        new("bicycle", 0.80f, 33, 125, 309, 277),
        new("truck", 0.62f, 250, 94, 374, 144),
        new("car", 0.51f, 252, 93, 373, 142)]);

    private static DetectorManifest YoloV8() => new()
    {
        File = TestData.Model("yolov8n_coco_int8dyn_opset12.onnx"),
        Sha256 = "",
        Format = DetectorFormat.YoloV8,
        Input = new NetworkInput { Width = 640, Height = 640, Resample = ResampleMode.Bicubic },
        Labels = TestData.CocoLabels(),
        ScoreThreshold = 0.35f,
    };

    private static DetectorManifest YoloX() => new()
    {
        File = TestData.Model("yolox_nano_coco_416.onnx"),
        Sha256 = "",
        Format = DetectorFormat.YoloX,
        Input = new NetworkInput
        {
            Width = 416,
            Height = 416,
            Channels = ChannelOrder.Bgr,
            Std = [1, 1, 1],
            Resample = ResampleMode.Bicubic,
        },
        Labels = TestData.CocoLabels(),
        ScoreThreshold = 0.35f,
    };

    private static void Check(string pictureName, DetectorManifest detector, Known[] expected)
    {
        using var builder = new PackageBuilder();
        var hash = builder.Add("detector.onnx", File.ReadAllBytes(detector.File));
        builder.Manifest = builder.Manifest with
        {
            Detector = detector with { File = "detector.onnx", Sha256 = hash },
        };
        using var package = builder.Write().Load(new InferenceOptions { Provider = ProviderChoice.Cpu });
        using var picture = TestData.Picture(pictureName);
        var placement = Placement.Of(picture.Width, picture.Height, detector.Input);
        var detections = new Detection[64];
        var found = detections[..package.Detector.Detect(picture, detections)];

        Assert.Equal(expected.Length, found.Length);
        foreach (var known in expected)
        {
            Assert.Contains(found, detection =>
                package.Detector.Labels[detection.Label] == known.Label
                && Math.Abs(detection.Score - known.Score) <= 0.02
                && Near(detection.Box.X1, placement.FactorX, placement.Left, known.X1)
                && Near(detection.Box.Y1, placement.FactorY, placement.Top, known.Y1)
                && Near(detection.Box.X2, placement.FactorX, placement.Left, known.X2)
                && Near(detection.Box.Y2, placement.FactorY, placement.Top, known.Y2));
        }

        static bool Near(float edge, double factor, int offset, float known) =>
            Math.Abs((edge / factor) + offset - known) <= 2;
    }
}
