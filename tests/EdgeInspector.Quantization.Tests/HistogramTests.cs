using EdgeInspector.Quantization.Calibration;

namespace EdgeInspector.Quantization.Tests;

public sealed class HistogramTests
{
    [Fact]
    public void PercentileLeavesOutTheRareEnds()
    {
        var histogram = new Histogram(new ActivationRange(-100, 200));
        histogram.Add([.. Enumerable.Range(0, 100_000).Select(i => (i / 50_000f) - 1), -100, 200]);

        var range = histogram.Percentile(99.9);
        Assert.Equal(-1, range.Lowest, 0.1f);
        Assert.Equal(1, range.Highest, 0.1f);
        Assert.Equal(new ActivationRange(-100, 200), histogram.Percentile(100));
    }

    [Fact]
    public void EntropyCutsOffWhatIsRareAndFarAway()
    {
        var random = new Random(1);
        var histogram = new Histogram(new ActivationRange(-50, 50));
        histogram.Add([.. Enumerable.Range(0, 200_000).Select(_ => Normal(random)), 50, -50]);

        Assert.InRange(histogram.Entropy().Highest, 3, 12);
        Assert.Equal(histogram.Entropy().Lowest, -histogram.Entropy().Highest, 1e-5f);
    }

    /// <summary>Counted, the zeros behind a ReLU would draw the cut to themselves.</summary>
    [Fact]
    public void ZerosDoNotMoveTheCut()
    {
        var random = new Random(1);
        float[] values = [.. Enumerable.Range(0, 100_000).Select(_ => 4 * Math.Abs(Normal(random)))];
        var (plain, rectified) = (new Histogram(new ActivationRange(0, 20)), new Histogram(new ActivationRange(0, 20)));
        plain.Add(values);
        rectified.Add([.. values, .. new float[900_000]]);

        Assert.Equal(plain.Entropy(), rectified.Entropy());
        Assert.Equal(plain.Percentile(99), rectified.Percentile(99));
        Assert.InRange(rectified.Entropy().Highest, 8, 20);
    }

    [Fact]
    public void AValueThatIsAlwaysZeroKeepsARange()
    {
        var histogram = new Histogram(new ActivationRange(0, 0));
        histogram.Add(new float[100]);

        Assert.Equal((1f, (sbyte)-128), histogram.Entropy().Int8(symmetric: false));
        Assert.Equal((1f, (sbyte)0), histogram.Percentile(99).Int8(symmetric: true));
    }

    [Fact]
    public void ZeroIsMetExactly()
    {
        foreach (var range in new[] { new ActivationRange(-0.3f, 1.7f), new(0, 5), new(-4, 0), new(-1e-3f, 1e3f) })
        {
            var (scale, zeroPoint) = range.Int8(symmetric: false);
            Assert.InRange(zeroPoint, (sbyte)-128, (sbyte)127);
            Assert.Equal(range.Highest - range.Lowest, scale * 255, 1e-2f);
            Assert.Equal(range.Lowest, (-128 - zeroPoint) * scale, scale);
        }
    }

    private static float Normal(Random random) =>
        (float)(Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble()));
}
