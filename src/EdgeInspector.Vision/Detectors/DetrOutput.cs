using EdgeInspector.Vision.Inference;

namespace EdgeInspector.Vision.Detectors;

/// <summary>
/// The DETR family (DETR, RT-DETR, D-FINE, DEIM, RF-DETR): a set of boxes, each proposed once, so that no overlaps are
/// removed. Three ways of writing them down:
/// logits [1, Q, K] and boxes [1, Q, 4] (K = C: a sigmoid each, and a box may have several labels; K = C + 1: a
/// softmax whose last is "nothing", and a box has its best label); [1, Q, 4 + C] with scores after the sigmoid, as
/// Ultralytics exports RT-DETR; or labels, boxes and scores chosen by the graph, which takes the picture's size as a
/// second input.
/// </summary>
internal sealed class DetrOutput : IDetectorOutput
{
    private readonly Kind _kind;
    private readonly int _labels;
    private readonly int _first;
    private readonly int _rows;
    private readonly int _columns;
    private readonly BoxReader _box;

    private DetrOutput(DetectorQuestion question, Kind kind, BoxForm form, int rows, int columns)
    {
        (_kind, _labels, _first) = (kind, question.Labels!.Value, question.FirstLabel ?? 0);
        (_rows, _columns) = (rows, columns);
        _box = new BoxReader(form, question.Width, question.Height);
    }

    private enum Kind
    {
        Sigmoid,
        Softmax,
        Table,
        Chosen,
    }

    public int Cells => _kind is Kind.Sigmoid ? (int)Math.Min((long)_rows * _labels, Candidates.Most) : _rows;

    public bool Overlaps => false;

    public static FormatFit Fit(DetectorQuestion question) =>
        question.Chosen is { } chosen ? FitChosen(question, chosen.Boxes, chosen.Scores, chosen.Labels)
        : question.Pair is { } pair ? FitPair(question, pair.Boxes, pair.Scores)
        : question.Table is { } table && question.Model.Outputs.Count == 1 ? FitTable(question, table)
        : FormatFit.No("needs boxes and logits, or labels, boxes and scores, as outputs");

    public void Read(NetworkOutputs outputs, float threshold, Candidates candidates)
    {
        switch (_kind)
        {
            case Kind.Chosen:
                ReadChosen(outputs, threshold, candidates);
                break;
            case Kind.Table:
                ReadTable(outputs[0], threshold, candidates);
                break;
            case Kind.Sigmoid:
                ReadSigmoid(outputs[0], outputs[1], threshold, candidates);
                break;
            default:
                ReadSoftmax(outputs[0], outputs[1], threshold, candidates);
                break;
        }
    }

    private static FormatFit FitChosen(
        DetectorQuestion question, TensorOutline boxes, TensorOutline scores, TensorOutline labels)
    {
        if (boxes.Rank != 3 || (!question.TakesTargetSize && question.Boxes is null))
        {
            return FormatFit.No(boxes.Rank != 3
                ? "needs boxes [1,rows,4]"
                : "takes no size that boxes shall fit, so they are written in a way not told: state boxes");
        }

        TensorOutline[] read = [boxes, scores, labels];
        return new FormatFit
        {
            Fits = true,
            Certain = question.TakesTargetSize,
            Why = $"{boxes}, {scores}, {labels}"
                + (question.TakesTargetSize ? ": chosen by the graph, which takes the size that boxes shall fit" : ""),
            Outputs = read,
            Open = [.. read.Where(output => BoundedOutputs.IsOpen(output, 1)).Select(output => (output, 1))],
            Reader = () => new DetrOutput(
                question, Kind.Chosen, question.Boxes ?? BoxForm.Xyxy, checked((int)boxes.Size(1)), 1),
        };
    }

    private static FormatFit FitPair(DetectorQuestion question, TensorOutline boxes, TensorOutline scores)
    {
        var columns = scores.Size(2);
        var labels = question.Labels ?? (int)columns;
        if (columns > 0 && columns != labels && columns != labels + 1)
        {
            return FormatFit.No($"{labels} labels need logits [1,Q,{labels}], or {labels + 1} with \"nothing\" last");
        }

        // RF-DETR has a column too many and still puts each through a sigmoid.
        var isSigmoid = columns == labels || DetectorQuestion.Says(boxes, "dets");
        var isNamed = DetectorQuestion.Says(scores, "logit") || DetectorQuestion.Says(boxes, "dets");
        return new FormatFit
        {
            Fits = true,
            Certain = isNamed,
            Why = $"{boxes} and {scores}: {(isNamed ? "boxes and logits by their names" : "boxes, and perhaps logits")}",
            Outputs = [boxes, scores],
            Labels = question.Labels,
            Reader = () => new DetrOutput(
                question,
                isSigmoid ? Kind.Sigmoid : Kind.Softmax,
                question.Boxes ?? BoxForm.CxcywhNormalised,
                checked((int)boxes.Size(1)),
                (int)columns),
        };
    }

    private static FormatFit FitTable(DetectorQuestion question, TensorOutline table)
    {
        var (rows, wide) = (table.Size(1), table.Size(2));
        var labels = question.Labels ?? (int)Math.Max(0, wide - 4);
        return wide > 0 && (labels < 1 || wide != 4 + labels || rows > 3000)
            ? FormatFit.No($"{(labels > 0 ? labels : "any")} labels need [1,Q,{4 + labels}] with at most 3000 rows")
            : new FormatFit
            {
                Fits = true,
                Certain = wide > 0 && IsNamed(question.Notes.Description),
                Why = $"{table}: rows of a box and {labels} scores"
                    + (IsNamed(question.Notes.Description) ? ", and its notes say so" : ""),
                Outputs = [table],
                Labels = labels > 0 ? labels : null,
                Reader = () => new DetrOutput(
                    question,
                    Kind.Table,
                    question.Boxes ?? BoxForm.CxcywhNormalised,
                    checked((int)rows),
                    4 + labels),
            };

        static bool IsNamed(string description) => description.Contains("detr", StringComparison.OrdinalIgnoreCase);
    }

    private static float Sigmoid(float logit) => 1 / (1 + MathF.Exp(-logit));

    private void ReadChosen(NetworkOutputs outputs, float threshold, Candidates candidates)
    {
        var boxes = outputs[0];
        var scores = outputs[1];
        var labels = outputs[2];
        for (var i = 0; i < _rows; i++)
        {
            if (scores[i] < threshold)
            {
                continue;
            }

            var label = labels[i] - _first;
            if (label >= 0 && label < _labels)
            {
                candidates.Add(new Detection(BoxOf(boxes, i * 4), scores[i], (int)label));
            }
            else
            {
                candidates.AddUnreadable();
            }
        }
    }

    private void ReadTable(ReadOnlySpan<float> table, float threshold, Candidates candidates)
    {
        for (var i = 0; i < _rows; i++)
        {
            var (best, label) = BestLabel.Of(table.Slice((i * _columns) + 4, _labels), candidates);
            if (best >= threshold)
            {
                candidates.Add(new Detection(BoxOf(table, i * _columns), best, label));
            }
        }
    }

    private void ReadSigmoid(
        ReadOnlySpan<float> boxes, ReadOnlySpan<float> logits, float threshold, Candidates candidates)
    {
        // The sigmoid rises, so most logits need only be compared with what the threshold was before it.
        var least = MathF.Log(threshold / (1 - threshold));
        for (var i = 0; i < _rows; i++)
        {
            var row = logits.Slice(i * _columns, _labels);
            for (var label = 0; label < row.Length; label++)
            {
                if (row[label] < least)
                {
                    continue;
                }

                if (float.IsFinite(row[label]))
                {
                    candidates.Add(new Detection(BoxOf(boxes, i * 4), Sigmoid(row[label]), label));
                }
                else
                {
                    candidates.AddUnreadable();
                }
            }
        }
    }

    private void ReadSoftmax(
        ReadOnlySpan<float> boxes, ReadOnlySpan<float> logits, float threshold, Candidates candidates)
    {
        for (var i = 0; i < _rows; i++)
        {
            var row = logits.Slice(i * _columns, _columns);
            var (highest, best, label) = (float.NegativeInfinity, float.NegativeInfinity, 0);
            for (var j = 0; j < row.Length; j++)
            {
                highest = Math.Max(highest, row[j]);
                if (j < _labels && row[j] > best)
                {
                    (best, label) = (row[j], j);
                }
            }

            var sum = 0f;
            foreach (var logit in row)
            {
                sum += MathF.Exp(logit - highest);
            }

            var score = MathF.Exp(best - highest) / sum;
            if (!float.IsFinite(score))
            {
                candidates.AddUnreadable();
            }
            else if (score >= threshold)
            {
                candidates.Add(new Detection(BoxOf(boxes, i * 4), score, label));
            }
        }
    }

    private Box BoxOf(ReadOnlySpan<float> numbers, int at) =>
        _box.Read(numbers[at], numbers[at + 1], numbers[at + 2], numbers[at + 3]);
}
