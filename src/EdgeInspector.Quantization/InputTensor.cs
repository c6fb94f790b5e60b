using System.Runtime.InteropServices;

namespace EdgeInspector.Quantization;

/// <summary>What a graph is fed: its numbers as bytes, of the kind that the graph's input has.</summary>
public sealed record InputTensor(byte[] Data, IReadOnlyList<int> Shape)
{
    public static InputTensor Of(ReadOnlySpan<float> values, params IReadOnlyList<int> shape) =>
        new(MemoryMarshal.AsBytes(values).ToArray(), shape);
}
