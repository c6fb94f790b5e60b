using System.Security.Cryptography;
using System.Text.Json;
using EdgeInspector.Quantization.Graph;
using EdgeInspector.Vision.Inference;

namespace EdgeInspector.Benchmarks.Models;

/// <summary>A model package of random networks, written as a user would have it: a folder with a manifest.</summary>
/// <param name="Folder">The package.</param>
/// <param name="Detector">The detector's file; null where there is none.</param>
/// <param name="Classifier">The classifier's file; null where there is none.</param>
internal sealed record BenchPackage(string Folder, string? Detector, string? Classifier)
{
    private const string DetectorFile = "detector.onnx";
    private const string ClassifierFile = "classifier.onnx";

    /// <summary>Writes one.</summary>
    /// <param name="folder">Made here.</param>
    /// <param name="size">The detector's input.</param>
    /// <param name="detector">The first stage.</param>
    /// <param name="classifier">The second stage, for crops of <see cref="Scene.CropSize"/>; null for none.</param>
    public static BenchPackage Write(string folder, int size, OnnxGraph detector, OnnxGraph? classifier)
    {
        Directory.CreateDirectory(folder);
        var manifest = new Dictionary<string, object>
        {
            ["schema"] = "edge-inspector.package/1",
            ["name"] = "benchmark",
            ["version"] = "1.0.0",
            ["detector"] = new
            {
                file = DetectorFile,
                sha256 = Save(folder, DetectorFile, detector),
                format = "yolov8",
                input = Input(size, "letterbox"),
                labels = Enumerable.Range(0, YoloGraph.Labels).Select(i => $"c{i}"),
                scoreThreshold = 0.5,
                nmsThreshold = 0.5,
                maxDetections = 64,
            },
        };
        if (classifier is not null)
        {
            manifest["classifier"] = new
            {
                file = ClassifierFile,
                sha256 = Save(folder, ClassifierFile, classifier),
                format = "softmax",
                input = Input(Scene.CropSize, "stretch"),
                labels = new[] { "good", "defect" },
                good = new[] { "good" },
            };
        }

        File.WriteAllText(Path.Combine(folder, "manifest.json"), JsonSerializer.Serialize(manifest));
        return new BenchPackage(
            folder,
            Path.Combine(folder, DetectorFile),
            classifier is null ? null : Path.Combine(folder, ClassifierFile)
        );
    }

    private static object Input(int size, string fit) => new { width = size, height = size, fit };

    private static string Save(string folder, string name, OnnxGraph graph)
    {
        // As the product shifts it for this processor: so that the floor and the peers get the fast kernels too.
        var bytes = SignedActivations.ForThisProcessor(graph.ToBytes());
        File.WriteAllBytes(Path.Combine(folder, name), bytes);
        return Convert.ToHexStringLower(SHA256.HashData(bytes));
    }
}
