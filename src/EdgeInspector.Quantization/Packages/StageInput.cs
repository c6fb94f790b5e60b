using EdgeInspector.Quantization.Graph;
using EdgeInspector.Vision;
using EdgeInspector.Vision.Packages;
using EdgeInspector.Vision.Preprocessing;

namespace EdgeInspector.Quantization.Packages;

/// <summary>Makes a stage's input of pictures, exactly as it is made on the line. One thread at a time.</summary>
internal sealed class StageInput
{
    private readonly NetworkInput _input;
    private readonly Sampler _sampler;
    private readonly int[] _shape;

    /// <param name="graph">Tells a fixed batch.</param>
    /// <param name="input">Checked already.</param>
    public StageInput(OnnxGraph graph, NetworkInput input)
    {
        _input = input;
        _sampler = new Sampler(input);
        var channels = input.Channels is ChannelOrder.Grey ? 1 : 3;
        var dims = graph.Inputs.FirstOrDefault()?.Type?.TensorType?.Shape?.Dim;
        var batch = dims is [{ HasDimValue: true, DimValue: > 0 and < 64 } first, ..] ? (int)first.DimValue : 1;
        _shape = input.Layout is InputLayout.Nhwc
            ? [batch, input.Height, input.Width, channels]
            : [batch, channels, input.Height, input.Width];
    }

    /// <summary>The whole picture, fitted in.</summary>
    public InputTensor Whole(string path)
    {
        using var picture = GoldenCheck.Read(path);
        var one = new byte[_sampler.Length];
        _sampler.Pad(one);
        _sampler.Place(Pixels.Of(picture), Placement.Of(picture.Width, picture.Height, _input), one.AsSpan());
        return Batch(one);
    }

    /// <summary>A part, cut out.</summary>
    public InputTensor Part(string path, Box? box, double context, double margin)
    {
        using var picture = GoldenCheck.Read(path);
        var one = new byte[_sampler.Length];
        var part = box ?? Middle(picture.Width, picture.Height, context);
        _sampler.Crop(Pixels.Of(picture), part, margin, one.AsSpan());
        return Batch(one);
    }

    /// <summary>Where the part is in a picture of one part.</summary>
    public static Box Middle(int width, int height, double context)
    {
        var (w, h) = (width / context, height / context);
        return new Box(
            (float)((width - w) / 2), (float)((height - h) / 2), (float)((width + w) / 2), (float)((height + h) / 2));
    }

    private InputTensor Batch(byte[] one) =>
        new([.. Enumerable.Repeat(one, _shape[0]).SelectMany(bytes => bytes)], _shape);
}
