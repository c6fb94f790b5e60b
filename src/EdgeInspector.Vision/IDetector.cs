using OpenCvSharp;

namespace EdgeInspector.Vision;

/// <summary>
/// Finds parts in a picture. Owned by its <see cref="ModelPackage"/>; one thread calls it at a time, and a call
/// allocates no managed memory once the picture size has been seen.
/// </summary>
public interface IDetector : IDisposable
{
    IReadOnlyList<string> Labels { get; }

    /// <summary>The execution provider that proved itself in the warm-up: "TensorRT", "CUDA" or "CPU".</summary>
    string Provider { get; }

    /// <summary>
    /// Scores, boxes and labels that the network gave and that were none (NaN, infinity, a label out of range), since
    /// loading. They are never parts; a number that grows says that the model is ill.
    /// </summary>
    long Unreadable => 0;

    /// <summary>
    /// Writes what it finds in the picture (8-bit BGR, any size), highest score first, clipped to the picture, and
    /// returns how many. When the span is too short the lowest scores are left out.
    /// </summary>
    int Detect(Mat picture, Span<Detection> detections);
}
