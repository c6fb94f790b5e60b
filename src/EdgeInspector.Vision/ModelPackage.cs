namespace EdgeInspector.Vision;

/// <summary>
/// A detector and a classifier that belong together, with everything needed to run them. Owns both networks.
/// </summary>
public sealed class ModelPackage : IDisposable
{
    private ModelPackage(ModelManifest manifest, string folder, IDetector detector, IClassifier? classifier)
    {
        Manifest = manifest;
        Folder = folder;
        Detector = detector;
        Classifier = classifier;
    }

    public ModelManifest Manifest { get; }

    public string Folder { get; }

    public string Name => Manifest.Name;

    public string Version => Manifest.Version;

    /// <summary>The execution provider that proved itself in the warm-up: "TensorRT", "CUDA" or "CPU".</summary>
    public string Provider => Classifier?.Provider ?? Detector.Provider;

    public IDetector Detector { get; }

    public IClassifier? Classifier { get; }

    /// <exception cref="ModelPackageException">The package is not accepted.</exception>
    public static ModelPackage Load(string folder, InferenceOptions options) =>
        throw new ModelPackageException($"{folder}: loading is not built yet.");

    /// <summary>An unsure classification is a defect here; ask <see cref="Classification.IsUnsure"/> first.</summary>
    public bool IsDefect(Classification classification) =>
        !(classification.DefectScore < (Manifest.Classifier?.DefectThreshold ?? float.PositiveInfinity));

    public void Dispose()
    {
        Classifier?.Dispose();
        Detector.Dispose();
    }
}
