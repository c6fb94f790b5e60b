using EdgeInspector.Vision.Inference;
using EdgeInspector.Vision.Preprocessing;
using OpenCvSharp;

namespace EdgeInspector.Vision.Detectors;

/// <summary>
/// A detector that is a network: fit the picture in, run, read the outputs, remove overlaps. A graph whose batch is
/// fixed above 1 is fed one picture and blanks, which costs their time.
/// </summary>
internal sealed class NetworkDetector : IDetector
{
    private readonly DetectorManifest _manifest;
    private readonly Network _network;
    private readonly Sampler _sampler;
    private readonly Func<NetworkOutputs, IDetectorOutput> _reader;
    private readonly IDetectorOutput _output;
    private readonly Candidates _candidates;
    private (int Width, int Height) _pictureSize;
    private Placement _placement;

    /// <param name="manifest">Checked already.</param>
    /// <param name="network">Owned from here on, even when this throws.</param>
    /// <param name="reader">Makes what reads the network's outputs.</param>
    private NetworkDetector(DetectorManifest manifest, Network network, Func<NetworkOutputs, IDetectorOutput> reader)
    {
        _manifest = manifest;
        _network = network;
        _sampler = new Sampler(manifest.Input);
        _reader = reader;
        try
        {
            _output = reader(network.Outputs(network.LargestBatch));
        }
        catch
        {
            network.Dispose();
            throw;
        }

        _candidates = new Candidates(_output.Cells);
    }

    public long Unreadable => _candidates.Unreadable;

    public IReadOnlyList<string> Labels => _manifest.Labels;

    public string Provider => _network.Provider;

    /// <param name="file">The model, as it will run.</param>
    /// <param name="manifest">Checked already.</param>
    /// <param name="found">Its format, and what of it is read.</param>
    /// <param name="provider">What runs it.</param>
    /// <param name="options">Of this machine.</param>
    /// <exception cref="ModelPackageException">The model is not what the manifest says.</exception>
    public static NetworkDetector Open(
        ModelFile file,
        DetectorManifest manifest,
        (DetectorFormat Format, FormatFit Fit) found,
        ProviderChoice provider,
        InferenceOptions options)
    {
        var network = Network.Open(
            file.Bounding(found.Fit.Open), manifest.Input, provider, options, [1], found.Fit.BoundNames);
        return new NetworkDetector(
            manifest,
            network,
            outputs => DetectorFormats.Reader(
                file.Path, file.Outline, manifest, found.Format, found.Fit, outputs));
    }

    /// <summary>The same detector once more, for another thread; see <see cref="Network.Beside"/>.</summary>
    public NetworkDetector Beside() => new(_manifest, _network.Beside(), _reader);

    public int Detect(Mat picture, Span<Detection> detections)
    {
        var planes = _network.InputBytes(0);
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
        _output.Read(_network.Run(_network.LargestBatch), _manifest.ScoreThreshold, _candidates);

        var most = Math.Min(detections.Length, _manifest.MaxDetections);
        var found = _output.Overlaps
            ? _candidates.Suppress(_manifest.NmsThreshold, detections[..most])
            : _candidates.Best(detections[..most]);
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
