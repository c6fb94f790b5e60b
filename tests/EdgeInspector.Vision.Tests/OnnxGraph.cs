using System.Runtime.InteropServices;
using System.Text;

namespace EdgeInspector.Vision.Tests;

/// <summary>
/// Writes small ONNX files: just enough protobuf for float initializers, nodes, one input and one output (field
/// numbers from onnx.proto, IR version 8, opset 13).
/// </summary>
internal sealed class OnnxGraph
{
    public const int Float = 1;

    public const int UInt8 = 2;

    public const int Int32 = 6;

    public const int Int64 = 7;

    public const int Float16 = 10;

    /// <summary>An input or output; −1 is a free size.</summary>
    public sealed record Value(string Name, int[] Shape, int Type = Float);

    private readonly List<byte[]> _nodes = [];
    private readonly List<byte[]> _initializers = [];

    /// <summary>−1 is a free size.</summary>
    public const int Free = -1;

    public string Constant(float[] values, params int[] shape)
    {
        var name = $"c{_initializers.Count}";
        _initializers.Add([
            .. shape.SelectMany(size => Number(1, size)),
            .. Number(2, Float),
            .. Text(8, name),
            .. Field(9, MemoryMarshal.AsBytes(values.AsSpan()).ToArray())]);
        return name;
    }

    /// <summary>Attributes are long, float or long[].</summary>
    public string Node(string op, string[] inputs, params (string Name, object Value)[] attributes) =>
        Node(op, inputs, $"n{_nodes.Count}", attributes);

    public string Node(string op, string[] inputs, string output, params (string Name, object Value)[] attributes)
    {
        _nodes.Add([
            .. inputs.SelectMany(input => Text(1, input)),
            .. Text(2, output),
            .. Text(4, op),
            .. attributes.SelectMany(attribute => Field(5, Attribute(attribute.Name, attribute.Value)))]);
        return output;
    }

    /// <summary>Whole numbers, int64.</summary>
    public string Whole(long[] values, params int[] shape)
    {
        var name = $"c{_initializers.Count}";
        _initializers.Add([
            .. shape.SelectMany(size => Number(1, size)),
            .. Number(2, Int64),
            .. Text(8, name),
            .. Field(9, MemoryMarshal.AsBytes(values.AsSpan()).ToArray())]);
        return name;
    }

    /// <summary>A constant as given, for files that no exporter writes: fields of a TensorProto.</summary>
    public void RawInitializer(byte[] tensor) => _initializers.Add(tensor);

    /// <summary>The model file; <paramref name="output"/> is the name of a node's result.</summary>
    public byte[] Build(int[] inputShape, string output, int[] outputShape, Dictionary<string, string>? notes = null) =>
        Build([new("input", inputShape)], [new(output, outputShape)], notes);

    /// <param name="inputs">What is fed.</param>
    /// <param name="outputs">Names of nodes' results.</param>
    /// <param name="notes">The exporter's.</param>
    /// <param name="more">Further fields of the model, as they are.</param>
    public byte[] Build(
        Value[] inputs, Value[] outputs, Dictionary<string, string>? notes = null, byte[]? more = null) =>
    [
        .. Number(1, 8),
        .. Text(2, "tests"),
        .. Field(7, [
            .. _nodes.SelectMany(node => Field(1, node)),
            .. Text(2, "graph"),
            .. _initializers.SelectMany(initializer => Field(5, initializer)),
            .. inputs.SelectMany(input => Field(11, Describe(input))),
            .. outputs.SelectMany(output => Field(12, Describe(output)))]),
        .. Field(8, [.. Text(1, ""), .. Number(2, 13)]),
        .. (notes ?? []).SelectMany(note => Field(14, [.. Text(1, note.Key), .. Text(2, note.Value)])),
        .. more ?? [],
    ];

    /// <summary>
    /// A detector that always says the same, plus <paramref name="gain"/> × the mean of its input: enough to follow
    /// numbers through a package.
    /// </summary>
    public static byte[] Saying(
        float[] output,
        int[] outputShape,
        int width,
        int height,
        float gain = 0,
        Dictionary<string, string>? notes = null)
    {
        var graph = new OnnxGraph();
        var mean = graph.Node("ReduceMean", ["input"], ("keepdims", 0L));
        var scaled = graph.Node("Mul", [mean, graph.Constant([gain])]);
        var said = graph.Node("Add", [graph.Constant(output, outputShape), scaled], "output");
        return graph.Build([1, 3, height, width], said, outputShape, notes);
    }

    /// <summary>
    /// A classifier: logits are <paramref name="weights"/> (labels × channels) times the mean of each channel plus
    /// <paramref name="bias"/>, optionally through a softmax.
    /// </summary>
    public static byte[] Classifying(
        float[] weights,
        float[] bias,
        int width,
        int height,
        bool softmax = true,
        int batch = Free,
        string? ending = null)
    {
        var graph = new OnnxGraph();
        var labels = bias.Length;
        var mean = graph.Node("Flatten", [graph.Node("GlobalAveragePool", ["input"])]);
        var logits = graph.Node(
            "Gemm",
            [mean, graph.Constant(weights, labels, weights.Length / labels), graph.Constant(bias, labels)],
            ("transB", 1L));
        var output = graph.Node(ending ?? (softmax ? "Softmax" : "Identity"), [logits], "output");
        return graph.Build([batch, weights.Length / labels, height, width], output, [batch, labels]);
    }

    private static byte[] Describe(Value value)
    {
        var sizes = value.Shape.SelectMany(size => Field(1, size < 0 ? [.. Text(2, "free")] : [.. Number(1, size)]));
        return
        [
            .. Text(1, value.Name),
            .. Field(2, [.. Field(1, [.. Number(1, value.Type), .. Field(2, [.. sizes])])]),
        ];
    }

    private static byte[] Attribute(string name, object value) =>
    [
        .. Text(1, name),
        .. value switch
        {
            long number => (byte[])[.. Number(3, number), .. Number(20, 2)],
            float number => [.. Key(2, 5), .. BitConverter.GetBytes(number), .. Number(20, 1)],
            byte[] graph => [.. Field(6, graph), .. Number(20, 5)],
            long[] numbers => [.. numbers.SelectMany(number => Number(8, number)), .. Number(20, 7)],
            _ => throw new ArgumentOutOfRangeException(nameof(value)),
        },
    ];

    public static byte[] Text(int field, string text) => Field(field, Encoding.UTF8.GetBytes(text));

    public static byte[] Field(int field, byte[] content) =>
        [.. Key(field, 2), .. VarInt((ulong)content.Length), .. content];

    public static byte[] Number(int field, long number) => [.. Key(field, 0), .. VarInt((ulong)number)];

    private static byte[] Key(int field, int kind) => VarInt((ulong)((field << 3) | kind));

    private static byte[] VarInt(ulong number)
    {
        var bytes = new List<byte>();
        for (; number > 127; number >>= 7)
        {
            bytes.Add((byte)(number | 128));
        }

        bytes.Add((byte)number);
        return [.. bytes];
    }
}
