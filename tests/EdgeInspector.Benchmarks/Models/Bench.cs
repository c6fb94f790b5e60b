using EdgeInspector.Lab;

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

    /// <summary>YOLOv8n at a size, alone or with the classifier as floats or int8.</summary>
    public BenchPackage Yolo(int size, ClassifierKind classifier) =>
        Once(
            $"yolo-{size}-{classifier}",
            folder =>
                BenchPackage.Write(
                    folder,
                    size,
                    YoloGraph.Build(size, Seed, Scene.In(size), Scene.SideIn(size)),
                    classifier switch
                    {
                        ClassifierKind.None => null,
                        ClassifierKind.Float => ClassifierGraph.Build(Scene.CropSize, Seed + 1),
                        _ => PlainInt8.Of(ClassifierGraph.Build(Scene.CropSize, Seed + 1)),
                    }
                )
        );

    /// <summary>A detector that computes nothing; see <see cref="StubGraph"/>.</summary>
    public BenchPackage Stub(int size, int cells) =>
        Once(
            $"stub-{size}-{cells}",
            folder => BenchPackage.Write(folder, size, StubGraph.Build(size, cells, Scene.In(size), Scene.SideIn(size)), null)
        );

    /// <inheritdoc/>
    public void Dispose() => _folder.Delete(recursive: true);

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
