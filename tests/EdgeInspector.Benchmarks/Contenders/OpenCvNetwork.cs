using EdgeInspector.Benchmarks.Models;
using EdgeInspector.Benchmarks.Rounds;
using OpenCvSharp;
using OpenCvSharp.Dnn;

namespace EdgeInspector.Benchmarks.Contenders;

/// <summary>OpenCV's DNN module on the same models: blobFromImage, forward, nothing read from the output.</summary>
internal sealed class OpenCvNetwork : Contender
{
    private readonly Net _detector;
    private readonly Net? _classifier;
    private readonly Mat _picture;
    private readonly int _size;
    private readonly Mat[] _crops;

    /// <summary>Opens the models.</summary>
    /// <exception cref="OpenCVException">OpenCV does not know an operator of a model.</exception>
    public OpenCvNetwork(BenchPackage package, int size, Mat picture)
        : base("OpenCV DNN")
    {
        _picture = picture;
        _size = size;
        _detector = CvDnn.ReadNetFromOnnx(package.Detector!)!;
        _classifier = package.Classifier is { } path ? CvDnn.ReadNetFromOnnx(path) : null;
        var half = Scene.Side / 2;
        _crops = _classifier is null
            ? []
            : [.. Scene.Centres.Select(c => new Mat(picture, new Rect((int)(c.X - half), (int)(c.Y - half), (int)Scene.Side, (int)Scene.Side)))];
    }

    /// <inheritdoc/>
    public override double Run()
    {
        var began = TimeProvider.System.GetTimestamp();
        using (var blob = CvDnn.BlobFromImage(_picture, 1 / 255.0, new Size(_size, _size), swapRB: true, crop: false))
        {
            _detector.SetInput(blob);
            using var output = _detector.Forward();
        }

        if (_classifier is not null)
        {
            using var blob = CvDnn.BlobFromImages(_crops, 1 / 255.0, new Size(Scene.CropSize, Scene.CropSize), swapRB: true, crop: false);
            _classifier.SetInput(blob);
            using var output = _classifier.Forward();
        }

        return TimeProvider.System.GetElapsedTime(began).TotalMilliseconds;
    }

    /// <inheritdoc/>
    protected override void Close()
    {
        foreach (var crop in _crops)
        {
            crop.Dispose();
        }

        _detector.Dispose();
        _classifier?.Dispose();
    }
}
