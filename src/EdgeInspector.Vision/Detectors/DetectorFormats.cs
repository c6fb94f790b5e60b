using EdgeInspector.Vision.Inference;

namespace EdgeInspector.Vision.Detectors;

/// <summary>
/// All formats, and how the one of a model is found or checked. What is stated is held against what the file says, and
/// a contradiction is refused; what is not stated is found only when a single format fits and something proves it.
/// </summary>
internal static class DetectorFormats
{
    /// <summary>More rows are no detector's: four times those of a 1280 × 1280 picture with three anchors.</summary>
    private const int MostCells = 1 << 20;

    private static readonly (DetectorFormat Format, Func<DetectorQuestion, FormatFit> Fit)[] Known =
    [
        (DetectorFormat.YoloV5, YoloV5Output.Fit),
        (DetectorFormat.YoloV8, YoloV8Output.Fit),
        (DetectorFormat.YoloEndToEnd, YoloEndToEndOutput.Fit),
        (DetectorFormat.YoloX, YoloXOutput.Fit),
        (DetectorFormat.NanoDet, NanoDetOutput.Fit),
        (DetectorFormat.Ssd, SsdOutput.Fit),
        (DetectorFormat.Detr, DetrOutput.Fit),
        (DetectorFormat.Paddle, PaddleOutput.Fit),
    ];

    /// <summary>What each format says to this model, in the order of the documentation.</summary>
    public static IReadOnlyList<(DetectorFormat Format, FormatFit Fit)> Ask(DetectorQuestion question) =>
        [.. Known.Select(known => (known.Format, known.Fit(question)))];

    /// <summary>The only format that fits for certain; null when there is none, or more than one.</summary>
    public static (DetectorFormat Format, FormatFit Fit)? Only(IReadOnlyList<(DetectorFormat Format, FormatFit Fit)> asked)
    {
        var certain = asked.Where(one => one.Fit.Fits && one.Fit.Certain).ToArray();
        return certain.Length == 1 ? certain[0] : null;
    }

    /// <summary>Finds the format of a model that nobody has told.</summary>
    /// <exception cref="ModelPackageException">None fits, or it cannot be told which.</exception>
    public static (DetectorFormat Format, FormatFit Fit) Find(string path, DetectorQuestion question, string remedy)
    {
        RequireTask(path, question.Notes);
        var asked = Ask(question);
        if (Only(asked) is { } found)
        {
            return found;
        }

        var possible = asked.Where(one => one.Fit.Fits).Select(one => ModelNames.Of(one.Format)).ToArray();
        var outputs = string.Join(", ", question.Model.Outputs.Take(8));
        throw new ModelPackageException(possible.Length == 0
            ? $"{path}: no format fits its outputs ({outputs}){Hint(asked)}; see docs/models.md, or export it otherwise."
            : $"{path}: its outputs ({outputs}) may be {string.Join(" or ", possible)}, and nothing tells which; "
                + $"{remedy}.");
    }

    /// <summary>Holds what a manifest says against what the model says, before anything is run.</summary>
    /// <exception cref="ModelPackageException">They contradict each other.</exception>
    public static (DetectorFormat Format, FormatFit Fit) Resolve(
        string path, ModelOutline model, DetectorManifest manifest, string manifestPath)
    {
        var question = Question(model, manifest);
        RequireTask(path, question.Notes);
        if (question.Notes.Labels is { } labels && labels.Count != manifest.Labels.Count)
        {
            throw new ModelPackageException($"{manifestPath}: detector.labels has {manifest.Labels.Count} labels, {path} "
                + $"names {labels.Count}; list as many, in the model's order.");
        }

        if (question.Notes.Stride is { } stride
            && (manifest.Input.Width % stride != 0 || manifest.Input.Height % stride != 0))
        {
            throw new ModelPackageException(
                $"{manifestPath}: detector.input is {manifest.Input.Width} × {manifest.Input.Height}, the model's stride "
                + $"is {stride}; use multiples of it.");
        }

        if (manifest.Format is not { } stated)
        {
            return Find(path, question, $"state detector.format in {ModelManifest.FileName}");
        }

        var isEndToEnd = stated is DetectorFormat.YoloEndToEnd;
        if (question.Notes.EndToEnd is { } endToEnd && endToEnd != isEndToEnd)
        {
            throw new ModelPackageException(
                $"{manifestPath}: detector.format is '{ModelNames.Of(stated)}', the model's note end2end says {endToEnd}; "
                + $"{(endToEnd ? "use yolo-end-to-end" : "use the format that its outputs have")} or leave it out.");
        }

        return (stated, Require(path, question, stated));
    }

    /// <summary>The reader for a network that has run, so that all sizes are known.</summary>
    /// <exception cref="ModelPackageException">What came out is not what the format says.</exception>
    public static IDetectorOutput Reader(
        string path,
        ModelOutline model,
        DetectorManifest manifest,
        DetectorFormat format,
        FormatFit before,
        NetworkOutputs outputs)
    {
        // Those outputs that are not read keep what is said of them.
        var shapes = new Dictionary<string, IReadOnlyList<long>>();
        for (var i = 0; i < before.Outputs.Count; i++)
        {
            shapes[before.Outputs[i].Name] = outputs.Shape(i);
        }

        var ran = model with
        {
            Outputs = [.. model.Outputs.Select(
                output => shapes.TryGetValue(output.Name, out var shape) ? output with { Shape = shape } : output)],
        };
        var fit = Require(path, Question(ran, manifest), format);
        var reader = fit.Reader!();
        var isRead = fit.Outputs.Select(output => output.Name).SequenceEqual(before.Outputs.Select(output => output.Name));
        return isRead && reader.Cells is > 0 and <= MostCells
            ? reader
            : throw new ModelPackageException($"{path}: its outputs are {string.Join(", ", fit.Outputs)}, which leaves "
                + $"{reader.Cells} rows to read, 1 to {MostCells} can be; export it again.");
    }

    private static FormatFit Require(string path, DetectorQuestion question, DetectorFormat format)
    {
        var fit = Known.First(known => known.Format == format).Fit(question);
        if (fit.Fits)
        {
            return fit;
        }

        var others = Ask(question).Where(one => one.Fit.Fits).Select(one => ModelNames.Of(one.Format)).ToArray();
        throw new ModelPackageException(
            $"{path}: its outputs are {string.Join(", ", question.Model.Outputs.Take(8))}, format {ModelNames.Of(format)} with "
            + $"{question.Labels} labels {fit.Why}; "
            + (others.Length > 0 ? $"{string.Join(" or ", others)} would fit; " : "")
            + $"correct format or labels in {ModelManifest.FileName}.");
    }

    private static DetectorQuestion Question(ModelOutline model, DetectorManifest manifest) =>
        new(model, manifest.Labels.Count, manifest.Input.Width, manifest.Input.Height)
        {
            Boxes = manifest.Boxes,
            FirstLabel = manifest.FirstLabel,
        };

    private static void RequireTask(string path, ExportNotes notes)
    {
        if (notes.Task is { } task and not ("detect" or "segment"))
        {
            throw new ModelPackageException(
                $"{path}: this model's task is '{(task.Length > 40 ? task[..40] : task)}'; export one that detects.");
        }
    }

    /// <summary>A format that lacks only a word from the user says so.</summary>
    private static string Hint(IReadOnlyList<(DetectorFormat Format, FormatFit Fit)> asked)
    {
        var near = asked.Where(one => one.Fit.Why.Contains("state ", StringComparison.Ordinal)).ToArray();
        return near.Length > 0 ? $"; {ModelNames.Of(near[0].Format)}: {near[0].Fit.Why}" : "";
    }
}
