namespace EdgeInspector.Benchmarks.Rounds;

/// <summary>Measured values of one contender, one a round; milliseconds unless said otherwise.</summary>
internal sealed record Series(string Name, double[] Values)
{
    public double Median => Quantile(Values, 0.5);

    public double Min => Values.Min();

    /// <summary>Median and quartiles of the ratios to another, round by round.</summary>
    public Spread RatioTo(Series other) => Spread.Of(Values.Zip(other.Values, (mine, theirs) => mine / theirs));

    /// <summary>Median and quartiles of the differences to another, round by round.</summary>
    public Spread Over(Series other) => Spread.Of(Values.Zip(other.Values, (mine, theirs) => mine - theirs));

    /// <summary>By rank, between two neighbours the mean weighted by nearness.</summary>
    public static double Quantile(IEnumerable<double> values, double share)
    {
        var sorted = values.Order().ToArray();
        if (sorted.Length == 0)
        {
            return double.NaN;
        }

        var at = share * (sorted.Length - 1);
        var low = (int)at;
        var high = Math.Min(low + 1, sorted.Length - 1);
        return sorted[low] + ((at - low) * (sorted[high] - sorted[low]));
    }
}

/// <summary>The middle of many values, with the quartiles around it.</summary>
internal readonly record struct Spread(double Median, double Lower, double Upper, double Min)
{
    public static Spread Of(IEnumerable<double> values)
    {
        var all = values.ToArray();
        return new Spread(
            Series.Quantile(all, 0.5),
            Series.Quantile(all, 0.25),
            Series.Quantile(all, 0.75),
            all.Length == 0 ? double.NaN : all.Min()
        );
    }
}

/// <summary>What came of a set of rounds.</summary>
/// <param name="Title">Which work.</param>
/// <param name="Rounds">Rounds run; the series hold those that were kept.</param>
/// <param name="Series">In the contenders' order, the raw run first.</param>
/// <param name="Load">What else the machine did.</param>
internal sealed record RoundTable(string Title, int Rounds, IReadOnlyList<Series> Series, MachineLoad.Share Load)
{
    public Series Raw => Series[0];

    public int Kept => Raw.Values.Length;

    public Series this[string name] => Series.First(series => series.Name == name);
}
