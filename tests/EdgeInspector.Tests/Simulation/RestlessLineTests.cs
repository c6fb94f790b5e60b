using CsCheck;
using EdgeInspector.Simulation;
using Xunit;

namespace EdgeInspector.Tests.Simulation;

public sealed class RestlessLineTests
{
    private static readonly TimeSpan Tick = TimeSpan.FromTicks(2);

    private static readonly VirtualLineOptions Plain = new()
    {
        Seed = 4,
        PartCount = 40,
        TouchingShare = 0.2,
        PlainParts = new PlainParts(),
        Motion = new BeltProfile { MeanLeg = TimeSpan.FromSeconds(0.4), StopShare = 0.3, ReversalShare = 0.4 },
    };

    private static readonly Gen<VirtualLineOptions> Lines = Gen.Select(
        Gen.Int[0, 1_000_000],
        Gen.Double[0.1, 1],
        Gen.Double[0.5, 5],
        Gen.Double[0.05, 1],
        Gen.Double[0, 0.5],
        Gen.Int[1, 3],
        (seed, speed, acceleration, leg, back, lanes) =>
            Plain with
            {
                Seed = seed,
                Lanes = lanes,
                SidewaysJitter = 5,
                Motion = new BeltProfile
                {
                    MinimumSpeed = speed / 2,
                    MaximumSpeed = speed,
                    Acceleration = acceleration,
                    MeanLeg = TimeSpan.FromSeconds(leg),
                    ReversalShare = back,
                    LongestStop = TimeSpan.FromSeconds(1),
                },
            }
    );

    [Fact]
    public void TheEntryEyeIsBlockedWhileAPartStandsInItsBeam()
    {
        Lines.Sample(
            options =>
            {
                using var line = new VirtualLine(options);
                var end = TimeSpan.FromSeconds(15);
                var edges = VirtualLineSensorTests.Drain(line, end);
                Assert.Equal(edges.Select(e => e.At).Order(), edges.Select(e => e.At));
                var blocked = new bool[options.Lanes];
                var sequences = new long[options.Lanes];
                var next = 0;
                using var other = new VirtualLine(options);
                for (var t = TimeSpan.Zero; t < end; t += TimeSpan.FromMilliseconds(1))
                {
                    for (; next < edges.Count && edges[next].At <= t; next++)
                    {
                        var edge = edges[next];
                        Assert.NotEqual(blocked[edge.Lane], edge.Blocked);
                        Assert.Equal(sequences[edge.Lane]++, edge.Sequence);
                        blocked[edge.Lane] = edge.Blocked;
                    }

                    for (var lane = 0; lane < options.Lanes; lane++)
                    {
                        // The level just off the edges, which are whole ticks.
                        if (!edges.Exists(e => e.Lane == lane && (e.At - t).Duration() <= Tick))
                        {
                            Assert.Equal(blocked[lane], other.IsBlocked(LineSensor.EntryEye, lane, t));
                        }
                    }
                }
            },
            iter: 12
        );
    }

    [Fact]
    public void APartThatJogsBackThroughTheBeamGivesMoreEdges()
    {
        // One part, 60 mm long, stops 10 mm past the beam and comes back by 30.
        var profile = new BeltProfile { Acceleration = 5, Script = [new(0.5, TimeSpan.FromSeconds(30))] };
        var options = Plain with
        {
            PartCount = 1,
            PlainParts = new PlainParts { MinimumLength = 60, MaximumLength = 60 },
            Motion = profile,
        };
        using var straight = new VirtualLine(options);
        Assert.Equal(2, VirtualLineSensorTests.Drain(straight, TimeSpan.FromMinutes(1)).Count);
        var past = straight.Truth(TimeSpan.FromMinutes(1))[0].Offset + options.EntryEyePosition + 30 + 10;
        using var jogged = new VirtualLine(
            options with
            {
                Motion = profile with
                {
                    Script =
                    [
                        new(0.5, TimeSpan.FromSeconds((past - 25) / 500)),
                        new(0, TimeSpan.FromSeconds(1)),
                        new(-0.1, TimeSpan.FromSeconds(0.28)),
                        new(0, TimeSpan.FromSeconds(1)),
                        new(0.5, TimeSpan.Zero),
                    ],
                },
            }
        );
        var edges = VirtualLineSensorTests.Drain(jogged, TimeSpan.FromMinutes(1));
        Assert.Equal([true, false, true, false], edges.Select(e => e.Blocked));
        Assert.InRange((edges[3].At - edges[2].At).TotalSeconds, 1, 3);
    }

    [Fact]
    public void OnlyBlastsWhileTheCentreIsInTheWindowTakeAPart()
    {
        Gen.Select(Lines, Gen.Int[0, 39], Gen.Double[0, 1])
            .Sample(
                (options, chosen, when) =>
                {
                    using var line = new VirtualLine(options with { Lanes = 1 });
                    var end = line.Motion.TimeAt(10_000);
                    var part = line.Truth(end)[chosen];
                    var (from, to) = (
                        line.Motion.TimeAt(part.Offset + options.EjectorPosition - 60),
                        line.Motion.TimeAt(part.Offset + options.EjectorPosition + 180)
                    );
                    var blast = from + ((to - from) * when);
                    using var fresh = new VirtualLine(options with { Lanes = 1 });
                    fresh.SetEjector(0, true, blast - options.EjectorLatency);
                    fresh.SetEjector(0, false, blast - options.EjectorLatency + TimeSpan.FromMicroseconds(10));
                    var place = line.TravelAt(blast) - options.EjectorPosition;
                    foreach (var truth in fresh.Truth(end))
                    {
                        var away = Math.Abs(place - truth.Offset) - (options.EjectorWindow / 2);
                        if (Math.Abs(away) > 0.1)
                        {
                            Assert.Equal(away < 0 ? PartFate.Ejected : PartFate.Passed, truth.Fate);
                            Assert.Equal(away < 0 ? blast : null, truth.EjectedAt);
                        }
                    }
                },
                iter: 150
            );
    }

    [Fact]
    public void APartThatDwellsInTheWindowCanBeTakenAtAnyTime()
    {
        var options = Plain with
        {
            PartCount = 1,
            Motion = new BeltProfile { Acceleration = 5, Script = [new(0.5, TimeSpan.Zero)] },
        };
        using var straight = new VirtualLine(options);
        var offset = straight.Truth(TimeSpan.FromMinutes(1))[0].Offset;
        using var line = new VirtualLine(
            options with
            {
                Motion = new BeltProfile
                {
                    Acceleration = 5,
                    Script = [new(0.5, TimeSpan.FromSeconds((offset + 400 - 25) / 500)), new(0, TimeSpan.Zero)],
                },
            }
        );
        var late = TimeSpan.FromHours(1);
        Assert.Equal(PartFate.OnBelt, line.Truth(late)[0].Fate);
        line.SetEjector(0, true, late);
        Assert.Equal(PartFate.Ejected, line.Truth(late + TimeSpan.FromSeconds(1))[0].Fate);
        Assert.Equal(late + options.EjectorLatency, line.Truth(late + TimeSpan.FromSeconds(1))[0].EjectedAt);
    }

    [Fact]
    public void ALineThatStopsForGoodSaysSoAndHangsNothing()
    {
        using var line = new VirtualLine(
            Plain with
            {
                PartCount = 0,
                Lanes = 2,
                SidewaysJitter = 0,
                Motion = new BeltProfile { Script = [new(0.5, TimeSpan.FromSeconds(4)), new(0, TimeSpan.Zero)] },
            }
        );
        var stop = line.Motion.StopsAt;
        Assert.Equal(4.25, stop.TotalSeconds, 3);
        Assert.False(line.Finished(stop));
        var edges = VirtualLineSensorTests.Drain(line, TimeSpan.FromDays(1));
        Assert.All(edges, e => Assert.True(e.At <= stop));
        Assert.Null(line.NextEdgeAt);
        Assert.NotEmpty(line.PartsInView(TimeSpan.FromDays(1)));
        Assert.NotEmpty(line.Truth(TimeSpan.FromDays(1)));
        Assert.Equal(line.EncoderCountAt(stop), line.EncoderCountAt(TimeSpan.FromDays(1)));
        Assert.True(line.Finished(TimeSpan.FromDays(1)));
    }

    [Fact]
    public void BoxesFollowTheBeltBothWays()
    {
        using var line = new VirtualLine(Plain);
        for (var i = 0; i < 1200; i++)
        {
            var t = line.FrameTime(i);
            var truth = line.Truth(t + TimeSpan.FromSeconds(30)).ToDictionary(p => p.Index);
            foreach (var part in line.PartsInView(t).Where(p => p.Left > 1 && p.Right < 639))
            {
                var centre = (line.TravelAt(t) - truth[part.Index].Offset) / 0.5;
                Assert.Equal(centre + 320, (part.Left + part.Right) / 2, 6);
            }
        }
    }

    [Fact]
    public void PicturesBlurWithTheSpeedOfTheMoment()
    {
        using var line = new VirtualLine(Plain with { PlainParts = null, Exposure = TimeSpan.FromMilliseconds(4) });
        using var frame = new OpenCvSharp.Mat();
        for (var i = 0; i < 300; i += 10)
        {
            line.Render(line.FrameTime(i), frame);
            Assert.False(frame.Empty());
        }
    }

    [Fact]
    public void TheEncoderGoesBackWithTheBelt()
    {
        using var line = new VirtualLine(Plain);
        var (back, last) = (0, 0L);
        for (var t = TimeSpan.Zero; t < TimeSpan.FromSeconds(30); t += TimeSpan.FromMilliseconds(5))
        {
            var count = line.EncoderCountAt(t);
            Assert.Equal((long)Math.Floor(line.TravelAt(t) * 10), count);
            back += count < last ? 1 : 0;
            last = count;
        }

        Assert.True(back > 50);
    }

    [Fact]
    public void CentresKeepTheirPitch()
    {
        using var line = new VirtualLine(
            new VirtualLineOptions
            {
                Lanes = 2,
                PartsPerSecond = 20,
                SidewaysJitter = 5,
                TouchingShare = 0.4,
                MinimumPitch = 70,
            }
        );
        foreach (var lane in line.Truth(TimeSpan.FromMinutes(1)).GroupBy(p => p.Lane))
        {
            Assert.All(lane.Zip(lane.Skip(1)), p => Assert.True(p.Second.Offset - p.First.Offset >= 70));
        }
    }

    [Fact]
    public void PlainPartsTouchAsOftenAsAskedAndNeverOverlap()
    {
        using var line = new VirtualLine(
            new VirtualLineOptions { PlainParts = new PlainParts(), TouchingShare = 0.3, DefectRate = 0.2 }
        );
        var truth = line.Truth(TimeSpan.FromMinutes(5));
        var gaps = truth
            .Zip(truth.Skip(1))
            .Select(p => p.Second.Offset - p.First.Offset - ((p.First.Length + p.Second.Length) / 2))
            .ToList();
        Assert.All(gaps, g => Assert.True(g is >= 0 and (<= 2 or >= 3.4)));
        Assert.InRange(gaps.Count(g => g <= 2) / (double)gaps.Count, 0.25, 0.35);
        Assert.InRange(truth.Count(p => p.IsDefect) / (double)truth.Length, 0.16, 0.24);
        Assert.InRange(truth.Length, 2850, 3150);
        Assert.All(truth, p => Assert.InRange(p.Length, 49.5, 65.5));
    }

    [Fact]
    public void PlainPartsLookAsTheyAreMeasured()
    {
        using var line = new VirtualLine(
            new VirtualLineOptions { PlainParts = new PlainParts(), TouchingShare = 0, LampDrift = 0 }
        );
        using var empty = new VirtualLine(line.Options with { PartsPerSecond = 0.01 });
        using var seen = new OpenCvSharp.Mat();
        using var belt = new OpenCvSharp.Mat();
        var t = line.FrameTime(61);
        line.Render(t, seen);
        empty.Render(t, belt);
        using var more = new OpenCvSharp.Mat();
        OpenCvSharp.Cv2.Absdiff(seen, belt, more);
        foreach (var part in line.PartsInView(t).Where(p => p.Visible > 0.999))
        {
            var (x, y) = ((int)((part.Left + part.Right) / 2), (int)((part.Top + part.Bottom) / 2));
            Assert.True(more.At<OpenCvSharp.Vec3b>(y, x).Item2 > 20);
            Assert.True(more.At<OpenCvSharp.Vec3b>(y, (int)part.Left - 6).Item2 < 20);
        }
    }

    [Fact]
    public void LookingAtPlainPartsAllocatesNothing()
    {
        using var line = new VirtualLine(Plain with { PartCount = 0 });
        var end = TimeSpan.FromSeconds(60);
        _ = line.Truth(end);
        Span<VisiblePart> parts = new VisiblePart[32];
        _ = line.PartsInView(end, parts);
        var (before, seen) = (GC.GetAllocatedBytesForCurrentThread(), 0);
        for (var t = end - TimeSpan.FromSeconds(10); t < end; t += TimeSpan.FromMilliseconds(16))
        {
            seen += line.PartsInView(t, parts);
            _ = line.EncoderCountAt(t);
        }

        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
        Assert.True(seen > 1000);
    }
}
