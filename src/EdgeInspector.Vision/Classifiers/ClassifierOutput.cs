using EdgeInspector.Vision.Inference;

namespace EdgeInspector.Vision.Classifiers;

/// <summary>Reads a classifier's numbers.</summary>
internal sealed class ClassifierOutput
{
    private readonly ClassifierFormat _format;
    private readonly bool[] _good;
    private readonly float[] _probabilities;
    private readonly int[] _labelOf;
    private readonly int _width;
    private readonly int _mapLength;
    private readonly (int Good, int Defect) _pair;
    private readonly (float Low, float High) _range;

    private ClassifierOutput(ClassifierManifest manifest, ClassifierPlan plan, int width, int mapLength)
    {
        _format = plan.Format;
        _width = width;
        _mapLength = mapLength;
        _good = [.. manifest.Labels.Select(manifest.Good.Contains)];
        _probabilities = new float[_good.Length];
        _pair = (Array.IndexOf(_good, true), Array.IndexOf(_good, false));
        _range = manifest.AnomalyRange is [var low, var high] ? (low, high) : (0, 1);

        // Where good has no number, the numbers are those of the defects.
        _labelOf = [.. Enumerable.Range(0, _good.Length).Where(label => width == _good.Length || !_good[label])];
    }

    /// <summary>Numbers in one picture's map, 0 without.</summary>
    public int MapLength => _mapLength;

    /// <summary>Zero without a map.</summary>
    public (int Width, int Height) MapSize { get; private init; }

    /// <summary>For a network that has run, so that all sizes are known.</summary>
    /// <exception cref="ModelPackageException">What came out is not what the format says.</exception>
    public static ClassifierOutput Require(Network network, ClassifierManifest manifest, ClassifierPlan plan)
    {
        var widths = ClassifierPlan.Widths(plan.Format, manifest.Labels.Count, manifest.Good.Distinct().Count());
        var width = 0;
        var mapSize = (Width: 0, Height: 0);
        foreach (var batch in network.Batches)
        {
            var outputs = network.Outputs(batch);
            if (plan.Row is not null)
            {
                var shape = outputs.Shape(0);
                var numbers = shape.Aggregate(1L, (a, b) => a * b);
                width = (int)(numbers / batch);
                if (shape.Count == 0 || (shape[0] != batch && numbers != 1) || numbers % batch != 0
                    || !widths.Contains(width))
                {
                    throw new ModelPackageException(
                        $"{network.Path}: for a batch of {batch} the output is [{string.Join(',', shape)}], this "
                        + $"format and its labels need [{batch},{widths[0]}]; correct format or labels in "
                        + $"{ModelManifest.FileName}.");
                }
            }

            if (plan.Map is not null)
            {
                var shape = outputs.Shape(outputs.Count - 1);
                var numbers = shape.Aggregate(1L, (a, b) => a * b);
                mapSize = shape.Count >= 2 ? ((int)shape[^1], (int)shape[^2]) : default;
                if (shape.Count < 3 || shape[0] != batch || numbers != (long)batch * mapSize.Width * mapSize.Height
                    || numbers == 0)
                {
                    throw new ModelPackageException(
                        $"{network.Path}: for a batch of {batch} the map is [{string.Join(',', shape)}], "
                        + $"[{batch},1,height,width] is needed; export it again.");
                }
            }
        }

        return new ClassifierOutput(manifest, plan, width, mapSize.Width * mapSize.Height) { MapSize = mapSize };
    }

    /// <summary>One picture's map, as the network gave it; empty without.</summary>
    public ReadOnlySpan<float> Map(NetworkOutputs outputs, int picture) => _mapLength == 0
        ? default
        : outputs[outputs.Count - 1].Slice(picture * _mapLength, _mapLength);

    /// <summary>An anomaly's number as a defect score, 0 to 1; no number stays none.</summary>
    public float Scale(float anomaly) => Math.Clamp((anomaly - _range.Low) / (_range.High - _range.Low), 0, 1);

    public Classification Read(NetworkOutputs outputs, int picture)
    {
        if (_width == 0)
        {
            return Single(Scale(Highest(Map(outputs, picture))));
        }

        var row = outputs[0].Slice(picture * _width, _width);
        return _format switch
        {
            ClassifierFormat.Sigmoid => Single(row[0]),
            ClassifierFormat.Logit => float.IsFinite(row[0]) ? Single(Sigmoid(row[0])) : Classification.Unsure,
            ClassifierFormat.Anomaly => float.IsFinite(row[0]) ? Single(Scale(row[0])) : Classification.Unsure,
            ClassifierFormat.MultiLabel or ClassifierFormat.MultiLabelLogits => Several(row),
            ClassifierFormat.Logits => OneOf(Softmax(row)),
            _ => OneOf(row),
        };
    }

    private static float Sigmoid(float logit) => 1 / (1 + MathF.Exp(-logit));

    private static float Highest(ReadOnlySpan<float> map)
    {
        var highest = float.NegativeInfinity;
        foreach (var number in map)
        {
            if (!float.IsFinite(number))
            {
                return float.NaN;
            }

            highest = Math.Max(highest, number);
        }

        return highest;
    }

    private Classification Single(float defect) => !float.IsFinite(defect) ? Classification.Unsure
        : defect >= 0.5f ? new Classification(_pair.Defect, defect, defect)
        : new Classification(_pair.Good, 1 - defect, defect);

    private Classification OneOf(ReadOnlySpan<float> probabilities)
    {
        var (label, best, good) = (-1, float.NegativeInfinity, 0f);
        for (var i = 0; i < probabilities.Length; i++)
        {
            var probability = probabilities[i];
            if (!float.IsFinite(probability))
            {
                return Classification.Unsure;
            }

            if (probability > best)
            {
                (label, best) = (i, probability);
            }

            if (_good[i])
            {
                good += probability;
            }
        }

        return new Classification(label, best, Math.Clamp(1 - good, 0, 1));
    }

    /// <summary>The worst of the defects counts; a part without any is good, whatever good's own number says.</summary>
    private Classification Several(ReadOnlySpan<float> row)
    {
        var (defect, worst, good, best) = (-1, 0f, _pair.Good, -1f);
        for (var i = 0; i < row.Length; i++)
        {
            var (number, label) = (row[i], _labelOf[i]);
            if (!float.IsFinite(number))
            {
                return Classification.Unsure;
            }

            var probability = _format is ClassifierFormat.MultiLabelLogits ? Sigmoid(number) : Math.Clamp(number, 0, 1);
            if (_good[label] && probability > best)
            {
                (good, best) = (label, probability);
            }
            else if (!_good[label] && (defect < 0 || probability > worst))
            {
                (defect, worst) = (label, probability);
            }
        }

        return worst >= 0.5f
            ? new Classification(defect, worst, worst)
            : new Classification(good, 1 - worst, worst);
    }

    private ReadOnlySpan<float> Softmax(ReadOnlySpan<float> row)
    {
        var highest = float.NegativeInfinity;
        foreach (var number in row)
        {
            highest = Math.Max(highest, number);
        }

        var sum = 0f;
        for (var i = 0; i < row.Length; i++)
        {
            _probabilities[i] = MathF.Exp(row[i] - highest);
            sum += _probabilities[i];
        }

        foreach (ref var probability in _probabilities.AsSpan())
        {
            probability /= sum;
        }

        return _probabilities;
    }
}
