using System.Globalization;
using EdgeInspector.Quantization.Proto;

namespace EdgeInspector.Quantization.Graph;

/// <summary>
/// Writes networks, for tests and benchmarks: each method adds a node and returns the name of its result. Weights that
/// are not given are drawn from a normal distribution that keeps the signal's size (He et al. 2015), the same for the
/// same seed on every machine.
/// </summary>
public sealed class GraphBuilder
{
    /// <summary>A size that is free.</summary>
    public const int Free = -1;

    private readonly ModelProto _model = new() { IrVersion = 8, ProducerName = "edge-inspector", Graph = new() };
    private ulong _state;
    private int _count;

    /// <param name="opset">Version of the standard operators, 13 and up.</param>
    /// <param name="seed">Of the weights.</param>
    public GraphBuilder(int opset = 17, int seed = 1)
    {
        _model.Graph.Name = "graph";
        _model.OpsetImport.Add(new OperatorSetIdProto { Domain = "", Version = opset });
        _state = unchecked((ulong)seed * 0x9E3779B97F4A7C15);
    }

    /// <summary>Floats that the network is fed; <see cref="Free"/> sizes get names of their own.</summary>
    public string Input(string name, params ReadOnlySpan<int> shape)
    {
        _model.Graph.Input.Add(Value(name, shape));
        return name;
    }

    /// <summary>Gives a result its name and makes it an output.</summary>
    public string Output(string edge, string name, params ReadOnlySpan<int> shape)
    {
        _model.Graph.Node.Add(Nodes.Create("Identity", [edge], [name]));
        _model.Graph.Output.Add(Value(name, shape));
        return name;
    }

    public void Note(string key, string value) =>
        _model.MetadataProps.Add(new StringStringEntryProto { Key = key, Value = value });

    public string Constant(ReadOnlySpan<float> values, params ReadOnlySpan<int> shape) =>
        Keep(Tensors.Float(Name("c"), values, shape));

    public string Constant(ReadOnlySpan<long> values) => Keep(Tensors.Int64(Name("c"), values, values.Length));

    /// <summary>A constant of numbers drawn at random, with this standard deviation.</summary>
    public string Random(double deviation, params ReadOnlySpan<int> shape)
    {
        var count = 1;
        foreach (var size in shape)
        {
            count *= size;
        }

        return Constant(Normal(count, deviation), shape);
    }

    public string Node(string op, IEnumerable<string> inputs, params IEnumerable<AttributeProto> attributes) =>
        Node(op, inputs, 1, attributes)[0];

    public string[] Node(
        string op, IEnumerable<string> inputs, int results, params IEnumerable<AttributeProto> attributes)
    {
        string[] outputs = [.. Enumerable.Range(0, results).Select(_ => Name("t"))];
        _model.Graph.Node.Add(Nodes.Create(op, inputs, outputs, attributes));
        return outputs;
    }

    /// <summary>A convolution with a square kernel whose result has the input's size over the stride.</summary>
    /// <param name="x">[batch, inputs, height, width].</param>
    /// <param name="inputs">Channels in.</param>
    /// <param name="outputs">Channels out.</param>
    /// <param name="kernel">Side of the kernel, odd.</param>
    /// <param name="stride">Cells per step.</param>
    /// <param name="group">Groups of channels; as many as there are channels for a depthwise one.</param>
    /// <param name="bias">One number per channel out; zeros where null.</param>
    /// <param name="weights">outputs × (inputs / group) × kernel × kernel; random where null.</param>
    public string Conv(
        string x,
        int inputs,
        int outputs,
        int kernel = 3,
        int stride = 1,
        int group = 1,
        float[]? bias = null,
        float[]? weights = null)
    {
        var fan = inputs / group * kernel * kernel;
        weights ??= Normal(outputs * fan, Math.Sqrt(2.0 / fan));
        var pad = kernel / 2;
        return Node(
            "Conv",
            [
                x,
                Constant(weights, outputs, inputs / group, kernel, kernel),
                Constant(bias ?? new float[outputs], outputs),
            ],
            Nodes.Of("kernel_shape", kernel, kernel),
            Nodes.Of("strides", stride, stride),
            Nodes.Of("pads", pad, pad, pad, pad),
            Nodes.Of("dilations", 1, 1),
            Nodes.Of("group", group));
    }

    /// <summary>[rows, inputs] times weights (outputs × inputs, random where null) plus bias (zeros where null).</summary>
    public string Gemm(string x, int inputs, int outputs, float[]? bias = null, float[]? weights = null) => Node(
        "Gemm",
        [
            x,
            Constant(weights ?? Normal(outputs * inputs, Math.Sqrt(1.0 / inputs)), outputs, inputs),
            Constant(bias ?? new float[outputs], outputs),
        ],
        Nodes.Of("transB", 1));

    public string MatMul(string a, string b) => Node("MatMul", [a, b]);

    /// <summary>Batch normalisation with made-up statistics.</summary>
    public string BatchNormalization(string x, int channels)
    {
        float[] Around(double centre, double spread) =>
            [.. Normal(channels, spread).Select(value => (float)(centre + value))];
        return Node(
            "BatchNormalization",
            [
                x,
                Constant(Around(1, 0.1), channels),
                Constant(Around(0, 0.1), channels),
                Constant(Around(0, 0.1), channels),
                Constant([.. Around(1, 0.1).Select(Math.Abs)], channels),
            ]);
    }

    public string Relu(string x) => Node("Relu", [x]);

    public string LeakyRelu(string x, float slope = 0.1f) => Node("LeakyRelu", [x], Nodes.Of("alpha", slope));

    /// <summary>Held between two limits.</summary>
    public string Clip(string x, float lowest, float highest) =>
        Node("Clip", [x, Constant([lowest]), Constant([highest])]);

    public string Sigmoid(string x) => Node("Sigmoid", [x]);

    /// <summary>x · sigmoid(x), as exporters write it: two nodes.</summary>
    public string Silu(string x) => Mul(x, Sigmoid(x));

    public string Softmax(string x, int axis = 1) => Node("Softmax", [x], Nodes.Of("axis", axis));

    public string Add(string a, string b) => Node("Add", [a, b]);

    public string Sub(string a, string b) => Node("Sub", [a, b]);

    public string Mul(string a, string b) => Node("Mul", [a, b]);

    public string Concat(int axis, params IEnumerable<string> parts) => Node("Concat", parts, Nodes.Of("axis", axis));

    /// <summary>Cut into pieces of these sizes along an axis.</summary>
    public string[] Split(string x, int axis, params ReadOnlySpan<long> sizes) =>
        Node("Split", [x, Constant(sizes)], sizes.Length, Nodes.Of("axis", axis));

    public string MaxPool(string x, int kernel, int stride, int pad = 0) => Pool("MaxPool", x, kernel, stride, pad);

    public string AveragePool(string x, int kernel, int stride, int pad = 0) =>
        Pool("AveragePool", x, kernel, stride, pad);

    public string GlobalAveragePool(string x) => Node("GlobalAveragePool", [x]);

    public string GlobalMaxPool(string x) => Node("GlobalMaxPool", [x]);

    /// <summary>Height and width times a factor, each cell repeated.</summary>
    public string Resize(string x, float factor) => Node(
        "Resize",
        [x, "", Constant([1, 1, factor, factor], 4)],
        Nodes.Of("mode", "nearest"),
        Nodes.Of("coordinate_transformation_mode", "asymmetric"),
        Nodes.Of("nearest_mode", "floor"));

    public string Reshape(string x, params ReadOnlySpan<long> shape) => Node("Reshape", [x, Constant(shape)]);

    public string Transpose(string x, params ReadOnlySpan<long> order) =>
        Node("Transpose", [x], Nodes.Of("perm", order));

    public string Flatten(string x) => Node("Flatten", [x], Nodes.Of("axis", 1));

    /// <summary>The finished network; the builder is not to be used any more.</summary>
    public OnnxGraph Build() => new(_model);

    private static ValueInfoProto Value(string name, ReadOnlySpan<int> shape)
    {
        var dims = new TensorShapeProto();
        for (var i = 0; i < shape.Length; i++)
        {
            dims.Dim.Add(shape[i] >= 0
                ? new TensorShapeProto.Types.Dimension { DimValue = shape[i] }
                : new TensorShapeProto.Types.Dimension
                {
                    DimParam = i == 0 ? "batch" : string.Create(CultureInfo.InvariantCulture, $"{name}_{i}"),
                });
        }

        var tensor = new TypeProto.Types.Tensor
        {
            ElemType = (int)TensorProto.Types.DataType.Float,
            Shape = dims,
        };
        return new ValueInfoProto { Name = name, Type = new TypeProto { TensorType = tensor } };
    }

    private string Pool(string op, string x, int kernel, int stride, int pad) => Node(
        op,
        [x],
        Nodes.Of("kernel_shape", kernel, kernel),
        Nodes.Of("strides", stride, stride),
        Nodes.Of("pads", pad, pad, pad, pad));

    private string Keep(TensorProto tensor)
    {
        _model.Graph.Initializer.Add(tensor);
        return tensor.Name;
    }

    private string Name(string prefix) => string.Create(CultureInfo.InvariantCulture, $"{prefix}{_count++}");

    /// <summary>SplitMix64 and Box-Muller: .NET does not promise that its own generator stays as it is.</summary>
    private float[] Normal(int count, double deviation)
    {
        var values = new float[count];
        for (var i = 0; i < count; i++)
        {
            var radius = Math.Sqrt(-2 * Math.Log(1 - Uniform()));
            values[i] = (float)(deviation * radius * Math.Cos(2 * Math.PI * Uniform()));
        }

        return values;

        double Uniform()
        {
            _state += 0x9E3779B97F4A7C15;
            var z = _state;
            z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
            z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
            return ((z ^ (z >> 31)) >> 11) * (1.0 / (1UL << 53));
        }
    }
}
