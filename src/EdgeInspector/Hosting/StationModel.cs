using EdgeInspector.Inspection;
using EdgeInspector.Line;
using EdgeInspector.Vision;

namespace EdgeInspector.Hosting;

/// <summary>The two stages a station judges with, and what has to be known of them. Owns neither.</summary>
/// <param name="Name">Of the package.</param>
/// <param name="Version">Of the package.</param>
/// <param name="Provider">Execution provider in use.</param>
/// <param name="Detector">Finds parts.</param>
/// <param name="Classifier">Judges them.</param>
/// <param name="Labels">The classifier's labels.</param>
/// <param name="GoodLabel">Index of the label of good parts; -1 when there is none.</param>
/// <param name="DefectThreshold">Score from which a part is defective, where the recipe names none.</param>
internal sealed record StationModel(
    string Name,
    string Version,
    string Provider,
    IDetector Detector,
    IClassifier Classifier,
    IReadOnlyList<string> Labels,
    int GoodLabel,
    double DefectThreshold
)
{
    /// <summary>One for each frame that may be looked at side by side; <see cref="Detector"/> alone by default.</summary>
    public IReadOnlyList<IDetector> Detectors { get; init; } = [Detector];

    /// <summary>Which stages run on something slower than was wanted, and why; null when none does.</summary>
    public string? Fallback { get; init; }

    /// <summary>What the inspector runs.</summary>
    public Stages Stages => _stages ??= new Stages(Detectors, Classifier);

    private Stages? _stages;

    /// <summary>A package's stages.</summary>
    /// <exception cref="SettingException">The package has no classifier.</exception>
    public static StationModel Of(ModelPackage package)
    {
        var classes = package.Manifest.Classifier;
        if (package.Classifier is null || classes is null)
        {
            throw new SettingException(
                $"{package.Folder}: the package has no classifier, so no part could be judged; use one with both stages."
            );
        }

        return new StationModel(
            package.Name,
            package.Version,
            package.Provider,
            package.Detector,
            package.Classifier,
            classes.Labels,
            classes.Labels.ToList().FindIndex(classes.Good.Contains),
            classes.DefectThreshold
        )
        {
            Detectors = package.Detectors,
            Fallback = package.Stages.Any(stage => stage.Fallback is not null)
                ? string.Join("; ", package.Stages.Where(stage => stage.Fallback is not null))
                : null,
        };
    }
}
