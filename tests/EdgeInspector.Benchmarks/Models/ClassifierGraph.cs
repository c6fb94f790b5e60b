namespace EdgeInspector.Benchmarks.Models;

/// <summary>
/// A plain classifier with random weights: eight 3 × 3 convolutions of 32 to 256 channels, mean, one dense layer, two labels;
/// free batch. As 32-bit floats, or as int8 with quantise and dequantise nodes, which ONNX Runtime fuses.
/// </summary>
internal sealed class ClassifierGraph
{
    private static readonly (int Channels, int Stride)[] Layers =
    [
        (32, 1), (32, 2), (64, 1), (64, 2), (128, 1), (128, 2), (256, 1), (256, 2),
    ];

    private readonly GraphWriter _graph = new();
    private readonly Gaussians _weights;
    private readonly bool _quantised;

    private ClassifierGraph(int seed, bool quantised)
    {
        _weights = new Gaussians(seed);
        _quantised = quantised;
    }

    /// <summary>The model's bytes.</summary>
    /// <param name="size">Input width and height.</param>
    /// <param name="seed">Of the weights: both kinds have the same.</param>
    /// <param name="quantised">Whether it computes in int8.</param>
    public static byte[] Build(int size, int seed, bool quantised) => new ClassifierGraph(seed, quantised).Build(size);

    private byte[] Build(int size)
    {
        // Pixels are 0 to 1, and random layers of this gain keep what they let through within about 4.
        var (x, scale) = (_quantised ? Rounded("x", 1 / 255f) : "x", 1 / 255f);
        var from = 3;
        foreach (var (channels, stride) in Layers)
        {
            var weights = _weights.Next(channels * from * 9, Math.Sqrt(2.0 / (from * 9)));
            var (weight, bias) = _quantised
                ? Quantised(weights, channels, from, scale)
                : (_graph.Floats([channels, from, 3, 3], weights), _graph.Floats([channels], new float[channels]));
            x = _graph.Node(
                "Conv",
                [x, weight, bias],
                ("kernel_shape", new[] { 3, 3 }),
                ("strides", new[] { stride, stride }),
                ("pads", new[] { 1, 1, 1, 1 }),
                ("dilations", new[] { 1, 1 }),
                ("group", 1)
            );
            x = _graph.Node("Relu", [x]);
            if (_quantised)
            {
                scale = 4 / 255f;
                x = Rounded(x, scale);
            }

            from = channels;
        }

        x = _graph.Node("Flatten", [_graph.Node("GlobalAveragePool", [x])], ("axis", 1));
        x = _graph.Node("Gemm", [x, _graph.Floats([2, from], _weights.Next(2 * from, 0.08)), _graph.Floats([2], [0, 0])], ("transB", 1));
        _graph.Output(_graph.Node("Softmax", [x], ("axis", 1)), "y");
        return _graph.Model(("x", [-1, 3, size, size]), ("y", [-1, 2]), new Dictionary<string, string> { ["task"] = "classify" });
    }

    /// <summary>Unsigned, since what comes out of a Relu is.</summary>
    private string Rounded(string value, float scale)
    {
        var (s, zero) = (_graph.Floats([], [scale]), _graph.Bytes([], [0]));
        return _graph.Node("DequantizeLinear", [_graph.Node("QuantizeLinear", [value, s, zero]), s, zero]);
    }

    private (string Weight, string Bias) Quantised(float[] weights, int channels, int from, float inputScale)
    {
        var each = from * 9;
        var scales = new float[channels];
        var rounded = new sbyte[weights.Length];
        for (var channel = 0; channel < channels; channel++)
        {
            var row = weights.AsSpan(channel * each, each);
            scales[channel] = row.ToArray().Max(Math.Abs) / 127;
            for (var i = 0; i < each; i++)
            {
                rounded[(channel * each) + i] = (sbyte)Math.Clamp(MathF.Round(row[i] / scales[channel]), -127, 127);
            }
        }

        var weight = _graph.Node(
            "DequantizeLinear",
            [
                _graph.SignedBytes([channels, from, 3, 3], rounded),
                _graph.Floats([channels], scales),
                _graph.SignedBytes([channels], new sbyte[channels]),
            ],
            ("axis", 0)
        );
        var bias = _graph.Node(
            "DequantizeLinear",
            [
                _graph.Ints([channels], new int[channels]),
                _graph.Floats([channels], [.. scales.Select(scale => scale * inputScale)]),
                _graph.Ints([channels], new int[channels]),
            ],
            ("axis", 0)
        );
        return (weight, bias);
    }
}
