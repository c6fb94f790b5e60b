namespace EdgeInspector.Quantization.Calibration;

/// <summary>How often each size of number was seen, in equal steps between two known limits.</summary>
public sealed class Histogram
{
    private const int Bins = 4096;

    private readonly long[] _bins = new long[Bins];
    private readonly float _step;

    public Histogram(ActivationRange limits)
    {
        Limits = limits;
        _step = (limits.Highest - limits.Lowest) / Bins;
    }

    public ActivationRange Limits { get; }

    /// <summary>Zeros are not counted: every range meets them exactly, and a ReLU gives so many that they hide the rest.</summary>
    public void Add(ReadOnlySpan<float> values)
    {
        if (!(_step > 0))
        {
            return;
        }

        var (lowest, factor) = (Limits.Lowest, 1 / _step);
        foreach (var value in values)
        {
            if (value != 0)
            {
                _bins[Math.Clamp((int)((value - lowest) * factor), 0, Bins - 1)]++;
            }
        }
    }

    /// <summary>Leaves out half of 100 − <paramref name="percent"/> percent of the values at each end.</summary>
    public ActivationRange Percentile(double percent)
    {
        var total = _bins.Sum();
        if (total == 0)
        {
            return Limits;
        }

        var spare = total * (100 - percent) / 200;
        var (first, last) = (0, Bins - 1);
        for (var left = _bins[0]; left <= spare && first < last; left += _bins[first])
        {
            first++;
        }

        for (var right = _bins[last]; right <= spare && last > first; right += _bins[last])
        {
            last--;
        }

        return ActivationRange.Including0(
            first == 0 ? Limits.Lowest : Limits.Lowest + (first * _step),
            last == Bins - 1 ? Limits.Highest : Limits.Lowest + ((last + 1) * _step));
    }

    /// <summary>
    /// The cut at which the rounded numbers tell most about the true ones: of all cuts, that of least Kullback-Leibler
    /// divergence between both distributions (S. Migacz, 8-bit inference with TensorRT, GTC 2017).
    /// </summary>
    public ActivationRange Entropy()
    {
        // Numbers of one sign have all 256 steps for themselves, others half of them each way.
        var steps = Limits.Lowest == 0 || Limits.Highest == 0 ? 256 : 128;
        var sizes = Sizes();
        var (best, least) = (sizes.Length, double.PositiveInfinity);
        for (var cut = steps; cut <= sizes.Length; cut += 8)
        {
            var divergence = Divergence(sizes, cut, steps);
            if (divergence < least)
            {
                (best, least) = (cut, divergence);
            }
        }

        var limit = Math.Max(-Limits.Lowest, Limits.Highest) * best / sizes.Length;
        return ActivationRange.Including0(Math.Max(Limits.Lowest, -limit), Math.Min(Limits.Highest, limit));
    }

    private static double Divergence(long[] sizes, int cut, int steps)
    {
        long inside = 0, outside = 0;
        for (var i = 0; i < sizes.Length; i++)
        {
            if (i < cut)
            {
                inside += sizes[i];
            }
            else
            {
                outside += sizes[i];
            }
        }

        if (inside == 0)
        {
            return double.PositiveInfinity;
        }

        // What is cut off lands on the last step. The rounded distribution knows only each step's sum, spread over those
        // of its bins that hold anything.
        var sum = 0.0;
        double total = inside + outside;
        for (var step = 0; step < steps; step++)
        {
            var (first, end) = (step * cut / steps, (step + 1) * cut / steps);
            long count = 0;
            var filled = 0;
            for (var i = first; i < end; i++)
            {
                count += sizes[i];
                filled += sizes[i] > 0 || (i == cut - 1 && outside > 0) ? 1 : 0;
            }

            for (var i = first; i < end; i++)
            {
                var truth = (sizes[i] + (i == cut - 1 ? outside : 0)) / total;
                if (truth > 0)
                {
                    // Rounding loses what was cut off, so its distribution is of what was inside.
                    var rounded = Math.Max((double)count / filled / inside, 1e-12);
                    sum += truth * Math.Log(truth / rounded);
                }
            }
        }

        return sum;
    }

    /// <summary>The same counts by size without sign.</summary>
    private long[] Sizes()
    {
        var sizes = new long[Bins / 2];
        var largest = Math.Max(-Limits.Lowest, Limits.Highest);
        for (var i = 0; i < Bins && largest > 0; i++)
        {
            var size = Math.Abs(Limits.Lowest + ((i + 0.5f) * _step)) / largest;
            sizes[Math.Min((int)(size * sizes.Length), sizes.Length - 1)] += _bins[i];
        }

        return sizes;
    }
}
