using EdgeInspector.Quantization.Graph;
using EdgeInspector.Vision.Inference;

namespace EdgeInspector.Quantization.Tests;

public sealed class SignedActivationsTests
{
    [Fact]
    public void ShiftedActivationsSayTheSame()
    {
        var graph = Quantized();
        var shifted = OnnxGraph.Parse(SignedActivations.ToUnsigned(graph.ToBytes()));
        var input = Running.Noise(3 * 32 * 32, 3);

        Assert.All(
            shifted.Nodes.Where(node => node.OpType == "QuantizeLinear"),
            node => Assert.Equal(2, shifted.Constant(node.Input[2])!.DataType));
        var before = Running.Run(graph, input, 1, 3, 32, 32);
        var after = Running.Run(shifted, input, 1, 3, 32, 32);
        Assert.All(before.Zip(after), pair => Assert.Equal(pair.First, pair.Second, 1e-5f));
    }

    [Fact]
    public void WeightsStaySigned()
    {
        var graph = Quantized();
        var shifted = OnnxGraph.Parse(SignedActivations.ToUnsigned(graph.ToBytes()));

        foreach (var conv in shifted.Nodes.Where(node => node.OpType == "Conv"))
        {
            Assert.Equal(3, shifted.Constant(shifted.Producer(conv.Input[1])!.Input[2])!.DataType);
        }
    }

    [Fact]
    public void AValueThatSomebodyReadsAsInt8IsLeftAlone()
    {
        var graph = Quantized();
        var rounding = graph.Nodes.First(node => node.OpType == "QuantizeLinear");
        var other = rounding.Output[0] + "/other";
        graph.Insert(Nodes.Create("Transpose", [rounding.Output[0]], [other]));
        var shifted = OnnxGraph.Parse(SignedActivations.ToUnsigned(graph.ToBytes()));

        Assert.Equal(3, shifted.Constant(rounding.Input[2])!.DataType);
    }

    [Fact]
    public void FilesWithoutInt8AndDamagedOnesAreLeftAsTheyAre()
    {
        var plain = QuantizerTests.Residual().ToBytes();
        Assert.Same(plain, SignedActivations.ToUnsigned(plain));
        var bytes = Quantized().ToBytes();
        var random = new Random(1);
        for (var i = 0; i < 300; i++)
        {
            var damaged = bytes[..random.Next(bytes.Length)];
            for (var k = 0; k < 5 && damaged.Length > 0; k++)
            {
                damaged[random.Next(damaged.Length)] = (byte)random.Next(256);
            }

            Assert.Equal(damaged.Length, SignedActivations.ToUnsigned(damaged).Length);
        }
    }

    private static OnnxGraph Quantized() => QuantizerTests.Quantize(
        QuantizerTests.Residual(),
        new QuantizationOptions(),
        [() => InputTensor.Of(Running.Noise(3 * 32 * 32, 1), 1, 3, 32, 32)]).Graph;
}
