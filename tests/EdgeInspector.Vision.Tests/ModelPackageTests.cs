using System.Diagnostics;

namespace EdgeInspector.Vision.Tests;

[Collection(nameof(Alone))]
public sealed class ModelPackageTests
{
    [Fact]
    public void LoadingAndDisposingLeavesNoNativeMemory()
    {
        using var builder = Both();
        for (var i = 0; i < 10; i++)
        {
            builder.Load().Dispose();
        }

        var before = ResidentBytes();
        for (var i = 0; i < 50; i++)
        {
            builder.Load().Dispose();
        }

        // The networks hold 8 MB of weights: 50 of them kept would be 400 MB.
        Assert.InRange(ResidentBytes() - before, long.MinValue, 40L << 20);
    }

    [Fact]
    public void RefusedPackagesLeaveNoNativeMemory()
    {
        using var builder = Both();
        builder.Manifest = builder.Manifest with
        {
            Detector = builder.Manifest.Detector! with { Labels = ["one"] },
        };
        builder.Write();
        long before = 0;
        for (var i = 0; i < 60; i++)
        {
            before = i == 10 ? ResidentBytes() : before;
            Assert.Throws<ModelPackageException>(() => builder.Load());
        }

        Assert.InRange(ResidentBytes() - before, long.MinValue, 40L << 20);
    }

    [Fact]
    public void TwoPackagesLiveSideBySide()
    {
        using var first = Both();
        using var second = Some.Classifying(bias: [0, 0]).Write();
        using var one = first.Load();
        using var two = second.Load();
        using var picture = Some.Noise(64, 64, 1);
        var detections = new Detection[4];
        one.Dispose();

        Assert.Equal(1, two.Detector.Detect(picture, detections));
    }

    /// <summary>A package with both stages and some weight.</summary>
    private static PackageBuilder Both()
    {
        using var classifier = Some.Classifying();
        var builder = Some.Detecting();
        var rows = 100_000;
        var hash = builder.Add("detector.onnx", OnnxGraph.Saying(new float[6 * rows], [1, 6, rows], 64, 64));
        var model = File.ReadAllBytes(Path.Combine(classifier.Folder, "classifier.onnx"));
        builder.Add("classifier.onnx", model);
        builder.Manifest = builder.Manifest with
        {
            Detector = builder.Manifest.Detector! with { Sha256 = hash },
            Classifier = classifier.Manifest.Classifier,
        };
        return builder.Write();
    }

    private static long ResidentBytes()
    {
        // Managed garbage is not what this looks for.
        GC.Collect(2, GCCollectionMode.Aggressive, true, true);
        using var process = Process.GetCurrentProcess();
        return process.WorkingSet64;
    }
}
