using CsCheck;
using EdgeInspector.Line;
using EdgeInspector.Tests.Support;
using Xunit;

namespace EdgeInspector.Tests.Line;

public sealed class BeltTests
{
    [Fact]
    public void ConstantBeltFindsTheTimeOfEveryTravel() =>
        Gen.Select(Gen.Double[10, 3000], Gen.Double[0, 1e6])
            .Sample(
                (speed, travel) =>
                {
                    var belt = new ConstantBelt(Some.Start, speed);
                    Assert.Equal(travel, belt.TravelAt(belt.WhenTravelReaches(travel)), 0.01);
                },
                iter: 1000,
                seed: "0000000000004"
            );

    [Fact]
    public void EncoderBeltPlacesAFrameWhereTheBeltWasWhenItWasExposed()
    {
        var belt = RampedBelt(out var travelAt);
        for (var milliseconds = 1005.0; milliseconds < 1990; milliseconds += 7.3)
        {
            Assert.Equal(travelAt(milliseconds), belt.TravelAt(Some.At(milliseconds)), 0.11);
        }
    }

    [Fact]
    public void EncoderBeltCarriesOnAtThePresentSpeedBeyondTheNewestCount()
    {
        var belt = SteadyBelt(speed: 800, until: 500);
        Assert.Equal(800, belt.Speed, 5.0);
        Assert.Equal(0.8 * 510, belt.TravelAt(Some.At(510)), 0.2);
        Assert.Equal(600, belt.WhenTravelReaches(0.8 * 600).MillisecondsSince(Some.Start), 0.5);
    }

    [Fact]
    public void BeltThatStandsStillNeverReachesTheEjector()
    {
        var belt = SteadyBelt(speed: 800, until: 200);
        for (var milliseconds = 205; milliseconds <= 400; milliseconds += 5)
        {
            belt.Sample(1600, Some.At(milliseconds));
        }

        Assert.Equal(0, belt.Speed);
        Assert.Equal(Instant.Never, belt.WhenTravelReaches(500));
        Assert.Equal(160, belt.TravelAt(Some.At(5000)), 0.01);
    }

    [Fact]
    public void BeltWhoseEncoderFellSilentIsNotCarriedOnForEver()
    {
        var belt = SteadyBelt(speed: 800, until: 200);
        Assert.Equal(belt.TravelAt(Some.At(1200)), belt.TravelAt(Some.At(9000)), 0.001);
    }

    [Fact]
    public void TravelAlreadyReachedLiesInThePast()
    {
        var belt = SteadyBelt(speed: 800, until: 500);
        Assert.Equal(300, belt.WhenTravelReaches(0.8 * 300).MillisecondsSince(Some.Start), 0.5);
    }

    private static EncoderBelt SteadyBelt(double speed, int until)
    {
        var belt = new EncoderBelt(countsPerMillimetre: 10, TimeSpan.FromMilliseconds(50));
        for (var milliseconds = 0; milliseconds <= until; milliseconds += 5)
        {
            belt.Sample((long)Math.Round(speed * milliseconds / 1000 * 10), Some.At(milliseconds));
        }

        return belt;
    }

    private static EncoderBelt RampedBelt(out Func<double, double> travelAt)
    {
        travelAt = milliseconds => 0.5 * 1000 * Math.Pow(milliseconds / 1000, 2); // 1 m/s², in mm
        var belt = new EncoderBelt(countsPerMillimetre: 10, TimeSpan.FromMilliseconds(50));
        for (var milliseconds = 0; milliseconds <= 2000; milliseconds += 5)
        {
            belt.Sample((long)(travelAt(milliseconds) * 10), Some.At(milliseconds));
        }

        return belt;
    }
}
