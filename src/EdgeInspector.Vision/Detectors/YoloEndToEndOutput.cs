using EdgeInspector.Vision.Inference;

namespace EdgeInspector.Vision.Detectors;

/// <summary>
/// [1, N, 6]: x1, y1, x2, y2 in input pixels, score, number of the label; overlaps are gone already. YOLOv10 and YOLO26
/// export this; a segmenting model's mask numbers follow and are not read.
/// </summary>
internal sealed class YoloEndToEndOutput : IDetectorOutput
{
    private readonly int _labels;
    private readonly int _firstLabel;
    private readonly int _width;
    private readonly BoxReader _box;

    private YoloEndToEndOutput(DetectorQuestion question, int width, int rows)
    {
        (_labels, _firstLabel, _width, Cells) = (question.Labels!.Value, question.FirstLabel ?? 0, width, rows);
        _box = new BoxReader(question.Boxes ?? BoxForm.Xyxy, question.Width, question.Height);
    }

    public int Cells { get; }

    public bool Overlaps => false;

    public static FormatFit Fit(DetectorQuestion question)
    {
        if (question.Table is not { } table)
        {
            return FormatFit.No("needs one output of three dimensions");
        }

        var (rows, wide, masks) = (table.Size(1), table.Size(2), question.Masks);
        if (wide > 0 && wide != 6 + masks)
        {
            return FormatFit.No($"needs [1,rows,{6 + masks}]");
        }

        if (question.Notes.EndToEnd is false)
        {
            return FormatFit.No("its note end2end says False");
        }

        return new FormatFit
        {
            Fits = true,
            Certain = wide > 0 && (question.Notes.EndToEnd is true || (rows <= 3000 && question.TimesGrid(rows) == 0)),
            Why = $"{table}: rows of a box, a score and a label's number",
            Outputs = [table],
            Open = BoundedOutputs.IsOpen(table, 1) ? [(table, 1)] : [],
            Remark = masks > 0 ? "masks are not used, their boxes are" : null,
            Reader = () => new YoloEndToEndOutput(question, 6 + masks, checked((int)rows)),
        };
    }

    public void Read(NetworkOutputs outputs, float threshold, Candidates candidates)
    {
        var output = outputs[0];
        for (var i = 0; i < Cells; i++)
        {
            var row = output.Slice(i * _width, _width);
            if (row[4] < threshold)
            {
                continue;
            }

            var label = row[5] - _firstLabel;
            if (label >= 0 && label < _labels)
            {
                candidates.Add(new Detection(_box.Read(row[0], row[1], row[2], row[3]), row[4], (int)label));
            }
            else
            {
                candidates.AddUnreadable();
            }
        }
    }
}
