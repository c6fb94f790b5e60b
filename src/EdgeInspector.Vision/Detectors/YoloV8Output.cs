using System.Numerics;
using System.Runtime.InteropServices;
using EdgeInspector.Vision.Inference;

namespace EdgeInspector.Vision.Detectors;

/// <summary>
/// [1, 4 + C, N]: rows of centre x, centre y, width and height in input pixels, then one row of scores per label; or
/// the same with rows and columns exchanged. A cell proposes its best label. Ultralytics' exporter writes this for
/// YOLOv8 and YOLO11; a segmenting model's mask numbers follow the scores and are not read.
/// </summary>
internal sealed class YoloV8Output : IDetectorOutput
{
    private readonly int _labels;
    private readonly int _width;
    private readonly bool _isTransposed;
    private readonly BoxReader _box;
    private readonly float[] _best;
    private readonly int[] _label;
    private readonly int[] _hits;

    private YoloV8Output(DetectorQuestion question, int labels, int width, int cells, bool isTransposed)
    {
        _labels = labels;
        _width = width;
        _isTransposed = isTransposed;
        _box = new BoxReader(question.Boxes ?? BoxForm.Cxcywh, question.Width, question.Height);
        Cells = cells;
        _best = new float[cells];
        _label = new int[cells];
        _hits = new int[cells];
    }

    public int Cells { get; }

    public bool Overlaps => true;

    public static FormatFit Fit(DetectorQuestion question)
    {
        if (question.Table is not { } table)
        {
            return FormatFit.No("needs one output of three dimensions");
        }

        var (high, wide, masks) = (table.Size(1), table.Size(2), question.Masks);
        var numbers = question.Labels + 4 + masks;
        bool transposed, certain;
        if (numbers is { } known)
        {
            transposed = wide == known && high != known;
            certain = high == known || (transposed && question.TimesGrid(high) == 1 && question.Boxes is not null);
            if (!transposed && high > 0 && high != known)
            {
                return FormatFit.No($"{question.Labels} labels need [1,{known},cells]");
            }
        }
        else
        {
            certain = high > 4 + masks && question.TimesGrid(wide) == 1;
            transposed = !certain && high > wide;
            if ((transposed ? wide : high) is > 0 and var width && width <= 4 + masks)
            {
                return FormatFit.No("has no room for a label");
            }
        }

        var labels = question.Labels ?? (int)Math.Max(0, (transposed ? wide : high) - 4 - masks);
        var cells = transposed ? high : wide;
        return new FormatFit
        {
            Fits = true,
            Certain = certain,
            Why = $"{table}: 4 + {(labels > 0 ? labels : "?")} {(transposed ? "columns" : "rows")}"
                + (masks > 0 ? $" and {masks} for masks" : ""),
            Outputs = [table],
            Labels = labels > 0 ? labels : null,
            Remark = masks > 0 ? "masks are not used, their boxes are" : null,
            Reader = () => new YoloV8Output(question, labels, labels + 4 + masks, checked((int)cells), transposed),
        };
    }

    public void Read(NetworkOutputs outputs, float threshold, Candidates candidates)
    {
        if (_isTransposed)
        {
            ReadRows(outputs[0], threshold, candidates);
        }
        else
        {
            ReadColumns(outputs[0], threshold, candidates);
        }
    }

    private void ReadColumns(ReadOnlySpan<float> output, float threshold, Candidates candidates)
    {
        // The rows are read once, in memory order; only cells that reach the threshold cost more than a comparison.
        // What is no number is not less than anything either, so it is met, and counted, on the slow path.
        var hits = 0;
        var limit = new Vector<float>(threshold);
        for (var label = 0; label < _labels; label++)
        {
            var scores = output.Slice((4 + label) * Cells, Cells);
            var vectors = MemoryMarshal.Cast<float, Vector<float>>(scores);
            for (var v = 0; v < vectors.Length; v++)
            {
                if (!Vector.LessThanAll(vectors[v], limit))
                {
                    var from = v * Vector<float>.Count;
                    hits = Collect(scores, from, from + Vector<float>.Count, threshold, label, hits, candidates);
                }
            }

            hits = Collect(
                scores, vectors.Length * Vector<float>.Count, Cells, threshold, label, hits, candidates);
        }

        for (var i = 0; i < hits; i++)
        {
            var cell = _hits[i];
            var box = _box.Read(
                output[cell], output[Cells + cell], output[(2 * Cells) + cell], output[(3 * Cells) + cell]);
            candidates.Add(new Detection(box, _best[cell], _label[cell]));
            _best[cell] = 0;
        }
    }

    private void ReadRows(ReadOnlySpan<float> output, float threshold, Candidates candidates)
    {
        for (var cell = 0; cell < Cells; cell++)
        {
            var row = output.Slice(cell * _width, _width);
            var (best, label) = BestLabel.Of(row.Slice(4, _labels), candidates);
            if (best >= threshold)
            {
                candidates.Add(new Detection(_box.Read(row[0], row[1], row[2], row[3]), best, label));
            }
        }
    }

    private int Collect(
        ReadOnlySpan<float> scores, int from, int to, float threshold, int label, int hits, Candidates candidates)
    {
        for (var cell = from; cell < to; cell++)
        {
            var score = scores[cell];
            if (score < threshold)
            {
                continue;
            }

            if (!float.IsFinite(score))
            {
                candidates.AddUnreadable();
            }
            else if (score > _best[cell])
            {
                if (_best[cell] == 0)
                {
                    _hits[hits++] = cell;
                }

                _best[cell] = score;
                _label[cell] = label;
            }
        }

        return hits;
    }
}
