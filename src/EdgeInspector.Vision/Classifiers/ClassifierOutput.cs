using EdgeInspector.Vision.Inference;

namespace EdgeInspector.Vision.Classifiers;

/// <summary>Reads a classifier's row of numbers.</summary>
internal sealed class ClassifierOutput
{
    private readonly ClassifierFormat _format;
    private readonly bool[] _good;
    private readonly float[] _probabilities;
    private readonly (int Good, int Defect) _pair;

    private ClassifierOutput(ClassifierManifest manifest)
    {
        _format = manifest.Format;
        _good = [.. manifest.Labels.Select(manifest.Good.Contains)];
        _probabilities = new float[_good.Length];
        _pair = (Array.IndexOf(_good, true), Array.IndexOf(_good, false));
    }

    public static int Width(ClassifierManifest manifest) =>
        manifest.Format is ClassifierFormat.Sigmoid ? 1 : manifest.Labels.Count;

    public static ClassifierOutput Require(Network network, ClassifierManifest manifest, ReadOnlySpan<int> batches)
    {
        var width = Width(manifest);
        foreach (var batch in batches)
        {
            // [batch] will do where one number per picture is wanted; trailing ones are harmless.
            var shape = network.OutputShape(batch);
            var numbers = 1L;
            foreach (var dimension in shape)
            {
                numbers *= dimension;
            }

            if (shape.Length == 0 || shape[0] != batch || numbers != (long)batch * width)
            {
                throw new ModelPackageException(
                    $"{network.Path}: for a batch of {batch} the output is [{string.Join(',', shape.ToArray())}], this "
                    + $"format and its labels need [{batch},{width}]; correct format or labels in "
                    + $"{ModelManifest.FileName}.");
            }
        }

        return new ClassifierOutput(manifest);
    }

    public Classification Read(ReadOnlySpan<float> row)
    {
        if (_format is ClassifierFormat.Sigmoid)
        {
            var defect = row[0];
            return !float.IsFinite(defect) ? Classification.Unsure
                : defect >= 0.5f ? new Classification(_pair.Defect, defect, defect)
                : new Classification(_pair.Good, 1 - defect, defect);
        }

        var numbers = _format is ClassifierFormat.Logits ? Softmax(row) : row;
        var (label, best, good) = (-1, float.NegativeInfinity, 0f);
        for (var i = 0; i < numbers.Length; i++)
        {
            var probability = numbers[i];
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
