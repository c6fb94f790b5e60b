using EdgeInspector.Vision.Inference;
using EdgeInspector.Vision.Preprocessing;
using OpenCvSharp;

namespace EdgeInspector.Vision.Detectors;

/// <summary>A detector that is a network: fit the picture in, run, read the output, remove overlaps.</summary>
internal sealed class NetworkDetector : IDetector
{
    private readonly DetectorManifest _manifest;
    private readonly Network _network;
    private readonly Sampler _sampler;
    private readonly IDetectorOutput _output;
    private readonly Candidates _candidates;
    private (int Width, int Height) _pictureSize;
    private Placement _placement;

    /// <param name="manifest">Checked already.</param>
    /// <param name="network">Owned from here on, even when this throws.</param>
    public NetworkDetector(DetectorManifest manifest, Network network)
    {
        _manifest = manifest;
        _network = network;
        _sampler = new Sampler(manifest.Input);
        try
        {
            if (network.LargestBatch != 1)
            {
                throw new ModelPackageException(
                    $"{network.Path}: the model's batch is {network.LargestBatch}; export it with a batch of 1.");
            }

            var shape = network.OutputShape(1);
            _output = manifest.Format switch
            {
                DetectorFormat.YoloX => YoloXOutput.Require(shape, manifest, network.Path),
                _ => YoloV8Output.Require(shape, manifest, network.Path),
            };
        }
        catch
        {
            network.Dispose();
            throw;
        }

        _candidates = new Candidates(_output.Cells);
    }

    public IReadOnlyList<string> Labels => _manifest.Labels;

    public string Provider => _network.Provider;

    public int Detect(Mat picture, Span<Detection> detections)
    {
        var planes = _network.Input(0);
        var pixels = Pixels.Of(picture);
        var size = (pixels.Width, pixels.Height);
        if (size != _pictureSize)
        {
            _placement = Placement.Of(size.Width, size.Height, _manifest.Input);
            _sampler.Pad(planes);
            _pictureSize = size;
        }

        _sampler.Place(pixels, _placement, planes);
        _candidates.Clear();
        _output.Read(_network.Run(1), _manifest.ScoreThreshold, _candidates);

        var most = Math.Min(detections.Length, _manifest.MaxDetections);
        var found = _candidates.Suppress(_manifest.NmsThreshold, detections[..most]);
        var sound = 0;
        foreach (var detection in detections[..found])
        {
            var box = _placement.ToPicture(detection.Box).Clip(size.Width, size.Height);
            if (box.IsSound)
            {
                detections[sound++] = detection with { Box = box };
            }
        }

        return sound;
    }

    public void Dispose() => _network.Dispose();
}
