namespace EdgeInspector.Vision;

/// <summary>One part of a golden picture as this device saw it, beside what the package expects.</summary>
/// <param name="Picture">Name in the package.</param>
/// <param name="Expected">From the manifest.</param>
/// <param name="Box">Found by the detector.</param>
/// <param name="Score">Given by the detector.</param>
/// <param name="Label">Given by the classifier, or by the detector where there is none.</param>
/// <param name="DefectScore">Null without a classifier.</param>
public sealed record GoldenOutcome(
    string Picture, GoldenPart Expected, Box Box, float Score, string Label, float? DefectScore);
