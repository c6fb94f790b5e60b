using EdgeInspector.Vision.Inference;
using EdgeInspector.Vision.Preprocessing;
using OpenCvSharp;

namespace EdgeInspector.Vision.Classifiers;

/// <summary>A classifier that is a network: cut the parts out, run them in batches, read the rows.</summary>
internal sealed class NetworkClassifier : IClassifier
{
    /// <summary>A fixed few, so that an accelerator prepares each once and none is new to it on the line.</summary>
    public static readonly int[] Batches = [1, 2, 4, 8];

    private readonly ClassifierManifest _manifest;
    private readonly Network _network;
    private readonly Sampler _sampler;
    private readonly ClassifierOutput _output;
    private readonly int _rowLength;

    /// <param name="manifest">Checked already.</param>
    /// <param name="network">Owned from here on, even when this throws.</param>
    public NetworkClassifier(ClassifierManifest manifest, Network network)
    {
        _manifest = manifest;
        _network = network;
        _sampler = new Sampler(manifest.Input);
        _rowLength = ClassifierOutput.Width(manifest);
        try
        {
            _output = ClassifierOutput.Require(network, manifest, network.Batches);
        }
        catch
        {
            network.Dispose();
            throw;
        }
    }

    public IReadOnlyList<string> Labels => _manifest.Labels;

    public string Provider => _network.Provider;

    public int MaxBatch => _network.LargestBatch;

    public void Classify(Mat picture, ReadOnlySpan<Box> parts, Span<Classification> results)
    {
        if (results.Length < parts.Length)
        {
            throw new ArgumentException("There are more parts than places for results.", nameof(results));
        }

        if (parts.IsEmpty)
        {
            return;
        }

        var pixels = Pixels.Of(picture);
        while (!parts.IsEmpty)
        {
            var batch = _network.BatchFor(parts.Length);
            var count = Math.Min(batch, parts.Length);
            for (var i = 0; i < count; i++)
            {
                _sampler.Crop(pixels, parts[i], _manifest.CropMargin, _network.Input(i));
            }

            var rows = _network.Run(batch);
            for (var i = 0; i < count; i++)
            {
                results[i] = _output.Read(rows.Slice(i * _rowLength, _rowLength));
            }

            parts = parts[count..];
            results = results[count..];
        }
    }

    public void Dispose() => _network.Dispose();
}
