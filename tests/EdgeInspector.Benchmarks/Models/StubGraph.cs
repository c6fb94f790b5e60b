namespace EdgeInspector.Benchmarks.Models;

/// <summary>
/// A detector that computes next to nothing: its output is a constant with the parts in it. What a call costs beyond the raw
/// run is then seen to the microsecond, and by the sizes of input and output, where it goes.
/// </summary>
internal static class StubGraph
{
    /// <summary>The model's bytes.</summary>
    /// <param name="size">Input width and height.</param>
    /// <param name="cells">Columns of the output.</param>
    /// <param name="parts">Centres, in input pixels; each gets five proposals.</param>
    /// <param name="side">Side of each part, input pixels.</param>
    public static byte[] Build(int size, int cells, IReadOnlyList<(float X, float Y)> parts, float side)
    {
        var values = new float[(4 + YoloGraph.Labels) * cells];
        for (var i = 0; i < values.Length; i++)
        {
            values[i] = i < 4 * cells ? 8 : 1e-4f;
        }

        for (var i = 0; i < parts.Count * 5; i++)
        {
            var cell = (int)((i + 0.5) * cells / (parts.Count * 5));
            var (x, y) = parts[i / 5];
            values[cell] = x + (i % 5);
            values[cells + cell] = y;
            values[(2 * cells) + cell] = values[(3 * cells) + cell] = side;
            values[(4 * cells) + cell] = 0.9f - (0.02f * (i % 5));
        }

        var graph = new GraphWriter();
        var first = graph.Node(
            "Slice",
            ["images", graph.Longs(0, 0, 0), graph.Longs(1, 1, 1), graph.Longs(1, 2, 3)]
        );
        var nothing = graph.Node(
            "Mul",
            [graph.Node("Reshape", [first, graph.Longs(1, 1, 1)]), graph.Floats([1], [1e-9f])]
        );
        graph.Output(
            graph.Node("Add", [graph.Floats([1, 4 + YoloGraph.Labels, cells], values), nothing]),
            "output0"
        );
        return graph.Model(
            ("images", [1, 3, size, size]),
            ("output0", [1, 4 + YoloGraph.Labels, cells]),
            new Dictionary<string, string>()
        );
    }
}
