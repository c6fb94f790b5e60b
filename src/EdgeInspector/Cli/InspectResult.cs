namespace EdgeInspector.Cli;

/// <summary>One part in one picture.</summary>
/// <param name="Box">x1, y1, x2, y2 in picture pixels.</param>
/// <param name="Detected">The detector's label.</param>
/// <param name="Score">The detector's score, 0 to 1.</param>
/// <param name="Label">The classifier's label; null without classifier, or when it gave no number.</param>
/// <param name="DefectScore">0 to 1; null without classifier, or when it gave no number.</param>
/// <param name="Verdict">
/// "pass", "reject", or "unsure" when the classifier gave no number; null without classifier.
/// </param>
internal sealed record FoundPart(
    float[] Box,
    string Detected,
    float Score,
    string? Label,
    float? DefectScore,
    string? Verdict
);

/// <summary>One picture and the parts in it, highest detection score first.</summary>
internal sealed record InspectedPicture(string Path, int Width, int Height, IReadOnlyList<FoundPart> Parts);

/// <summary>One part of a video, followed from picture to picture.</summary>
/// <param name="Number">Counts up from 1 in the order of crossing.</param>
/// <param name="CrossedFrame">The first picture, from 0, that showed it past the gate.</param>
/// <param name="FirstFrame">First picture that showed it whole.</param>
/// <param name="LastFrame">Last picture that showed it whole.</param>
/// <param name="Views">Pictures that showed it whole.</param>
/// <param name="Detected">The detector's label in the last of them.</param>
/// <param name="Score">The detector's highest score.</param>
/// <param name="Label">The classifier's label in the view with the highest defect score.</param>
/// <param name="DefectScore">Mean over the views.</param>
/// <param name="Verdict">As for a picture, from the mean.</param>
internal sealed record CountedPart(
    int Number,
    long CrossedFrame,
    long FirstFrame,
    long LastFrame,
    int Views,
    string Detected,
    float Score,
    string? Label,
    float? DefectScore,
    string? Verdict
);

/// <summary>One video and the parts that crossed its gate.</summary>
/// <param name="Path">The file.</param>
/// <param name="Width">Pixels.</param>
/// <param name="Height">Pixels.</param>
/// <param name="Frames">Pictures read.</param>
/// <param name="FramesPerSecond">According to the container.</param>
/// <param name="Parts">In the order of crossing.</param>
/// <param name="NotCounted">
/// What was followed and did not cross: in view at an end of the video, or no part at all.
/// </param>
internal sealed record InspectedVideo(
    string Path,
    int Width,
    int Height,
    int Frames,
    double FramesPerSecond,
    IReadOnlyList<CountedPart> Parts,
    int NotCounted
);

/// <summary>Everything one call of the inspect verb found.</summary>
/// <param name="Model">Name and version of the package.</param>
/// <param name="Provider">What ran its networks.</param>
/// <param name="IsJudged">Whether the package has a classifier; otherwise parts have no verdict.</param>
/// <param name="Pictures">In the order they were inspected.</param>
/// <param name="Videos">In the order they were inspected.</param>
internal sealed record InspectResult(
    string Model,
    string Provider,
    bool IsJudged,
    IReadOnlyList<InspectedPicture> Pictures,
    IReadOnlyList<InspectedVideo> Videos
)
{
    /// <summary>Parts in all pictures and videos.</summary>
    public int Parts => Pictures.Sum(picture => picture.Parts.Count) + Videos.Sum(video => video.Parts.Count);

    /// <summary>Those judged defective.</summary>
    public int Rejected => Verdicts.Count(verdict => verdict == "reject");

    /// <summary>Those judged good.</summary>
    public int Passed => Verdicts.Count(verdict => verdict == "pass");

    private IEnumerable<string?> Verdicts =>
        Pictures.SelectMany(picture => picture.Parts).Select(part => part.Verdict)
            .Concat(Videos.SelectMany(video => video.Parts).Select(part => part.Verdict));
}
