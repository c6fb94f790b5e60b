using EdgeInspector.Quantization.Graph;
using EdgeInspector.Quantization.Proto;

namespace EdgeInspector.Benchmarks.Models;

/// <summary>
/// A classifier of convolutions in int8, for its speed alone: every activation is taken to lie between 0 and the same number,
/// since nothing is asked of the verdicts of random weights.
/// </summary>
internal static class PlainInt8
{
    private const float Pixel = 1 / 255f;
    private const float Activation = 4 / 255f;

    /// <summary>The same network with quantise and dequantise nodes around its convolutions.</summary>
    public static OnnxGraph Of(OnnxGraph floats)
    {
        var graph = floats.Clone();
        var convolutions = graph.Nodes.Where(node => node.OpType == "Conv").ToArray();
        foreach (var (conv, i) in convolutions.Select((conv, i) => (conv, i)))
        {
            var scale = i == 0 ? Pixel : Activation;
            graph.SetInput(conv, 0, Dequantised(graph, conv, conv.Input[0], scale));
            Weights(graph, conv, scale);
        }

        // The last one's activation as well, so that it is rounded like the others.
        var pool = graph.Nodes.First(node => node.OpType == "GlobalAveragePool");
        graph.SetInput(pool, 0, Dequantised(graph, pool, pool.Input[0], Activation));
        graph.Prune();
        graph.Sort();
        return graph;
    }

    private static string Dequantised(OnnxGraph graph, NodeProto before, string edge, float scale)
    {
        var (s, zero) = (graph.FreshName("scale"), graph.FreshName("zero"));
        graph.SetInitializer(Tensors.Float(s, [scale]));
        graph.SetInitializer(Tensors.UInt8(zero, [0]));
        var (rounded, back) = (graph.FreshName("rounded"), graph.FreshName("back"));
        graph.Insert(Nodes.Create("QuantizeLinear", [edge, s, zero], [rounded]), before);
        graph.Insert(Nodes.Create("DequantizeLinear", [rounded, s, zero], [back]), before);
        return back;
    }

    private static void Weights(OnnxGraph graph, NodeProto conv, float inputScale)
    {
        var tensor = graph.Constant(conv.Input[1])!;
        var (shape, weights) = (tensor.Shape(), tensor.Floats());
        var channels = shape[0];
        var each = weights.Length / channels;
        var scales = new float[channels];
        var rounded = new sbyte[weights.Length];
        for (var channel = 0; channel < channels; channel++)
        {
            var row = weights.AsSpan(channel * each, each);
            foreach (var weight in row)
            {
                scales[channel] = Math.Max(scales[channel], Math.Abs(weight) / 127);
            }

            for (var i = 0; i < each; i++)
            {
                rounded[(channel * each) + i] = (sbyte)Math.Clamp(MathF.Round(row[i] / scales[channel]), -127, 127);
            }
        }

        Set(1, name => Tensors.Int8(name, rounded, shape), scales, name => Tensors.Int8(name, new sbyte[channels], channels));
        Set(
            2,
            name => Tensors.Int32(name, new int[channels], channels),
            [.. scales.Select(scale => scale * inputScale)],
            name => Tensors.Int32(name, new int[channels], channels)
        );

        void Set(int input, Func<string, TensorProto> values, float[] scale, Func<string, TensorProto> zeros)
        {
            string[] names = [graph.FreshName("values"), graph.FreshName("scales"), graph.FreshName("zeros")];
            graph.SetInitializer(values(names[0]));
            graph.SetInitializer(Tensors.Float(names[1], scale, channels));
            graph.SetInitializer(zeros(names[2]));
            var back = graph.FreshName("back");
            graph.Insert(Nodes.Create("DequantizeLinear", names, [back], Nodes.Of("axis", 0)), conv);
            graph.SetInput(conv, input, back);
        }
    }
}
