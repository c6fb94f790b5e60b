using System.Text;
using EdgeInspector.Vision.Packages;

namespace EdgeInspector.Vision.Tests.Packages;

public sealed class ManifestTests
{
    [Fact]
    public void WhatIsWrittenIsReadBack()
    {
        using var builder = Some.Detecting([32, 32, 20, 10, 0.9f, 0.1f]).Write();
        var manifest = ManifestFile.Read(Path.Combine(builder.Folder, ModelManifest.FileName));

        Assert.Equal(ManifestFile.Write(builder.Manifest), ManifestFile.Write(manifest));
    }

    [Fact]
    public void ManifestAsTrainingWritesItIsRead()
    {
        using var builder = Some.Classifying();
        builder.WriteText($$"""
            {
              "schema": "edge-inspector.package/1", "name": "biscuit", "version": "1.0.0", "description": "A test.",
              "classifier": {
                "file": "classifier.onnx", "sha256": "{{builder.Manifest.Classifier!.Sha256}}", "format": "softmax",
                "input": { "width": 16, "height": 16, "channels": "rgb", "mean": [0,0,0], "std": [255,255,255],
                           "fit": "stretch", "pad": 114 },
                "cropMargin": 0.1, "labels": ["good","burnt"], "good": ["good"], "defectThreshold": 0.5
              },
              "golden": [], "tolerance": { "score": 0.02, "pixels": 2.0 }, "metrics": { "recall": [1, { "x": null }] }
            }
            """);

        using var package = builder.Load();
        Assert.Equal(("biscuit", "1.0.0", "CPU"), (package.Name, package.Version, package.Provider));
        Assert.Equal(0.1f, package.Manifest.Classifier!.CropMargin);
    }

    [Fact]
    public void LayoutAndElementOfAnInputAreRead()
    {
        using var builder = Some.Classifying();
        var text = Encoding.UTF8.GetString(ManifestFile.Write(builder.Manifest))
            .Replace("\"nchw\"", "\"nhwc\"", StringComparison.Ordinal)
            .Replace("\"float32\"", "\"float16\"", StringComparison.Ordinal);
        builder.WriteText(text);

        var input = ManifestFile.Read(Path.Combine(builder.Folder, ModelManifest.FileName)).Classifier!.Input;
        Assert.Equal((InputLayout.Nhwc, InputElement.Float16), (input.Layout, input.Element));
    }

    [Fact]
    public void MissingFolderAndMissingManifestAreSaid()
    {
        using var builder = new PackageBuilder();
        Refusal.Of(builder, ModelManifest.FileName, "no such file");
        Refusal.Of<ModelPackageException>(
            () => ModelPackage.Load("/no/such/place", new InferenceOptions()), "/no/such/place", "no such folder");
    }

    [Theory]
    [InlineData("", "line 1")]
    [InlineData("{\n\n  \"schema\": nonsense\n}", "line 3")]
    [InlineData("{\n  \"schema\": \"a\",\n  \"name\": \"b\"", "JSON")]
    [InlineData("[]", "manifest")]
    [InlineData("null", "null")]
    [InlineData("{ \"schema\": \"a\", \"name\": \"b\" }", "'version' is missing")]
    [InlineData(
        "{ \"schema\": \"a\", \"name\": \"b\", \"version\": \"c\",\n \"detectr\": {} }",
        "unknown key 'detectr'; remove")]
    [InlineData(
        "{ \"schema\": \"a\", \"name\": \"b\", \"version\": \"c\", \"tolerance\": { \"scor\": 1 } }",
        "unknown key 'tolerance.scor'")]
    [InlineData("{ \"schema\": \"a\", \"name\": \"b\", \"name\": \"b\", \"version\": \"c\" }", "twice")]
    [InlineData("{ \"schema\": \"a\", \"name\": 7, \"version\": \"c\" }", "'name'")]
    [InlineData("{ \"schema\": \"a\", \"name\": null, \"version\": \"c\" }", "'name'")]
    public void TextThatIsNoManifestIsRefused(string text, string hint)
    {
        using var builder = new PackageBuilder();
        Refusal.Of(builder.WriteText(text), ModelManifest.FileName, hint);
    }

    [Fact]
    public void UnknownFormatIsRefused()
    {
        using var builder = Some.Classifying();
        var text = Encoding.UTF8.GetString(ManifestFile.Write(builder.Manifest));
        Refusal.Of(
            builder.WriteText(text.Replace("\"softmax\"", "\"argmax\"", StringComparison.Ordinal)),
            ModelManifest.FileName, "line ", "'classifier.format'");
    }

    [Fact]
    public void ValuesOutOfRangeAreRefused()
    {
        Refused(manifest => manifest with { Schema = "edge-inspector.package/2" }, "schema", "package/1");
        Refused(manifest => manifest with { Name = "../biscuit" }, "name");
        Refused(manifest => manifest with { Version = "" }, "version");
        Refused(manifest => manifest with { Classifier = null }, "detector", "classifier");
        Refused(manifest => manifest with { Tolerance = new() { Score = 0.6f } }, "tolerance.score", "0.5");
        Refused(manifest => manifest with { Tolerance = new GoldenTolerance { Pixels = -1 } }, "tolerance.pixels");
        RefusedClassifier(classifier => classifier with { Sha256 = "abc" }, "classifier.sha256", "64");
        RefusedClassifier(classifier => classifier with { Labels = [] }, "classifier.labels");
        RefusedClassifier(classifier => classifier with { Labels = ["good", "good"] }, "classifier.labels", "once");
        RefusedClassifier(classifier => classifier with { Labels = ["good", " "] }, "classifier.labels", "printable");
        RefusedClassifier(classifier => classifier with { Good = [] }, "classifier.good");
        RefusedClassifier(classifier => classifier with { Good = ["good", "burnt"] }, "one a defect");
        RefusedClassifier(classifier => classifier with { Good = ["goood"] }, "classifier.good", "goood");
        RefusedClassifier(classifier => classifier with { DefectThreshold = 1.5f }, "defectThreshold", "0 to 1");
        RefusedClassifier(classifier => classifier with { CropMargin = -0.5f }, "classifier.cropMargin");
        RefusedInput(input => input with { Width = 7 }, "classifier.input.width", "8 to 4096");
        RefusedInput(input => input with { Std = [255, 255, 0] }, "classifier.input.std");
        RefusedInput(input => input with { Mean = [0, 0] }, "classifier.input.mean", "3 channels");
        RefusedInput(input => input with { Channels = ChannelOrder.Grey }, "classifier.input.mean", "1 channels");
        RefusedInput(input => input with { Pad = 256 }, "classifier.input.pad");
        RefusedInput(input => input with { Element = InputElement.UInt8 }, "classifier.input.element", "std 1");
        RefusedInput(
            input => input with { Width = 32, Fit = FitMode.Letterbox }, "classifier.input.fit", "\"stretch\"");
        RefusedGolden(new GoldenPart { Box = [1, 2, 3] }, "golden[0].parts[0].box");
        RefusedGolden(new GoldenPart { Box = [3, 2, 1, 4] }, "golden[0].parts[0].box", "x1 < x2");
        RefusedGolden(new GoldenPart { Box = [1, 2, 3, 4], Label = "green" }, "golden[0].parts[0].label", "green");
        RefusedGolden(new GoldenPart { Box = [1, 2, 3, 4], DefectScore = 1.1f }, "golden[0].parts[0].defectScore");
    }

    private static void RefusedGolden(GoldenPart part, params string[] hints) => Refused(
        manifest => manifest with { Golden = [new GoldenPicture { Picture = "a.png", Parts = [part] }] }, hints);

    private static void RefusedInput(Func<NetworkInput, NetworkInput> change, params string[] hints) =>
        RefusedClassifier(classifier => classifier with { Input = change(classifier.Input) }, hints);

    private static void RefusedClassifier(Func<ClassifierManifest, ClassifierManifest> change, params string[] hints) =>
        Refused(manifest => manifest with { Classifier = change(manifest.Classifier!) }, hints);

    private static void Refused(Func<ModelManifest, ModelManifest> change, params string[] hints)
    {
        using var builder = Some.Classifying();
        builder.Manifest = change(builder.Manifest);
        Refusal.Of(builder.Write(), ModelManifest.FileName, hints);
    }
}
