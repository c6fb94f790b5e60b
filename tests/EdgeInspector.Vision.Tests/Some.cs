using OpenCvSharp;

namespace EdgeInspector.Vision.Tests;

/// <summary>Pictures, networks and packages that stand for any.</summary>
internal static class Some
{
    /// <summary>Noise shows every sampling error, smooth pictures hide them.</summary>
    public static Mat Noise(int width, int height, int seed)
    {
        var picture = new Mat(height, width, MatType.CV_8UC3);
        var bytes = new byte[width * height * 3];
        new Random(seed).NextBytes(bytes);
        System.Runtime.InteropServices.Marshal.Copy(bytes, 0, picture.Data, bytes.Length);
        return picture;
    }

    public static Mat Flat(int width, int height, byte blue, byte green, byte red) =>
        new(height, width, MatType.CV_8UC3, new Scalar(blue, green, red));

    /// <summary>
    /// A yolov8 package for 64 × 64 inputs and two labels. Each proposal is centre x, centre y, width, height, then
    /// the two scores.
    /// </summary>
    public static PackageBuilder Detecting(params float[][] proposals)
    {
        var builder = new PackageBuilder();
        var hash = builder.Add("detector.onnx", YoloV8(proposals));
        builder.Manifest = builder.Manifest with
        {
            Detector = new DetectorManifest
            {
                File = "detector.onnx",
                Sha256 = hash,
                Format = DetectorFormat.YoloV8,
                Input = new NetworkInput { Width = 64, Height = 64 },
                Labels = ["round", "square"],
            },
        };
        return builder;
    }

    public static byte[] YoloV8(float[][] proposals, float gain = 0)
    {
        var values = Enumerable.Range(0, 6).SelectMany(row => proposals.Select(proposal => proposal[row])).ToArray();
        return OnnxGraph.Saying(values, [1, 6, proposals.Length], 64, 64, gain);
    }

    /// <summary>A classifier-only package for 16 × 16 RGB inputs: bright is good, dark is burnt.</summary>
    public static PackageBuilder Classifying(
        ClassifierFormat format = ClassifierFormat.Softmax, byte[]? model = null, float[]? bias = null, int batch = -1)
    {
        var builder = new PackageBuilder();
        model ??= format is ClassifierFormat.Sigmoid
            ? OnnxGraph.Classifying([-0.2f, -0.2f, -0.2f], bias ?? [0.8f], 16, 16, false, batch, "Abs")
            : OnnxGraph.Classifying(
                [4, 4, 4, -4, -4, -4], bias ?? [-6, 6], 16, 16, format is ClassifierFormat.Softmax, batch);
        var hash = builder.Add("classifier.onnx", model);
        builder.Manifest = builder.Manifest with
        {
            Classifier = new ClassifierManifest
            {
                File = "classifier.onnx",
                Sha256 = hash,
                Format = format,
                Input = new NetworkInput { Width = 16, Height = 16, Fit = FitMode.Stretch },
                Labels = ["good", "burnt"],
                Good = ["good"],
            },
        };
        return builder;
    }
}
