using EdgeInspector.Quantization.Graph;
using EdgeInspector.Quantization.Proto;

namespace EdgeInspector.Quantization.Pruning;

/// <summary>The layers of a graph that have weights of 32-bit floats.</summary>
internal static class Layers
{
    /// <summary>In the graph's order. Weights that are a Constant node's become initializers.</summary>
    public static IEnumerable<(NodeProto Node, TensorProto Weight)> Of(OnnxGraph graph)
    {
        foreach (var node in graph.Nodes.ToArray())
        {
            if (OperatorRules.Of(node) is not { Kind: OperatorKind.Weighted } rule
                || graph.Constant(node.Input[rule.Weight]) is not { } weight || !weight.IsFloat() || weight.Count() < 64)
            {
                continue;
            }

            if (graph.Producer(node.Input[rule.Weight]) is not null)
            {
                var own = Tensors.Float(graph.FreshName($"{node.Input[rule.Weight]}/weights"), weight.Floats(), weight.Shape());
                graph.SetInitializer(own);
                graph.SetInput(node, rule.Weight, own.Name);
                weight = own;
            }

            yield return (node, weight);
        }
    }
}
