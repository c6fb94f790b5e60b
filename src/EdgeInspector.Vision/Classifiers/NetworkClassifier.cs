using EdgeInspector.Vision.Inference;
using EdgeInspector.Vision.Preprocessing;
using OpenCvSharp;

namespace EdgeInspector.Vision.Classifiers;

/// <summary>A classifier that is a network: cut the parts out, run them in batches, read the rows.</summary>
internal sealed class NetworkClassifier : IClassifier
{
    /// <summary>A fixed few, so that an accelerator prepares each once and none is new to it on the line.</summary>
    public static readonly int[] Batches = [1, 2, 4, 8, 16];

    /// <summary>Maps of one picture's parts that are kept, up to 64 MiB of them.</summary>
    private const int MostMaps = 16;

    private readonly ClassifierManifest _manifest;
    private readonly Network _network;
    private readonly Sampler _sampler;
    private readonly ClassifierOutput _output;
    private readonly float[] _maps;
    private int _mapCount;

    private NetworkClassifier(ClassifierManifest manifest, Network network, ClassifierOutput output)
    {
        _manifest = manifest;
        _network = network;
        _sampler = new Sampler(manifest.Input);
        _output = output;
        _maps = new float[output.MapLength == 0
            ? 0
            : output.MapLength * Math.Clamp((1 << 24) / output.MapLength, 1, MostMaps)];
    }

    public IReadOnlyList<string> Labels => _manifest.Labels;

    public string Provider => _network.Provider;

    public int MaxBatch => _network.LargestBatch;

    public (int Width, int Height) MapSize => _output.MapSize;

    /// <param name="file">The model.</param>
    /// <param name="manifest">Checked already.</param>
    /// <param name="plan">How its outputs are read.</param>
    /// <param name="provider">What runs it.</param>
    /// <param name="options">Of this machine.</param>
    /// <exception cref="ModelPackageException">The model is not what the manifest says.</exception>
    public static NetworkClassifier Open(
        ModelFile file,
        ClassifierManifest manifest,
        ClassifierPlan plan,
        ProviderChoice provider,
        InferenceOptions options)
    {
        var network = Network.Open(file, manifest.Input, provider, options, Batches, plan.Outputs);
        try
        {
            return new NetworkClassifier(manifest, network, ClassifierOutput.Require(network, manifest, plan));
        }
        catch
        {
            network.Dispose();
            throw;
        }
    }

    public void Classify(Mat picture, ReadOnlySpan<Box> parts, Span<Classification> results)
    {
        if (results.Length < parts.Length)
        {
            throw new ArgumentException("There are more parts than places for results.", nameof(results));
        }

        _mapCount = 0;
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
                _sampler.Crop(pixels, parts[i], _manifest.CropMargin, _network.InputBytes(i));
            }

            var outputs = _network.Run(batch);
            for (var i = 0; i < count; i++)
            {
                results[i] = _output.Read(outputs, i);
                KeepMap(outputs, i);
            }

            parts = parts[count..];
            results = results[count..];
        }
    }

    public bool TryReadMap(int part, Span<float> map)
    {
        var length = _output.MapLength;
        if (length == 0 || part < 0 || part >= _mapCount || map.Length < length)
        {
            return false;
        }

        var kept = _maps.AsSpan(part * length, length);
        for (var i = 0; i < length; i++)
        {
            map[i] = _output.Scale(kept[i]);
        }

        return true;
    }

    public void Dispose() => _network.Dispose();

    private void KeepMap(NetworkOutputs outputs, int picture)
    {
        var length = _output.MapLength;
        if (length > 0 && (_mapCount + 1) * length <= _maps.Length)
        {
            _output.Map(outputs, picture).CopyTo(_maps.AsSpan(_mapCount++ * length));
        }
    }
}
