using EdgeInspector.Vision.Inference;

namespace EdgeInspector.Vision.Detectors;

/// <summary>
/// [1, N, 5 + C]: one row per cell and anchor, decoded: centre x, centre y, width and height in input pixels, how
/// likely there is anything, then one score per label; the score is their product. YOLOv5, YOLOv6 and YOLOv7 export
/// this, and YOLOX with decode_in_inference.
/// </summary>
internal sealed class YoloV5Output : IDetectorOutput
{
    private readonly int _labels;
    private readonly int _width;
    private readonly BoxReader _box;

    private YoloV5Output(DetectorQuestion question, int labels, int width, int cells)
    {
        (_labels, _width, Cells) = (labels, width, cells);
        _box = new BoxReader(question.Boxes ?? BoxForm.Cxcywh, question.Width, question.Height);
    }

    public int Cells { get; }

    public bool Overlaps => true;

    public static FormatFit Fit(DetectorQuestion question)
    {
        if (question.Table is not { } table)
        {
            return FormatFit.No("needs one output of three dimensions");
        }

        var masks = question.Masks;
        var (rows, wide) = (table.Size(1), table.Size(2));
        var labels = question.Labels ?? (int)Math.Max(0, wide - 5 - masks);
        if (wide > 0 && (wide != 5 + labels + masks || labels < 1))
        {
            return FormatFit.No($"{(labels > 0 ? labels : "any")} labels need [1,cells,{5 + labels + masks}]");
        }

        // One row for each cell may also be YOLOX's grid before decoding: the operations behind the output tell.
        var times = question.TimesGrid(rows);
        var tail = times == 1 ? question.Model.TailOf(table.Name) : OutputTail.Computed;
        if (tail is OutputTail.Raw)
        {
            return FormatFit.No("its numbers come straight from a convolution, so they are not decoded");
        }

        return new FormatFit
        {
            Fits = true,
            Certain = wide > 0 && (times == 3 || tail is OutputTail.Exponential),
            Why = times switch
            {
                0 => $"{table}: 5 + {labels} columns",
                1 => $"{table}: 5 + {labels} columns for each cell"
                    + (tail is OutputTail.Exponential ? ", decoded in the graph" : ""),
                _ => $"{table}: 5 + {labels} columns for {times} anchors in each cell",
            },
            Outputs = [table],
            Labels = labels > 0 ? labels : null,
            Remark = masks > 0 ? "masks are not used, their boxes are" : null,
            Reader = () => new YoloV5Output(question, labels, 5 + labels + masks, checked((int)rows)),
        };
    }

    public void Read(NetworkOutputs outputs, float threshold, Candidates candidates)
    {
        var output = outputs[0];
        for (var cell = 0; cell < Cells; cell++)
        {
            var row = output.Slice(cell * _width, _width);
            var objectness = row[4];
            if (objectness < threshold)
            {
                continue;
            }

            if (!float.IsFinite(objectness))
            {
                candidates.AddUnreadable();
                continue;
            }

            var (best, label) = BestLabel.Of(row.Slice(5, _labels), candidates);
            if (objectness * best >= threshold)
            {
                candidates.Add(new Detection(_box.Read(row[0], row[1], row[2], row[3]), objectness * best, label));
            }
        }
    }
}
