using EdgeInspector.Simulation;
using Xunit;

namespace EdgeInspector.Tests.Simulation;

public sealed class DisturbedLineTests
{
    private static readonly TimeSpan Later = TimeSpan.FromMinutes(5);

    private static readonly VirtualLineOptions Plain = new()
    {
        Seed = 21,
        PartCount = 1000,
        TouchingShare = 0,
        PlainParts = new PlainParts { RectangleShare = 0.5 },
    };

    [Fact]
    public void LostEntryEdgesLeaveAGapInTheSequenceAndAMarkOnThePart()
    {
        using var whole = new VirtualLine(Plain);
        using var line = Line(new Disturbances { EntryEdgesLost = 0.05 });
        var (all, edges) = (VirtualLineSensorTests.Drain(whole, Later), VirtualLineSensorTests.Drain(line, Later));
        Assert.InRange(all.Count - edges.Count, 70, 130);
        Assert.Equal(edges, edges.Select(e => all[(int)e.Sequence]));
        var marked = line.Truth(Later).Count(p => p.Troubles.HasFlag(PartTroubles.EntryEdgeLost));
        Assert.InRange(marked, (all.Count - edges.Count) * 0.9, all.Count - edges.Count);
    }

    [Fact]
    public void ABouncingEyeFlickersAndSettles()
    {
        using var whole = new VirtualLine(Plain);
        using var line = Line(new Disturbances { EntryEdgesBounced = 0.1 });
        var (all, edges) = (VirtualLineSensorTests.Drain(whole, Later), VirtualLineSensorTests.Drain(line, Later));
        Assert.InRange(edges.Count - all.Count, 450, 750);
        Assert.Equal(edges.Select((_, i) => (long)i), edges.Select(e => e.Sequence));
        Assert.All(
            edges.Zip(edges.Skip(1)),
            p => Assert.True(p.First.Blocked != p.Second.Blocked && p.First.At < p.Second.At)
        );

        // The true edges are all there, the others within 2 ms of one.
        var real = all.Select(e => (e.At, e.Blocked)).ToHashSet();
        Assert.Equal(all.Count, edges.Count(e => real.Contains((e.At, e.Blocked))));
        var last = TimeSpan.Zero;
        foreach (var edge in edges)
        {
            last = real.Contains((edge.At, edge.Blocked)) ? edge.At : last;
            Assert.True(edge.At - last <= TimeSpan.FromMilliseconds(2));
        }

        Assert.InRange(line.Truth(Later).Count(p => p.Troubles.HasFlag(PartTroubles.EntryEdgeBounced)), 140, 240);
    }

    [Fact]
    public void AnEyeThatBouncesOnARestlessBeltNeverTellsALevelTwice()
    {
        for (var seed = 0; seed < 20; seed++)
        {
            using var line = new VirtualLine(
                Plain with
                {
                    Seed = seed,
                    PartCount = 60,
                    TouchingShare = 0.4,
                    PlainParts = new PlainParts { MinimumGap = 1, MinimumLength = 5, MaximumLength = 20 },
                    PartsPerSecond = 40,
                    Motion = new BeltProfile
                    {
                        MinimumSpeed = 0.05,
                        MaximumSpeed = 3,
                        ReversalShare = 0.5,
                        MeanLeg = TimeSpan.FromSeconds(0.1),
                    },
                    Disturbances = new Disturbances { EntryEdgesBounced = 1 },
                }
            );
            var edges = VirtualLineSensorTests.Drain(line, TimeSpan.FromMinutes(2));
            Assert.True(edges.Count > 200);
            Assert.Equal(edges.Select((_, i) => i % 2 == 0), edges.Select(e => e.Blocked));
        }
    }

    [Fact]
    public void LostConfirmEdgesAreMissing()
    {
        using var line = Line(new Disturbances { ConfirmEdgesLost = 0.1 });
        line.SetEjector(0, true, TimeSpan.Zero);
        var edges = VirtualLineSensorTests
            .Drain(line, Later)
            .Where(e => e.Sensor == LineSensor.ConfirmEye)
            .ToList();
        var truth = line.Truth(Later);
        Assert.All(truth, p => Assert.Equal(PartFate.Ejected, p.Fate));
        var lost = truth.Count(p => p.Troubles.HasFlag(PartTroubles.ConfirmEdgeLost));
        Assert.InRange(lost, 60, 150);
        Assert.InRange(edges.Count(e => e.Blocked), 1000 - lost - 30, 1000 - lost);
        Assert.InRange((int)edges[^1].Sequence + 1 - edges.Count, 120, 290);
    }

    [Theory]
    [InlineData(0.1, 0)]
    [InlineData(0, 0.2)]
    [InlineData(0.3, 0.05)]
    public void TheEncoderLosesAndRepeatsItsShareOfCountsForGood(double lost, double doubled)
    {
        using var line = Line(new Disturbances { EncoderCountsLost = lost, EncoderCountsDoubled = doubled });
        var (last, still, twice, steps) = (0L, 0, 0, 0);
        for (var t = TimeSpan.Zero; t < TimeSpan.FromSeconds(100); t += TimeSpan.FromMilliseconds(0.5), steps++)
        {
            // Four counts each time, give or take rounding.
            var count = line.EncoderCountAt(t);
            Assert.InRange(count - last, 0, 10);
            still += count == last ? 1 : 0;
            twice += count - last >= 7 ? 1 : 0;
            last = count;
        }

        Assert.Equal(1 - lost + doubled, last / 800_000.0, 2);
        Assert.Equal(lost * (1 - doubled), still / (double)steps, 1);
        Assert.Equal(doubled * (1 - lost), twice / (double)steps, 1);
    }

    [Fact]
    public void TheEncoderCountsRightOnTheWayBack()
    {
        using var line = new VirtualLine(
            Plain with
            {
                Motion = new BeltProfile { ReversalShare = 0.5, MeanLeg = TimeSpan.FromSeconds(0.3) },
                Disturbances = new Disturbances { EncoderCountsLost = 0.2 },
            }
        );
        var lost = 0L;
        for (var t = TimeSpan.Zero; t < TimeSpan.FromSeconds(60); t += TimeSpan.FromMilliseconds(1))
        {
            var now = (long)Math.Floor(line.TravelAt(t) * 10) - line.EncoderCountAt(t);
            Assert.True(now >= lost);
            lost = now;
        }

        Assert.True(lost > 1000);
    }

    [Fact]
    public void FramesDropAtTheRateAskedFor()
    {
        using var line = Line(new Disturbances { FramesDropped = 0.25 });
        Assert.InRange(Enumerable.Range(0, 10_000).Count(i => line.IsFrameDropped(i)), 2300, 2700);
        using var sound = new VirtualLine(Plain);
        Assert.DoesNotContain(Enumerable.Range(0, 1000), i => sound.IsFrameDropped(i));
    }

    [Fact]
    public void AStuckValveLeavesItsPartOnTheBelt()
    {
        using var line = Line(new Disturbances { ValveStuck = 0.1 });
        line.SetEjector(0, true, TimeSpan.Zero);
        var truth = line.Truth(Later);
        Assert.All(
            truth,
            p =>
                Assert.Equal(
                    p.Troubles.HasFlag(PartTroubles.ValveStuck) ? PartFate.Passed : PartFate.Ejected,
                    p.Fate
                )
        );
        Assert.InRange(truth.Count(p => p.Fate == PartFate.Passed), 60, 140);
    }

    [Fact]
    public void PartsSlideWithinTheViewAndRestWhereTheTruthSays()
    {
        using var line = Line(new Disturbances { PartsSliding = 0.5, LongestSlide = 8, SlideUntil = 100 });
        var truth = line.Truth(Later).ToDictionary(p => p.Index);
        Assert.InRange(truth.Values.Count(p => p.Troubles.HasFlag(PartTroubles.Slides)), 300, 520);
        Assert.All(truth.Values, p => Assert.Equal(p.Slide != 0, p.Troubles.HasFlag(PartTroubles.Slides)));
        Assert.True(truth.Values.Max(p => Math.Abs(p.Slide)) is > 4 and <= 8);
        var (moved, first, last) = (0, new Dictionary<long, double>(), new Dictionary<long, double>());
        for (var i = 0; i < 4000; i++)
        {
            var t = line.FrameTime(i);
            foreach (var part in line.PartsInView(t).Where(p => p.Left > 1 && p.Right < 639))
            {
                var offset = line.TravelAt(t) - ((((part.Left + part.Right) / 2) - 320) * 0.5);
                first.TryAdd(part.Index, offset);
                last[part.Index] = offset;
            }
        }

        // The latest are still in view.
        foreach (var (index, offset) in last.Where(l => l.Key < last.Keys.Max() - 6))
        {
            Assert.Equal(truth[index].Offset, offset, 6);
            moved += Math.Abs(offset - first[index]) > 1 ? 1 : 0;
        }

        Assert.True(moved > 50);

        // Nobody slides into a neighbour.
        var order = truth.Values.OrderBy(p => p.Index).ToList();
        Assert.All(
            order.Zip(order.Skip(1)),
            p => Assert.True(p.Second.Offset - p.First.Offset > (p.First.Length + p.Second.Length) / 2)
        );
    }

    [Fact]
    public void ABlastAtTheRestingPlaceTakesAPartThatSlid()
    {
        using var line = new VirtualLine(
            Plain with
            {
                EjectorWindow = 4,
                Disturbances = new Disturbances { PartsSliding = 1, LongestSlide = 10 },
            }
        );
        var part = line.Truth(Later).First(p => Math.Abs(p.Slide) > 4);
        using var fresh = new VirtualLine(line.Options);
        var at = line.Motion.TimeAt(part.Offset + 400) - line.Options.EjectorLatency;
        fresh.SetEjector(0, true, at - TimeSpan.FromMilliseconds(1));
        fresh.SetEjector(0, false, at + TimeSpan.FromMilliseconds(1));
        Assert.Equal(
            [part.Index],
            fresh.Truth(Later).Where(p => p.Fate == PartFate.Ejected).Select(p => p.Index)
        );
    }

    [Fact]
    public void PicturesOfSlidingPartsDoNotDependOnThoseTakenBefore()
    {
        var options = Plain with { PartCount = 40, Disturbances = new Disturbances { PartsSliding = 1 } };
        using var forwards = new VirtualLine(options);
        using var astray = new VirtualLine(options);
        using var one = new OpenCvSharp.Mat();
        using var two = new OpenCvSharp.Mat();
        var expected = new Dictionary<int, byte[]>();
        for (var i = 30; i < 110; i++)
        {
            forwards.Render(forwards.FrameTime(i), one);
            expected[i] = one.AsSpan<byte>().ToArray();
        }

        foreach (var i in new[] { 109, 60, 61, 90, 40, 62 })
        {
            astray.Render(astray.FrameTime(i), two);
            Assert.Equal(expected[i], two.AsSpan<byte>().ToArray());
        }
    }

    [Fact]
    public void PartsTurnBetweenFrames()
    {
        using var line = Line(new Disturbances { PartsTurning = 0.5 });
        var turning = line.Truth(Later)
            .Where(p => p.Troubles.HasFlag(PartTroubles.Turns))
            .Select(p => p.Index)
            .ToHashSet();
        Assert.InRange(turning.Count, 20, 300);
        var lengths = new Dictionary<long, (double Shortest, double Longest)>();
        for (var i = 0; i < 4000; i++)
        {
            foreach (var part in line.PartsInView(line.FrameTime(i)).Where(p => p.Left > 1 && p.Right < 639))
            {
                var length = part.Right - part.Left;
                var (shortest, longest) = lengths.GetValueOrDefault(part.Index, (length, length));
                lengths[part.Index] = (Math.Min(shortest, length), Math.Max(longest, length));
            }
        }

        Assert.All(
            lengths.Where(l => !turning.Contains(l.Key)),
            l => Assert.Equal(l.Value.Shortest, l.Value.Longest, 6)
        );
        Assert.Contains(lengths.Where(l => turning.Contains(l.Key)), l => l.Value.Longest - l.Value.Shortest > 6);
    }

    [Fact]
    public void PartsTakenByHandReachNeitherEjectorNorChute()
    {
        using var line = Line(new Disturbances { PartsRemoved = 0.1 });
        line.SetEjector(0, true, TimeSpan.Zero);
        var truth = line.Truth(Later);
        Assert.InRange(truth.Count(p => p.Fate == PartFate.Removed), 70, 130);
        Assert.All(truth, p => Assert.Equal(p.Fate == PartFate.Removed, p.Troubles.HasFlag(PartTroubles.Removed)));
        var removed = truth.First(p => p.Fate == PartFate.Removed);
        var out1 = line.Motion.TimeAt(removed.Offset + 160 - 30);
        Assert.Equal(PartFate.OnBelt, line.Truth(out1).First(p => p.Index == removed.Index).Fate);
        Assert.Contains(line.PartsInView(out1), p => p.Index == removed.Index);
        Assert.True(line.Finished(Later));
    }

    [Fact]
    public void PartsAddedByHandGiveNoEdges()
    {
        using var line = Line(new Disturbances { PartsAdded = 0.1 });
        var truth = line.Truth(Later);
        var added = truth.Count(p => p.Troubles.HasFlag(PartTroubles.Added));
        Assert.InRange(added, 70, 130);
        var edges = VirtualLineSensorTests.Drain(line, Later);
        Assert.Equal(1000 - added, edges.Count(e => e.Blocked));
        var one = truth.First(p => p.Troubles.HasFlag(PartTroubles.Added));
        Assert.False(line.IsBlocked(LineSensor.EntryEye, 0, line.Motion.TimeAt(one.Offset - 260)));
        Assert.Contains(line.PartsInView(line.Motion.TimeAt(one.Offset)), p => p.Index == one.Index);
    }

    [Fact]
    public void AStraddlerNeedsBothBlastsAtOnce()
    {
        var options = Plain with { Lanes = 3, StraddlingShare = 0.3, SidewaysJitter = 5 };
        using var line = new VirtualLine(options);
        var truth = line.Truth(Later);
        Assert.InRange(truth.Count(p => p.Troubles.HasFlag(PartTroubles.Straddles)), 240, 360);
        Assert.All(
            truth,
            p =>
                Assert.Equal(
                    p.Troubles.HasFlag(PartTroubles.Straddles),
                    Crosses(p.Across, p.Width, -40) || Crosses(p.Across, p.Width, 40)
                )
        );
        var part = truth.First(p => p.Troubles.HasFlag(PartTroubles.Straddles) && p.Index > 10);
        Assert.Equal(3 << part.Lane, part.Lanes);
        var at = line.Motion.TimeAt(part.Offset + 400) - options.EjectorLatency;
        var (early, late) = (TimeSpan.FromMilliseconds(-4), TimeSpan.FromMilliseconds(4));
        Assert.Equal(PartFate.Passed, Fate(options, part, (part.Lane, at + early, at + late)));
        Assert.Equal(PartFate.Passed, Fate(options, part, (part.Lane + 1, at + early, at + late)));
        Assert.Equal(
            PartFate.Passed,
            Fate(options, part, (part.Lane, at + early, at), (part.Lane + 1, at, at + late))
        );
        Assert.Equal(
            PartFate.Ejected,
            Fate(options, part, (part.Lane, at + early, at + late), (part.Lane + 1, at, at + late))
        );
    }

    [Fact]
    public void AStraddlerBlocksBothEyesAndOverlapsNothing()
    {
        using var line = new VirtualLine(
            Plain with
            {
                Lanes = 2,
                StraddlingShare = 0.3,
                TouchingShare = 0.2,
                SidewaysJitter = 10,
                MinimumPitch = 60,
            }
        );
        var truth = line.Truth(Later);
        var edges = VirtualLineSensorTests.Drain(line, Later);
        for (var lane = 0; lane < 2; lane++)
        {
            var parts = truth.Where(p => (p.Lanes & (1 << lane)) != 0).OrderBy(p => p.Offset).ToList();
            Assert.All(
                parts.Zip(parts.Skip(1)),
                p =>
                {
                    Assert.True(p.Second.Offset - p.First.Offset >= 60);
                    Assert.True(p.Second.Offset - p.First.Offset >= (p.First.Length + p.Second.Length) / 2);
                }
            );
            var clear = parts
                .Zip(parts.Skip(1))
                .Count(p => p.Second.Offset - p.First.Offset - ((p.First.Length + p.Second.Length) / 2) >= 1);
            Assert.Equal(clear + 1, edges.Count(e => e.Lane == lane && e.Blocked));
        }
    }

    [Fact]
    public void WhatIsToldDoesNotDependOnWhenItIsAsked()
    {
        for (var seed = 0; seed < 12; seed++)
        {
            var options = Plain with
            {
                Seed = seed,
                PartCount = 150,
                Lanes = 1 + (seed % 3),
                StraddlingShare = seed % 3 == 0 ? 0 : 0.2,
                TouchingShare = 0.3,
                SidewaysJitter = 5,
                Motion = new BeltProfile
                {
                    MeanLeg = TimeSpan.FromSeconds(0.5),
                    ReversalShare = 0.3,
                    StopShare = 0.3,
                },
                Disturbances = new Disturbances
                {
                    EntryEdgesLost = 0.05,
                    EntryEdgesBounced = 0.1,
                    ConfirmEdgesLost = 0.1,
                    ValveStuck = 0.05,
                    PartsSliding = 0.2,
                    PartsTurning = 0.2,
                    PartsRemoved = 0.05,
                    PartsAdded = 0.05,
                },
            };
            var end = TimeSpan.FromMinutes(2);
            var random = new Random(seed);
            var levels = new List<(TimeSpan At, int Lane, bool Active)>();
            for (var t = TimeSpan.FromSeconds(1); t < end; t += TimeSpan.FromMilliseconds(random.Next(50, 900)))
            {
                var lane = random.Next(options.Lanes);
                levels.Add((t, lane, true));
                levels.Add((t + TimeSpan.FromMilliseconds(random.Next(5, 300)), lane, false));
            }

            using var atOnce = new VirtualLine(options);
            foreach (var (at, lane, active) in levels)
            {
                atOnce.SetEjector(lane, active, at);
            }

            using var stepped = new VirtualLine(options);
            var edges = new List<SensorEdge>();
            var told = new Queue<(TimeSpan At, int Lane, bool Active)>(levels.OrderBy(l => l.At));
            for (var t = TimeSpan.Zero; t <= end; t += TimeSpan.FromMilliseconds(5))
            {
                while (told.TryPeek(out var level) && level.At <= t)
                {
                    stepped.SetEjector(level.Lane, level.Active, level.At);
                    told.Dequeue();
                }

                _ = stepped.PartsInView(t);
                edges.AddRange(VirtualLineSensorTests.Drain(stepped, t));
            }

            Assert.Equal(VirtualLineSensorTests.Drain(atOnce, end), edges);
            Assert.Equal(atOnce.Truth(end), stepped.Truth(end));
            Assert.Contains(edges, e => e.Sensor == LineSensor.ConfirmEye);
        }
    }

    [Fact]
    public void OneTroubleDoesNotChangeAnother()
    {
        using var some = Line(new Disturbances { PartsRemoved = 0.1 });
        using var more = Line(
            new Disturbances { PartsRemoved = 0.1, PartsSliding = 0.3, ValveStuck = 0.2, EntryEdgesLost = 0.1 }
        );
        Assert.Equal(Removed(some), Removed(more));

        static IEnumerable<long> Removed(VirtualLine line)
        {
            return line.Truth(Later).Where(p => p.Fate == PartFate.Removed).Select(p => p.Index);
        }
    }

    private static VirtualLine Line(Disturbances disturbances)
    {
        return new VirtualLine(Plain with { Disturbances = disturbances });
    }

    private static bool Crosses(double across, double width, double border)
    {
        return Math.Abs(across - border) < width / 2;
    }

    private static PartFate Fate(
        VirtualLineOptions options,
        PartTruth part,
        params (int Lane, TimeSpan From, TimeSpan To)[] blasts
    )
    {
        using var line = new VirtualLine(options);
        foreach (var (lane, from, to) in blasts)
        {
            line.SetEjector(lane, true, from);
            line.SetEjector(lane, false, to);
        }

        return line.Truth(Later).First(p => p.Index == part.Index).Fate;
    }
}
