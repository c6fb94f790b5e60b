using Found = EdgeInspector.Vision.Tests.Detectors.ReferenceDecoder.Found;
using Table = EdgeInspector.Vision.Tests.Detectors.ReferenceDecoder.Table;

namespace EdgeInspector.Vision.Tests.Detectors;

/// <summary>
/// Graphs in every format with boxes planted among noise, each with the reference's reading of it. The graphs say the
/// same whatever they see, but depend on the picture as far as the runtime can tell.
/// </summary>
internal static class FormatGraphs
{
    private const int Few = 12;

    /// <param name="Name">For the report.</param>
    /// <param name="Model">The ONNX file.</param>
    /// <param name="Detector">Without file and hash; without a format where it has to be found.</param>
    /// <param name="Picture">Size of the picture it is shown.</param>
    /// <param name="Expected">In input pixels.</param>
    public sealed record Case(
        string Name, byte[] Model, DetectorManifest Detector, (int Width, int Height) Picture, List<Found> Expected);

    public static IEnumerable<Case> All()
    {
        foreach (var (width, height, labels, picture, fit) in new[]
        {
            (64, 64, 2, (200, 150), FitMode.Letterbox),
            (128, 96, 80, (131, 257), FitMode.Letterbox),
            (96, 64, 1, (640, 480), FitMode.Stretch),
            (64, 96, 7, (99, 55), FitMode.LetterboxTopLeft),
        })
        {
            var setting = new Setting(width, height, labels, picture, fit);
            yield return YoloV8(setting);
            yield return YoloV5(setting);
            yield return YoloX(setting, 3);
            yield return EndToEnd(setting);
            yield return NanoDetTable(setting, 8);
            yield return NanoDetLevels(setting, 3);
            yield return Detr(setting, labels);
            yield return Detr(setting, labels + 1);
            yield return DetrChosen(setting);
            yield return TensorFlow(setting);
            yield return Torchvision(setting);
            yield return Paddle(setting);
        }

        var plain = new Setting(64, 64, 3, (123, 77), FitMode.Letterbox);
        yield return YoloV8(plain with { Masks = 32, Name = "with masks" });
        yield return YoloV8(plain with { Batch = OnnxGraph.Free, Name = "free batch" });
        yield return YoloV8(plain with { Batch = 2, Name = "batch of 2" });
        yield return YoloV8(plain with { Type = OnnxGraph.Float16, Name = "half floats out" });
        yield return YoloV8(plain with { Layout = InputLayout.Nhwc, Element = InputElement.UInt8, Name = "nhwc uint8" });
        yield return YoloV8(plain with { Element = InputElement.Float16, Name = "half floats in" });
        yield return YoloV8(plain with { FreeSize = true, Name = "free size" });
        yield return YoloV8Rows(plain);
        yield return EndToEnd(plain with { Masks = 32, Name = "with masks" });
        yield return EndToEnd(plain with { OpenRows = true, Name = "open rows" });
        yield return Torchvision(plain with { OpenRows = true, Name = "open rows" });
        yield return TensorFlow(plain with { Layout = InputLayout.Nhwc, Element = InputElement.UInt8, Name = "nhwc uint8" });
        yield return Paddle(plain with { OpenRows = true, Name = "open rows" });
        yield return YoloX(new Setting(128, 128, 3, (300, 200), FitMode.Letterbox), 4);
        yield return NanoDetTable(new Setting(100, 72, 5, (300, 200), FitMode.Stretch), 11);
        yield return NanoDetLevels(new Setting(128, 72, 5, (300, 200), FitMode.Stretch), 4);
        yield return Anchors(plain, background: true, BoxForm.XyxyNormalised);
        yield return Anchors(plain, background: false, BoxForm.Cxcywh);
        yield return Anchors(plain, background: true, BoxForm.YxyxNormalised);
        yield return DetrTable(plain);
        yield return RfDetr(plain);
        yield return Decoded(plain);
    }

    private static Case YoloV8(Setting s)
    {
        var random = s.Random();
        var (numbers, cells) = (4 + s.Labels + s.Masks, s.Cells(3));
        var values = new float[numbers * cells];
        Plant(random, cells, s, (cell, box, scores) =>
        {
            for (var i = 0; i < 4; i++)
            {
                values[(i * cells) + cell] = box[i];
            }

            for (var i = 0; i < s.Labels; i++)
            {
                values[((4 + i) * cells) + cell] = scores[i];
            }

            for (var i = 0; i < s.Masks; i++)
            {
                values[((4 + s.Labels + i) * cells) + cell] = 5 * random.NextSingle();
            }
        });
        var graph = new Sayings(s);
        graph.Say("output0", Rounded(values, s.Type), [1, numbers, cells], s.Type);
        if (s.Masks > 0)
        {
            graph.Say("output1", new float[s.Masks * 16 * 16], [1, s.Masks, 16, 16]);
        }

        return s.Case("yolov8", graph.Build(), null, true, ReferenceDecoder.YoloV8(
            new Table(Doubles(Rounded(values, s.Type)), 1, numbers, cells), s.Labels));
    }

    private static Case YoloV8Rows(Setting s)
    {
        var cells = s.Cells(3);
        var values = Rows(s.Random(), cells, 4 + s.Labels, s, (row, box, scores) =>
        {
            box.CopyTo(row, 0);
            scores.CopyTo(row, 4);
        });
        var graph = new Sayings(s);
        graph.Say("output0", values, [1, cells, 4 + s.Labels]);
        var made = s.Case("yolov8 rows", graph.Build(), DetectorFormat.YoloV8, true, ReferenceDecoder.Rows(
            new Table(Doubles(values), 1, cells, 4 + s.Labels), s.Labels));
        return made;
    }

    private static Case YoloV5(Setting s)
    {
        var (random, cells) = (s.Random(), 3 * s.Cells(3));
        var values = Rows(random, cells, 5 + s.Labels, s, (row, box, scores) =>
        {
            box.CopyTo(row, 0);
            var best = scores.Max();
            row[4] = Math.Min(1, best * (1 + random.NextSingle()));
            for (var i = 0; i < scores.Length; i++)
            {
                row[5 + i] = scores[i] / row[4];
            }
        });
        var graph = new Sayings(s);
        graph.Say("output", values, [1, cells, 5 + s.Labels]);

        // Older exports carry the grids before decoding beside it.
        graph.Say("grid", new float[3 * 4 * 4 * (5 + s.Labels)], [1, 3, 4, 4, 5 + s.Labels]);
        return s.Case("yolov5", graph.Build(), null, true, ReferenceDecoder.YoloV5(
            new Table(Doubles(values), 1, cells, 5 + s.Labels), s.Labels));
    }

    /// <summary>YOLOX with its decoding in the graph is the yolov5 layout with one row per cell.</summary>
    private static Case Decoded(Setting s)
    {
        var cells = s.Cells(3);
        var values = Rows(s.Random(), cells, 5 + s.Labels, s, (row, box, scores) =>
        {
            box.CopyTo(row, 0);
            row[4] = 1;
            scores.CopyTo(row, 5);
        });
        var graph = new Sayings(s);
        graph.Say("output", values, [1, cells, 5 + s.Labels], through: "Exp");
        return s.Case("yolox decoded", graph.Build(), null, true, ReferenceDecoder.YoloV5(
            new Table(Doubles(values), 1, cells, 5 + s.Labels), s.Labels));
    }

    private static Case YoloX(Setting s, int strides)
    {
        var (random, cells) = (s.Random(), s.Cells(strides));
        var values = Rows(random, cells, 5 + s.Labels, s, (row, _, scores) =>
        {
            (row[0], row[1]) = (random.NextSingle() * 2, random.NextSingle() * 2);
            (row[2], row[3]) = ((random.NextSingle() * 2) - 0.5f, (random.NextSingle() * 2) - 0.5f);
            row[4] = 1 - (random.NextSingle() * 0.05f);
            for (var i = 0; i < scores.Length; i++)
            {
                row[5 + i] = scores[i] / row[4];
            }
        });
        var graph = new Sayings(s);
        graph.Say("output", values, [1, cells, 5 + s.Labels]);
        return s.Case($"yolox {strides} strides", graph.Build(), DetectorFormat.YoloX, true, ReferenceDecoder.YoloX(
            new Table(Doubles(values), 1, cells, 5 + s.Labels), s.Labels, s.Width, s.Height, strides));
    }

    private static Case EndToEnd(Setting s)
    {
        var random = s.Random();
        var values = Rows(random, 50, 6 + s.Masks, s, (row, box, scores) =>
        {
            Corners(box).CopyTo(row, 0);
            row[4] = scores.Max();
            row[5] = Array.IndexOf(scores, row[4]);
        });
        var graph = new Sayings(s);
        graph.Say("output0", values, [1, 50, 6 + s.Masks], open: 1);
        if (s.Masks > 0)
        {
            graph.Say("output1", new float[s.Masks * 16 * 16], [1, s.Masks, 16, 16]);
        }

        return s.Case("end to end", graph.Build(), null, false, ReferenceDecoder.EndToEnd(
            new Table(Doubles(values), 1, 50, 6 + s.Masks)));
    }

    private static Case NanoDetTable(Setting s, int bins)
    {
        var strides = bins == 8 ? 3 : 4;
        var (random, cells) = (s.Random(), s.CellsUp(strides));
        var width = s.Labels + (4 * bins);
        var values = Rows(random, cells, width, s, (row, _, scores) =>
        {
            scores.CopyTo(row, 0);
            for (var i = s.Labels; i < width; i++)
            {
                row[i] = (random.NextSingle() * 6) - 3;
            }
        });
        var graph = new Sayings(s);
        graph.Say("output", values, [1, cells, width]);
        var (scoreTables, distanceTables) = (new List<Table>(), new List<Table>());
        var first = 0;
        for (var level = 0; level < strides; level++)
        {
            var count = s.CellsOf(8 << level);
            var rows = Enumerable.Range(first, count).ToArray();
            scoreTables.Add(new Table(
                [.. rows.SelectMany(row => Doubles(values.AsSpan(row * width, s.Labels).ToArray()))], count, s.Labels));
            distanceTables.Add(new Table(
                [.. rows.SelectMany(row => Doubles(values.AsSpan((row * width) + s.Labels, 4 * bins).ToArray()))],
                count,
                4 * bins));
            first += count;
        }

        return s.Case($"nanodet {strides} strides", graph.Build(), null, true, ReferenceDecoder.NanoDet(
            scoreTables, distanceTables, s.Labels, s.Width, s.Height));
    }

    private static Case NanoDetLevels(Setting s, int strides)
    {
        const int Bins = 8;
        var random = s.Random();
        var graph = new Sayings(s);
        var (scoreTables, distanceTables) = (new List<Table>(), new List<Table>());
        for (var level = 0; level < strides; level++)
        {
            var count = s.CellsOf(8 << level);
            var scores = Rows(random, count, s.Labels, s, (row, _, scores) => scores.CopyTo(row, 0));
            var distances = Enumerable.Range(0, count * 4 * Bins).Select(_ => (random.NextSingle() * 6) - 3).ToArray();

            // One exporter drops the batch, and none is to be believed about order.
            int[] batch = level == 0 ? [] : [1];
            graph.Say($"a{9 - level}", distances, [.. batch, count, 4 * Bins]);
            graph.Say($"b{level}", scores, [.. batch, count, s.Labels]);
            scoreTables.Add(new Table(Doubles(scores), count, s.Labels));
            distanceTables.Add(new Table(Doubles(distances), count, 4 * Bins));
        }

        return s.Case($"nanodet {strides} × 2 outputs", graph.Build(), null, true, ReferenceDecoder.NanoDet(
            scoreTables, distanceTables, s.Labels, s.Width, s.Height));
    }

    private static Case Detr(Setting s, int columns)
    {
        var random = s.Random();
        var (boxes, logits) = (new float[30 * 4], new float[30 * columns]);
        Plant(random, 30, s, (row, box, scores) =>
        {
            Normalised(s, box).CopyTo(boxes, row * 4);
            for (var i = 0; i < columns; i++)
            {
                logits[(row * columns) + i] = i < s.Labels
                    ? MathF.Log(scores[i] / (1 - scores[i])) : (random.NextSingle() * 4) - 2;
            }
        });
        var graph = new Sayings(s);
        graph.Say("logits", logits, [1, 30, columns]);
        graph.Say("pred_boxes", boxes, [1, 30, 4]);
        var (boxTable, logitTable) = (new Table(Doubles(boxes), 1, 30, 4), new Table(Doubles(logits), 1, 30, columns));
        return s.Case(
            columns == s.Labels ? "detr sigmoid" : "detr softmax",
            graph.Build(),
            null,
            false,
            columns == s.Labels
                ? ReferenceDecoder.DetrSigmoid(boxTable, logitTable, s.Labels, s.Width, s.Height)
                : ReferenceDecoder.DetrSoftmax(boxTable, logitTable, s.Labels, s.Width, s.Height));
    }

    private static Case RfDetr(Setting s)
    {
        var (boxes, logits) = (new float[30 * 4], new float[30 * (s.Labels + 1)]);
        Plant(s.Random(), 30, s, (row, box, scores) =>
        {
            Normalised(s, box).CopyTo(boxes, row * 4);
            for (var i = 0; i < s.Labels; i++)
            {
                logits[(row * (s.Labels + 1)) + i] = MathF.Log(scores[i] / (1 - scores[i]));
            }
        });
        var graph = new Sayings(s);
        graph.Say("dets", boxes, [1, 30, 4]);
        graph.Say("labels", logits, [1, 30, s.Labels + 1]);
        return s.Case("rf-detr", graph.Build(), null, false, ReferenceDecoder.DetrSigmoid(
            new Table(Doubles(boxes), 1, 30, 4), new Table(Doubles(logits), 1, 30, s.Labels + 1), s.Labels, s.Width,
            s.Height));
    }

    private static Case DetrTable(Setting s)
    {
        var values = Rows(s.Random(), 30, 4 + s.Labels, s, (row, box, scores) =>
        {
            Normalised(s, box).CopyTo(row, 0);
            scores.CopyTo(row, 4);
        });
        var graph = new Sayings(s) { Notes = new() { ["description"] = "Ultralytics RT-DETR-l model" } };
        graph.Say("output0", values, [1, 30, 4 + s.Labels]);
        return s.Case("rt-detr, one output", graph.Build(), null, false, ReferenceDecoder.Rows(
            new Table(Doubles(values), 1, 30, 4 + s.Labels), s.Labels, s.Width, s.Height));
    }

    /// <summary>The graph multiplies its boxes by the size it is told, as the family's post-processors do.</summary>
    private static Case DetrChosen(Setting s)
    {
        var (boxes, scores, labels) = Choose(s, 30, 0);
        var unit = boxes.Select((edge, i) => edge / (i % 2 == 0 ? s.Width : s.Height)).ToArray();
        var graph = new Sayings(s);
        var size = graph.Side("orig_target_sizes", [OnnxGraph.Free, 2], OnnxGraph.Int64);
        var asFloat = graph.Graph.Node("Cast", [size], ("to", 1L));
        var four = graph.Graph.Node("Concat", [asFloat, asFloat], ("axis", 1L));
        graph.Say("labels", labels, [1, 30], OnnxGraph.Int64);
        graph.Say("boxes", unit, [1, 30, 4], times: four);
        graph.Say("scores", scores, [1, 30]);
        return s.Case("detr, chosen", graph.Build(), null, false, ReferenceDecoder.Chosen(
            new Table(Doubles(boxes), 1, 30, 4), new Table(Doubles(scores), 30), new Table(Doubles(labels), 30), 0,
            box => box));
    }

    private static Case TensorFlow(Setting s)
    {
        var (boxes, scores, labels) = Choose(s, 40, 1);
        var unit = new float[boxes.Length];
        for (var i = 0; i < boxes.Length; i += 4)
        {
            (unit[i], unit[i + 1], unit[i + 2], unit[i + 3]) =
                (boxes[i + 1] / s.Height, boxes[i] / s.Width, boxes[i + 3] / s.Height, boxes[i + 2] / s.Width);
        }

        var graph = new Sayings(s);
        graph.Say("detection_boxes", unit, [1, 40, 4]);
        graph.Say("detection_classes", labels, [1, 40]);
        graph.Say("detection_scores", scores, [1, 40]);
        graph.Say("num_detections", [40], [1]);
        return s.Case("ssd, tensorflow", graph.Build(), null, false, ReferenceDecoder.Chosen(
            new Table(Doubles(unit), 1, 40, 4), new Table(Doubles(scores), 40), new Table(Doubles(labels), 40), 1,
            box => [box[1] * s.Width, box[0] * s.Height, box[3] * s.Width, box[2] * s.Height]));
    }

    private static Case Torchvision(Setting s)
    {
        var (boxes, scores, labels) = Choose(s, 25, 1);
        var graph = new Sayings(s);
        graph.Say("boxes", boxes, [25, 4], open: 0);
        graph.Say("scores", scores, [25], open: 0);
        graph.Say("labels", labels, [25], OnnxGraph.Int64, open: 0);
        return s.Case("ssd, torchvision", graph.Build(), null, false, ReferenceDecoder.Chosen(
            new Table(Doubles(boxes), 25, 4), new Table(Doubles(scores), 25), new Table(Doubles(labels), 25), 1,
            box => box));
    }

    private static Case Paddle(Setting s)
    {
        var values = Rows(s.Random(), 20, 6, s, (row, box, scores) =>
        {
            (row[1], row[0]) = (scores.Max(), Array.IndexOf(scores, scores.Max()));
            Corners(box).CopyTo(row, 2);
        });
        var graph = new Sayings(s);
        var scale = graph.Side("scale_factor", [OnnxGraph.Free, 2], OnnxGraph.Float);
        graph.Side("im_shape", [OnnxGraph.Free, 2], OnnxGraph.Float);
        var one = graph.Graph.Node("ReduceMean", [scale], ("keepdims", 0L));
        graph.Say("rows", values, [20, 6], open: 0, times: one);
        graph.Say("count", [20], [1], OnnxGraph.Int32);
        return s.Case("paddle", graph.Build(), null, false, ReferenceDecoder.Paddle(
            new Table(Doubles(values), 20, 6)));
    }

    private static Case Anchors(Setting s, bool background, BoxForm form)
    {
        var extra = background ? 1 : 0;
        var (boxes, scores) = (new float[60 * 4], new float[60 * (s.Labels + extra)]);
        Plant(s.Random(), 60, s, (row, box, given) =>
        {
            var corners = Corners(box);
            var unit = new[]
            {
                corners[0] / s.Width, corners[1] / s.Height, corners[2] / s.Width, corners[3] / s.Height,
            };
            (form switch
            {
                BoxForm.XyxyNormalised => unit,
                BoxForm.YxyxNormalised => [unit[1], unit[0], unit[3], unit[2]],
                _ => box,
            }).CopyTo(boxes, row * 4);
            given.CopyTo(scores, (row * (s.Labels + extra)) + extra);
            if (background)
            {
                scores[row * (s.Labels + 1)] = 0.99f;
            }
        });
        var graph = new Sayings(s);
        graph.Say("boxes", boxes, [1, 60, 4]);
        graph.Say("scores", scores, [1, 60, s.Labels + extra]);
        var made = s.Case($"ssd anchors, {form}", graph.Build(), null, true, ReferenceDecoder.Anchors(
            new Table(Doubles(boxes), 1, 60, 4), new Table(Doubles(scores), 1, 60, s.Labels + extra), s.Labels,
            box => form switch
            {
                BoxForm.XyxyNormalised => [box[0] * s.Width, box[1] * s.Height, box[2] * s.Width, box[3] * s.Height],
                BoxForm.YxyxNormalised => [box[1] * s.Width, box[0] * s.Height, box[3] * s.Width, box[2] * s.Height],
                _ => [box[0] - (box[2] / 2), box[1] - (box[3] / 2), box[0] + (box[2] / 2), box[1] + (box[3] / 2)],
            }));
        return made with { Detector = made.Detector with { Boxes = form } };
    }

    private static (float[] Boxes, float[] Scores, float[] Labels) Choose(Setting s, int rows, int first)
    {
        var (boxes, chosen, labels) = (new float[rows * 4], new float[rows], new float[rows]);
        Plant(s.Random(), rows, s, (row, box, scores) =>
        {
            Corners(box).CopyTo(boxes, row * 4);
            chosen[row] = scores.Max();
            labels[row] = Array.IndexOf(scores, chosen[row]) + first;
        });
        return (boxes, chosen, labels);
    }

    private static float[] Rows(
        Random random, int rows, int width, Setting s, Action<float[], float[], float[]> write)
    {
        var values = new float[rows * width];
        Plant(random, rows, s, (cell, box, scores) =>
        {
            var row = new float[width];
            write(row, box, scores);
            row.CopyTo(values, cell * width);
        });
        return values;
    }

    /// <summary>
    /// Calls with each row's box (centre and size in input pixels) and scores; a few rows are parts, some of them the
    /// same part again a little beside it, the rest is noise.
    /// </summary>
    private static void Plant(Random random, int rows, Setting s, Action<int, float[], float[]> write)
    {
        var parts = Enumerable.Range(0, rows).OrderBy(_ => random.Next()).Take(Few).ToHashSet();
        float[]? last = null;
        for (var row = 0; row < rows; row++)
        {
            var isPart = parts.Contains(row);
            float[] box =
            [
                random.NextSingle() * s.Width, random.NextSingle() * s.Height,
                4 + (random.NextSingle() * s.Width / 2), 4 + (random.NextSingle() * s.Height / 2),
            ];
            var isAgain = isPart && last is not null && random.Next(3) == 0;
            if (isAgain)
            {
                box = [last![0] + 1, last[1] - 1, last[2], last[3]];
            }

            var scores = Enumerable.Range(0, s.Labels).Select(_ => 0.001f + (random.NextSingle() * 0.2f)).ToArray();
            if (isPart)
            {
                last = box;
                scores[random.Next(s.Labels)] = 0.35f + (random.NextSingle() * 0.6f);
            }

            write(row, box, scores);
        }
    }

    private static float[] Corners(float[] box) =>
        [box[0] - (box[2] / 2), box[1] - (box[3] / 2), box[0] + (box[2] / 2), box[1] + (box[3] / 2)];

    private static float[] Normalised(Setting s, float[] box) =>
        [box[0] / s.Width, box[1] / s.Height, box[2] / s.Width, box[3] / s.Height];

    private static float[] Rounded(float[] values, int type) =>
        type == OnnxGraph.Float16 ? [.. values.Select(value => (float)(Half)value)] : values;

    private static double[] Doubles(float[] values) => [.. values.Select(value => (double)value)];

    /// <summary>What a case is made for.</summary>
    private sealed record Setting(int Width, int Height, int Labels, (int Width, int Height) Picture, FitMode Fit)
    {
        public string Name { get; init; } = "";

        public int Masks { get; init; }

        public int Batch { get; init; } = 1;

        public int Type { get; init; } = OnnxGraph.Float;

        public InputLayout Layout { get; init; } = InputLayout.Nchw;

        public InputElement Element { get; init; } = InputElement.Float32;

        public bool FreeSize { get; init; }

        public bool OpenRows { get; init; }

        public Random Random() => new((Width * 1000) + (Height * 10) + Labels);

        public int Cells(int strides) => Enumerable.Range(3, strides).Sum(i => (Width >> i) * (Height >> i));

        public int CellsUp(int strides) => Enumerable.Range(0, strides).Sum(level => CellsOf(8 << level));

        public int CellsOf(int stride) =>
            (int)Math.Ceiling(Width / (double)stride) * (int)Math.Ceiling(Height / (double)stride);

        public Case Case(
            string format, byte[] model, DetectorFormat? stated, bool overlaps, IEnumerable<Found> reference) => new(
            $"{format} {Width}×{Height} {Labels} {Fit} {Name}".TrimEnd(),
            model,
            new DetectorManifest
            {
                File = "detector.onnx",
                Sha256 = "",
                Format = stated,
                Input = new NetworkInput
                {
                    Width = Width,
                    Height = Height,
                    Fit = Fit,
                    Layout = Layout,
                    Element = Element,
                    Std = Element is InputElement.UInt8 ? [1, 1, 1] : [255, 255, 255],
                },
                Labels = [.. Enumerable.Range(0, Labels).Select(label => $"label {label}")],
                ScoreThreshold = 0.3f,
            },
            Picture,
            ReferenceDecoder.Keep(reference, 0.3, overlaps ? 0.5 : null));
    }

    /// <summary>A graph with outputs that are constants, as far as nobody looks closely.</summary>
    private sealed class Sayings
    {
        private readonly Setting _setting;
        private readonly List<OnnxGraph.Value> _inputs = [];
        private readonly List<OnnxGraph.Value> _outputs = [];
        private readonly string _zero;

        public Sayings(Setting setting)
        {
            _setting = setting;
            var (high, wide) = setting.FreeSize ? (OnnxGraph.Free, OnnxGraph.Free) : (setting.Height, setting.Width);
            _inputs.Add(new(
                "input",
                setting.Layout is InputLayout.Nhwc ? [setting.Batch, high, wide, 3] : [setting.Batch, 3, high, wide],
                setting.Element switch
                {
                    InputElement.UInt8 => OnnxGraph.UInt8,
                    InputElement.Float16 => OnnxGraph.Float16,
                    _ => OnnxGraph.Float,
                }));
            var numbers = Graph.Node("Cast", ["input"], ("to", 1L));
            var mean = Graph.Node("ReduceMean", [numbers], ("keepdims", 0L));
            _zero = Graph.Node("Mul", [mean, Graph.Constant([0f])]);
        }

        public OnnxGraph Graph { get; } = new();

        public Dictionary<string, string> Notes { get; init; } = [];

        public string Side(string name, int[] shape, int type)
        {
            _inputs.Add(new(name, shape, type));
            return name;
        }

        /// <param name="name">Of the output.</param>
        /// <param name="values">What it says.</param>
        /// <param name="shape">For one picture.</param>
        /// <param name="type">Of its numbers.</param>
        /// <param name="open">The dimension that only a run tells, where the setting has one.</param>
        /// <param name="times">A value to multiply with.</param>
        /// <param name="through">An operation that the values go through and come out of as they were.</param>
        public void Say(
            string name,
            float[] values,
            int[] shape,
            int type = OnnxGraph.Float,
            int open = -1,
            string? times = null,
            string? through = null)
        {
            var batch = _setting.Batch == 2 && shape[0] == 1 ? 2 : 1;
            var filled = batch == 2 ? [.. values, .. new float[values.Length]] : values;
            int[] whole = batch == 2 ? [2, .. shape[1..]] : shape;
            var said = Graph.Node("Add", [Graph.Constant(filled, whole), _zero]);
            if (times is not null)
            {
                said = Graph.Node("Mul", [said, times]);
            }

            if (through == "Exp")
            {
                said = Graph.Node("Add", [said, Graph.Node("Sub", [Graph.Node("Exp", [_zero]), Graph.Constant([1f])])]);
            }

            if (_setting.OpenRows && open >= 0)
            {
                // As many rows as a number says that only the run computes.
                var rows = Graph.Node("Cast", [Graph.Node("Add", [_zero, Graph.Constant([(float)shape[open]], 1)])],
                    ("to", 7L));
                said = Graph.Node("Slice", [said, Graph.Whole([0], 1), rows, Graph.Whole([open], 1)]);
                whole = [.. whole.Select((size, i) => i == open ? OnnxGraph.Free : size)];
            }
            else if (_setting.Batch == OnnxGraph.Free && shape[0] == 1)
            {
                whole = [OnnxGraph.Free, .. shape[1..]];
            }

            Graph.Node("Cast", [said], name, ("to", (long)type));
            _outputs.Add(new(name, whole, type));
        }

        public byte[] Build() => Graph.Build([.. _inputs], [.. _outputs], Notes);
    }
}
