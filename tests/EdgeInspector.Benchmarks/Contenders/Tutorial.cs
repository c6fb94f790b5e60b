using System.Runtime.InteropServices;
using EdgeInspector.Benchmarks.Models;
using EdgeInspector.Benchmarks.Rounds;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;
using OpenCvSharp;
using OpenCvSharp.Dnn;

namespace EdgeInspector.Benchmarks.Contenders;

/// <summary>
/// The way that tutorials show: two sessions with default options, blobFromImage, NamedOnnxValue, tensors read by index, and
/// OpenCV's suppression.
/// </summary>
internal sealed class Tutorial : Contender
{
    private const float Threshold = 0.5f;
    private readonly InferenceSession _detector;
    private readonly InferenceSession? _classifier;
    private readonly Mat _picture;
    private readonly int _size;

    /// <summary>Opens the models.</summary>
    public Tutorial(BenchPackage package, int size, Mat picture)
        : base("tutorial way")
    {
        _picture = picture;
        _size = size;
        _detector = new InferenceSession(package.Detector!);
        _classifier = package.Classifier is { } path ? new InferenceSession(path) : null;
    }

    /// <summary>How many boxes the last run found.</summary>
    public int Found { get; private set; }

    /// <inheritdoc/>
    public override double Run()
    {
        var began = TimeProvider.System.GetTimestamp();
        List<Rect> boxes = [];
        List<float> scores = [];
        using (var results = _detector.Run([NamedOnnxValue.CreateFromTensor("images", Blob(_picture, _size))]))
        {
            var output = results[0].AsTensor<float>();
            var scale = (float)_picture.Width / _size;
            for (var i = 0; i < output.Dimensions[2]; i++)
            {
                var best = 0f;
                for (var label = 4; label < output.Dimensions[1]; label++)
                {
                    best = Math.Max(best, output[0, label, i]);
                }

                if (best >= Threshold)
                {
                    var (width, height) = (output[0, 2, i] * scale, output[0, 3, i] * scale);
                    var top = (_size - (_picture.Height / scale)) / 2;
                    boxes.Add(
                        new Rect(
                            (int)((output[0, 0, i] * scale) - (width / 2)),
                            (int)(((output[0, 1, i] - top) * scale) - (height / 2)),
                            (int)width,
                            (int)height
                        )
                    );
                    scores.Add(best);
                }
            }
        }

        CvDnn.NMSBoxes(boxes, scores, Threshold, 0.5f, out var kept);
        Found = kept.Length;
        if (_classifier is not null)
        {
            foreach (var index in kept)
            {
                using var crop = new Mat(_picture, boxes[index] & new Rect(0, 0, _picture.Width, _picture.Height));
                using var results = _classifier.Run([NamedOnnxValue.CreateFromTensor("x", Blob(crop, Scene.CropSize))]);
                _ = results[0].AsTensor<float>()[0, 1];
            }
        }

        return TimeProvider.System.GetElapsedTime(began).TotalMilliseconds;
    }

    /// <inheritdoc/>
    protected override void Close()
    {
        _detector.Dispose();
        _classifier?.Dispose();
    }

    private static DenseTensor<float> Blob(Mat picture, int size)
    {
        using var blob = CvDnn.BlobFromImage(picture, 1 / 255.0, new Size(size, size), swapRB: true, crop: false);
        var values = new float[blob.Total()];
        Marshal.Copy(blob.Data, values, 0, values.Length);
        return new DenseTensor<float>(values, [1, 3, size, size]);
    }
}
