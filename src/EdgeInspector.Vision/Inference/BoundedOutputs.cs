namespace EdgeInspector.Vision.Inference;

/// <summary>
/// Some graphs give as many rows as they find, so no buffer can be bound and each run would allocate. To such a graph
/// two operations are added for each of these outputs: zeros are put behind the rows and the first
/// <see cref="Rows"/> are kept. What follows sees one size, and rows beyond the bound, the least likely, are dropped.
/// </summary>
/// <remarks>
/// Two serialised protobuf messages behind each other are their union, so the additions are appended to the file's
/// bytes and nothing is rewritten.
/// </remarks>
internal static class BoundedOutputs
{
    /// <summary>Most rows kept, as many as <see cref="DetectorManifest.MaxDetections"/> can ask for.</summary>
    public const int Rows = 1024;

    private const string Suffix = "/edge-inspector.bounded";

    /// <summary>True when the number of rows is open and everything else is told.</summary>
    public static bool IsOpen(TensorOutline output, int axis) => output.Rank > axis && output.Size(axis) < 0;

    /// <summary>The output's name once it is bounded.</summary>
    public static string NameOf(TensorOutline output) => output.Name + Suffix;

    /// <param name="model">The file's bytes.</param>
    /// <param name="outline">What they say.</param>
    /// <param name="outputs">What is to be bounded, and along which dimension; other free sizes are batches of 1.</param>
    public static byte[] Append(
        ReadOnlySpan<byte> model, ModelOutline outline, IReadOnlyList<(TensorOutline Output, int Axis)> outputs)
    {
        var graph = new ProtobufWriter();
        foreach (var (output, axis) in outputs)
        {
            var (zeros, padded, bounded) = ($"{output.Name}/zeros", $"{output.Name}/padded", NameOf(output));
            var shape = output.Shape!.Select((size, i) => i == axis ? Rows : Math.Max(size, 1)).ToArray();
            graph.Message(5, Constant(zeros, output.Type, shape, new byte[shape.Aggregate(1L, (a, b) => a * b)
                * Bytes(output.Type)]));
            graph.Message(1, Node("Concat", [output.Name, zeros], padded).Message(5, Attribute("axis", 2, axis)));
            if (outline.OperatorSet >= 10)
            {
                var (from, to, along) = ($"{bounded}/from", $"{bounded}/to", $"{bounded}/along");
                graph.Message(5, Constant(from, 7, [1], BitConverter.GetBytes(0L)));
                graph.Message(5, Constant(to, 7, [1], BitConverter.GetBytes((long)Rows)));
                graph.Message(5, Constant(along, 7, [1], BitConverter.GetBytes((long)axis)));
                graph.Message(1, Node("Slice", [padded, from, to, along], bounded));
            }
            else
            {
                graph.Message(1, Node("Slice", [padded], bounded)
                    .Message(5, Attribute("starts", 7, 0))
                    .Message(5, Attribute("ends", 7, Rows))
                    .Message(5, Attribute("axes", 7, axis)));
            }

            graph.Message(12, Value(bounded, output.Type, shape));
        }

        return [.. model, .. new ProtobufWriter().Message(7, graph).ToArray()];
    }

    private static int Bytes(int type) => type switch
    {
        7 or 11 or 13 => 8,
        4 or 5 or 10 or 16 => 2,
        2 or 3 or 9 => 1,
        _ => 4,
    };

    private static ProtobufWriter Constant(string name, int type, long[] shape, byte[] raw)
    {
        var tensor = new ProtobufWriter();
        foreach (var size in shape)
        {
            tensor.Number(1, size);
        }

        return tensor.Number(2, type).Text(8, name).Bytes(9, raw);
    }

    private static ProtobufWriter Node(string operation, string[] inputs, string output)
    {
        var node = new ProtobufWriter();
        foreach (var input in inputs)
        {
            node.Text(1, input);
        }

        return node.Text(2, output).Text(3, output).Text(4, operation);
    }

    /// <param name="name">Of the attribute.</param>
    /// <param name="kind">2 is one whole number, 7 a list of them.</param>
    /// <param name="number">Its value.</param>
    private static ProtobufWriter Attribute(string name, int kind, long number) =>
        new ProtobufWriter().Text(1, name).Number(kind == 7 ? 8 : 3, number).Number(20, kind);

    private static ProtobufWriter Value(string name, int type, long[] shape)
    {
        var sizes = new ProtobufWriter();
        foreach (var size in shape)
        {
            sizes.Message(1, new ProtobufWriter().Number(1, size));
        }

        var tensor = new ProtobufWriter().Number(1, type).Message(2, sizes);
        return new ProtobufWriter().Text(1, name).Message(2, new ProtobufWriter().Message(1, tensor));
    }
}
