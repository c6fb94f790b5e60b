using EdgeInspector.Quantization.Graph;

namespace EdgeInspector.Quantization.Tests.Graph;

public sealed class GraphBuilderTests
{
    [Fact]
    public void EveryKindOfNodeRuns()
    {
        var g = new GraphBuilder();
        var x = g.Input("x", GraphBuilder.Free, 3, 16, 16);
        var a = g.Silu(g.BatchNormalization(g.Conv(x, 3, 8, stride: 2), 8));
        var parts = g.Split(a, 1, 4, 4);
        var b = g.Concat(1, parts[0], g.LeakyRelu(parts[1]), g.MaxPool(parts[0], 5, 1, 2));
        var c = g.Add(g.Resize(g.AveragePool(g.Relu(b), 2, 2), 2), b);
        var d = g.Clip(g.Conv(c, 12, 12, group: 12), 0, 6);
        var e = g.Flatten(g.Concat(1, g.GlobalAveragePool(d), g.GlobalMaxPool(d)));
        var f = g.MatMul(g.Gemm(e, 24, 6), g.Random(0.5, 6, 4));
        var y = g.Softmax(g.Sub(g.Reshape(g.Transpose(f, 0, 1), -1, 4), g.Constant([0.5f], 1)));
        g.Output(y, "y", GraphBuilder.Free, 4);

        var result = Running.Run(g.Build(), Running.Noise(2 * 3 * 16 * 16, 1), 2, 3, 16, 16);

        Assert.Equal(8, result.Length);
        Assert.Equal(1, result[..4].Sum(), 1e-5f);
    }

    [Fact]
    public void TheSameSeedDrawsTheSameWeights()
    {
        Assert.Equal(Weights(3), Weights(3));
        Assert.NotEqual(Weights(3), Weights(4));
        Assert.Equal(0, Weights(3).Average(), 0.05f);

        static float[] Weights(int seed)
        {
            var builder = new GraphBuilder(seed: seed);
            builder.Output(builder.Random(1, 100, 100), "y", 100, 100);
            return builder.Build().Initializers.Single().Floats();
        }
    }
}
