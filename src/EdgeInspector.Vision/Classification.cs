namespace EdgeInspector.Vision;

/// <summary>
/// What the classifier says about one part. The label indexes <see cref="IClassifier.Labels"/> and is the likeliest
/// one; <paramref name="LabelScore"/> is its probability and <paramref name="DefectScore"/> the probability, 0 to 1,
/// that the part is not good. A network that gives no number (NaN, infinity) yields label −1 and NaN scores: the
/// caller treats that part as unsure, never as good.
/// </summary>
public readonly record struct Classification(int Label, float LabelScore, float DefectScore)
{
    /// <summary>What a network's output that is no number turns into.</summary>
    public static Classification Unsure { get; } = new(-1, float.NaN, float.NaN);

    public bool IsUnsure => !float.IsFinite(DefectScore);
}
