using EdgeInspector.Quantization.Graph;
using EdgeInspector.Quantization.Packages;
using EdgeInspector.Quantization.Proto;

namespace EdgeInspector.Quantization.Pruning;

/// <summary>
/// Takes whole channels out of convolutions, those with the least weights (L1 norm; Li et al., Pruning Filters for
/// Efficient ConvNets, 2017), together with what later layers do with them: the network really gets smaller and faster,
/// and loses more than by single weights. Without training afterwards only small shares are harmless.
/// </summary>
/// <remarks>
/// A convolution is touched where its result goes through operators that keep channels apart and ends in ordinary
/// convolutions alone. Additions and concatenations tie channels of several layers together, so what they see is kept.
/// </remarks>
public static class ChannelPruning
{
    /// <summary>Kernels take so many channels at a time; other counts run slower than the next larger one.</summary>
    private const int Step = 8;

    private static readonly HashSet<string> KeepChannels =
    [
        "Relu", "Clip", "LeakyRelu", "Sigmoid", "HardSwish", "HardSigmoid", "Tanh", "Elu", "Softplus", "Gelu",
        "MaxPool", "AveragePool", "Resize",
    ];

    /// <param name="graph">Not changed.</param>
    /// <param name="share">0 to 0.9: of each convolution's channels.</param>
    /// <exception cref="OnnxException">No convolution can spare channels.</exception>
    public static RewrittenGraph Prune(OnnxGraph graph, double share)
    {
        var pruned = GraphPreparation.Prepare(graph);
        var (changed, kept) = (0, new List<KeptNode>());
        foreach (var node in Layers.Of(pruned).Select(layer => layer.Node).Where(node => node.OpType == "Conv").ToArray())
        {
            // An earlier layer may have taken inputs out of it.
            var weight = pruned.Constant(node.Input[1])!;
            var readers = Readers(pruned, node);
            var shape = weight.Shape();
            var left = (int)Math.Ceiling(shape[0] * (1 - share) / Step) * Step;
            var reason = node.Int("group", 1) != 1 ? "grouped"
                : readers is null ? "its channels are tied to other layers"
                : pruned.Consumers(weight.Name).Count > 1 ? "shares its weights"
                : left >= shape[0] ? "too narrow"
                : null;
            if (reason is not null)
            {
                kept.Add(new KeptNode(node.Name, node.OpType, reason));
                continue;
            }

            Shrink(pruned, node, readers!, Strongest(weight, left));
            changed++;
        }

        pruned.Graph.ValueInfo.Clear();
        pruned.Prune();
        return changed > 0
            ? new RewrittenGraph(pruned, new Dictionary<string, int> { ["Conv"] = changed }, kept)
            : throw new OnnxException($"{graph.Path}: no convolution can spare channels; prune weights instead, without "
                + "--whole-channels.");
    }

    /// <summary>The convolutions that all of a node's results end in; null where they go elsewhere too.</summary>
    private static List<NodeProto>? Readers(OnnxGraph graph, NodeProto node)
    {
        var (seen, readers) = (new HashSet<string> { node.Output[0] }, new List<NodeProto>());
        var waiting = new Queue<string>(seen);
        while (waiting.TryDequeue(out var edge))
        {
            if (graph.IsOutput(edge) || graph.Consumers(edge).Count == 0)
            {
                return null;
            }

            foreach (var (reader, index) in graph.Consumers(edge))
            {
                if (reader.OpType == "Conv" && index == 0 && reader.Int("group", 1) == 1
                    && graph.Constant(reader.Input[1]) is not null && graph.Consumers(reader.Input[1]).Count == 1)
                {
                    readers.Add(reader);
                }
                else if ((KeepChannels.Contains(reader.OpType) && index == 0) || IsGate(graph, reader, seen))
                {
                    if (seen.Add(reader.Output[0]))
                    {
                        waiting.Enqueue(reader.Output[0]);
                    }
                }
                else
                {
                    return null;
                }
            }
        }

        return readers;
    }

    /// <summary>x · f(x): both sides come from the one convolution.</summary>
    private static bool IsGate(OnnxGraph graph, NodeProto node, HashSet<string> seen) => node.OpType == "Mul"
        && node.Input.All(input => seen.Contains(input)
            || (graph.Producer(input) is { } before && KeepChannels.Contains(before.OpType) && seen.Contains(before.Input[0])));

    private static int[] Strongest(TensorProto weight, int count)
    {
        var values = weight.Floats();
        var inner = values.Length / (int)weight.Dims[0];
        return
        [
            .. Enumerable.Range(0, (int)weight.Dims[0])
                .OrderByDescending(channel => values.AsSpan(channel * inner, inner).ToArray().Sum(Math.Abs))
                .Take(count)
                .Order(),
        ];
    }

    private static void Shrink(OnnxGraph graph, NodeProto node, List<NodeProto> readers, int[] channels)
    {
        graph.SetInitializer(Picked(graph.Constant(node.Input[1])!, 0, channels));
        if (node.Input.Count > 2 && node.Input[2].Length > 0)
        {
            // Biases may be shared where weights are not.
            var bias = Picked(graph.Constant(node.Input[2])!, 0, channels);
            bias.Name = graph.FreshName($"{bias.Name}/left");
            graph.SetInitializer(bias);
            graph.SetInput(node, 2, bias.Name);
        }

        foreach (var reader in readers)
        {
            graph.SetInitializer(Picked(graph.Constant(reader.Input[1])!, 1, channels));
        }
    }

    /// <summary>The tensor with these indices of one dimension alone.</summary>
    private static TensorProto Picked(TensorProto tensor, int axis, int[] indices)
    {
        var (values, shape) = (tensor.Floats(), tensor.Shape());
        var outer = shape[..axis].Aggregate(1, (count, size) => count * size);
        var inner = shape[(axis + 1)..].Aggregate(1, (count, size) => count * size);
        var picked = new float[outer * indices.Length * inner];
        for (var o = 0; o < outer; o++)
        {
            for (var i = 0; i < indices.Length; i++)
            {
                values.AsSpan(((o * shape[axis]) + indices[i]) * inner, inner)
                    .CopyTo(picked.AsSpan(((o * indices.Length) + i) * inner));
            }
        }

        int[] left = [.. shape[..axis], indices.Length, .. shape[(axis + 1)..]];
        return Tensors.Float(tensor.Name, picked, left);
    }
}
