using EdgeInspector.Vision.Inference;

namespace EdgeInspector.Vision.Detectors;

/// <summary>
/// NanoDet's generalised focal loss: per cell one score per label and, for each side of the box, a distribution over
/// distances 0, 1, 2, … strides, whose mean after a softmax is the distance from the cell's centre. Either one output
/// [1, N, C + 4 × bins], or for each stride one of scores [n, C] and one of distributions [n, 4 × bins], in any order.
/// </summary>
/// <remarks>
/// With strides 8, 16, 32 (NanoDet) a cell's centre is (cell + 1/2) × stride; with 64 as well (NanoDet-Plus) it is
/// cell × stride. Boxes are cut at the input's edge before overlaps are compared, as NanoDet itself does.
/// </remarks>
internal sealed class NanoDetOutput : IDetectorOutput
{
    private static readonly int[] Strides = [8, 16, 32, 64];

    private readonly int _labels;
    private readonly int _bins;
    private readonly int _width;
    private readonly int _height;
    private readonly float _centre;
    private readonly Level[] _levels;

    private NanoDetOutput(DetectorQuestion question, int bins, Level[] levels)
    {
        (_labels, _bins, _width, _height) = (question.Labels!.Value, bins, question.Width, question.Height);
        _centre = levels.Length == 3 ? 0.5f : 0;
        _levels = levels;
        Cells = levels.Sum(level => level.Cells);
    }

    public int Cells { get; }

    public bool Overlaps => true;

    public static FormatFit Fit(DetectorQuestion question)
    {
        if (question.Boxes is not null)
        {
            return FormatFit.No("decodes its boxes itself, so boxes cannot be stated");
        }

        if (question.Labels is not { } labels || question.Width == 0)
        {
            return FormatFit.No("is told only by its labels and input size; say them");
        }

        return question.Table is { } table && question.Model.Outputs.Count == 1
            ? FitTable(question, table, labels)
            : FitLevels(question, labels);
    }

    public void Read(NetworkOutputs outputs, float threshold, Candidates candidates)
    {
        foreach (var level in _levels)
        {
            var scores = outputs[level.Scores];
            var distances = outputs[level.Distances];
            for (var cell = 0; cell < level.Cells; cell++)
            {
                var row = (level.FirstRow + cell) * level.ScoreStep;
                var (best, label) = BestLabel.Of(scores.Slice(row, _labels), candidates);
                if (best >= threshold)
                {
                    var at = ((level.FirstRow + cell) * level.DistanceStep) + level.DistanceOffset;
                    candidates.Add(new Detection(
                        Decode(distances.Slice(at, 4 * _bins), cell, level), best, label));
                }
            }
        }
    }

    private static FormatFit FitTable(DetectorQuestion question, TensorOutline table, int labels)
    {
        var (rows, wide) = (table.Size(1), table.Size(2));
        var bins = (wide - labels) / 4;
        var count = rows == question.Cells(Strides) ? 4 : rows == question.Cells(Strides.AsSpan(0, 3)) ? 3 : 0;
        if (wide - labels != bins * 4 || bins is < 2 or > 64 || count == 0)
        {
            return FormatFit.No($"{labels} labels and this input need [1,{question.Cells(Strides.AsSpan(0, 3))}"
                + $",{labels} + 4 × bins]");
        }

        var first = 0;
        var levels = Strides.Take(count).Select(stride =>
        {
            var level = new Level(
                stride, question.Width, question.Height, 0, 0, first, (int)wide, (int)wide, labels);
            first += level.Cells;
            return level;
        }).ToArray();
        return Made(question, [table], (int)bins, levels, $"{table}: {labels} scores and 4 × {bins} bins for each cell");
    }

    private static FormatFit FitLevels(DetectorQuestion question, int labels)
    {
        var outputs = question.Model.Outputs;
        var count = outputs.Count / 2;
        if (outputs.Count is not (6 or 8) || outputs.Any(output => output.Rank is not (2 or 3) || output.IsWhole))
        {
            return FormatFit.No("needs one output of three dimensions, or two for each of three or four strides");
        }

        var bins = 0L;
        var levels = new Level[count];
        for (var i = 0; i < count; i++)
        {
            var cells = question.Cells(Strides[i]);
            var here = Enumerable.Range(0, outputs.Count)
                .Where(j => outputs[j].Size(outputs[j].Rank - 2) == cells).ToArray();
            var scores = Array.FindAll(here, j => Wide(j) == labels);
            var distances = Array.FindAll(here, j => Wide(j) != labels && Wide(j) % 4 == 0);
            if (here.Length != 2 || scores.Length != 1 || distances.Length != 1)
            {
                return FormatFit.No($"stride {Strides[i]} needs [{cells},{labels}] and [{cells},4 × bins]");
            }

            bins = i == 0 || bins == Wide(distances[0]) / 4 ? Wide(distances[0]) / 4 : -1;
            levels[i] = new Level(
                Strides[i],
                question.Width,
                question.Height,
                scores[0],
                distances[0],
                0,
                labels,
                (int)Wide(distances[0]),
                0);
        }

        return bins is < 2 or > 64
            ? FormatFit.No("its strides have different numbers of bins")
            : Made(
                question,
                outputs,
                (int)bins,
                levels,
                $"{outputs.Count} outputs: {labels} scores and 4 × {bins} bins for each cell of {count} strides");

        long Wide(int output) => outputs[output].Size(outputs[output].Rank - 1);
    }

    private static FormatFit Made(
        DetectorQuestion question, IReadOnlyList<TensorOutline> outputs, int bins, Level[] levels, string why) => new()
        {
            Fits = true,
            Certain = true,
            Why = why,
            Outputs = outputs,
            Labels = question.Labels,
            Reader = () => new NanoDetOutput(question, bins, levels),
        };

    private Box Decode(ReadOnlySpan<float> distributions, int cell, in Level level)
    {
        var x = ((cell % level.Columns) + _centre) * level.Stride;
        var y = ((cell / level.Columns) + _centre) * level.Stride;
        return new Box(
            Math.Clamp(x - (Mean(distributions[.._bins]) * level.Stride), 0, _width),
            Math.Clamp(y - (Mean(distributions.Slice(_bins, _bins)) * level.Stride), 0, _height),
            Math.Clamp(x + (Mean(distributions.Slice(2 * _bins, _bins)) * level.Stride), 0, _width),
            Math.Clamp(y + (Mean(distributions.Slice(3 * _bins, _bins)) * level.Stride), 0, _height));
    }

    private static float Mean(ReadOnlySpan<float> bins)
    {
        var highest = float.NegativeInfinity;
        foreach (var bin in bins)
        {
            highest = Math.Max(highest, bin);
        }

        var (sum, moment) = (0f, 0f);
        for (var i = 0; i < bins.Length; i++)
        {
            var weight = MathF.Exp(bins[i] - highest);
            sum += weight;
            moment += weight * i;
        }

        return moment / sum;
    }

    /// <summary>Where one stride's numbers lie.</summary>
    private readonly struct Level(
        int stride,
        int width,
        int height,
        int scores,
        int distances,
        int firstRow,
        int scoreStep,
        int distanceStep,
        int distanceOffset)
    {
        public int Stride { get; } = stride;

        public int Columns { get; } = (width + stride - 1) / stride;

        public int Cells { get; } = (width + stride - 1) / stride * ((height + stride - 1) / stride);

        public int Scores { get; } = scores;

        public int Distances { get; } = distances;

        public int FirstRow { get; } = firstRow;

        public int ScoreStep { get; } = scoreStep;

        public int DistanceStep { get; } = distanceStep;

        public int DistanceOffset { get; } = distanceOffset;
    }
}
