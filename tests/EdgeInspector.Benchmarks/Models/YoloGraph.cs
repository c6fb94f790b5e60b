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
    private const double Silence = -12;
    private const double Planted = 15;

    private readonly GraphWriter _graph = new();
    private readonly Gaussians _weights;
    private readonly int _size;
    private readonly float _side;

    private YoloGraph(int size, int seed, float side)
    {
        _size = size;
        _side = side;
        _weights = new Gaussians(seed);
    }

    /// <summary>The model's bytes.</summary>
    /// <param name="size">Input width and height, a multiple of 32.</param>
    /// <param name="seed">Of the weights.</param>
    /// <param name="parts">Centres of the parts, in input pixels.</param>
    /// <param name="side">Side of each part, input pixels; at most 200.</param>
    public static byte[] Build(int size, int seed, IReadOnlyList<(float X, float Y)> parts, float side) =>
        new YoloGraph(size, seed, side).Build(parts);

    private byte[] Build(IReadOnlyList<(float X, float Y)> parts)
    {
        var s = _size;
        var x = Conv("images", 3, 16, 3, 2);
        x = Conv(x, 16, 32, 3, 2);
        x = Block(x, 32, 32, 1, shortcut: true);
        x = Conv(x, 32, 64, 3, 2);
        var p3 = Block(x, 64, 64, 2, shortcut: true);
        x = Conv(p3, 64, 128, 3, 2);
        var p4 = Block(x, 128, 128, 2, shortcut: true);
        x = Conv(p4, 128, 256, 3, 2);
        x = Block(x, 256, 256, 1, shortcut: true);
        var p5 = Pyramid(x);
        var n4 = Block(Concat(Up(p5), p4), 384, 128, 1, shortcut: false);
        var n3 = Block(Concat(Up(n4), p3), 192, 64, 1, shortcut: false);
        var m4 = Block(Concat(Conv(n3, 64, 64, 3, 2), n4), 192, 128, 1, shortcut: false);
        var m5 = Block(Concat(Conv(m4, 128, 128, 3, 2), p5), 384, 256, 1, shortcut: false);

        List<string> heads = [];
        List<float> columns = [], rows = [], strides = [];
        foreach (var (feature, channels, stride) in new[] { (n3, 64, 8), (m4, 128, 16), (m5, 256, 32) })
        {
            var cells = s / stride;
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
        var split = _graph.Node("Split", [_graph.Node("Concat", [.. heads], ("axis", 2)), _graph.Longs(4 * Bins, Labels)], 2, [("axis", 1)]);
        var distances = Distances(split[0], n);
        var sides = _graph.Node("Split", [distances, _graph.Longs(2, 2)], 2, [("axis", 1)]);
        var anchors = _graph.Floats([1, 2, n], [.. columns, .. rows]);
        var from = _graph.Node("Sub", [anchors, sides[0]]);
        var to = _graph.Node("Add", [anchors, sides[1]]);
        var centre = _graph.Node("Mul", [_graph.Node("Add", [from, to]), _graph.Floats([1], [0.5f])]);
        var boxes = _graph.Node(
            "Mul",
            [Concat(centre, _graph.Node("Sub", [to, from])), _graph.Floats([1, 1, n], strides.ToArray())]
        );
        _graph.Output(Concat(boxes, _graph.Node("Sigmoid", [split[1]])), "output0");
        return _graph.Model(
            ("images", [1, 3, s, s]),
            ("output0", [1, 4 + Labels, n]),
            new Dictionary<string, string>
            {
                ["stride"] = "32",
                ["task"] = "detect",
                ["batch"] = "1",
                ["imgsz"] = $"[{s}, {s}]",
                ["names"] = "{" + string.Join(", ", Enumerable.Range(0, Labels).Select(i => $"{i}: 'c{i}'")) + "}",
            }
        );
    }

    private string Conv(string input, int from, int to, int kernel, int stride, bool activated = true, float[]? bias = null, double gain = 1)
    {
        var inputs = from * kernel * kernel;
        var weights = _weights.Next(to * inputs, gain * Math.Sqrt(2.0 / inputs));
        var pad = kernel / 2;
        var y = _graph.Node(
            "Conv",
            [input, _graph.Floats([to, from, kernel, kernel], weights), _graph.Floats([to], bias ?? new float[to])],
            ("kernel_shape", new[] { kernel, kernel }),
            ("strides", new[] { stride, stride }),
            ("pads", new[] { pad, pad, pad, pad }),
            ("dilations", new[] { 1, 1 }),
            ("group", 1)
        );
        return activated ? _graph.Node("Mul", [y, _graph.Node("Sigmoid", [y])]) : y;
    }

    private string Concat(params string[] parts) => _graph.Node("Concat", parts, ("axis", 1));

    private string Up(string input) =>
        _graph.Node(
            "Resize",
            [input, "", _graph.Floats([4], [1, 1, 2, 2])],
            ("mode", "nearest"),
            ("coordinate_transformation_mode", "asymmetric"),
            ("nearest_mode", "floor")
        );

    /// <summary>C2f.</summary>
    private string Block(string input, int from, int to, int repeats, bool shortcut)
    {
        var half = to / 2;
        var split = _graph.Node("Split", [Conv(input, from, to, 1, 1), _graph.Longs(half, half)], 2, [("axis", 1)]);
        List<string> all = [split[0], split[1]];
        for (var i = 0; i < repeats; i++)
        {
            var through = Conv(Conv(all[^1], half, half, 3, 1), half, half, 3, 1);
            all.Add(shortcut ? _graph.Node("Add", [all[^1], through]) : through);
        }

        return Conv(Concat([.. all]), (2 + repeats) * half, to, 1, 1);
    }

    /// <summary>SPPF.</summary>
    private string Pyramid(string input)
    {
        List<string> all = [Conv(input, 256, 128, 1, 1)];
        for (var i = 0; i < 3; i++)
        {
            all.Add(
                _graph.Node(
                    "MaxPool",
                    [all[^1]],
                    ("kernel_shape", new[] { 5, 5 }),
                    ("strides", new[] { 1, 1 }),
                    ("pads", new[] { 2, 2, 2, 2 })
                )
            );
        }

        return Conv(Concat([.. all]), 512, 256, 1, 1);
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

        var labelBias = Enumerable.Repeat((float)(2 * Silence), Labels).ToArray();
        labelBias[0] = (float)Silence;
        var box = Conv(Conv(Conv(feature, channels, 64, 3, 1), 64, 64, 3, 1), 64, 64, 1, 1, activated: false, boxBias, gain: 0.02);
        var scores = Conv(Conv(Conv(feature, channels, Inner, 3, 1), Inner, Inner, 3, 1), Inner, Labels, 1, 1, activated: false, labelBias, gain: 0.02);
        if (parts.Count > 0)
        {
            var planted = new float[cells * cells];
            foreach (var (x, y) in parts)
            {
                var (column, row) = ((int)(x / stride), (int)(y / stride));
                foreach (var (dx, dy, less) in new[] { (0, 0, 0f), (1, 0, 0.5f), (-1, 0, 0.6f), (0, 1, 0.7f), (0, -1, 0.8f) })
                {
                    planted[((row + dy) * cells) + column + dx] = (float)Planted - less;
                }
            }

            scores = _graph.Node("Add", [scores, _graph.Floats([1, 1, cells, cells], planted)]);
        }

        return _graph.Node("Reshape", [Concat(box, scores), _graph.Longs(1, (4 * Bins) + Labels, cells * cells)]);
    }

    /// <summary>Distribution focal loss: each side's expected bin.</summary>
    private string Distances(string bins, int cells)
    {
        var d = _graph.Node("Reshape", [bins, _graph.Longs(1, 4, Bins, cells)]);
        d = _graph.Node("Softmax", [_graph.Node("Transpose", [d], ("perm", new[] { 0, 2, 1, 3 }))], ("axis", 1));
        var numbers = Enumerable.Range(0, Bins).Select(i => (float)i).ToArray();
        d = _graph.Node("Conv", [d, _graph.Floats([1, Bins, 1, 1], numbers)], ("kernel_shape", new[] { 1, 1 }));
        return _graph.Node("Reshape", [d, _graph.Longs(1, 4, cells)]);
    }
}
