using System.Globalization;
using EdgeInspector.Quantization.Calibration;
using EdgeInspector.Quantization.Graph;
using EdgeInspector.Quantization.Proto;

namespace EdgeInspector.Quantization;

/// <summary>
/// Static int8 quantisation: a float graph in, the same graph out with QuantizeLinear and DequantizeLinear around what
/// becomes int8. Activations are S8 with a zero point, weights S8 symmetric per channel, biases S32.
/// </summary>
public static class Quantizer
{
    /// <param name="graph">Not changed.</param>
    /// <param name="options">How.</param>
    /// <param name="inputs">Typical inputs, made when they are asked for; several times for methods with histograms.</param>
    /// <param name="progress">Told the inputs done and to be done.</param>
    /// <exception cref="OnnxException">The graph cannot be quantised; the message says why.</exception>
    public static QuantizedGraph Quantize(
        OnnxGraph graph,
        QuantizationOptions options,
        IReadOnlyList<Func<InputTensor>> inputs,
        Action<int, int>? progress = null,
        CancellationToken cancellationToken = default)
    {
        var prepared = GraphPreparation.Prepare(graph);
        var plan = QuantizationPlan.Make(prepared, options);
        if (StemPadding.Apply(prepared, plan))
        {
            plan = QuantizationPlan.Make(prepared, options);
        }

        var ranges = new Dictionary<string, ActivationRange>(plan.KnownRanges, StringComparer.Ordinal);
        foreach (var (edge, range) in Calibrator.Run(prepared, plan.Unknown, options, inputs, progress, cancellationToken))
        {
            ranges[edge] = range;
        }

        var counts = plan.Nodes.Keys.CountBy(node => node.OpType).ToDictionary(pair => pair.Key, pair => pair.Value);
        return new QuantizedGraph(new Writer(prepared, plan, ranges, options).Write(), counts, plan.Kept, ranges);
    }

    /// <summary>Writes one plan into one graph.</summary>
    private sealed class Writer(
        OnnxGraph graph,
        QuantizationPlan plan,
        Dictionary<string, ActivationRange> ranges,
        QuantizationOptions options)
    {
        private readonly Dictionary<string, (string Scale, string ZeroPoint, float Value)> _parameters = [];
        private readonly Dictionary<string, string> _constants = [];
        private readonly Dictionary<(string Weight, int Axis), (string Edge, float[] Scales)> _weights = [];

        /// <summary>Weights of 7 bits, or of 8.</summary>
        private float Levels => options.ReduceRange ? 63 : 127;

        public OnnxGraph Write()
        {
            // Weights and biases first: they need to know the input's scale by the value's own name.
            foreach (var (node, rule) in plan.Nodes)
            {
                if (rule.Kind is OperatorKind.Weighted && graph.Constant(node.Input[rule.Weight]) is { } weight)
                {
                    Weigh(node, rule, weight);
                }
                else if (rule.Kind is OperatorKind.Computed)
                {
                    foreach (var index in QuantizationPlan.DataInputs(node, rule))
                    {
                        if (graph.Constant(node.Input[index]) is { } constant)
                        {
                            graph.SetInput(node, index, Constant(constant));
                        }
                    }
                }
            }

            foreach (var (edge, source) in plan.Sources)
            {
                Round(edge, source);
            }

            graph.Graph.ValueInfo.Clear();
            graph.Prune();
            graph.Sort();
            Note("edge-inspector.quantization", string.Create(
                CultureInfo.InvariantCulture,
                $"int8 qdq; {options.Method}; {(options.PerChannel ? "per channel" : "per tensor")}; "
                + $"{(options.SymmetricActivations ? "symmetric" : "asymmetric")} activations; "
                + $"{(options.ReduceRange ? 7 : 8)}-bit weights"));
            return graph;
        }

        /// <summary>Everybody who reads the value reads it rounded from here on.</summary>
        private void Round(string edge, string source)
        {
            var (scale, zeroPoint, _) = Parameters(source);
            var producer = graph.Producer(edge);
            var madeInInt8 = producer is not null && plan.Nodes.ContainsKey(producer);
            var readers = graph.Consumers(edge)
                .Where(use => use.Index >= 0 && (madeInInt8 || TakesInt8(use)))
                .ToArray();
            var (from, to) = (edge, graph.FreshName($"{edge}/dequantized"));
            if (graph.IsOutput(edge) && madeInInt8)
            {
                // The output keeps its name; its readers stay with it, for it is rounded already.
                (from, to) = (graph.FreshName($"{edge}/float"), edge);
                producer!.Output[producer.Output.IndexOf(edge)] = from;
                graph.Reindex();
            }
            else
            {
                foreach (var use in readers)
                {
                    graph.SetInput(use.Node, use.Index, to);
                }
            }

            var rounded = graph.FreshName($"{edge}/quantized");
            graph.Insert(Nodes.Create("QuantizeLinear", [from, scale, zeroPoint], [rounded]));
            graph.Insert(Nodes.Create("DequantizeLinear", [rounded, scale, zeroPoint], [to]));
        }

        private bool TakesInt8(GraphUse use) => plan.Nodes.TryGetValue(use.Node, out var rule)
            && QuantizationPlan.DataInputs(use.Node, rule).Contains(use.Index);

        /// <summary>Scale and zero point of a value, shared by all that are picked from it.</summary>
        private (string Scale, string ZeroPoint, float Value) Parameters(string source)
        {
            if (!_parameters.TryGetValue(source, out var known))
            {
                var (scale, zeroPoint) = ranges[source].Int8(options.SymmetricActivations);
                known = (
                    Keep(Tensors.Float(graph.FreshName($"{source}/scale"), [scale])),
                    Keep(Tensors.Int8(graph.FreshName($"{source}/zero_point"), [zeroPoint])),
                    scale);
                _parameters[source] = known;
            }

            return known;
        }

        private void Weigh(NodeProto node, OperatorRule rule, TensorProto weight)
        {
            var axis = rule.Axis(node);
            var inputScale = Parameters(plan.Sources[node.Input[0]]).Value;
            var biased = rule.Bias >= 0 && rule.Bias < node.Input.Count && node.Input[rule.Bias].Length > 0;
            var bias = biased ? graph.Constant(node.Input[rule.Bias])!.Floats() : null;
            if (!_weights.TryGetValue((weight.Name, axis), out var known))
            {
                var scales = Scales(weight, axis);
                known = (WriteWeight(weight, axis, scales), scales);
                _weights[(weight.Name, axis)] = known;
            }

            if (bias is not null)
            {
                // A channel of nearly no weight has a tiny scale, in which its bias may not fit 32 bits: it gets weights
                // of its own with a scale that holds it, which costs those weights nothing they had.
                var least = bias.Select(value => Math.Abs(value) / (inputScale * (1 << 30))).ToArray();
                var needed = known.Scales.Length == 1 ? [Math.Max(known.Scales[0], least.Max())]
                    : known.Scales.Zip(least, Math.Max).ToArray();
                if (!needed.SequenceEqual(known.Scales))
                {
                    known = (WriteWeight(weight, axis, needed), needed);
                }

                graph.SetInput(node, rule.Bias, Bias(node.Input[rule.Bias], bias, inputScale, known.Scales));
            }

            graph.SetInput(node, rule.Weight, known.Edge);
        }

        private float[] Scales(TensorProto weight, int axis)
        {
            var values = weight.Floats();
            var (channels, inner) = Layout(weight, axis);
            var largest = new float[options.PerChannel ? channels : 1];
            for (var i = 0; i < values.Length; i++)
            {
                ref var most = ref largest[options.PerChannel ? i / inner % channels : 0];
                most = Math.Max(most, Math.Abs(values[i]));
            }

            return Array.ConvertAll(largest, value => value > 0 ? value / Levels : 1);
        }

        private string WriteWeight(TensorProto weight, int axis, float[] scales)
        {
            var values = weight.Floats();
            var (channels, inner) = Layout(weight, axis);
            var rounded = new sbyte[values.Length];
            for (var i = 0; i < values.Length; i++)
            {
                var scale = scales.Length == 1 ? scales[0] : scales[i / inner % channels];
                rounded[i] = (sbyte)Math.Clamp(MathF.Round(values[i] / scale), -Levels, Levels);
            }

            var constant = Keep(Tensors.Int8(graph.FreshName($"{weight.Name}/quantized"), rounded, weight.Shape()));
            var perChannel = scales.Length > 1;
            return Dequantize(
                $"{weight.Name}/dequantized",
                constant,
                Keep(Tensors.Float(graph.FreshName($"{weight.Name}/scale"), scales, perChannel ? [channels] : [])),
                Keep(Tensors.Int8(
                    graph.FreshName($"{weight.Name}/zero_point"),
                    new sbyte[scales.Length],
                    perChannel ? [channels] : [])),
                perChannel ? axis : null);
        }

        private string Bias(string name, float[] bias, float inputScale, float[] scales)
        {
            var perChannel = scales.Length > 1;
            var both = Array.ConvertAll(scales, scale => scale * inputScale);
            var rounded = new int[bias.Length];
            for (var i = 0; i < bias.Length; i++)
            {
                var steps = Math.Round((double)bias[i] / both[perChannel ? i : 0]);
                rounded[i] = (int)Math.Clamp(steps, int.MinValue, int.MaxValue);
            }

            return Dequantize(
                $"{name}/dequantized",
                Keep(Tensors.Int32(graph.FreshName($"{name}/quantized"), rounded, bias.Length)),
                Keep(Tensors.Float(graph.FreshName($"{name}/scale"), both, perChannel ? [bias.Length] : [])),
                Keep(Tensors.Int32(
                    graph.FreshName($"{name}/zero_point"), new int[both.Length], perChannel ? [bias.Length] : [])),
                perChannel ? 0 : null);
        }

        /// <summary>A constant that is added or multiplied; rounded by its own range.</summary>
        private string Constant(TensorProto constant)
        {
            if (_constants.TryGetValue(constant.Name, out var edge))
            {
                return edge;
            }

            var values = constant.Floats();
            var (scale, zeroPoint) = ActivationRange.Including0(values.Min(), values.Max()).Int8(options.SymmetricActivations);
            var rounded = Array.ConvertAll(
                values, value => (sbyte)Math.Clamp(MathF.Round(value / scale) + zeroPoint, -128, 127));
            edge = Dequantize(
                $"{constant.Name}/dequantized",
                Keep(Tensors.Int8(graph.FreshName($"{constant.Name}/quantized"), rounded, constant.Shape())),
                Keep(Tensors.Float(graph.FreshName($"{constant.Name}/scale"), [scale])),
                Keep(Tensors.Int8(graph.FreshName($"{constant.Name}/zero_point"), [zeroPoint])),
                null);
            _constants[constant.Name] = edge;
            return edge;
        }

        private string Dequantize(string wish, string constant, string scale, string zeroPoint, int? axis)
        {
            var edge = graph.FreshName(wish);
            graph.Insert(Nodes.Create(
                "DequantizeLinear",
                [constant, scale, zeroPoint],
                [edge],
                axis is { } dimension ? [Nodes.Of("axis", dimension)] : []));
            return edge;
        }

        /// <summary>How many channels, and how many numbers lie between two of them.</summary>
        private static (int Channels, int Inner) Layout(TensorProto weight, int axis)
        {
            var shape = weight.Shape();
            return (shape[axis], shape[(axis + 1)..].Aggregate(1, (count, size) => count * size));
        }

        private string Keep(TensorProto tensor)
        {
            graph.SetInitializer(tensor);
            return tensor.Name;
        }

        private void Note(string key, string value)
        {
            graph.Model.MetadataProps.Add(new StringStringEntryProto { Key = key, Value = value });
        }
    }
}

/// <summary>What came of a quantisation.</summary>
/// <param name="Graph">The int8 graph.</param>
/// <param name="Int8Nodes">Nodes that became int8, by operator.</param>
/// <param name="Kept">Nodes with an int8 form that stayed float.</param>
/// <param name="Ranges">Of the rounded values.</param>
public sealed record QuantizedGraph(
    OnnxGraph Graph,
    IReadOnlyDictionary<string, int> Int8Nodes,
    IReadOnlyList<KeptNode> Kept,
    IReadOnlyDictionary<string, ActivationRange> Ranges);
