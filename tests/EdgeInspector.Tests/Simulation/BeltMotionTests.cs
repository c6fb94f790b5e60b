using CsCheck;
using EdgeInspector.Simulation;
using Xunit;

namespace EdgeInspector.Tests.Simulation;

public sealed class BeltMotionTests
{
    private static readonly Gen<(BeltProfile Profile, int Seed)> Restless = Gen.Select(
        Gen.Double[0.02, 0.5],
        Gen.Double[0, 2.5],
        Gen.Double[0.5, 5],
        Gen.Double[0.02, 1.5],
        Gen.Double[0, 0.5],
        Gen.Double[0, 0.5],
        Gen.Double[3, 150],
        Gen.Int,
        (slow, more, acceleration, leg, stop, back, reach, seed) =>
            (
                new BeltProfile
                {
                    MinimumSpeed = slow,
                    MaximumSpeed = slow + more,
                    Acceleration = acceleration,
                    MeanLeg = TimeSpan.FromSeconds(leg),
                    StopShare = stop,
                    ReversalShare = back,
                    LongestReversal = reach,
                    LongestStop = TimeSpan.FromSeconds(1),
                },
                seed
            )
    );

    [Fact]
    public void ASteadyBeltMovesInProportionToTime()
    {
        var belt = new BeltMotion(0.8);
        Assert.Equal(800, belt.TravelAt(TimeSpan.FromSeconds(1)));
        Assert.Equal(-400, belt.TravelAt(TimeSpan.FromSeconds(-0.5)));
        Assert.Equal(TimeSpan.FromSeconds(2.5), belt.TimeAt(2000));
        Assert.Equal(BeltMotion.Never, belt.StopsAt);
        Assert.Equal(0, belt.Reach);
    }

    [Fact]
    public void SpeedNeverJumpsAndStaysWithinTheProfile()
    {
        Restless.Sample(
            given =>
            {
                var belt = new BeltMotion(given.Profile, given.Seed);
                var step = TimeSpan.FromMilliseconds(1);
                for (var t = TimeSpan.Zero; t < TimeSpan.FromSeconds(10); t += step)
                {
                    var (speed, next) = (belt.SpeedAt(t), belt.SpeedAt(t + step));
                    Assert.InRange(Math.Abs(next - speed), 0, (given.Profile.Acceleration * 1.001) + 0.01);
                    Assert.InRange(
                        Math.Abs(speed),
                        0,
                        (given.Profile.MaximumSpeed * 1000) + 0.01
                    );

                    // The trapezoid rule is exact but where the acceleration changes.
                    Assert.InRange(
                        belt.TravelAt(t + step) - belt.TravelAt(t) - ((speed + next) / 2 * 0.001),
                        -0.005,
                        0.005
                    );
                }
            },
            iter: 30
        );
    }

    [Fact]
    public void TheBeltIsNeverFurtherBackThanItsReach()
    {
        Restless.Sample(
            given =>
            {
                var belt = new BeltMotion(given.Profile, given.Seed);
                var furthest = 0.0;
                for (var t = TimeSpan.Zero; t < TimeSpan.FromSeconds(30); t += TimeSpan.FromMilliseconds(5))
                {
                    furthest = Math.Max(furthest, belt.TravelAt(t));
                    Assert.InRange(belt.FurthestAt(t) - furthest, -1e-9, 5 * given.Profile.MaximumSpeed);
                    Assert.InRange(belt.FurthestAt(t) - belt.TravelAt(t), 0, belt.Reach);
                }
            },
            iter: 30
        );
    }

    [Fact]
    public void CrossingsAreThoseThatSamplingFinds()
    {
        Gen.Select(Restless, Gen.Double[1, 4000])
            .Sample(
                (given, travel) =>
                {
                    var belt = new BeltMotion(given.Profile, given.Seed);
                    var crossings = new List<BeltCrossing>();
                    belt.Crossings(travel, crossings);
                    Assert.Equal(belt.TimeAt(travel), crossings[0].At);
                    Assert.True(crossings[0].Forward);
                    var tick = TimeSpan.FromTicks(1);
                    for (var i = 0; i < crossings.Count; i++)
                    {
                        Assert.Equal(i % 2 == 0, crossings[i].Forward);
                        Assert.InRange(belt.TravelAt(crossings[i].At) - travel, -0.001, 0.001);
                        Assert.True(i == 0 || crossings[i].At >= crossings[i - 1].At);
                    }

                    // No sample lies on the wrong side of the crossings around it, until well after the last.
                    var end = crossings[^1].At + TimeSpan.FromSeconds(20);
                    for (var t = TimeSpan.Zero; t < end; t += TimeSpan.FromMilliseconds(2))
                    {
                        var past = crossings.Count(c => c.At <= t);
                        if (Math.Abs(belt.TravelAt(t) - travel) > 0.001)
                        {
                            Assert.Equal(past % 2 == 1, belt.TravelAt(t) > travel);
                        }
                    }
                },
                iter: 60
            );
    }

    [Fact]
    public void TimeWithinAWindowIsThatWhichSamplingFinds()
    {
        Gen.Select(Restless, Gen.Double[1, 3000], Gen.Double[0.1, 60])
            .Sample(
                (given, low, width) =>
                {
                    var belt = new BeltMotion(given.Profile, given.Seed);
                    var intervals = new List<BeltInterval>();
                    belt.Within(low, low + width, intervals);
                    Assert.All(intervals.Zip(intervals.Skip(1)), p => Assert.True(p.First.To <= p.Second.From));
                    for (
                        var t = TimeSpan.Zero;
                        t < intervals[^1].To + TimeSpan.FromSeconds(10);
                        t += TimeSpan.FromMilliseconds(2)
                    )
                    {
                        var travel = belt.TravelAt(t);
                        if (Math.Min(Math.Abs(travel - low), Math.Abs(travel - low - width)) > 0.001)
                        {
                            Assert.Equal(
                                travel > low && travel < low + width,
                                intervals.Exists(i => i.From <= t && t <= i.To)
                            );
                        }
                    }
                },
                iter: 60
            );
    }

    [Fact]
    public void TheMotionDoesNotDependOnHowItIsAskedAbout()
    {
        Restless.Sample(
            given =>
            {
                var (forwards, backwards) = (
                    new BeltMotion(given.Profile, given.Seed),
                    new BeltMotion(given.Profile, given.Seed)
                );
                _ = backwards.TimeAt(9000);
                for (var second = 20; second >= 0; second--)
                {
                    _ = backwards.TravelAt(TimeSpan.FromSeconds(second));
                }

                for (var second = 0; second <= 20; second++)
                {
                    var t = TimeSpan.FromSeconds(second);
                    Assert.Equal(forwards.TravelAt(t), backwards.TravelAt(t));
                }
            },
            iter: 30
        );
    }

    [Fact]
    public void AScriptIsRunToTheLetter()
    {
        var belt = new BeltMotion(
            new BeltProfile
            {
                Acceleration = 1,
                Script =
                [
                    new(1, TimeSpan.FromSeconds(2)),
                    new(-0.1, TimeSpan.FromSeconds(0.5)),
                    new(0, TimeSpan.Zero),
                ],
            },
            1
        );

        // 2 m, half a metre to stop, 5 mm to get going backwards, 50 mm back and 5 mm to stop again.
        Assert.Equal(2500 - 60, belt.TravelAt(TimeSpan.FromHours(1)), 6);
        Assert.Equal(60, belt.Reach, 6);
        Assert.Equal(TimeSpan.FromSeconds(2 + 1 + 0.1 + 0.5 + 0.1), belt.StopsAt);
        Assert.Equal(BeltMotion.Never, belt.TimeAt(2501));
        var intervals = new List<BeltInterval>();
        belt.Within(2430, 2460, intervals);
        Assert.Equal(2, intervals.Count);
        Assert.Equal(BeltMotion.Never, intervals[1].To);
        var crossings = new List<BeltCrossing>();
        belt.Crossings(2470, crossings);
        Assert.Equal([true, false], crossings.Select(c => c.Forward));
    }

    [Fact]
    public void ALongRunKeepsItsMemoryInBoundsAndItsPlace()
    {
        var profile = new BeltProfile { MeanLeg = TimeSpan.FromMilliseconds(20), StopShare = 0.4 };
        var (kept, lean) = (new BeltMotion(profile, 3), new BeltMotion(profile, 3));
        var end = TimeSpan.FromMinutes(700);
        for (var t = TimeSpan.Zero; t < end; t += TimeSpan.FromMinutes(1))
        {
            _ = lean.TravelAt(t);
            lean.Forget(t - TimeSpan.FromSeconds(5), lean.TravelAt(t) - 1000);
        }

        Assert.Equal(kept.TravelAt(end), lean.TravelAt(end));
        Assert.Equal(kept.TimeAt(kept.TravelAt(end) + 100), lean.TimeAt(kept.TravelAt(end) + 100));
        Assert.Throws<ArgumentOutOfRangeException>(() => lean.TravelAt(TimeSpan.Zero));
        Assert.Throws<ArgumentOutOfRangeException>(() => lean.TimeAt(1));
    }
}
