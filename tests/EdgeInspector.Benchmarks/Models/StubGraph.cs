using EdgeInspector.Quantization.Graph;

namespace EdgeInspector.Benchmarks.Models;

/// <summary>
/// A detector that computes next to nothing: its output is a constant with the parts in it. What a call costs beyond the raw
/// run is then seen to the microsecond, and by the sizes of input and output, where it goes.
/// </summary>
internal static class StubGraph
{
    /// <summary>The finished network.</summary>
    /// <param name="size">Input width and height.</param>
    /// <param name="cells">Columns of the output.</param>
    /// <param name="parts">Centres, in input pixels; each gets five proposals.</param>
    /// <param name="side">Side of each part, input pixels.</param>
    public static OnnxGraph Build(int size, int cells, IReadOnlyList<(float X, float Y)> parts, float side)
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

        // Without the input's part in it the output would be computed once and for all.
        var g = new GraphBuilder();
        var images = g.Input("images", 1, 3, size, size);
        var corner = g.Node("Slice", [images, g.Constant([0L, 0, 0]), g.Constant([1L, 1, 1]), g.Constant([1L, 2, 3])]);
        var nothing = g.Mul(g.Reshape(corner, 1, 1, 1), g.Constant([1e-9f], 1));
        g.Output(g.Add(g.Constant(values, 1, 4 + YoloGraph.Labels, cells), nothing), "output0", 1, 4 + YoloGraph.Labels, cells);
        return g.Build();
    }
}
