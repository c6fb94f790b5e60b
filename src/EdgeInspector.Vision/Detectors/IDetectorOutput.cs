using EdgeInspector.Vision.Inference;

namespace EdgeInspector.Vision.Detectors;

/// <summary>Reads one family's outputs; boxes are in input pixels. Scores that are no number propose nothing.</summary>
internal interface IDetectorOutput
{
    /// <summary>Most proposals the outputs can hold.</summary>
    int Cells { get; }

    /// <summary>Whether overlapping proposals are still to be removed, or the graph has done so.</summary>
    bool Overlaps { get; }

    /// <summary>Of a batch, the first picture is read.</summary>
    void Read(NetworkOutputs outputs, float threshold, Candidates candidates);
}
