using EdgeInspector.Quantization.Graph;
using Microsoft.ML.OnnxRuntime;

namespace EdgeInspector.Quantization.Tests;

/// <summary>Runs graphs of one input, the true way: through ONNX Runtime.</summary>
internal static class Running
{
    public static float[] Run(OnnxGraph graph, float[] input, params long[] shape)
    {
        using var options = new SessionOptions { IntraOpNumThreads = 1 };
        using var session = new InferenceSession(graph.ToBytes(), options);
        using var run = new RunOptions();
        using var value = OrtValue.CreateTensorValueFromMemory(input, shape);
        using var results = session.Run(run, session.InputNames, [value], [session.OutputNames[0]]);
        return results[0].GetTensorDataAsSpan<float>().ToArray();
    }

    public static float[] Noise(int count, int seed)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(_ => (random.NextSingle() * 2) - 1)];
    }
}
