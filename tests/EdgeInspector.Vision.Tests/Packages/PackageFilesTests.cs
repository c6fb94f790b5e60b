namespace EdgeInspector.Vision.Tests.Packages;

/// <summary>Models that are not what the manifest says.</summary>
public sealed class PackageFilesTests
{
    [Fact]
    public void MissingModelIsSaid()
    {
        using var builder = Some.Classifying().Write();
        File.Delete(Path.Combine(builder.Folder, "classifier.onnx"));
        Refusal.Of(builder, "classifier.onnx", "no such file");
    }

    [Fact]
    public void ChangedModelIsRefused()
    {
        using var builder = Some.Classifying().Write();
        var path = Path.Combine(builder.Folder, "classifier.onnx");
        var bytes = File.ReadAllBytes(path);
        bytes[^1] ^= 1;
        File.WriteAllBytes(path, bytes);
        Refusal.Of(builder, "classifier.onnx", "sha256", builder.Manifest.Classifier!.Sha256);
    }

    [Fact]
    public void PointerFileIsNotAModel() => RefusedModel(
        "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 3\n"u8.ToArray(),
        "git-lfs pointer",
        "git lfs pull");

    [Fact]
    public void PointerFileAmongTheTestDataIsNotAModel() =>
        RefusedModel(File.ReadAllBytes(TestData.Model("negative/lfs_pointer.onnx")), "git-lfs pointer", "git lfs pull");

    [Fact]
    public void TruncatedModelAmongTheTestDataIsRefused() =>
        RefusedModel(File.ReadAllBytes(TestData.Model("negative/truncated_yolox_nano.onnx")), "cut short");

    [Fact]
    public void ModelCutAnywhereIsRefused()
    {
        var model = OnnxGraph.Classifying([4, 4, 4, -4, -4, -4], [-6, 6], 16, 16);
        for (var length = 0; length < model.Length; length += 1 + (model.Length / 40))
        {
            RefusedModel(model[..length]);
        }
    }

    [Fact]
    public void NoiseIsNotAModel()
    {
        var noise = new byte[5000];
        new Random(1).NextBytes(noise);
        RefusedModel(noise, "not an ONNX model");
        RefusedModel([], "empty");
    }

    [Fact]
    public void WrongInputShapeIsRefused()
    {
        RefusedModel(OnnxGraph.Classifying([1, 1, 1, 1, 1, 1], [0, 0], 24, 16), "[?,3,16,24]", "[batch,3,16,16]");
        RefusedModel(OnnxGraph.Classifying([1, 1], [0, 0], 16, 16), "[?,1,16,16]", "channels");
    }

    [Fact]
    public void WrongNumberOfLabelsIsRefused()
    {
        RefusedModel(OnnxGraph.Classifying([1, 1, 1, 1, 1, 1, 1, 1, 1], [0, 0, 0], 16, 16), "[?,3]", "[batch,2]", "labels");

        using var builder = Some.Detecting([32, 32, 20, 10, 0.9f, 0.1f]);
        builder.Manifest = builder.Manifest with
        {
            Detector = builder.Manifest.Detector! with { Labels = ["round"] },
        };
        Refusal.Of(builder.Write(), "detector.onnx", "[1,6,1]", "yolov8", "1 labels", "[1,5,cells]");

        builder.Manifest = builder.Manifest with
        {
            Detector = builder.Manifest.Detector! with { Format = DetectorFormat.YoloX },
        };
        Refusal.Of(builder.Write(), "detector.onnx", "[1,6,1]", "yolox", "[1,cells,6]");
    }

    [Fact]
    public void NamesThatLeaveTheFolderAreRefused()
    {
        foreach (var name in new[] { "../x.onnx", "/etc/passwd", "a/../../x", "a\\b", "", ".", "a//b", "c:x" })
        {
            using var builder = Some.Classifying();
            builder.Manifest = builder.Manifest with { Classifier = builder.Manifest.Classifier! with { File = name } };
            Refusal.Of(builder.Write(), ModelManifest.FileName, "classifier.file", "inside the package");
        }
    }

    [Fact]
    public void LinksOutOfThePackageAreRefused()
    {
        using var elsewhere = Some.Classifying();
        using var builder = Some.Classifying().Write();
        var path = Path.Combine(builder.Folder, "classifier.onnx");
        File.Delete(path);
        File.CreateSymbolicLink(path, Path.Combine(elsewhere.Folder, "classifier.onnx"));
        Refusal.Of(builder, "classifier.onnx", "link");
    }

    private static void RefusedModel(byte[] model, params string[] hints)
    {
        using var builder = Some.Classifying(model: model);
        Refusal.Of(builder.Write(), "classifier.onnx", hints);
    }
}
