using EdgeInspector.Vision.Classifiers;
using EdgeInspector.Vision.Detectors;
using EdgeInspector.Vision.Inference;
using EdgeInspector.Vision.Packages;
using OpenCvSharp;

namespace EdgeInspector.Vision;

/// <summary>
/// A detector and a classifier that belong together, with everything needed to run them: a folder with a
/// manifest.json. One that loads has its files' hashes verified, has run every batch size and has reproduced its
/// golden pictures on this device. Owns both networks; one thread at a time runs each.
/// </summary>
public sealed class ModelPackage : IDisposable
{
    private readonly float _defectThreshold;

    private ModelPackage(
        string folder,
        ModelManifest manifest,
        IReadOnlyList<StageReport> stages,
        IReadOnlyList<IDetector> detectors,
        IClassifier? classifier,
        IReadOnlyList<GoldenOutcome> golden)
    {
        Folder = folder;
        Manifest = manifest;
        Stages = stages;
        Detectors = detectors;
        Classifier = classifier;
        Golden = golden;
        _defectThreshold = manifest.Classifier?.DefectThreshold ?? float.PositiveInfinity;
    }

    public string Folder { get; }

    /// <summary>As read, with the formats that were found where it states none.</summary>
    public ModelManifest Manifest { get; }

    public string Name => Manifest.Name;

    public string Version => Manifest.Version;

    /// <summary>What runs each stage that is a network, and why not something faster.</summary>
    public IReadOnlyList<StageReport> Stages { get; }

    /// <summary>
    /// The execution provider that proved itself in the warm-up: "TensorRT", "CUDA" or "CPU"; where the stages differ, the
    /// detector's and the classifier's, as in "TensorRT, CPU".
    /// </summary>
    public string Provider => string.Join(", ", Stages.Select(stage => stage.Provider).Distinct());

    /// <summary>Finds the whole picture where the package has no detector.</summary>
    public IDetector Detector => Detectors[0];

    /// <summary>
    /// One for each frame that may be searched at a time: one in latency mode, as many as there are workers in throughput
    /// mode. One thread at a time runs each.
    /// </summary>
    public IReadOnlyList<IDetector> Detectors { get; }

    public IClassifier? Classifier { get; }

    /// <summary>What was found in the golden pictures while loading; all within tolerance.</summary>
    public IReadOnlyList<GoldenOutcome> Golden { get; }

    /// <exception cref="ModelPackageException">The package is not accepted.</exception>
    public static ModelPackage Load(string folder, InferenceOptions options)
    {
        options.Require();

        // OpenCV's library brings some ninety others along, GTK's among them, and takes 50 ms: meanwhile the networks are
        // opened. Where it is missing, the first picture says so.
        _ = Task.Run(() => new Mat().Dispose());
        var place = new PackageFolder(folder);
        var manifest = ManifestFile.Read(place.Manifest);
        ManifestRules.Check(manifest, place.Manifest);
        var detectorFile = manifest.Detector is { } detector
            ? Verified(place, "detector.file", detector.File, detector.Sha256)
            : null;
        var classifierFile = manifest.Classifier is { } classifier
            ? Verified(place, "classifier.file", classifier.File, classifier.Sha256)
            : null;
        (DetectorFormat Format, FormatFit Fit)? found = null;
        ClassifierPlan? plan = null;
        if (detectorFile is not null)
        {
            found = DetectorFormats.Resolve(
                detectorFile.Path, detectorFile.Outline, manifest.Detector!, place.Manifest);
            manifest = manifest with { Detector = manifest.Detector! with { Format = found.Value.Format } };
        }

        if (classifierFile is not null)
        {
            plan = ClassifierPlan.Resolve(
                classifierFile.Path, classifierFile.Outline, manifest.Classifier!, place.Manifest);
            manifest = manifest with { Classifier = manifest.Classifier! with { Format = plan.Format } };
        }

        return Load(place, manifest, new Models(detectorFile, found, classifierFile, plan), options);
    }

    /// <summary>
    /// Whether loading would begin by building TensorRT's engines, which takes minutes. Looks at what was built before, not
    /// at the models.
    /// </summary>
    /// <exception cref="ModelPackageException">There is no package.</exception>
    public static bool NeedsEngine(string folder, InferenceOptions options) =>
        ReadyFile(new PackageFolder(folder), options) is { } ready && !File.Exists(ready);

    /// <summary>Null where TensorRT is not tried, or keeps nothing.</summary>
    private static string? ReadyFile(PackageFolder place, InferenceOptions options)
    {
        var choices = Providers.ToTry(options.Provider, OrtRuntime.CompiledIn, options.ForbidFallback);
        return choices is [ProviderChoice.TensorRt, ..] && options.EngineCache is { } root && File.Exists(place.Manifest)
            ? EngineCache.ReadyFile(
                root,
                File.ReadAllBytes(place.Manifest),
                options.Precision,
                EngineVersions.OfThisMachine(OrtRuntime.Version))
            : null;
    }

    /// <summary>An unsure classification is a defect here; ask <see cref="Classification.IsUnsure"/> first.</summary>
    public bool IsDefect(Classification classification) =>
        classification.IsUnsure || classification.DefectScore >= _defectThreshold;

    public void Dispose()
    {
        Classifier?.Dispose();
        for (var i = Detectors.Count - 1; i >= 0; i--)
        {
            Detectors[i].Dispose(); // The first one last: it owns what the others share.
        }
    }

    private static ModelFile Verified(PackageFolder place, string key, string name, string sha256)
    {
        var file = ModelFile.Read(place.Resolve(key, name));
        file.RequireSha256(sha256);
        return file;
    }

    /// <summary>
    /// The networks have run; this runs what lies around them, so that the first part on the line does not wait for
    /// the compiler.
    /// </summary>
    private static void WarmUp(IDetector detector, NetworkClassifier? classifier)
    {
        using var picture = new Mat(480, 640, MatType.CV_8UC3, new Scalar(114, 114, 114));
        var detections = new Detection[8];
        var parts = new Box[(classifier?.MaxBatch ?? 0) + 1];
        var results = new Classification[parts.Length];
        for (var i = 0; i < 2; i++)
        {
            detector.Detect(picture, detections);
            classifier?.Classify(picture, parts, results);
        }
    }

    /// <summary>
    /// Opens a stage on the best provider that works here. One that does not is not an error while another is left: the
    /// report says so.
    /// </summary>
    private static (T Stage, StageReport Report) Open<T>(
        PackageFolder place,
        string stage,
        InferenceOptions options,
        Func<ProviderChoice, T> open)
    {
        var choices = Providers.ToTry(options.Provider, OrtRuntime.CompiledIn, options.ForbidFallback);
        if (choices.Length == 0)
        {
            throw new ModelPackageException(
                $"{place.Path}: the {stage} would run on the processor, and falling back is forbidden: this ONNX Runtime "
                + "has neither TensorRT nor CUDA; install the one built for it, or allow the fallback.");
        }

        string? fallback = null;
        for (var i = 0; ; i++)
        {
            try
            {
                return (open(choices[i]), new StageReport(stage, Providers.Name(choices[i]), fallback));
            }
            catch (Exception exception) when (Providers.IsFailure(exception))
            {
                var name = Providers.Name(choices[i]);
                if (i == choices.Length - 1)
                {
                    throw new ModelPackageException(
                        $"{place.Path}: provider {name} does not work here for the {stage} ({exception.Message}); "
                        + "install its driver and the runtime built for it, or choose cpu.",
                        exception);
                }

                fallback ??= new VisionException($"{name} does not work here ({exception.Message})").Message;
            }
        }
    }

    private static ModelPackage Load(
        PackageFolder place,
        ModelManifest manifest,
        Models models,
        InferenceOptions options)
    {
        List<IDetector> detectors = [];
        NetworkClassifier? classifier = null;
        List<StageReport> stages = [];

        // On the processor both stages are opened at the same time: that is most of what a cold start takes.
        var choices = Providers.ToTry(options.Provider, OrtRuntime.CompiledIn, options.ForbidFallback);
        var beside = models.Classifier is not null && choices is [ProviderChoice.Cpu] ? Task.Run(OpenClassifier) : null;
        try
        {
            if (models.Detector is null)
            {
                detectors.Add(new WholePictureDetector());
            }
            else
            {
                var (detector, report) = Open(
                    place,
                    "detector",
                    options,
                    provider => NetworkDetector.Open(
                        models.Detector, manifest.Detector!, models.Found!.Value, provider, options));
                detectors.Add(detector);
                stages.Add(report);
            }

            var onProcessor = stages.TrueForAll(stage => Providers.Of(stage) is ProviderChoice.Cpu);
            var workers = ThreadPlan.Of(options, onProcessor, Environment.ProcessorCount).Workers;
            while (detectors.Count < workers)
            {
                detectors.Add(detectors[0] is NetworkDetector first ? first.Beside() : new WholePictureDetector());
            }

            if (models.Classifier is not null)
            {
                (classifier, var report) = beside is null ? OpenClassifier() : beside.GetAwaiter().GetResult();
                stages.Add(report);
            }

            foreach (var detector in detectors)
            {
                WarmUp(detector, classifier);
            }

            var golden = GoldenCheck.Run(place, manifest, detectors[0], classifier);
            if (stages.Exists(stage => Providers.Of(stage) is ProviderChoice.TensorRt)
                && ReadyFile(place, options) is { } ready)
            {
                File.WriteAllBytes(ready, []);
            }

            return new ModelPackage(place.Path, manifest, stages, detectors, classifier, golden);
        }
        catch
        {
            if (classifier is null)
            {
                _ = beside?.ContinueWith(
                    opened => opened.Result.Stage.Dispose(), TaskContinuationOptions.OnlyOnRanToCompletion);
            }

            classifier?.Dispose();
            for (var i = detectors.Count - 1; i >= 0; i--)
            {
                detectors[i].Dispose(); // The first one last: it owns what the others share.
            }

            throw;
        }

        (NetworkClassifier Stage, StageReport Report) OpenClassifier() => Open(
            place,
            "classifier",
            options,
            provider => NetworkClassifier.Open(
                models.Classifier!, manifest.Classifier!, models.Plan!, provider, options));
    }

    /// <summary>The files, and how their outputs are read.</summary>
    private sealed record Models(
        ModelFile? Detector, (DetectorFormat Format, FormatFit Fit)? Found, ModelFile? Classifier, ClassifierPlan? Plan);
}
