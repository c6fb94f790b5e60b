using EdgeInspector.Vision.Detectors;
using EdgeInspector.Vision.Inference;

namespace EdgeInspector.Vision;

/// <summary>What a bare ONNX file says about itself, and which detector formats its outputs fit; nothing is run.</summary>
public sealed record ModelInspection
{
    public required string Model { get; init; }

    public required string Producer { get; init; }

    public required long OperatorSet { get; init; }

    /// <summary>Weights, in numbers.</summary>
    public required long Parameters { get; init; }

    /// <summary>Name, shape and type, as in "images [1,3,640,640]"; a free size is "?".</summary>
    public required IReadOnlyList<string> Inputs { get; init; }

    public required IReadOnlyList<string> Outputs { get; init; }

    /// <summary>As its notes tell; null when they do not.</summary>
    public IReadOnlyList<string>? Labels { get; init; }

    public string? Task { get; init; }

    /// <summary>The detector format that fits for certain; null when none or several do.</summary>
    public string? Format { get; init; }

    /// <summary>What the user should know about it.</summary>
    public string? Remark { get; init; }

    /// <summary>What every format says to this model.</summary>
    public required IReadOnlyList<FormatAnswer> Formats { get; init; }

    /// <param name="path">An ONNX file.</param>
    /// <param name="labels">How many labels it has, where its notes do not tell.</param>
    /// <param name="size">Its input's size, where neither the file nor its notes tell.</param>
    /// <param name="boxes">How boxes are written, where that is known.</param>
    /// <exception cref="VisionException">Not a model, or one that must not be opened.</exception>
    public static ModelInspection Of(
        string path, int? labels = null, (int Width, int Height)? size = null, BoxForm? boxes = null)
    {
        var outline = ModelFile.Read(path).Outline;
        var notes = new ExportNotes(outline.Notes);
        var (width, height) = size ?? BareDetector.SizeIn(outline) ?? (0, 0);
        var question = new DetectorQuestion(outline, labels ?? notes.Labels?.Count, width, height) { Boxes = boxes };
        var asked = DetectorFormats.Ask(question);
        var isDetector = notes.Task is null or "detect" or "segment";
        var only = isDetector ? DetectorFormats.Only(asked) : null;
        return new ModelInspection
        {
            Model = path,
            Producer = outline.Producer,
            OperatorSet = outline.OperatorSet,
            Parameters = outline.Parameters,
            Inputs = [.. outline.Inputs.Select(input => $"{input}")],
            Outputs = [.. outline.Outputs.Select(output => $"{output}")],
            Labels = notes.Labels,
            Task = notes.Task,
            Format = only is { } found ? ModelNames.Of(found.Format) : null,
            Remark = only?.Fit.Remark ?? (isDetector ? null : $"its task is '{notes.Task}', so it is no detector"),
            Formats =
            [
                .. asked.Select(one => new FormatAnswer(
                    ModelNames.Of(one.Format),
                    !one.Fit.Fits ? "no" : one.Fit.Certain ? "fits" : "may fit",
                    one.Fit.Why)),
            ],
        };
    }
}

/// <param name="Format">As a manifest writes it.</param>
/// <param name="Answer">"fits" (something proves it), "may fit" (nothing speaks against it) or "no".</param>
/// <param name="Why">Half a sentence.</param>
public sealed record FormatAnswer(string Format, string Answer, string Why);
