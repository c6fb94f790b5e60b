using EdgeInspector.Line;
using EdgeInspector.Tests.Support;
using Xunit;

namespace EdgeInspector.Tests.Line;

/// <summary>The encoder's belt beside the plainest reference there is: all samples, searched from one end to the other.</summary>
public sealed class EncoderBeltTests
{
    [Fact]
    public void PastIsWhatTheSamplesSayWhateverTheBeltDid()
    {
        for (var seed = 0; seed < 200; seed++)
        {
            var random = new Random(seed);
            var belt = new EncoderBelt(countsPerMillimetre: 4, TimeSpan.FromMilliseconds(50));
            var samples = Wander(random, belt, 400);
            var newest = samples[^1];
            for (var i = 0; i < 50; i++)
            {
                var at = samples[0].At + (random.NextDouble() * (newest.At - samples[0].At));
                Assert.Equal(Interpolated(samples, at), belt.TravelAt(Some.At(at)), 1e-3);

                var travel = samples[random.Next(samples.Count)].Travel - (random.NextDouble() * 0.2);
                if (travel <= newest.Travel - 0.25 && LastReachedForward(samples, travel) is { } reached)
                {
                    Assert.Equal(reached, belt.WhenTravelReaches(travel).MillisecondsSince(Some.Start), 1e-3);
                }
            }
        }
    }

    [Fact]
    public void TravelAheadIsReachedWhenTheBeltIsExpectedThere()
    {
        for (var seed = 0; seed < 200; seed++)
        {
            var random = new Random(seed);
            var belt = new EncoderBelt(countsPerMillimetre: 4, TimeSpan.FromMilliseconds(50));
            var samples = Wander(random, belt, 40 + random.Next(100));
            for (var i = 0; i < 20; i++)
            {
                var travel = samples[^1].Travel + 0.3 + (random.NextDouble() * 200);
                var reached = belt.WhenTravelReaches(travel);
                if (reached == Instant.Never)
                {
                    continue;
                }

                Assert.True(belt.Speed > 0);
                if (reached - Some.At(samples[^1].At) < TimeSpan.FromSeconds(1))
                {
                    Assert.Equal(travel, belt.TravelAt(reached), 0.01);
                }
            }
        }
    }

    [Fact]
    public void BeltThatRunsBackwardsNeverReachesWhatLiesAhead()
    {
        var belt = new EncoderBelt(countsPerMillimetre: 10, TimeSpan.FromMilliseconds(50));
        for (var ms = 0; ms <= 400; ms += 5)
        {
            belt.Sample((long)(10 * (ms <= 300 ? ms : 600 - ms)), Some.At(ms)); // 1 m/s there, then back.
        }

        Assert.Equal(-1000, belt.Speed, 1.0);
        Assert.Equal(Instant.Never, belt.WhenTravelReaches(250));
        Assert.Equal(150, belt.WhenTravelReaches(150).MillisecondsSince(Some.Start), 0.1);
        Assert.Equal(190, belt.TravelAt(Some.At(410)), 0.2);
    }

    [Fact]
    public void ReversedBeltTellsWhenItWasLastThereGoingForward()
    {
        var belt = new EncoderBelt(countsPerMillimetre: 10, TimeSpan.FromMilliseconds(50));
        for (var ms = 0; ms <= 700; ms += 5)
        {
            var travel = ms <= 300 ? ms : ms <= 400 ? 600 - ms : ms - 200; // Forward to 300 mm, back to 200, forward again.
            belt.Sample(travel * 10, Some.At(ms));
        }

        Assert.Equal(450, belt.WhenTravelReaches(250).MillisecondsSince(Some.Start), 0.1);
        Assert.Equal(150, belt.WhenTravelReaches(150).MillisecondsSince(Some.Start), 0.1);
    }

    [Fact]
    public void BeltThatBrakesDoesNotTurnAndIsNotTakenForOneThatStands()
    {
        var belt = new EncoderBelt(countsPerMillimetre: 10, TimeSpan.FromMilliseconds(50));
        for (var ms = 0; ms <= 180; ms += 2)
        {
            var t = ms / 1000.0;
            belt.Sample((long)(10 * ((1000 * t) - (2500 * t * t))), Some.At(ms)); // 1 m/s, 5 m/s²: 99 mm now, 100 when it stands.
        }

        Assert.Equal(99.75, belt.TravelAt(Some.At(190)), 0.15);
        Assert.InRange(belt.TravelAt(Some.At(300)), 99.75, 104);
        Assert.NotEqual(Instant.Never, belt.WhenTravelReaches(101));
    }

    [Theory]
    [InlineData(500, 0.2)]
    [InlineData(2000, 0.4)]
    [InlineData(5000, 0.8)]
    public void RampIsForeseen(double acceleration, double error)
    {
        // 18 ms: a valve's latency and half a dwell. The mean speed of the window gives 0.43, 1.32 and 3.17 mm here.
        var belt = new EncoderBelt(countsPerMillimetre: 10, TimeSpan.FromMilliseconds(50));
        double TravelAt(double ms) => (0.2 * ms) + (acceleration * ms * ms / 2e6);
        var worst = 0.0;
        for (var ms = 0; ms <= 400; ms++)
        {
            belt.Sample((long)(TravelAt(ms) * 10), Some.At(ms));
            if (ms > 60)
            {
                worst = Math.Max(worst, Math.Abs(belt.TravelAt(Some.At(ms + 18)) - TravelAt(ms + 18)));
            }
        }

        Assert.True(worst <= error, $"off by {worst:F2} mm");
    }

    [Fact]
    public void ManySamplesInAMillisecondKeepTheMemoryLong()
    {
        var belt = new EncoderBelt(countsPerMillimetre: 10, TimeSpan.FromMilliseconds(50));
        for (var i = 0; i <= 40_000; i++)
        {
            belt.Sample(i, Some.At(i * 0.1)); // 10,000 counts a second, for 4 s.
        }

        Assert.Equal(500, belt.WhenTravelReaches(500).MillisecondsSince(Some.Start), 0.2);
        Assert.Equal(100, belt.TravelAt(Some.At(100)), 0.2);
    }

    [Fact]
    public void ReadersSeeWholeMotionsWhileTheWriterWrites()
    {
        // Travel is always speed times time, so every whole motion foretells the same.
        var belt = new EncoderBelt(countsPerMillimetre: 1, TimeSpan.FromMilliseconds(50));
        for (var i = 0; i < 3; i++)
        {
            belt.Sample(i, Some.At(i));
        }

        // As long as it takes for each to have met the other often, however few processors there are.
        var (torn, reads, writing) = (0, 0, true);
        var reader = new Thread(() =>
        {
            while (Volatile.Read(ref writing))
            {
                var at = belt.WhenTravelReaches(1e9);
                torn += Math.Abs(at.MillisecondsSince(Some.Start) - 1e9) > 0.5 ? 1 : 0; // Another sample's travel: off by 1.
                Volatile.Write(ref reads, reads + 1);
            }
        });
        reader.Start();
        for (var i = 3; i < 400_000 || Volatile.Read(ref reads) < 5_000_000; i++)
        {
            belt.Sample(i, Some.At(i));
        }

        Volatile.Write(ref writing, false);
        reader.Join();
        Assert.Equal(0, torn);
    }

    [Fact]
    public void NothingIsAllocated()
    {
        var belt = new EncoderBelt(countsPerMillimetre: 10, TimeSpan.FromMilliseconds(50));
        double Turn(int from, int to)
        {
            var sum = 0.0;
            for (var i = from; i < to; i++)
            {
                belt.Sample(i * 8, Some.At(i));
                sum += belt.TravelAt(Some.At(i - 20)) + belt.TravelAt(Some.At(i + 5)) + belt.Speed;
                sum += belt.WhenTravelReaches(i + 30).Nanoseconds + belt.WhenTravelReaches(i * 0.79).Nanoseconds;
            }

            return sum;
        }

        Turn(0, 200);
        var before = GC.GetAllocatedBytesForCurrentThread();
        Turn(200, 2000);
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    private static List<(double At, double Travel)> Wander(Random random, EncoderBelt belt, int count)
    {
        List<(double At, double Travel)> samples = [];
        var (at, counts, speed) = (0.0, 0L, 2.0);
        for (var i = 0; i < count; i++)
        {
            if (random.Next(40) == 0)
            {
                speed = random.Next(4) switch { 0 => 0, 1 => -1.5, _ => 0.5 + (3 * random.NextDouble()) };
            }

            belt.Sample(counts, Some.At(at));
            samples.Add((Some.At(at).MillisecondsSince(Some.Start), counts / 4.0));
            var step = 1.0 + (9 * random.NextDouble());
            at += step;
            counts += (long)Math.Round(speed * step * 4);
        }

        return samples;
    }

    private static double Interpolated(List<(double At, double Travel)> samples, double at)
    {
        var after = samples.FindIndex(sample => sample.At >= at);
        if (after <= 0)
        {
            return samples[Math.Max(0, after)].Travel;
        }

        var (from, to) = (samples[after - 1], samples[after]);
        return from.Travel + ((at - from.At) / (to.At - from.At) * (to.Travel - from.Travel));
    }

    private static double? LastReachedForward(List<(double At, double Travel)> samples, double travel)
    {
        double? reached = null;
        foreach (var (from, to) in samples.Zip(samples.Skip(1)))
        {
            if (from.Travel < travel && travel <= to.Travel)
            {
                reached = from.At + ((travel - from.Travel) / (to.Travel - from.Travel) * (to.At - from.At));
            }
        }

        return reached;
    }
}
