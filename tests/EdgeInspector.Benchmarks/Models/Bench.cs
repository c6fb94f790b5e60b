using EdgeInspector.Lab;
using EdgeInspector.Quantization;
using EdgeInspector.Quantization.Graph;

namespace EdgeInspector.Benchmarks.Models;

/// <summary>What every work starts from: the seed, the scale, a folder of its own and the packages in it.</summary>
internal sealed class Bench : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("edge-inspector-bench-");
    private readonly Dictionary<string, BenchPackage> _packages = [];

    /// <summary>Everything random follows from it.</summary>
    public required int Seed { get; init; }

    /// <summary>How much is run.</summary>
    public required LabScale Scale { get; init; }

    /// <summary>Whether figures are worked out at length.</summary>
    public bool IsFull => Scale == LabScale.Full;

    /// <summary>For files of a moment.</summary>
    public string Folder => _folder.FullName;

    /// <summary>YOLOv8n at a size in int8, alone.</summary>
    public BenchPackage Int8Yolo(int size) =>
        Once(
            $"yolo-{size}-int8",
            folder =>
                BenchPackage.Write(folder, size, InInt8(YoloGraph.Build(size, Seed, Scene.In(size), Scene.SideIn(size)), size), null)
        );

    /// <summary>YOLOv8n at a size, alone or with the classifier as floats or int8.</summary>
    public BenchPackage Yolo(int size, ClassifierKind classifier) =>
        Once(
            $"yolo-{size}-{classifier}",
            folder =>
                BenchPackage.Write(
                    folder,
                    size,
                    YoloGraph.Build(size, Seed, Scene.In(size), Scene.SideIn(size)),
                    Classifier(classifier)
                )
        );

    /// <summary>A detector that computes nothing, see <see cref="StubGraph"/>, alone or with a classifier.</summary>
    public BenchPackage Stub(int size, int cells, ClassifierKind classifier = ClassifierKind.None) =>
        Once(
            $"stub-{size}-{cells}-{classifier}",
            folder => BenchPackage.Write(folder, size, StubGraph.Build(size, cells, Scene.In(size), Scene.SideIn(size)), Classifier(classifier))
        );

    /// <inheritdoc/>
    public void Dispose() => _folder.Delete(recursive: true);

    private OnnxGraph? Classifier(ClassifierKind kind) =>
        kind switch
        {
            ClassifierKind.None => null,
            ClassifierKind.Float => ClassifierGraph.Build(Scene.CropSize, Seed + 1),
            _ => InInt8(ClassifierGraph.Build(Scene.CropSize, Seed + 1), Scene.CropSize),
        };

    /// <summary>By the product's own quantiser, with noise to calibrate on: nothing is asked of random verdicts.</summary>
    private OnnxGraph InInt8(OnnxGraph graph, int size)
    {
        var inputs = Enumerable.Range(0, 4).Select(i => (Func<InputTensor>)(() => Noise(Seed + i, size)));
        return Quantizer.Quantize(graph, new QuantizationOptions(), [.. inputs]).Graph;
    }

    private static InputTensor Noise(int seed, int size)
    {
        var random = new Random(seed);
        var values = new float[3 * size * size];
        foreach (ref var value in values.AsSpan())
        {
            value = random.NextSingle();
        }

        return InputTensor.Of(values, 1, 3, size, size);
    }

    private BenchPackage Once(string name, Func<string, BenchPackage> write)
    {
        if (!_packages.TryGetValue(name, out var package))
        {
            _packages[name] = package = write(Path.Combine(Folder, name));
        }

        return package;
    }
}

/// <summary>Which second stage.</summary>
internal enum ClassifierKind
{
    None,
    Float,
    Int8,
}
