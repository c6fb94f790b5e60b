using EdgeInspector.Vision.Inference;

namespace EdgeInspector.Vision.Detectors;

/// <summary>
/// [N, 6]: number of the label, score, x1, y1, x2, y2; overlaps are gone already. PaddleDetection exports this for all
/// its detectors, RT-DETR among them, and takes im_shape and scale_factor beside the picture: told a scale of 1, it
/// puts its boxes in input pixels. A row that is none has label −1.
/// </summary>
internal sealed class PaddleOutput : IDetectorOutput
{
    private readonly int _labels;
    private readonly int _first;
    private readonly BoxReader _box;

    private PaddleOutput(DetectorQuestion question, int rows)
    {
        (_labels, _first, Cells) = (question.Labels!.Value, question.FirstLabel ?? 0, rows);
        _box = new BoxReader(question.Boxes ?? BoxForm.Xyxy, question.Width, question.Height);
    }

    public int Cells { get; }

    public bool Overlaps => false;

    public static FormatFit Fit(DetectorQuestion question)
    {
        var table = question.Model.Outputs.FirstOrDefault(output => output.Rank == 2 && !output.IsWhole);
        return table is null || table.Size(1) != 6
            ? FormatFit.No("needs an output [N,6]")
            : new FormatFit
            {
                Fits = true,
                Certain = question.Model.Inputs.Any(input => input.Name is "scale_factor" or "im_shape"),
                Why = $"{table}: rows of a label's number, a score and a box",
                Outputs = [table],
                Open = BoundedOutputs.IsOpen(table, 0) ? [(table, 0)] : [],
                Reader = () => new PaddleOutput(question, checked((int)table.Size(0))),
            };
    }

    public void Read(NetworkOutputs outputs, float threshold, Candidates candidates)
    {
        var output = outputs[0];
        for (var i = 0; i < Cells; i++)
        {
            var row = output.Slice(i * 6, 6);
            if (row[1] < threshold || row[0] == -1)
            {
                continue;
            }

            var label = row[0] - _first;
            if (label >= 0 && label < _labels)
            {
                candidates.Add(new Detection(_box.Read(row[2], row[3], row[4], row[5]), row[1], (int)label));
            }
            else
            {
                candidates.AddUnreadable();
            }
        }
    }
}
