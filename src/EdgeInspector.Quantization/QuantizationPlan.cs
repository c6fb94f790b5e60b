using System.IO.Enumeration;
using EdgeInspector.Quantization.Graph;
using EdgeInspector.Quantization.Proto;

namespace EdgeInspector.Quantization;

/// <summary>
/// Which nodes of a graph become int8 and which values are rounded for it. Made by one walk along the graph with
/// <see cref="OperatorRules"/> in hand; touches nothing.
/// </summary>
public sealed class QuantizationPlan
{
    private readonly OnnxGraph _graph;
    private readonly QuantizationOptions _options;
    private readonly Dictionary<NodeProto, OperatorRule> _nodes = new(ReferenceEqualityComparer.Instance);
    private readonly Dictionary<string, string> _sources = new(StringComparer.Ordinal);
    private readonly Dictionary<string, ActivationRange> _known = new(StringComparer.Ordinal);
    private readonly List<KeptNode> _kept = [];

    private QuantizationPlan(OnnxGraph graph, QuantizationOptions options) => (_graph, _options) = (graph, options);

    /// <summary>The nodes that become int8.</summary>
    public IReadOnlyDictionary<NodeProto, OperatorRule> Nodes => _nodes;

    /// <summary>Nodes that have an int8 form and stay float, each with the reason.</summary>
    public IReadOnlyList<KeptNode> Kept => _kept;

    /// <summary>
    /// Every value that is rounded, and the one whose range it shares (itself, or the one that it was picked from).
    /// </summary>
    public IReadOnlyDictionary<string, string> Sources => _sources;

    /// <summary>Ranges that mathematics tells.</summary>
    public IReadOnlyDictionary<string, ActivationRange> KnownRanges => _known;

    /// <summary>The values that calibration has to look at.</summary>
    public IReadOnlyList<string> Unknown =>
        [.. _sources.Values.Distinct(StringComparer.Ordinal).Where(name => !_known.ContainsKey(name))];

    /// <exception cref="OnnxException">Nothing in the graph can become int8.</exception>
    public static QuantizationPlan Make(OnnxGraph graph, QuantizationOptions options)
    {
        graph.Sort();
        var plan = new QuantizationPlan(graph, options);
        var head = options.KeepHead ? Head(graph) : [];
        foreach (var node in graph.Nodes)
        {
            plan.Decide(node, head);
        }

        return plan._nodes.Values.Any(rule => rule.Kind is OperatorKind.Weighted)
            ? plan
            : throw new OnnxException($"{graph.Path}: no Conv, Gemm or MatMul with 32-bit float weights is left to "
                + "quantise; name a float model, or exclude less.");
    }

    /// <summary>Inputs that carry numbers which the rule wants as int8.</summary>
    internal static IEnumerable<int> DataInputs(NodeProto node, OperatorRule rule)
    {
        var data = rule.Data ?? [.. Enumerable.Range(0, node.Input.Count)];
        return rule.FreeWeight ? data.Append(rule.Weight) : data;
    }

    /// <summary>
    /// From the outputs back to the first nodes with weights, those included. The fixed little convolution that reads
    /// YOLOv8's box distributions counts as arithmetic, not as a layer.
    /// </summary>
    private static HashSet<NodeProto> Head(OnnxGraph graph)
    {
        var head = new HashSet<NodeProto>(ReferenceEqualityComparer.Instance);
        var waiting = new Stack<string>(graph.Outputs.Select(output => output.Name));
        while (waiting.TryPop(out var edge))
        {
            if (graph.Producer(edge) is not { } node || !head.Add(node))
            {
                continue;
            }

            var rule = OperatorRules.Of(node);
            if (rule is { Kind: OperatorKind.Weighted } && graph.Constant(node.Input[rule.Weight]) is not null
                && !ReadsDistribution(graph, node))
            {
                continue;
            }

            foreach (var input in node.Input)
            {
                waiting.Push(input);
            }
        }

        return head;
    }

    private static bool ReadsDistribution(OnnxGraph graph, NodeProto node)
    {
        var before = graph.Producer(node.Input[0]);
        while (before?.OpType is "Transpose" or "Reshape")
        {
            before = graph.Producer(before.Input[0]);
        }

        return before?.OpType == "Softmax" && graph.Constant(node.Input[1])!.Count() <= 64;
    }

    private void Decide(NodeProto node, HashSet<NodeProto> head)
    {
        if (OperatorRules.Of(node) is not { } rule)
        {
            return;
        }

        if (rule.Kind is OperatorKind.Fused)
        {
            Fuse(node);
            return;
        }

        if (!Concerns(node, rule))
        {
            return;
        }

        var objection = _options.Exclude.FirstOrDefault(pattern => Matches(pattern, node)) is { } excluded
            ? $"excluded by '{excluded}'"
            : head.Contains(node) ? "head"
            : _graph.Opset < rule.Opset ? $"{node.OpType} takes int8 from opset {rule.Opset} on"
            : rule.Objection(node) ?? (rule.Kind is OperatorKind.Weighted ? Unfit(node, rule) : null);
        if (objection is not null)
        {
            _kept.Add(new KeptNode(node.Name, node.OpType, objection));
            return;
        }

        _nodes[node] = rule;
        if (rule.Kind is OperatorKind.PassThrough)
        {
            foreach (var output in node.Output.Where(output => output.Length > 0))
            {
                _sources[output] = _sources[node.Input[0]];
            }

            return;
        }

        foreach (var input in DataInputs(node, rule).Select(index => node.Input[index]))
        {
            if (_graph.Constant(input) is null)
            {
                _sources.TryAdd(input, input);
            }
        }

        Produce(node.Output[0], rule);
    }

    /// <summary>
    /// A node with weights starts int8 of its own; any other goes along where something int8 reaches it: alone it would
    /// only round.
    /// </summary>
    private bool Concerns(NodeProto node, OperatorRule rule)
    {
        return rule.Kind switch
        {
            OperatorKind.Weighted => _graph.Constant(node.Input[rule.Weight]) is not null || Any(),
            OperatorKind.PassThrough => _sources.ContainsKey(node.Input[0]),
            _ => Any(),
        };

        bool Any() => DataInputs(node, rule).Any(index => _sources.ContainsKey(node.Input[index]));
    }

    private string? Unfit(NodeProto node, OperatorRule rule)
    {
        if (_graph.Constant(node.Input[0]) is not null)
        {
            return "its input is constant";
        }

        var weight = _graph.Constant(node.Input[rule.Weight]);
        if (weight is null)
        {
            return rule.FreeWeight ? null : "its weights are computed";
        }

        if (node.OpType == "Conv" && _graph.IsInput(node.Input[0]) && weight.Dims[0] % 16 != 0)
        {
            return "the first layer, and too narrow to gain";
        }

        if (!weight.IsFloat())
        {
            return "its weights are not 32-bit floats";
        }

        if (rule.Axis(node) >= weight.Dims.Count || (rule.FreeWeight && weight.Dims.Count != 2))
        {
            return "its weights have another shape";
        }

        if (rule.Bias < 0 || rule.Bias >= node.Input.Count || node.Input[rule.Bias].Length == 0)
        {
            return null;
        }

        var outputs = weight.Dims[rule.Axis(node)];
        return _graph.Constant(node.Input[rule.Bias]) is { } bias && bias.IsFloat() && bias.Count() == outputs
            ? null
            : "its bias is not one number per output";
    }

    private void Produce(string edge, OperatorRule rule)
    {
        _sources[edge] = edge;
        if (rule.Range is { } range)
        {
            _known[edge] = range;
        }
    }

    /// <summary>The rounding moves from before the cut to behind it.</summary>
    private void Fuse(NodeProto node)
    {
        var edge = node.Input[0];
        if (_graph.Producer(edge) is { } before && _nodes.TryGetValue(before, out var rule)
            && rule.Kind is OperatorKind.Weighted or OperatorKind.Computed
            && _graph.Consumers(edge).Count == 1 && !_graph.IsOutput(edge)
            && !_options.Exclude.Any(pattern => Matches(pattern, node)))
        {
            _sources.Remove(edge);
            _known.Remove(edge);
            _nodes[node] = OperatorRules.Of(node)!;
            _sources[node.Output[0]] = node.Output[0];
        }
    }

    private static bool Matches(string pattern, NodeProto node) =>
        FileSystemName.MatchesSimpleExpression(pattern, node.Name, ignoreCase: false)
        || FileSystemName.MatchesSimpleExpression(pattern, node.OpType, ignoreCase: false);
}

/// <summary>A node that stays float, and why.</summary>
public sealed record KeptNode(string Name, string Op, string Reason);
