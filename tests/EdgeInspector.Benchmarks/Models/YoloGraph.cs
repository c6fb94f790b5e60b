using EdgeInspector.Quantization.Graph;

namespace EdgeInspector.Benchmarks.Models;

/// <summary>
/// YOLOv8n with random weights: every layer of the published network (depth 0.33, width 0.25, 80 classes), 8.7 GFLOP at 640,
/// output as Ultralytics' exporter writes it. What it finds is planted: biases give every box its size, and a constant added
/// to the finest scale's scores puts five proposals on each part, of which suppression must leave one.
/// </summary>
internal sealed class YoloGraph
{
    public const int Labels = 80;
    private const int Bins = 16;
    private const float Silence = -12;
    private const float Planted = 15;

    private readonly GraphBuilder _graph;
    private readonly int _size;
    private readonly float _side;

    private YoloGraph(int size, int seed, float side)
    {
        _size = size;
        _side = side;
        _graph = new GraphBuilder(seed: seed);
    }

    /// <summary>The finished network.</summary>
    /// <param name="size">Input width and height, a multiple of 32.</param>
    /// <param name="seed">Of the weights.</param>
    /// <param name="parts">Centres of the parts, in input pixels.</param>
    /// <param name="side">Side of each part, input pixels; at most 200.</param>
    public static OnnxGraph Build(int size, int seed, IReadOnlyList<(float X, float Y)> parts, float side) =>
        new YoloGraph(size, seed, side).Build(parts);

    private OnnxGraph Build(IReadOnlyList<(float X, float Y)> parts)
    {
        var g = _graph;
        var x = Conv(g.Input("images", 1, 3, _size, _size), 3, 16, 3, 2);
        x = Conv(x, 16, 32, 3, 2);
        x = Block(x, 32, 32, 1, shortcut: true);
        x = Conv(x, 32, 64, 3, 2);
        var p3 = Block(x, 64, 64, 2, shortcut: true);
        x = Conv(p3, 64, 128, 3, 2);
        var p4 = Block(x, 128, 128, 2, shortcut: true);
        x = Conv(p4, 128, 256, 3, 2);
        x = Block(x, 256, 256, 1, shortcut: true);
        var p5 = Pyramid(x);
        var n4 = Block(g.Concat(1, g.Resize(p5, 2), p4), 384, 128, 1, shortcut: false);
        var n3 = Block(g.Concat(1, g.Resize(n4, 2), p3), 192, 64, 1, shortcut: false);
        var m4 = Block(g.Concat(1, Conv(n3, 64, 64, 3, 2), n4), 192, 128, 1, shortcut: false);
        var m5 = Block(g.Concat(1, Conv(m4, 128, 128, 3, 2), p5), 384, 256, 1, shortcut: false);

        List<string> heads = [];
        List<float> columns = [], rows = [], strides = [];
        foreach (var (feature, channels, stride) in new[] { (n3, 64, 8), (m4, 128, 16), (m5, 256, 32) })
        {
            var cells = _size / stride;
            heads.Add(Head(feature, channels, stride, stride == 8 ? parts : []));
            for (var j = 0; j < cells; j++)
            {
                for (var i = 0; i < cells; i++)
                {
                    columns.Add(i + 0.5f);
                    rows.Add(j + 0.5f);
                    strides.Add(stride);
                }
            }
        }

        var n = columns.Count;
        var split = g.Split(g.Concat(2, heads), 1, 4 * Bins, Labels);
        var sides = g.Split(Distances(split[0], n), 1, 2, 2);
        var anchors = g.Constant([.. columns, .. rows], 1, 2, n);
        var (from, to) = (g.Sub(anchors, sides[0]), g.Add(anchors, sides[1]));
        var centre = g.Mul(g.Add(from, to), g.Constant([0.5f], 1));
        var boxes = g.Mul(g.Concat(1, centre, g.Sub(to, from)), g.Constant([.. strides], 1, 1, n));
        g.Output(g.Concat(1, boxes, g.Sigmoid(split[1])), "output0", 1, 4 + Labels, n);
        g.Note("stride", "32");
        g.Note("task", "detect");
        g.Note("batch", "1");
        g.Note("imgsz", $"[{_size}, {_size}]");
        g.Note("names", "{" + string.Join(", ", Enumerable.Range(0, Labels).Select(i => $"{i}: 'c{i}'")) + "}");
        return g.Build();
    }

    private string Conv(string input, int from, int to, int kernel, int stride) =>
        _graph.Silu(_graph.Conv(input, from, to, kernel, stride));

    /// <summary>C2f.</summary>
    private string Block(string input, int from, int to, int repeats, bool shortcut)
    {
        var half = to / 2;
        List<string> all = [.. _graph.Split(Conv(input, from, to, 1, 1), 1, half, half)];
        for (var i = 0; i < repeats; i++)
        {
            var through = Conv(Conv(all[^1], half, half, 3, 1), half, half, 3, 1);
            all.Add(shortcut ? _graph.Add(all[^1], through) : through);
        }

        return Conv(_graph.Concat(1, all), (2 + repeats) * half, to, 1, 1);
    }

    /// <summary>SPPF.</summary>
    private string Pyramid(string input)
    {
        List<string> all = [Conv(input, 256, 128, 1, 1)];
        for (var i = 0; i < 3; i++)
        {
            all.Add(_graph.MaxPool(all[^1], 5, 1, 2));
        }

        return Conv(_graph.Concat(1, all), 512, 256, 1, 1);
    }

    private string Head(string feature, int channels, int stride, IReadOnlyList<(float X, float Y)> parts)
    {
        const int Inner = 80;
        var cells = _size / stride;

        // The expected bin of a softmax over a parabola is its vertex: half the side, in strides.
        var half = Math.Min(_side / 2 / stride, Bins - 1);
        var boxBias = new float[4 * Bins];
        for (var i = 0; i < boxBias.Length; i++)
        {
            boxBias[i] = -4 * MathF.Pow((i % Bins) - half, 2);
        }

        var labelBias = Enumerable.Repeat(2 * Silence, Labels).ToArray();
        labelBias[0] = Silence;
        var box = Conv(Conv(feature, channels, 64, 3, 1), 64, 64, 3, 1);
        var scores = Conv(Conv(feature, channels, Inner, 3, 1), Inner, Inner, 3, 1);
        box = _graph.Conv(Faint(box), 64, 4 * Bins, 1, bias: boxBias);
        scores = _graph.Conv(Faint(scores), Inner, Labels, 1, bias: labelBias);
        if (parts.Count > 0)
        {
            var planted = new float[cells * cells];
            foreach (var (x, y) in parts)
            {
                var (column, row) = ((int)(x / stride), (int)(y / stride));
                foreach (var (dx, dy, less) in new[] { (0, 0, 0f), (1, 0, 0.5f), (-1, 0, 0.6f), (0, 1, 0.7f), (0, -1, 0.8f) })
                {
                    planted[((row + dy) * cells) + column + dx] = Planted - less;
                }
            }

            scores = _graph.Add(scores, _graph.Constant(planted, 1, 1, cells, cells));
        }

        return _graph.Reshape(_graph.Concat(1, box, scores), 1, (4 * Bins) + Labels, cells * cells);
    }

    /// <summary>What the picture says must not drown what was planted.</summary>
    private string Faint(string x) => _graph.Mul(x, _graph.Constant([0.02f], 1));

    /// <summary>Distribution focal loss: each side's expected bin.</summary>
    private string Distances(string bins, int cells)
    {
        var d = _graph.Transpose(_graph.Reshape(bins, 1, 4, Bins, cells), 0, 2, 1, 3);
        d = _graph.Conv(_graph.Softmax(d), Bins, 1, 1, weights: [.. Enumerable.Range(0, Bins).Select(i => (float)i)]);
        return _graph.Reshape(d, 1, 4, cells);
    }
}
