using CsCheck;
using EdgeInspector.Telemetry;
using Xunit;

namespace EdgeInspector.Tests.Telemetry;

public sealed class LatencyHistogramTests
{
    [Fact]
    public void PercentilesAreNeverTooLowAndAtMostTwoPercentTooHigh() =>
        Gen.Double[1, 5e6]
            .Array[1, 3000]
            .Sample(
                microseconds =>
                {
                    var histogram = new LatencyHistogram();
                    foreach (var value in microseconds)
                    {
                        histogram.Record(TimeSpan.FromMicroseconds(value));
                    }

                    var sorted = microseconds.Select(value => Math.Floor(value)).Order().ToArray();
                    var exact = sorted[(int)Math.Ceiling(0.99 * sorted.Length) - 1] / 1000;
                    var figures = histogram.Figures();
                    Assert.InRange(figures.P99, exact, (exact * 1.02) + 0.001);
                    Assert.Equal(sorted[^1] / 1000, figures.Max, 6);
                    Assert.Equal(sorted.Length, figures.Count);
                },
                iter: 200,
                seed: "0000000000003"
            );

    [Fact]
    public void NothingMeasuredIsAllZero() => Assert.Equal(default, new LatencyHistogram().Figures());

    [Fact]
    public void NegativeDurationsCountAsZero()
    {
        var histogram = new LatencyHistogram();
        histogram.Record(TimeSpan.FromMilliseconds(-5));
        Assert.Equal((0.0, 1L), (histogram.Figures().Max, histogram.Figures().Count));
    }
}
