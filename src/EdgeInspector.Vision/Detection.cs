namespace EdgeInspector.Vision;

/// <summary>A part found in a picture. The score is 0 to 1; the label indexes <see cref="IDetector.Labels"/>.</summary>
public readonly record struct Detection(Box Box, float Score, int Label);
