using EdgeInspector.Timing;
using Xunit;

namespace EdgeInspector.Tests.Timing;

public sealed class BackoffTests
{
    [Fact]
    public void WaitsDoubleUpToTheLongestAndAreSpreadOverTheirUpperHalf()
    {
        for (var seed = 0; seed < 200; seed++)
        {
            var backoff = new Backoff(TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(30), new Random(seed));
            foreach (var ceiling in (double[])[1, 2, 4, 8, 16, 30, 30, 30])
            {
                Assert.InRange(backoff.Next().TotalSeconds, ceiling / 2, ceiling);
            }
        }
    }

    [Fact]
    public void AYearOfFailuresStillWaitsTheLongest()
    {
        var backoff = new Backoff(TimeSpan.FromMinutes(1), TimeSpan.FromMinutes(10), new Random(1));

        for (var i = 0; i < 1_000_000; i++)
        {
            backoff.Next();
        }

        Assert.InRange(backoff.Next().TotalMinutes, 5, 10);
    }

    [Fact]
    public void AfterSuccessItBeginsAgain()
    {
        var backoff = new Backoff(TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(30), new Random(1));
        backoff.Next();
        backoff.Next();
        backoff.Next();

        backoff.Reset();

        Assert.InRange(backoff.Next().TotalSeconds, 0.5, 1);
    }

    [Fact]
    public void AFleetDoesNotComeBackInOneStroke()
    {
        var waits = Enumerable
            .Range(0, 100)
            .Select(seed => new Backoff(TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(30), new Random(seed)).Next())
            .ToList();

        Assert.InRange(waits.Distinct().Count(), 95, 100);
        Assert.True(waits.Max() - waits.Min() > TimeSpan.FromSeconds(0.4));
    }
}
