using EdgeInspector.Quantization.Graph;
using EdgeInspector.Quantization.Proto;

namespace EdgeInspector.Quantization;

/// <summary>What an operator does to its numbers, and so what becomes of it in an int8 graph.</summary>
public enum OperatorKind
{
    /// <summary>Multiplies with constant weights: int8 weights, int32 bias, an output range of its own.</summary>
    Weighted,

    /// <summary>Computes: every input is int8, the output has a range of its own.</summary>
    Computed,

    /// <summary>Moves or picks numbers: what comes out has the scale of what went in.</summary>
    PassThrough,

    /// <summary>Cuts off numbers: done by the range of the node before it, whose result is then not rounded twice.</summary>
    Fused,
}

/// <summary>How one operator is quantised. Rules are data: one row of <see cref="OperatorRules"/>.</summary>
public sealed record OperatorRule(string Op, OperatorKind Kind)
{
    /// <summary>Inputs that carry the picture's numbers; null means all of them.</summary>
    public int[]? Data { get; init; } = [0];

    /// <summary>Input with the weights; constant, or a second picture-like input where <see cref="FreeWeight"/>.</summary>
    public int Weight { get; init; } = -1;

    public bool FreeWeight { get; init; }

    /// <summary>Input with the bias, where there is one.</summary>
    public int Bias { get; init; } = -1;

    /// <summary>Dimension of the weights that counts the outputs.</summary>
    public Func<NodeProto, int> Axis { get; init; } = _ => 0;

    /// <summary>The output's range where mathematics tells it.</summary>
    public ActivationRange? Range { get; init; }

    /// <summary>Version of the standard operators from which on the operator takes int8.</summary>
    public int Opset { get; init; } = 1;

    /// <summary>Why a node of this operator stays as it is after all; null where it need not.</summary>
    public Func<NodeProto, string?> Objection { get; init; } = _ => null;
}

/// <summary>
/// The table. It holds what ONNX Runtime's processor provider runs in int8 once it finds the operator between
/// DequantizeLinear and QuantizeLinear (qdq_selector_action_transformer.cc of version 1.31): a row for an operator that
/// it does not run so would cost time and digits and gain nothing. Softmax is left out on purpose: 256 steps are too few
/// for probabilities near 0 and 1.
/// </summary>
public static class OperatorRules
{
    private static readonly OperatorRule[] All =
    [
        new("Conv", OperatorKind.Weighted) { Weight = 1, Bias = 2 },
        new("Gemm", OperatorKind.Weighted)
        {
            Weight = 1,
            Bias = 2,
            Axis = node => node.Int("transB", 0) == 1 ? 0 : 1,
            Objection = node => node.Float("alpha", 1) is 1 && node.Float("beta", 1) is 1 && node.Int("transA", 0) == 0
                ? null
                : "scaled or transposed Gemm",
        },
        new("MatMul", OperatorKind.Weighted) { Weight = 1, FreeWeight = true, Axis = _ => 1 },

        new("Add", OperatorKind.Computed) { Data = [0, 1] },
        new("Mul", OperatorKind.Computed) { Data = [0, 1] },
        new("Concat", OperatorKind.Computed) { Data = null },
        new("Sigmoid", OperatorKind.Computed) { Range = new ActivationRange(0, 1) },
        new("LeakyRelu", OperatorKind.Computed),
        new("AveragePool", OperatorKind.Computed),
        new("GlobalAveragePool", OperatorKind.Computed),

        new("MaxPool", OperatorKind.PassThrough) { Opset = 12 },
        new("ReduceMax", OperatorKind.PassThrough) { Opset = 12 },
        new("ReduceMin", OperatorKind.PassThrough) { Opset = 12 },
        new("Resize", OperatorKind.PassThrough)
        {
            Opset = 11,
            Objection = node => node.Text("mode", "nearest") is "nearest" or "linear" ? null : "cubic Resize",
        },
        new("Split", OperatorKind.PassThrough),
        new("Reshape", OperatorKind.PassThrough),
        new("Flatten", OperatorKind.PassThrough),
        new("Transpose", OperatorKind.PassThrough),
        new("Squeeze", OperatorKind.PassThrough),
        new("Unsqueeze", OperatorKind.PassThrough),
        new("Slice", OperatorKind.PassThrough),
        new("Gather", OperatorKind.PassThrough),
        new("GatherElements", OperatorKind.PassThrough),
        new("Expand", OperatorKind.PassThrough),
        new("Tile", OperatorKind.PassThrough),

        new("Relu", OperatorKind.Fused),
        new("Clip", OperatorKind.Fused),
    ];

    private static readonly Dictionary<string, OperatorRule> ByOp = All.ToDictionary(rule => rule.Op);

    public static IReadOnlyList<OperatorRule> Table => All;

    /// <summary>Null where the operator has no int8 form.</summary>
    public static OperatorRule? Of(NodeProto node) =>
        node.IsStandard() ? ByOp.GetValueOrDefault(node.OpType) : null;
}
