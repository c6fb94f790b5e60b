using EdgeInspector.Vision.Inference;

namespace EdgeInspector.Vision.Detectors;

/// <summary>What is known of a detector when its format is looked for or checked.</summary>
/// <param name="Model">Inputs, outputs, notes; sizes that are free are −1 until the network has run.</param>
/// <param name="Labels">How many there are, null when nobody has told.</param>
/// <param name="Width">Of the input, in pixels; 0 when open.</param>
/// <param name="Height">Of the input, in pixels; 0 when open.</param>
internal sealed record DetectorQuestion(ModelOutline Model, int? Labels, int Width, int Height)
{
    /// <summary>As stated in the manifest; null leaves it to the format.</summary>
    public BoxForm? Boxes { get; init; }

    /// <summary>As stated in the manifest; null leaves it to the format.</summary>
    public int? FirstLabel { get; init; }

    public ExportNotes Notes { get; } = new(Model.Notes);

    /// <summary>The only or first output of three dimensions, unless it is one of a pair.</summary>
    public TensorOutline? Table => Pair is null ? Model.Outputs.FirstOrDefault(IsTable) : null;

    /// <summary>Boxes [batch, N, 4] and a row of scores for each of them, [batch, N, K].</summary>
    public (TensorOutline Boxes, TensorOutline Scores)? Pair
    {
        get
        {
            var tables = Model.Outputs.Where(IsTable).ToArray();
            if (tables.Length != 2 || (tables[0].Size(1) > 0 && tables[1].Size(1) > 0
                && tables[0].Size(1) != tables[1].Size(1)))
            {
                return null;
            }

            var boxes = Array.FindAll(tables, table => table.Size(2) == 4);
            var first = boxes.Length == 2
                ? Array.Find(boxes, table => Says(table, "box", "loc", "dets"))
                : boxes.FirstOrDefault();
            return first is null ? null : (first, tables[0] == first ? tables[1] : tables[0]);

            static bool IsTable(TensorOutline output) => DetectorQuestion.IsTable(output);
        }
    }

    /// <summary>Boxes, a score each and the number of a label each, as graphs give that have chosen already.</summary>
    public (TensorOutline Boxes, TensorOutline Scores, TensorOutline Labels)? Chosen
    {
        get
        {
            var boxes = Model.Outputs.Where(output => output.Rank is 2 or 3 && output.Size(output.Rank - 1) == 4)
                .ToArray();
            if (boxes.Length != 1)
            {
                return null;
            }

            var columns = Model.Outputs.Where(output => output.Rank == boxes[0].Rank - 1 && !Says(output, "num"))
                .ToArray();
            var labels = Array.FindAll(columns, column => column.IsWhole || Says(column, "class", "label"));
            var scores = Array.FindAll(columns, column => !column.IsWhole && !Says(column, "class", "label"));
            return labels.Length == 1 && scores.Length == 1 ? (boxes[0], scores[0], labels[0]) : null;
        }
    }

    /// <summary>Channels of the masks that a segmenting model puts beside its boxes; 0 without.</summary>
    public int Masks => Model.Outputs.FirstOrDefault(output => output.Rank == 4 && output.Size(1) is > 0 and <= 64)
        is { } masks && Model.Outputs.Count == 2 ? (int)masks.Size(1) : 0;

    /// <summary>True when the graph wants to be told the size that boxes shall fit.</summary>
    public bool TakesTargetSize => Model.Inputs.Any(input => input.Name is "orig_target_sizes" or "target_sizes" or "orig_size");

    /// <summary>Cells of the grids with these strides; 0 while the input's size is open.</summary>
    public int Cells(params ReadOnlySpan<int> strides)
    {
        var cells = 0;
        foreach (var stride in strides)
        {
            cells += (Width + stride - 1) / stride * ((Height + stride - 1) / stride);
        }

        return cells;
    }

    /// <summary>How many times the grids of strides 8, 16, 32 (or up to 64) make this number of rows; 0 for no whole number.</summary>
    public int TimesGrid(long rows)
    {
        foreach (var cells in (int[])[Cells(8, 16, 32), Cells(8, 16, 32, 64)])
        {
            if (cells > 0 && rows > 0 && rows % cells == 0)
            {
                return (int)(rows / cells);
            }
        }

        return 0;
    }

    public static bool Says(TensorOutline output, params ReadOnlySpan<string> words)
    {
        foreach (var word in words)
        {
            if (output.Name.Contains(word, StringComparison.OrdinalIgnoreCase))
            {
                return true;
            }
        }

        return false;
    }

    private static bool IsTable(TensorOutline output) => output.Rank == 3 && !output.IsWhole;
}
