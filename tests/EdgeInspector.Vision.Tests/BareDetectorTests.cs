using OpenCvSharp;

namespace EdgeInspector.Vision.Tests;

public sealed class BareDetectorTests : IDisposable
{
    private static readonly InferenceOptions OnCpu = new() { Provider = ProviderChoice.Cpu, Threads = 1 };

    private readonly string _folder = Directory.CreateTempSubdirectory("edge-inspector-bare-").FullName;

    private string Out => Path.Combine(_folder, "package");

    public void Dispose() => Directory.Delete(_folder, true);

    [Fact]
    public void ModelThatTellsItsLabelsNeedsNothingElse()
    {
        var bare = Bare(new() { ["task"] = "detect", ["names"] = "{0: 'rou\\'nd', 1: \"square, big\"}" });
        bare.WriteTo(Out, OnCpu);

        using var package = ModelPackage.Load(Out, OnCpu);
        Assert.Equal(["rou'nd", "square, big"], package.Detector.Labels);
        Assert.Equal("my-model-v2", package.Name);
        Assert.Equal((64, 64), (package.Manifest.Detector!.Input.Width, package.Manifest.Detector.Input.Height));
        Assert.Equal(["package"], Directory.GetDirectories(_folder).Select(Path.GetFileName));
    }

    [Fact]
    public void PicturesBecomeGoldenOnes()
    {
        var picture = Path.Combine(_folder, "a.PNG");
        using (var flat = Some.Flat(128, 128, 9, 9, 9))
        {
            File.WriteAllBytes(picture, flat.ToBytes(".png"));
        }

        var bare = Bare(new() { ["names"] = "{0: 'a', 1: 'b'}" }) with { Pictures = [picture] };
        bare.WriteTo(Out, OnCpu);

        using var package = ModelPackage.Load(Out, OnCpu);
        var golden = Assert.Single(package.Golden);
        Assert.Equal(("golden/01.png", "a", 0.9f), (golden.Picture, golden.Label, golden.Score));
        Assert.Equal([44f, 54, 84, 74], golden.Expected.Box);
    }

    [Fact]
    public void LabelsCanBeSaid()
    {
        var labels = Path.Combine(_folder, "labels.txt");
        File.WriteAllText(labels, "one\r\ntwo\n\n");
        (Bare() with { LabelsFile = labels, Name = "mine" }).WriteTo(Out, OnCpu);

        using var package = ModelPackage.Load(Out, OnCpu);
        Assert.Equal(["one", "two"], package.Detector.Labels);
        Assert.Equal("mine", package.Name);
    }

    [Fact]
    public void WhatCannotBecomeAPackageLeavesNothing()
    {
        Refused(Bare(), "--labels");
        Refused(Bare(new() { ["task"] = "pose", ["names"] = "{0: 'a', 1: 'b'}" }), "my Model (v2).onnx", "pose");
        Refused(Bare(new() { ["names"] = "{0: 'a'}" }), "my Model (v2).onnx", "1 labels");
        Refused(Bare() with { LabelsFile = Path.Combine(_folder, "none.txt") }, "none.txt", "one label per line");
        Refused(Bare(new() { ["names"] = "{0: 'a', 1: 'b'}" }) with { Pictures = ["/no/such.png"] }, "/no/such.png");
        Refused(
            Bare(new() { ["names"] = "{0: 'a', 1: 'b'}" }) with { Size = (32, 32) },
            "my Model (v2).onnx",
            "[1,3,64,64]");
        Refused(Bare() with { Model = Path.Combine(_folder, "gone.onnx") }, "gone.onnx", "no such file");
    }

    [Fact]
    public void FolderThatExistsIsLeftAlone()
    {
        Directory.CreateDirectory(Out);
        Refusal.Of<VisionException>(
            () => Bare(new() { ["names"] = "{0: 'a', 1: 'b'}" }).WriteTo(Out, OnCpu), Out, "exists already");
        Assert.Empty(Directory.GetFileSystemEntries(Out));
    }

    [Fact]
    public void UltralyticsExportTellsEverything()
    {
        var bare = new BareDetector
        {
            Model = TestData.Model("yolov8n_coco_int8dyn_opset12.onnx"),
            Format = DetectorFormat.YoloV8,
        };
        var manifest = bare.WriteTo(Out, new InferenceOptions { Provider = ProviderChoice.Cpu });

        Assert.Equal(80, manifest.Detector!.Labels.Count);
        Assert.Equal(("person", "toothbrush"), (manifest.Detector.Labels[0], manifest.Detector.Labels[79]));
        Assert.Equal((640, 640), (manifest.Detector.Input.Width, manifest.Detector.Input.Height));
    }

    private void Refused(BareDetector bare, params string[] hints)
    {
        var refusal = Assert.ThrowsAny<VisionException>(() => bare.WriteTo(Out, OnCpu));
        Assert.All(hints, hint => Assert.Contains(hint, refusal.Message, StringComparison.Ordinal));
        Assert.DoesNotContain(".part", refusal.Message, StringComparison.Ordinal);
        Assert.Empty(Directory.GetDirectories(_folder));
    }

    private BareDetector Bare(Dictionary<string, string>? notes = null)
    {
        var path = Path.Combine(_folder, "my Model (v2).onnx");
        float[] said = [32, 32, 20, 10, 0.9f, 0.1f];
        File.WriteAllBytes(path, OnnxGraph.Saying(said, [1, 6, 1], 64, 64, notes: notes));
        return new BareDetector { Model = path, Format = DetectorFormat.YoloV8 };
    }
}
