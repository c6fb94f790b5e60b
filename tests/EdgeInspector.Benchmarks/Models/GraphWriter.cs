using System.Runtime.InteropServices;
using System.Text;

namespace EdgeInspector.Benchmarks.Models;

/// <summary>
/// Writes an ONNX graph, field by field (onnx.proto of ONNX 1.15: ModelProto, GraphProto, NodeProto, TensorProto). Enough for
/// the benchmark's own networks, of which only the shape matters.
/// </summary>
internal sealed class GraphWriter
{
    private const int Float = 1;
    private const int UInt8 = 2;
    private const int Int8 = 3;
    private const int Int32 = 6;
    private const int Int64 = 7;

    private readonly List<byte[]> _nodes = [];
    private readonly List<byte[]> _weights = [];
    private int _names;

    /// <summary>Constant floats; an empty shape is a scalar.</summary>
    public string Floats(ReadOnlySpan<int> shape, ReadOnlySpan<float> values) =>
        Constant(shape, Float, MemoryMarshal.AsBytes(values));

    /// <summary>A row of constant whole numbers, as shapes and split sizes are given.</summary>
    public string Longs(params ReadOnlySpan<long> values) =>
        Constant([values.Length], Int64, MemoryMarshal.AsBytes(values));

    /// <summary>Constant signed bytes.</summary>
    public string SignedBytes(ReadOnlySpan<int> shape, ReadOnlySpan<sbyte> values) =>
        Constant(shape, Int8, MemoryMarshal.AsBytes(values));

    /// <summary>Constant bytes.</summary>
    public string Bytes(ReadOnlySpan<int> shape, ReadOnlySpan<byte> values) => Constant(shape, UInt8, values);

    /// <summary>Constant 32-bit numbers.</summary>
    public string Ints(ReadOnlySpan<int> shape, ReadOnlySpan<int> values) =>
        Constant(shape, Int32, MemoryMarshal.AsBytes(values));

    /// <summary>A node with one output, whose name is returned. Attributes are whole numbers, rows of them, or text.</summary>
    public string Node(string type, string[] inputs, params ReadOnlySpan<(string Name, object Value)> attributes) =>
        Node(type, inputs, 1, attributes)[0];

    /// <summary>A node with several outputs.</summary>
    public string[] Node(string type, string[] inputs, int outputs, ReadOnlySpan<(string Name, object Value)> attributes)
    {
        var names = Enumerable.Range(0, outputs).Select(_ => Name("t")).ToArray();
        Add(type, inputs, names, attributes);
        return names;
    }

    /// <summary>Gives a value the name that the graph's output has.</summary>
    public void Output(string value, string name) => Add("Identity", [value], [name], []);

    /// <summary>The model's bytes. A size of −1 is free.</summary>
    public byte[] Model(
        (string Name, int[] Shape) input,
        (string Name, int[] Shape) output,
        IReadOnlyDictionary<string, string> metadata
    )
    {
        var graph = new Message();
        foreach (var node in _nodes)
        {
            graph.Bytes(1, node);
        }

        graph.Text(2, "benchmark");
        foreach (var weight in _weights)
        {
            graph.Bytes(5, weight);
        }

        graph.Bytes(11, ValueInfo(input.Name, input.Shape));
        graph.Bytes(12, ValueInfo(output.Name, output.Shape));
        var model = new Message();
        model.Number(1, 8);
        model.Text(2, "EdgeInspector.Benchmarks");
        model.Bytes(7, graph.ToArray());
        var opset = new Message();
        opset.Text(1, "");
        opset.Number(2, 17);
        model.Bytes(8, opset.ToArray());
        foreach (var (key, value) in metadata)
        {
            var entry = new Message();
            entry.Text(1, key);
            entry.Text(2, value);
            model.Bytes(14, entry.ToArray());
        }

        return model.ToArray();
    }

    private static byte[] ValueInfo(string name, int[] shape)
    {
        var dimensions = new Message();
        foreach (var size in shape)
        {
            var dimension = new Message();
            if (size < 0)
            {
                dimension.Text(2, "N");
            }
            else
            {
                dimension.Number(1, size);
            }

            dimensions.Bytes(1, dimension.ToArray());
        }

        var tensor = new Message();
        tensor.Number(1, Float);
        tensor.Bytes(2, dimensions.ToArray());
        var type = new Message();
        type.Bytes(1, tensor.ToArray());
        var info = new Message();
        info.Text(1, name);
        info.Bytes(2, type.ToArray());
        return info.ToArray();
    }

    private string Name(string prefix) => $"{prefix}{++_names}";

    private string Constant(ReadOnlySpan<int> shape, int type, ReadOnlySpan<byte> raw)
    {
        var name = Name("w");
        var tensor = new Message();
        foreach (var size in shape)
        {
            tensor.Number(1, size);
        }

        tensor.Number(2, type);
        tensor.Text(8, name);
        tensor.Bytes(9, raw);
        _weights.Add(tensor.ToArray());
        return name;
    }

    private void Add(string type, string[] inputs, string[] outputs, ReadOnlySpan<(string Name, object Value)> attributes)
    {
        var node = new Message();
        foreach (var input in inputs)
        {
            node.Text(1, input);
        }

        foreach (var output in outputs)
        {
            node.Text(2, output);
        }

        node.Text(3, outputs[0]);
        node.Text(4, type);
        foreach (var (name, value) in attributes)
        {
            var attribute = new Message();
            attribute.Text(1, name);
            switch (value)
            {
                case int number:
                    attribute.Number(3, number);
                    attribute.Number(20, 2);
                    break;
                case string text:
                    attribute.Text(4, text);
                    attribute.Number(20, 3);
                    break;
                case int[] numbers:
                    foreach (var number in numbers)
                    {
                        attribute.Number(8, number);
                    }

                    attribute.Number(20, 7);
                    break;
                default:
                    throw new ArgumentException($"{name}: no such kind of attribute", nameof(attributes));
            }

            node.Bytes(5, attribute.ToArray());
        }

        _nodes.Add(node.ToArray());
    }

    /// <summary>A protobuf message under construction.</summary>
    private sealed class Message
    {
        private readonly List<byte> _bytes = [];

        public void Number(int field, long value)
        {
            Varint((ulong)field << 3);
            Varint((ulong)value);
        }

        public void Text(int field, string text) => Bytes(field, Encoding.UTF8.GetBytes(text));

        public void Bytes(int field, ReadOnlySpan<byte> bytes)
        {
            Varint(((ulong)field << 3) | 2);
            Varint((ulong)bytes.Length);
            _bytes.AddRange(bytes);
        }

        public byte[] ToArray() => [.. _bytes];

        private void Varint(ulong value)
        {
            for (; value > 127; value >>= 7)
            {
                _bytes.Add((byte)((value & 127) | 128));
            }

            _bytes.Add((byte)value);
        }
    }
}
