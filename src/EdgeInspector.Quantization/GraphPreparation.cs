using EdgeInspector.Quantization.Graph;
using EdgeInspector.Quantization.Proto;
using Microsoft.ML.OnnxRuntime;

namespace EdgeInspector.Quantization;

/// <summary>
/// Brings a float graph into the form that is quantised: opset 13 or later, constants computed, batch normalisation
/// folded into the convolutions before it, the mean over a picture as the operator that has an int8 form.
/// </summary>
public static class GraphPreparation
{
    /// <summary>The first opset whose QuantizeLinear takes a scale per channel.</summary>
    private const int LeastOpset = 13;

    /// <param name="graph">Not changed.</param>
    /// <exception cref="OnnxException">Too old, quantised already, or refused by the runtime.</exception>
    public static OnnxGraph Prepare(OnnxGraph graph)
    {
        if (graph.Nodes.FirstOrDefault(node =>
            node.OpType is "QuantizeLinear" or "ConvInteger" or "MatMulInteger" or "DynamicQuantizeLinear") is { } int8)
        {
            throw new OnnxException(
                $"{graph.Path}: holds {int8.OpType}, so it is quantised already; name the float model it was made of.");
        }

        var current = graph.Clone();
        Upgrade(current);
        var folded = Sessions.Optimise(current, GraphOptimizationLevel.ORT_ENABLE_BASIC);
        if (folded.Nodes.All(node => node.IsStandard() || !current.Nodes.All(n => n.IsStandard())))
        {
            // The runtime keeps the graph and forgets some of what is written around it.
            folded.Model.MetadataProps.Clear();
            folded.Model.MetadataProps.AddRange(current.Model.MetadataProps);
            current = folded;
        }

        MeansAsPools(current);
        current.Prune();
        current.Sort();
        return current;
    }

    /// <summary>From opset 11 or 12 to 13: five operators changed how they are told things.</summary>
    private static void Upgrade(OnnxGraph graph)
    {
        if (graph.Opset >= LeastOpset)
        {
            return;
        }

        if (graph.Opset < 11)
        {
            throw new OnnxException(
                $"{graph.Path}: opset {graph.Opset} is too old; export the model with opset 13 or later.");
        }

        foreach (var node in graph.Nodes.Where(node => node.IsStandard()).ToArray())
        {
            switch (node.OpType)
            {
                case "Squeeze" or "Unsqueeze" or "ReduceSum":
                    AttributeToInput(graph, node, "axes");
                    break;
                case "Split":
                    AttributeToInput(graph, node, "split");
                    break;
                case "Softmax" or "LogSoftmax" or "Hardmax":
                    AlongLastAxis(graph, node);
                    break;
            }
        }

        graph.Opset = LeastOpset;
        graph.Reindex();
    }

    private static void AttributeToInput(OnnxGraph graph, NodeProto node, string name)
    {
        if (node.Attribute(name) is { } attribute)
        {
            var tensor = Tensors.Int64(graph.FreshName($"{node.Output[0]}/{name}"), [.. attribute.Ints], attribute.Ints.Count);
            graph.SetInitializer(tensor);
            node.Attribute.Remove(attribute);
            node.Input.Add(tensor.Name);
        }
    }

    /// <summary>Before opset 13 a softmax ran over all dimensions from its axis on.</summary>
    private static void AlongLastAxis(OnnxGraph graph, NodeProto node)
    {
        var axis = node.Int("axis", 1);
        if (node.Attribute("axis") is { } attribute)
        {
            node.Attribute.Remove(attribute);
        }

        node.Attribute.Add(Nodes.Of("axis", -1));
        if (axis == -1)
        {
            return;
        }

        var (input, output) = (node.Input[0], node.Output[0]);
        var (shape, flat, result) =
            (graph.FreshName($"{output}/shape"), graph.FreshName($"{output}/flat"), graph.FreshName($"{output}/rows"));
        graph.Insert(Nodes.Create("Shape", [input], [shape]), node);
        graph.Insert(Nodes.Create("Flatten", [input], [flat], Nodes.Of("axis", axis)), node);
        node.Input[0] = flat;
        node.Output[0] = result;
        graph.Reindex();
        graph.Insert(Nodes.Create("Reshape", [result, shape], [output]));
        graph.Sort();
    }

    /// <summary>The mean over height and width has an int8 form as a pool and none as a reduction.</summary>
    private static void MeansAsPools(OnnxGraph graph)
    {
        foreach (var node in graph.Nodes.Where(node => node.IsStandard() && node.OpType == "ReduceMean").ToArray())
        {
            var axes = node.Ints("axes")
                ?? (node.Input.Count > 1 && graph.Constant(node.Input[1]) is { } tensor ? tensor.Int64s() : []);
            var overPicture = axes.Order().ToArray() is [2, 3] or [-2, -1];

            // Whether the value has four dimensions is only sure where a convolution gave it.
            if (!overPicture || !ComesFromConvolution(graph, node.Input[0]))
            {
                continue;
            }

            var output = node.Output[0];
            if (node.Int("keepdims", 1) == 1)
            {
                graph.Remove(node);
                graph.Insert(Nodes.Create("GlobalAveragePool", [node.Input[0]], [output]));
            }
            else
            {
                var pooled = graph.FreshName($"{output}/pooled");
                graph.Remove(node);
                graph.Insert(Nodes.Create("GlobalAveragePool", [node.Input[0]], [pooled]));
                graph.Insert(Nodes.Create("Flatten", [pooled], [output], Nodes.Of("axis", 1)));
            }

            graph.Sort();
        }
    }

    private static bool ComesFromConvolution(OnnxGraph graph, string edge)
    {
        for (var node = graph.Producer(edge); node is not null; node = graph.Producer(node.Input[0]))
        {
            switch (node.OpType)
            {
                case "Conv":
                    return true;
                case "Relu" or "Clip" or "LeakyRelu" or "Sigmoid" or "Mul" or "Add" or "MaxPool" or "HardSwish":
                    break;
                default:
                    return false;
            }
        }

        return false;
    }
}
