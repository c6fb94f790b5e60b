using EdgeInspector.Quantization.Graph;

namespace EdgeInspector.Quantization;

/// <summary>
/// Gives the convolution that reads the picture a fourth channel of zeros. The int8 kernels for x86 read four channels at
/// a time and leave three to a path that is twice as slow (KernelInputChannelAlignment in ONNX Runtime's convsym.cpp);
/// the results are the same.
/// </summary>
internal static class StemPadding
{
    private const int Step = 4;

    /// <summary>The kernels' outputs at a time; with other counts padding does not help.</summary>
    private const int Wide = 16;

    /// <summary>Whether anything was changed.</summary>
    public static bool Apply(OnnxGraph graph, QuantizationPlan plan)
    {
        var changed = false;
        foreach (var node in plan.Nodes.Keys.Where(node => node.OpType == "Conv").ToArray())
        {
            var weight = graph.Constant(node.Input[1])!;
            var shape = weight.Shape();
            if (shape.Length != 4 || shape[1] % Step == 0 || shape[0] % Wide != 0 || node.Int("group", 1) != 1 || !graph.IsInput(node.Input[0]))
            {
                continue;
            }

            var added = Step - (shape[1] % Step);
            var padded = graph.FreshName($"{node.Input[0]}/padded");
            var pads = Tensors.Int64(graph.FreshName($"{padded}/pads"), [0, 0, 0, 0, 0, added, 0, 0], 8);
            graph.SetInitializer(pads);
            graph.Insert(Nodes.Create("Pad", [node.Input[0], pads.Name], [padded]), node);
            graph.SetInput(node, 0, padded);

            var values = weight.Floats();
            var inner = shape[2] * shape[3];
            var wider = new float[shape[0] * (shape[1] + added) * inner];
            for (var output = 0; output < shape[0]; output++)
            {
                values.AsSpan(output * shape[1] * inner, shape[1] * inner)
                    .CopyTo(wider.AsSpan(output * (shape[1] + added) * inner));
            }

            var name = graph.FreshName($"{weight.Name}/padded");
            graph.SetInitializer(Tensors.Float(name, wider, shape[0], shape[1] + added, shape[2], shape[3]));
            graph.SetInput(node, 1, name);
            changed = true;
        }

        graph.Prune();
        return changed;
    }
}
