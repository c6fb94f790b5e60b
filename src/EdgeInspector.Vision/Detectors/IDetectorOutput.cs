namespace EdgeInspector.Vision.Detectors;

/// <summary>Reads one family's output; boxes are in input pixels. Scores that are no number propose nothing.</summary>
internal interface IDetectorOutput
{
    /// <summary>Most proposals one output can hold.</summary>
    int Cells { get; }

    void Read(ReadOnlySpan<float> output, float threshold, Candidates candidates);
}
