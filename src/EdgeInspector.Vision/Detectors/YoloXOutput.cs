using EdgeInspector.Vision.Inference;

namespace EdgeInspector.Vision.Detectors;

/// <summary>
/// [1, N, 5 + C]: one row per cell of the grids of strides 8, 16 and 32 (and 64), not decoded: the centre is (raw +
/// cell) × stride, the size e^raw × stride, the score objectness × label. As YOLOX exports without
/// decode_in_inference.
/// </summary>
internal sealed class YoloXOutput : IDetectorOutput
{
    private static readonly int[] Strides = [8, 16, 32, 64];

    private readonly int _labels;
    private readonly (int X, int Y, int Stride)[] _grid;

    private YoloXOutput(int labels, (int X, int Y, int Stride)[] grid)
    {
        _labels = labels;
        _grid = grid;
    }

    public int Cells => _grid.Length;

    public bool Overlaps => true;

    public static FormatFit Fit(DetectorQuestion question)
    {
        if (question.Table is not { } table)
        {
            return FormatFit.No("needs one output of three dimensions");
        }

        if (question.Boxes is not null)
        {
            return FormatFit.No("decodes its boxes itself, so boxes cannot be stated");
        }

        var (rows, wide) = (table.Size(1), table.Size(2));
        var labels = question.Labels ?? (int)Math.Max(0, wide - 5);
        if (wide > 0 && (wide != 5 + labels || labels < 1))
        {
            return FormatFit.No($"{(labels > 0 ? labels : "any")} labels need [1,cells,{5 + labels}]");
        }

        var levels = rows == question.Cells(Strides) ? 4 : 3;
        if (question.Width > 0 && rows > 0 && rows != question.Cells(Strides.AsSpan(0, levels)))
        {
            return FormatFit.No($"an input of {question.Width} × {question.Height} needs "
                + $"[1,{question.Cells(Strides.AsSpan(0, 3))},{5 + labels}]");
        }

        var tail = question.Model.TailOf(table.Name);
        return tail is OutputTail.Exponential
            ? FormatFit.No("an exponential stands before the output, so it is decoded already")
            : new FormatFit
            {
                Fits = true,
                Certain = wide > 0 && rows > 0 && question.Width > 0 && tail is OutputTail.Raw,
                Why = $"{table}: 5 + {labels} columns for each cell"
                    + (tail is OutputTail.Raw ? ", straight from a convolution" : ""),
                Outputs = [table],
                Labels = labels > 0 ? labels : null,
                Reader = () => new YoloXOutput(labels, Grid(question.Width, question.Height, levels)),
            };
    }

    public void Read(NetworkOutputs outputs, float threshold, Candidates candidates)
    {
        var output = outputs[0];
        var width = 5 + _labels;
        for (var i = 0; i < _grid.Length; i++)
        {
            var cell = output.Slice(i * width, width);
            var objectness = cell[4];

            // No label's score exceeds 1, so this cell cannot reach the threshold.
            if (objectness < threshold)
            {
                continue;
            }

            if (!float.IsFinite(objectness))
            {
                candidates.AddUnreadable();
                continue;
            }

            var (best, label) = BestLabel.Of(cell[5..], candidates);
            var score = objectness * best;
            if (label >= 0 && score >= threshold)
            {
                candidates.Add(new Detection(Decode(cell, _grid[i]), score, label));
            }
        }
    }

    private static Box Decode(ReadOnlySpan<float> cell, (int X, int Y, int Stride) at)
    {
        var x = (cell[0] + at.X) * at.Stride;
        var y = (cell[1] + at.Y) * at.Stride;
        var halfWidth = MathF.Exp(cell[2]) * at.Stride / 2;
        var halfHeight = MathF.Exp(cell[3]) * at.Stride / 2;
        return new Box(x - halfWidth, y - halfHeight, x + halfWidth, y + halfHeight);
    }

    private static (int X, int Y, int Stride)[] Grid(int width, int height, int levels) =>
    [
        .. from stride in Strides.Take(levels)
           from y in Enumerable.Range(0, (height + stride - 1) / stride)
           from x in Enumerable.Range(0, (width + stride - 1) / stride)
           select (x, y, stride),
    ];
}
