using OpenCvSharp;

namespace EdgeInspector.Vision;

/// <summary>
/// Judges parts of a picture. Owned by its <see cref="ModelPackage"/>; one thread calls it at a time, and a call
/// allocates no managed memory.
/// </summary>
public interface IClassifier : IDisposable
{
    IReadOnlyList<string> Labels { get; }

    /// <summary>The execution provider that proved itself in the warm-up: "TensorRT", "CUDA" or "CPU".</summary>
    string Provider { get; }

    /// <summary>How many parts go through the network at once; more are taken in turns.</summary>
    int MaxBatch { get; }

    /// <summary>
    /// Judges each part of the picture (8-bit BGR); <paramref name="results"/> is as long as
    /// <paramref name="parts"/>, or longer. A box may reach over the picture's edge: the edge pixels repeat.
    /// </summary>
    void Classify(Mat picture, ReadOnlySpan<Box> parts, Span<Classification> results);

    /// <summary>Size of the map that says where in its crop a part is unusual; (0, 0) when the network gives none.</summary>
    (int Width, int Height) MapSize => default;

    /// <summary>
    /// Copies the map of a part of the last <see cref="Classify"/>, row by row, 0 (usual) to 1; the map spans the
    /// square that was cut out. False when there is none: another kind of network, or more parts than maps are kept
    /// for (the first 16). What is no number stays none.
    /// </summary>
    bool TryReadMap(int part, Span<float> map) => false;
}
