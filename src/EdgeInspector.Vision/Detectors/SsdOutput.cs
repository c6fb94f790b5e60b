using EdgeInspector.Vision.Inference;

namespace EdgeInspector.Vision.Detectors;

/// <summary>
/// Decoded boxes and scores, as SSDs and their relatives export. Either the graph has chosen already (boxes, a score
/// and a label's number for each; TensorFlow's detection models and torchvision), or every anchor comes with a row of
/// scores, [1, N, 4] and [1, N, C], or C + 1 with the background first.
/// </summary>
internal sealed class SsdOutput : IDetectorOutput
{
    private readonly bool _isChosen;
    private readonly int _labels;
    private readonly int _first;
    private readonly int _columns;
    private readonly BoxReader _box;

    private SsdOutput(DetectorQuestion question, BoxForm form, bool isChosen, int first, int columns, int cells)
    {
        (_isChosen, _labels, _first, _columns, Cells) = (isChosen, question.Labels!.Value, first, columns, cells);
        _box = new BoxReader(form, question.Width, question.Height);
    }

    public int Cells { get; }

    public bool Overlaps => !_isChosen;

    public static FormatFit Fit(DetectorQuestion question) =>
        question.TakesTargetSize ? FormatFit.No("takes the picture's size as a second input, as the DETR family does")
        : question.Chosen is { } chosen ? FitChosen(question, chosen.Boxes, chosen.Scores, chosen.Labels)
        : question.Pair is { } pair ? FitPair(question, pair.Boxes, pair.Scores)
        : FormatFit.No("needs boxes and scores as outputs");

    public void Read(NetworkOutputs outputs, float threshold, Candidates candidates)
    {
        if (_isChosen)
        {
            ReadChosen(outputs, threshold, candidates);
        }
        else
        {
            ReadPair(outputs, threshold, candidates);
        }
    }

    private static FormatFit FitChosen(
        DetectorQuestion question, TensorOutline boxes, TensorOutline scores, TensorOutline labels)
    {
        // TensorFlow's names say how its boxes are written; torchvision's are told by having no batch.
        var isTensorFlow = DetectorQuestion.Says(boxes, "detection_boxes");
        var isTorchvision = !isTensorFlow && boxes.Rank == 2;
        var form = question.Boxes ?? (isTensorFlow ? BoxForm.YxyxNormalised : BoxForm.Xyxy);
        if (!isTensorFlow && !isTorchvision && (question.Boxes is null || question.FirstLabel is null))
        {
            return FormatFit.No("its outputs do not tell how boxes are written and whether labels begin with 0 or 1: "
                + "state boxes and firstLabel");
        }

        var axis = boxes.Rank - 2;
        TensorOutline[] read = [boxes, scores, labels];
        var rows = boxes.Size(axis);
        return new FormatFit
        {
            Fits = true,
            Certain = isTensorFlow || labels.IsWhole || question.Boxes is not null,
            Why = $"{boxes}, {scores}, {labels}: boxes, scores and labels that the graph has chosen"
                + (isTensorFlow ? ", by TensorFlow's names" : isTorchvision ? ", as torchvision writes them" : ""),
            Outputs = read,
            Open = [.. read.Where(output => BoundedOutputs.IsOpen(output, axis)).Select(output => (output, axis))],
            Reader = () => new SsdOutput(question, form, true, question.FirstLabel ?? 1, 1, checked((int)rows)),
        };
    }

    private static FormatFit FitPair(DetectorQuestion question, TensorOutline boxes, TensorOutline scores)
    {
        if (DetectorQuestion.Says(scores, "logit") || DetectorQuestion.Says(boxes, "dets"))
        {
            return FormatFit.No("its names are those of the DETR family");
        }

        if (question.Boxes is not { } form)
        {
            return FormatFit.No("its outputs do not tell how boxes are written: state boxes");
        }

        var (rows, columns) = (boxes.Size(1), scores.Size(2));
        var labels = question.Labels ?? (int)columns;
        return columns > 0 && columns != labels && columns != labels + 1
            ? FormatFit.No($"{labels} labels need scores [1,N,{labels}], or {labels + 1} with the background first")
            : new FormatFit
            {
                Fits = true,
                Certain = DetectorQuestion.Says(scores, "score", "conf", "prob"),
                Why = $"{boxes} and {scores}: a box and scores for every anchor",
                Outputs = [boxes, scores],
                Labels = question.Labels,
                Reader = () => new SsdOutput(
                    question, form, false, (int)columns - labels, (int)columns, checked((int)rows)),
            };
    }

    private void ReadChosen(NetworkOutputs outputs, float threshold, Candidates candidates)
    {
        var boxes = outputs[0];
        var scores = outputs[1];
        var labels = outputs[2];
        for (var i = 0; i < Cells; i++)
        {
            if (scores[i] < threshold)
            {
                continue;
            }

            var label = labels[i] - _first;
            if (label >= 0 && label < _labels)
            {
                candidates.Add(new Detection(BoxOf(boxes, i), scores[i], (int)label));
            }
            else
            {
                candidates.AddUnreadable();
            }
        }
    }

    private void ReadPair(NetworkOutputs outputs, float threshold, Candidates candidates)
    {
        var boxes = outputs[0];
        var scores = outputs[1];
        for (var i = 0; i < Cells; i++)
        {
            var (best, label) = BestLabel.Of(scores.Slice((i * _columns) + _first, _labels), candidates);
            if (best >= threshold)
            {
                candidates.Add(new Detection(BoxOf(boxes, i), best, label));
            }
        }
    }

    private Box BoxOf(ReadOnlySpan<float> boxes, int row) =>
        _box.Read(boxes[row * 4], boxes[(row * 4) + 1], boxes[(row * 4) + 2], boxes[(row * 4) + 3]);
}
