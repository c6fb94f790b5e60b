namespace EdgeInspector.Vision.Tests;

public sealed class OnnxModelTests : IDisposable
{
    private static readonly InferenceOptions OnCpu = new() { Provider = ProviderChoice.Cpu, Threads = 1 };

    private readonly string _folder = Directory.CreateTempSubdirectory("edge-inspector-model-").FullName;

    public void Dispose() => Directory.Delete(_folder, true);

    [Theory]
    [InlineData(OnnxGraph.Free)]
    [InlineData(1)]
    [InlineData(7)]
    public void RowsAreScoredWhateverTheModelsBatch(int batch)
    {
        using var model = Open(OnnxGraph.Classifying([1, 2, 3, 0, 0, 0], [0, 0], 2, 1, softmax: false, batch));
        var random = new Random(1);
        var input = new FloatTensor([.. Enumerable.Range(0, 70 * 6).Select(_ => random.NextSingle())], [70, 3, 1, 2]);

        var output = model.Run(input);
        Assert.Equal([70, 2], output.Shape);
        for (var row = 0; row < 70; row++)
        {
            var x = input.Values.AsSpan(row * 6, 6);
            Assert.Equal(((x[0] + x[1]) / 2) + x[2] + x[3] + (1.5f * (x[4] + x[5])), output.Values[row * 2], 1e-4f);
        }
    }

    [Fact]
    public void OtherShapesAreRefused()
    {
        using var model = Open(OnnxGraph.Classifying([1, 2, 3, 0, 0, 0], [0, 0], 2, 1, softmax: false, 2));
        foreach (var shape in new int[][] { [1, 3, 1, 2], [2, 3, 2, 1], [6], [2, 6, 1] })
        {
            var input = new FloatTensor(new float[shape.Aggregate(1, (a, b) => a * b)], shape);
            Refusal.Of<VisionException>(() => model.Run(input), "m.onnx", "[2,3,1,2]", $"[{string.Join(',', shape)}]");
        }
    }

    [Fact]
    public void TwoOutputsAreRefused()
    {
        var path = TestData.Model("nanodet_m_320_opset12.onnx");
        Refusal.Of<VisionException>(() => OnnxModel.Open(path, OnCpu), path, "6 outputs");
    }

    private OnnxModel Open(byte[] model)
    {
        var path = Path.Combine(_folder, "m.onnx");
        File.WriteAllBytes(path, model);
        return OnnxModel.Open(path, OnCpu);
    }
}
