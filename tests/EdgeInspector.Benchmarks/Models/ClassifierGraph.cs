using EdgeInspector.Quantization.Graph;

namespace EdgeInspector.Benchmarks.Models;

/// <summary>
/// A plain classifier with random weights: eight 3 × 3 convolutions of 32 to 256 channels, mean, one dense layer, two labels;
/// free batch, 32-bit floats.
/// </summary>
internal sealed class ClassifierGraph
{
    private static readonly (int Channels, int Stride)[] Layers =
    [
        (32, 1), (32, 2), (64, 1), (64, 2), (128, 1), (128, 2), (256, 1), (256, 2),
    ];

    private readonly GraphBuilder _graph;

    private ClassifierGraph(int seed) => _graph = new GraphBuilder(seed: seed);

    /// <summary>The finished network.</summary>
    /// <param name="size">Input width and height.</param>
    /// <param name="seed">Of the weights.</param>
    public static OnnxGraph Build(int size, int seed) => new ClassifierGraph(seed).Build(size);

    private OnnxGraph Build(int size)
    {
        var x = _graph.Input("x", GraphBuilder.Free, 3, size, size);
        var from = 3;
        foreach (var (channels, stride) in Layers)
        {
            x = _graph.Relu(_graph.Conv(x, from, channels, 3, stride));
            from = channels;
        }

        x = _graph.Gemm(_graph.Flatten(_graph.GlobalAveragePool(x)), from, 2);
        _graph.Output(_graph.Softmax(x), "y", GraphBuilder.Free, 2);
        _graph.Note("task", "classify");
        return _graph.Build();
    }
}
