namespace EdgeInspector.Vision.Inference;

/// <summary>
/// What an ONNX file says about itself, read from its bytes before the runtime sees them: inputs, outputs, notes,
/// operations. Made by <see cref="OutlineReader"/>, which refuses what must not reach a runtime.
/// </summary>
internal sealed record ModelOutline
{
    /// <summary>Fed by the caller: what the graph calls inputs, without those that have a constant to start from.</summary>
    public required IReadOnlyList<TensorOutline> Inputs { get; init; }

    public required IReadOnlyList<TensorOutline> Outputs { get; init; }

    /// <summary>The exporter's notes, for example Ultralytics' names, task, stride and imgsz.</summary>
    public required IReadOnlyDictionary<string, string> Notes { get; init; }

    public required string Producer { get; init; }

    /// <summary>Version of the operator set without a domain.</summary>
    public required long OperatorSet { get; init; }

    /// <summary>Of the graph itself, not of graphs inside it.</summary>
    public required IReadOnlyList<NodeOutline> Nodes { get; init; }

    /// <summary>Weights, in numbers.</summary>
    public required long Parameters { get; init; }

    /// <summary>What is done last to the numbers of an output, moving and rounding them aside.</summary>
    public OutputEnd EndOf(string output)
    {
        for (var steps = 0; steps < 64; steps++)
        {
            var node = Nodes.LastOrDefault(one => one.Outputs.Contains(output));
            switch (node?.Operation)
            {
                case "Softmax":
                    return OutputEnd.Softmax;
                case "Sigmoid":
                    return OutputEnd.Sigmoid;
                case "Gemm" or "MatMul" or "Conv" or "QLinearConv" or "QLinearMatMul" or "FusedGemm":
                    return OutputEnd.Raw;
                case "Add" when node.Inputs.Any(
                    input => Nodes.Any(one => one.Outputs.Contains(input) && one.Operation is ("MatMul" or "Conv"))):
                    return OutputEnd.Raw;
                case "Identity" or "Flatten" or "Reshape" or "Squeeze" or "Unsqueeze" or "Cast" or "DequantizeLinear"
                    or "QuantizeLinear" when node.Inputs.Count > 0:
                    output = node.Inputs[0];
                    break;
                default:
                    return OutputEnd.Other;
            }
        }

        return OutputEnd.Other;
    }

    /// <summary>
    /// What lies between an output and the nearest convolutions or products above it: nothing that computes, an
    /// exponential, or something else. It tells raw numbers from decoded ones where the shapes cannot.
    /// </summary>
    public OutputTail TailOf(string output)
    {
        var maker = new Dictionary<string, NodeOutline>();
        foreach (var node in Nodes)
        {
            foreach (var made in node.Outputs)
            {
                maker.TryAdd(made, node);
            }
        }

        var seen = new HashSet<string> { output };
        var open = new Queue<string>(seen);
        var tail = OutputTail.Raw;
        while (open.TryDequeue(out var name))
        {
            if (!maker.TryGetValue(name, out var node))
            {
                continue;
            }

            switch (node.Operation)
            {
                case "Conv" or "QLinearConv" or "Gemm" or "MatMul" or "ConvInteger" or "MatMulInteger" or "FusedConv":
                    continue;
                case "Exp":
                    return OutputTail.Exponential;
                case "Sigmoid" or "Concat" or "Reshape" or "Transpose" or "Squeeze" or "Unsqueeze" or "Flatten"
                    or "Identity" or "Cast" or "Split" or "Slice" or "DequantizeLinear" or "QuantizeLinear":
                    break;
                default:
                    tail = OutputTail.Computed;
                    break;
            }

            foreach (var input in node.Inputs)
            {
                if (seen.Add(input))
                {
                    open.Enqueue(input);
                }
            }
        }

        return tail;
    }
}

/// <summary>What an output's numbers are, as far as the last operation tells.</summary>
internal enum OutputEnd
{
    Softmax,
    Sigmoid,

    /// <summary>A weighted sum, so no probability.</summary>
    Raw,
    Other,
}

/// <summary>What computes between the last convolution and an output.</summary>
internal enum OutputTail
{
    /// <summary>Nothing but sigmoids, and moving numbers about.</summary>
    Raw,

    /// <summary>An exponential, among others.</summary>
    Exponential,

    /// <summary>Arithmetic of another kind.</summary>
    Computed,
}

/// <param name="Name">As the graph calls it.</param>
/// <param name="Type">ONNX's number for the element type, 0 when it is no tensor.</param>
/// <param name="Shape">A size that is free is −1; null when not even the rank is told.</param>
internal sealed record TensorOutline(string Name, int Type, IReadOnlyList<long>? Shape)
{
    public const int Float = 1;

    public int Rank => Shape?.Count ?? -1;

    /// <summary>True for whole numbers and booleans.</summary>
    public bool IsWhole => Type is 2 or 3 or 4 or 5 or 6 or 7 or 9 or 12 or 13;

    /// <summary>The size of a dimension, −1 when it is free or there is none.</summary>
    public long Size(int dimension) => dimension < Rank ? Shape![dimension] : -1;

    public string TypeName => Type switch
    {
        0 => "no tensor",
        1 => "float32",
        2 => "uint8",
        3 => "int8",
        4 => "uint16",
        5 => "int16",
        6 => "int32",
        7 => "int64",
        8 => "string",
        9 => "bool",
        10 => "float16",
        11 => "float64",
        12 => "uint32",
        13 => "uint64",
        16 => "bfloat16",
        _ => $"type {Type}",
    };

    public override string ToString() =>
        $"{Name} {(Shape is null ? "[…]" : $"[{string.Join(',', Shape.Select(size => size < 0 ? "?" : $"{size}"))}]")}"
        + (Type == Float ? "" : $" {TypeName}");
}

internal sealed record NodeOutline(string Operation, IReadOnlyList<string> Inputs, IReadOnlyList<string> Outputs);
