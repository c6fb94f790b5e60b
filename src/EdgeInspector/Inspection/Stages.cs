using EdgeInspector.Vision;

namespace EdgeInspector.Inspection;

/// <summary>
/// The networks that judge: a detector for each worker, so that several frames are searched at a time, and one classifier,
/// which the workers use in turn. Which views are classified is known only when the parts have been followed, and they are
/// followed frame by frame. Owns neither.
/// </summary>
/// <param name="Detectors">Worker 0 uses the first.</param>
/// <param name="Classifier">Judges what they find.</param>
internal sealed record Stages(IReadOnlyList<IDetector> Detectors, IClassifier Classifier)
{
    /// <summary>One frame at a time.</summary>
    public Stages(IDetector detector, IClassifier classifier)
        : this([detector], classifier)
    {
    }
}
