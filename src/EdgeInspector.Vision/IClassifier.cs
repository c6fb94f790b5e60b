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
}
