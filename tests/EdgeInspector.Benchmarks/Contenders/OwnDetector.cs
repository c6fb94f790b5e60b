using EdgeInspector.Benchmarks.Rounds;
using EdgeInspector.Vision;
using OpenCvSharp;

namespace EdgeInspector.Benchmarks.Contenders;

/// <summary>The product's detector: a picture in, boxes out.</summary>
internal sealed class OwnDetector(string name, string folder, InferenceOptions options, Mat picture) : Contender(name)
{
    private readonly ModelPackage _package = ModelPackage.Load(folder, options);
    private readonly Detection[] _detections = new Detection[64];
    private int _found;

    /// <summary>What the last run found.</summary>
    public ReadOnlySpan<Detection> Found => _detections.AsSpan(0, _found);

    /// <inheritdoc/>
    public override double Run()
    {
        var began = TimeProvider.System.GetTimestamp();
        _found = _package.Detector.Detect(picture, _detections);
        return TimeProvider.System.GetElapsedTime(began).TotalMilliseconds;
    }

    /// <inheritdoc/>
    protected override void Close() => _package.Dispose();
}
