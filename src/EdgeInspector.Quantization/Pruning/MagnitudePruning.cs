using EdgeInspector.Quantization.Graph;
using EdgeInspector.Quantization.Packages;

namespace EdgeInspector.Quantization.Pruning;

/// <summary>
/// Sets the smallest weights of each layer to zero. The file compresses better; a processor computes zeros as slowly as
/// other numbers, so nothing gets faster. <see cref="ChannelPruning"/> is for that.
/// </summary>
public static class MagnitudePruning
{
    /// <param name="graph">Not changed.</param>
    /// <param name="sparsity">0 to 0.99: share of each layer's weights that become zero.</param>
    /// <exception cref="OnnxException">No layer has weights that could be pruned.</exception>
    public static RewrittenGraph Prune(OnnxGraph graph, double sparsity)
    {
        var pruned = graph.Clone();
        pruned.Sort();
        var (changed, kept) = (new Dictionary<string, int>(), new List<KeptNode>());
        var layers = Layers.Of(pruned).ToArray();
        foreach (var (node, weight) in layers)
        {
            // The first layer has few weights, and all later ones see through it.
            if (ReferenceEquals(node, layers[0].Node))
            {
                kept.Add(new KeptNode(node.Name, node.OpType, "first layer"));
                continue;
            }

            var values = weight.Floats();
            var sizes = Array.ConvertAll(values, Math.Abs);
            Array.Sort(sizes);
            var limit = (int)(sizes.Length * sparsity);
            if (limit == 0)
            {
                continue;
            }

            var least = sizes[Math.Min(limit, sizes.Length - 1)];
            pruned.SetInitializer(Tensors.Float(
                weight.Name, Array.ConvertAll(values, value => Math.Abs(value) < least ? 0 : value), weight.Shape()));
            changed[node.OpType] = changed.GetValueOrDefault(node.OpType) + 1;
        }

        return changed.Count > 0
            ? new RewrittenGraph(pruned, changed, kept)
            : throw new OnnxException($"{graph.Path}: no layer has weights to prune; name a float model.");
    }
}
