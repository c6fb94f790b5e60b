using EdgeInspector.Quantization.Graph;
using Microsoft.ML.OnnxRuntime;

namespace EdgeInspector.Quantization.Tests;

public sealed class QuantizerTests
{
    private static readonly int[] Shape = [1, 3, 32, 32];

    private static readonly Func<InputTensor>[] Pictures =
        [.. Enumerable.Range(1, 6).Select(seed => (Func<InputTensor>)(() => Picture(seed)))];

    [Theory]
    [InlineData(CalibrationMethod.MinMax)]
    [InlineData(CalibrationMethod.Entropy)]
    [InlineData(CalibrationMethod.Percentile)]
    public void Int8SaysNearlyWhatFloatSays(CalibrationMethod method)
    {
        var graph = Residual();
        var quantized = Quantize(graph, new QuantizationOptions { Method = method, Percentile = 99.99 }, Pictures);

        // Noise has no rare large values: cutting some off can only lose.
        Assert.InRange(Decibels(graph, quantized.Graph), 15, 200);
    }

    /// <summary>The point of it all: one float operator left in the middle costs more than int8 gains.</summary>
    [Fact]
    public void EverythingBetweenTheFirstAndTheLastLayerRunsInInt8()
    {
        var ops = Run(Quantize(Residual(), new QuantizationOptions(), Pictures).Graph);

        Assert.Equal(4, ops["QLinearConv"]);
        Assert.Equal(2, ops["QLinearAdd"]);
        Assert.Equal(1, ops["QLinearSigmoid"]);
        Assert.Equal(1, ops["QLinearMul"]);
        Assert.Equal(1, ops["QLinearConcat"]);
        Assert.Equal(1, ops["QLinearGlobalAveragePool"]);
        Assert.Equal(1, ops["QuantizeLinear"]);
        Assert.Equal(1, ops["DequantizeLinear"]);
        Assert.Equal(1, ops["Gemm"]);
        Assert.False(ops.ContainsKey("Conv") || ops.ContainsKey("Relu") || ops.ContainsKey("Add"));
    }

    [Fact]
    public void ActivationsAndWeightsAreSignedAndWeightsHaveAScalePerChannel()
    {
        var graph = Quantize(Residual(), new QuantizationOptions(), Pictures).Graph;
        var kinds = graph.Nodes.Where(node => node.OpType == "QuantizeLinear")
            .Select(node => graph.Constant(node.Input[2])!.DataType)
            .Distinct();
        var weights = graph.Nodes.Where(node => node.OpType == "Conv")
            .Select(node => graph.Producer(node.Input[1])!)
            .ToArray();

        Assert.Equal([3], kinds);
        Assert.All(weights, weight => Assert.Equal("DequantizeLinear", weight.OpType));
        Assert.All(weights, weight => Assert.Equal(16, graph.Constant(weight.Input[1])!.Count()));
        Assert.All(weights, weight => Assert.All(graph.Constant(weight.Input[2])!.Int8s(), zero => Assert.Equal(0, zero)));
        Assert.All(
            graph.Nodes.Where(node => node.OpType == "Conv").Select(node => graph.Producer(node.Input[2])!),
            bias => Assert.Equal(6, graph.Constant(bias.Input[0])!.DataType));
    }

    [Theory]
    [InlineData(false, 127)]
    [InlineData(true, 63)]
    public void ReducedRangeHasSevenBits(bool reduced, int largest)
    {
        var graph = Quantize(Residual(), new QuantizationOptions { ReduceRange = reduced }, Pictures).Graph;
        var weights = graph.Initializers.Where(tensor => tensor.DataType == 3 && tensor.Dims.Count == 4);

        Assert.All(weights, tensor => Assert.Equal(largest, tensor.Int8s().Max(value => Math.Abs((int)value))));
    }

    [Fact]
    public void ExcludedNodesAndTheHeadStayFloat()
    {
        var graph = Residual();
        var second = graph.Nodes.Where(node => node.OpType == "Conv").ElementAt(1).Name;
        var quantized = Quantize(
            graph, new QuantizationOptions { Exclude = [second, "Sigm*"] }, Pictures);

        Assert.Contains(quantized.Kept, kept => kept.Name == second && kept.Reason.Contains(second, StringComparison.Ordinal));
        Assert.Contains(quantized.Kept, kept => kept is { Op: "Sigmoid" });
        Assert.Contains(quantized.Kept, kept => kept is { Op: "Gemm", Reason: "head" });
        Assert.Equal(3, quantized.Int8Nodes["Conv"]);

        var whole = Quantize(graph, new QuantizationOptions { KeepHead = false }, Pictures);
        Assert.Equal(1, whole.Int8Nodes["Gemm"]);
    }

    [Fact]
    public void ADetectorsDecodingStaysFloatAndItsLastLayersToo()
    {
        var b = new GraphBuilder();
        var x = b.Input("x", 1, 3, 32, 32);
        var features = b.Silu(b.Conv(b.Silu(b.Conv(x, 3, 16, stride: 2)), 16, 32));
        var sides = b.Conv(features, 32, 64, 1);
        var scores = b.Conv(features, 32, 2, 1);
        var rows = b.Reshape(sides, 1, 4, 16, 256);
        var expected = b.Node(
            "Conv",
            [b.Softmax(b.Transpose(rows, 0, 2, 1, 3)), b.Constant([.. Enumerable.Range(0, 16).Select(i => (float)i)], 1, 16, 1, 1)],
            Nodes.Of("kernel_shape", 1, 1));
        var boxes = b.Reshape(expected, 1, 4, 256);
        b.Output(b.Concat(1, boxes, b.Sigmoid(b.Reshape(scores, 1, 2, 256))), "y", 1, 6, 256);

        var quantized = Quantize(b.Build(), new QuantizationOptions(), Pictures);

        Assert.Equal(2, quantized.Int8Nodes["Conv"]);
        Assert.Equal(3, quantized.Kept.Count(kept => kept is { Op: "Conv", Reason: "head" }));
        Assert.DoesNotContain("Concat", quantized.Int8Nodes.Keys);
    }

    [Fact]
    public void BatchNormalisationIsFoldedFirst()
    {
        var b = new GraphBuilder(opset: 12);
        var x = b.Input("x", 1, 3, 32, 32);
        var t = b.Relu(b.BatchNormalization(b.Conv(x, 3, 16, stride: 2), 16));
        t = b.Relu(b.Conv(t, 16, 16));
        b.Output(b.Softmax(b.Gemm(b.Flatten(b.Node("ReduceMean", [t], Nodes.Of("axes", 2, 3))), 16, 4)), "y", 1, 4);
        var graph = b.Build();

        var quantized = Quantize(graph, new QuantizationOptions(), Pictures);
        var ops = Run(quantized.Graph);

        Assert.Equal(13, quantized.Graph.Opset);
        Assert.Equal(2, ops["QLinearConv"]);
        Assert.Equal(1, ops["QLinearGlobalAveragePool"]);
        Assert.False(ops.ContainsKey("BatchNormalization"));
        Assert.InRange(Decibels(graph, quantized.Graph), 20, 200);
    }

    [Fact]
    public void AChannelWithoutWeightsKeepsItsBias()
    {
        var weights = new float[16 * 3 * 9];
        weights.AsSpan(9 * 3).Fill(0.01f);
        weights[0] = 1e-20f;
        var bias = new float[16];
        bias[0] = 500;
        var b = new GraphBuilder();
        var t = b.Conv(b.Relu(b.Conv(b.Input("x", 1, 3, 32, 32), 3, 16, 3, bias: bias, weights: weights)), 16, 16);
        b.Output(b.GlobalAveragePool(b.Relu(t)), "y", 1, 16, 1, 1);
        var graph = b.Build();

        Assert.InRange(Decibels(graph, Quantize(graph, new QuantizationOptions(), Pictures).Graph), 20, 200);
    }

    [Fact]
    public void MemoryBoundsHowManyValuesAreHeldAtOnce()
    {
        var graph = Residual();
        var runs = 0;
        Func<InputTensor>[] pictures = [() => Counted()];
        var options = new QuantizationOptions { Method = CalibrationMethod.Entropy };
        var wide = Quantize(graph, options, pictures);
        Assert.Equal(2, runs);

        runs = 0;
        var narrow = Quantize(graph, options with { Memory = 100_000 }, pictures);
        Assert.InRange(runs, 3, 20);
        Assert.Equal(wide.Ranges.OrderBy(r => r.Key), narrow.Ranges.OrderBy(r => r.Key));

        InputTensor Counted()
        {
            runs++;
            return Picture(1);
        }
    }

    [Fact]
    public void WhatCannotBeQuantisedIsRefusedInOneLine()
    {
        var quantized = Quantize(Residual(), new QuantizationOptions(), Pictures).Graph;
        Refusal.Of(() => Quantize(quantized, new QuantizationOptions(), Pictures), "already");
        Refusal.Of(() => Quantize(Residual(), new QuantizationOptions { Exclude = ["*"] }, Pictures), "exclude");
        Refusal.Of(() => Quantize(Residual(), new QuantizationOptions(), []), "picture");
        var wrong = new Func<InputTensor>[] { () => InputTensor.Of(new float[12], 1, 3, 2, 2) };
        Refusal.Of(() => Quantize(Residual(), new QuantizationOptions(), wrong), "fails");
        var infinite = new Func<InputTensor>[]
        {
            () => InputTensor.Of([.. Enumerable.Repeat(float.PositiveInfinity, 3072)], Shape),
        };
        Refusal.Of(() => Quantize(Residual(), new QuantizationOptions(), infinite), "NaN or infinite");
    }

    [Theory]
    [InlineData("yolox_nano_coco_416.onnx", 416)]
    [InlineData("nanodet_m_320_opset12.onnx", 320)]
    public void RealDetectorsRunInInt8(string name, int size)
    {
        var graph = OnnxGraph.Load(TestData.Model(name));
        var picture = Running.Noise(3 * size * size, 1).Select(value => value * 100).ToArray();
        var quantized = Quantize(
            graph, new QuantizationOptions(), [() => InputTensor.Of(picture, 1, 3, size, size)]);
        var ops = Run(quantized.Graph);

        Assert.True(ops["QLinearConv"] > 10 * ops.GetValueOrDefault("Conv", 1));
    }

    internal static QuantizedGraph Quantize(
        OnnxGraph graph, QuantizationOptions options, IReadOnlyList<Func<InputTensor>> pictures) =>
        Quantizer.Quantize(graph, options, pictures, null, TestContext.Current.CancellationToken);

    internal static OnnxGraph Residual()
    {
        // Values with two readers, a SiLU, a concatenation and a Relu behind an addition: where fusing goes wrong.
        var b = new GraphBuilder();
        var x = b.Input("x", 1, 3, 32, 32);
        var a = b.Relu(b.Conv(x, 3, 16, stride: 2));
        var c = b.Relu(b.Add(a, b.Conv(b.Relu(b.Conv(a, 16, 16)), 16, 16)));
        var d = b.Add(c, b.Silu(b.Conv(c, 16, 16)));
        var e = b.Flatten(b.GlobalAveragePool(b.Concat(1, c, b.MaxPool(d, 3, 1, 1))));
        b.Output(b.Softmax(b.Gemm(e, 32, 5)), "y", 1, 5);
        return b.Build();
    }

    /// <summary>How often ONNX Runtime runs each operator, once it has rewritten the graph.</summary>
    private static Dictionary<string, int> Run(OnnxGraph graph)
    {
        // Into NCHW only: the wider layouts of a processor are no business of a test.
        var ops = Sessions.Optimise(graph, GraphOptimizationLevel.ORT_ENABLE_EXTENDED).Nodes;
        return ops.CountBy(node => node.OpType).ToDictionary();
    }

    private static InputTensor Picture(int seed) => InputTensor.Of(
        [.. Running.Noise(3 * 32 * 32, seed).Select(value => (value + 1) / 2)], Shape);

    private static double Decibels(OnnxGraph before, OnnxGraph after)
    {
        var input = Running.Noise(3 * 32 * 32, 99).Select(value => (value + 1) / 2).ToArray();
        var truth = Running.Run(before, input, 1, 3, 32, 32);
        var rounded = Running.Run(after, input, 1, 3, 32, 32);
        var error = truth.Zip(rounded, (a, b) => (double)(a - b) * (a - b)).Sum();
        return 10 * Math.Log10(truth.Sum(value => (double)value * value) / error);
    }
}
