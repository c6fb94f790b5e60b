using OpenCvSharp;

namespace EdgeInspector.Vision.Detectors;

/// <summary>For packages without a detector: the picture is one part.</summary>
internal sealed class WholePictureDetector : IDetector
{
    public IReadOnlyList<string> Labels { get; } = ["part"];

    public string Provider => "CPU";

    public int Detect(Mat picture, Span<Detection> detections)
    {
        if (detections.IsEmpty)
        {
            return 0;
        }

        detections[0] = new Detection(new Box(0, 0, picture.Width, picture.Height), 1, 0);
        return 1;
    }

    public void Dispose()
    {
    }
}
