using EdgeInspector.Vision.Inference;

namespace EdgeInspector.Vision.Classifiers;

/// <summary>
/// How a classifier's outputs are read: the format that was stated or found, and which outputs hold the numbers.
/// </summary>
/// <param name="Format">Softmax, logits, …</param>
/// <param name="Row">The output with the numbers for each picture; null for an anomaly map alone.</param>
/// <param name="Map">The output that says where a part is unusual; null without.</param>
internal sealed record ClassifierPlan(ClassifierFormat Format, TensorOutline? Row, TensorOutline? Map)
{
    /// <summary>Outputs to bind: the row, then the map, whichever there are.</summary>
    public IReadOnlyList<string> Outputs =>
        [.. new[] { Row, Map }.OfType<TensorOutline>().Select(output => output.Name)];

    /// <summary>Numbers for each picture that a format may have, the usual one first.</summary>
    public static IReadOnlyList<int> Widths(ClassifierFormat format, int labels, int good) => format switch
    {
        ClassifierFormat.Sigmoid or ClassifierFormat.Logit or ClassifierFormat.Anomaly => [1],

        // Several defects may be true at once, and none is what good means: then good needs no number.
        ClassifierFormat.MultiLabel or ClassifierFormat.MultiLabelLogits when good == 1 => [labels, labels - 1],
        _ => [labels],
    };

    /// <summary>Holds what a manifest says against what the model says, before anything is run.</summary>
    /// <exception cref="ModelPackageException">They contradict each other, or do not tell the format.</exception>
    public static ClassifierPlan Resolve(
        string path, ModelOutline model, ClassifierManifest manifest, string manifestPath)
    {
        var notes = new ExportNotes(model.Notes);
        if (notes.Task is { } task and not "classify")
        {
            throw new ModelPackageException(
                $"{path}: this model's task is '{(task.Length > 40 ? task[..40] : task)}'; export one that classifies.");
        }

        if (notes.Labels is { } names && names.Count != manifest.Labels.Count)
        {
            throw new ModelPackageException($"{manifestPath}: classifier.labels has {manifest.Labels.Count} labels, {path} "
                + $"names {names.Count}; list as many, in the model's order.");
        }

        var map = MapIn(model);
        if (manifest.Format is ClassifierFormat.Anomaly || (manifest.Format is null && IsAnomaly(model, map)))
        {
            var score = model.Outputs.FirstOrDefault(output => IsRow(output) && Says(output, "score"))
                ?? (Rows(model, [1]) is [var only] ? only : null);
            return score is not null || map is not null
                ? new ClassifierPlan(ClassifierFormat.Anomaly, score, map)
                : throw new ModelPackageException(
                    $"{path}: its outputs ({string.Join(", ", model.Outputs.Take(8))}) hold neither a score [batch,1] nor "
                    + "a map [batch,1,height,width], which format anomaly needs; correct classifier.format in "
                    + $"{ModelManifest.FileName}.");
        }

        return manifest.Format is { } stated
            ? Stated(path, model, manifest, manifestPath, stated)
            : Found(path, model, manifest);
    }

    private static ClassifierPlan Stated(
        string path, ModelOutline model, ClassifierManifest manifest, string manifestPath, ClassifierFormat stated)
    {
        var widths = Widths(stated, manifest.Labels.Count, Goods(manifest));
        var row = Rows(model, widths) switch
        {
            [var one] => one,
            [] => throw new ModelPackageException(
                $"{path}: its outputs are {string.Join(", ", model.Outputs.Take(8))}, format {ModelNames.Of(stated)} and "
                + $"{manifest.Labels.Count} labels need [batch,{widths[0]}]; correct format or labels in "
                + $"{ModelManifest.FileName}."),
            var several => throw new ModelPackageException(
                $"{path}: {string.Join(" and ", several)} may both be its result; export it with one output."),
        };
        var end = model.EndOf(row.Name);
        var isRaw = stated is ClassifierFormat.Logits or ClassifierFormat.Logit or ClassifierFormat.MultiLabelLogits;
        var contradiction = (end, isRaw) switch
        {
            (OutputEnd.Softmax, _) when stated is not ClassifierFormat.Softmax => "ends with a softmax",
            (OutputEnd.Sigmoid, true) => "ends with a sigmoid",
            (OutputEnd.Sigmoid, _) when stated is ClassifierFormat.Softmax => "ends with a sigmoid",
            (OutputEnd.Raw, false) => "ends with a weighted sum, which is no probability",
            _ => null,
        };
        return contradiction is null
            ? new ClassifierPlan(stated, row, null)
            : throw new ModelPackageException(
                $"{manifestPath}: classifier.format is '{ModelNames.Of(stated)}', but {path} {contradiction}; use "
                + $"{string.Join(" or ", Possible(end, [1, 2]).Select(ModelNames.Of))}, or leave it out.");
    }

    private static ClassifierPlan Found(string path, ModelOutline model, ClassifierManifest manifest)
    {
        var labels = manifest.Labels.Count;
        var possible = new List<ClassifierPlan>();
        foreach (var row in model.Outputs.Where(IsRow))
        {
            foreach (var format in Possible(model.EndOf(row.Name), [Width(row)]))
            {
                if (Width(row) > 0 && Widths(format, labels, Goods(manifest)).Contains((int)Width(row))
                    && (labels == 2 || Width(row) > 1))
                {
                    possible.Add(new ClassifierPlan(format, row, null));
                }
            }
        }

        return possible switch
        {
            [var one] => one,
            [] => throw new ModelPackageException(
                $"{path}: no format fits its outputs ({string.Join(", ", model.Outputs.Take(8))}) and {labels} labels; "
                + "see docs/models.md, or export it otherwise."),
            _ => throw new ModelPackageException(
                $"{path}: its outputs ({string.Join(", ", model.Outputs.Take(8))}) may be "
                + $"{string.Join(" or ", possible.Select(one => ModelNames.Of(one.Format)).Distinct())}, and nothing tells which; "
                + $"state classifier.format in {ModelManifest.FileName}."),
        };
    }

    /// <summary>What an output may be whose last operation is known, for any of these widths.</summary>
    private static IEnumerable<ClassifierFormat> Possible(OutputEnd end, IReadOnlyList<long> widths)
    {
        var (single, several) = (widths.Contains(1), widths.Any(width => width > 1));
        return end switch
        {
            OutputEnd.Softmax => several ? [ClassifierFormat.Softmax] : [],
            OutputEnd.Sigmoid => [.. One(single, ClassifierFormat.Sigmoid), .. One(several, ClassifierFormat.MultiLabel)],
            OutputEnd.Raw =>
            [
                .. One(single, ClassifierFormat.Logit),
                .. One(several, ClassifierFormat.Logits),
                .. One(several, ClassifierFormat.MultiLabelLogits),
            ],
            _ => [.. Enum.GetValues<ClassifierFormat>().Where(format => format is not ClassifierFormat.Anomaly)],
        };

        static IEnumerable<ClassifierFormat> One(bool may, ClassifierFormat format) => may ? [format] : [];
    }

    private static int Goods(ClassifierManifest manifest) => manifest.Good.Distinct().Count();

    private static TensorOutline[] Rows(ModelOutline model, IReadOnlyList<int> widths)
    {
        // What certainly fits goes before what may, because its width is free.
        var rows = model.Outputs.Where(IsRow).ToArray();
        var exact = Array.FindAll(rows, row => Width(row) > 0 && widths.Contains((int)Width(row)));
        return exact.Length > 0 ? exact : Array.FindAll(rows, row => Width(row) < 0);
    }

    private static bool IsRow(TensorOutline output) => !output.IsWhole && !IsMap(output);

    /// <summary>Numbers for each picture, −1 when open; [batch] has one, trailing ones are harmless.</summary>
    private static long Width(TensorOutline output) => output.Shape is not { } shape ? -1
        : shape.Skip(1).Any(size => size < 0) ? -1
        : shape.Skip(1).Aggregate(1L, (a, b) => a * b);

    private static bool IsMap(TensorOutline output) => output.Rank is 3 or 4
        && (output.Rank == 3 || output.Size(1) is 1 or -1)
        && output.Size(output.Rank - 1) != 1 && output.Size(output.Rank - 2) != 1;

    private static TensorOutline? MapIn(ModelOutline model)
    {
        var maps = model.Outputs.Where(output => !output.IsWhole && IsMap(output) && !Says(output, "mask")).ToArray();
        return maps.FirstOrDefault(map => Says(map, "anomaly")) ?? maps.FirstOrDefault();
    }

    private static bool IsAnomaly(ModelOutline model, TensorOutline? map) =>
        map is not null || model.Outputs.Any(output => Says(output, "anomaly") || Says(output, "pred_score"));

    private static bool Says(TensorOutline output, string word) =>
        output.Name.Contains(word, StringComparison.OrdinalIgnoreCase);
}
