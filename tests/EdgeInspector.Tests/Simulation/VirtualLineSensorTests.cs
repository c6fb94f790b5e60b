using EdgeInspector.Simulation;
using Xunit;

namespace EdgeInspector.Tests.Simulation;

public sealed class VirtualLineSensorTests
{
    private static readonly TimeSpan Minute = TimeSpan.FromMinutes(1);

    [Fact]
    public void TheSameSeedGivesTheSameTruth()
    {
        using var first = new VirtualLine(new VirtualLineOptions { Seed = 4 });
        using var second = new VirtualLine(new VirtualLineOptions { Seed = 4 });
        _ = second.Truth(TimeSpan.FromSeconds(3));
        Assert.Equal(first.Truth(Minute), second.Truth(Minute));
    }

    [Fact]
    public void PartsComeAtTheRateAskedFor()
    {
        using var line = new VirtualLine(new VirtualLineOptions { Seed = 9 });
        Assert.InRange(line.Truth(TimeSpan.FromMinutes(2)).Length, 1140, 1260);
    }

    [Fact]
    public void DefectsComeInEveryKindAtTheRateAskedFor()
    {
        using var line = new VirtualLine(new VirtualLineOptions { Seed = 9, DefectRate = 0.2 });
        var truth = line.Truth(TimeSpan.FromMinutes(2));
        Assert.InRange(truth.Count(p => p.IsDefect) / (double)truth.Length, 0.16, 0.24);
        Assert.Equal(
            ["broken", "burnt", "foreign", "good", "hole", "misshapen"],
            truth.Select(p => p.Class).Distinct().Order()
        );
        Assert.All(truth, p => Assert.Equal(p.Class != "good", p.IsDefect));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public void EntryEdgesBracketEveryPart(int lanes)
    {
        using var line = new VirtualLine(
            new VirtualLineOptions
            {
                Seed = 6,
                Lanes = lanes,
                TouchingShare = 0.3,
            }
        );
        var edges = Drain(line, Minute);
        var truth = line.Truth(Minute);
        for (var lane = 0; lane < lanes; lane++)
        {
            var blocked = Intervals(edges.Where(e => e.Lane == lane && e.Sensor == LineSensor.EntryEye));
            var parts = truth.Where(p => p.Lane == lane).ToArray();
            foreach (var part in parts)
            {
                Assert.Contains(blocked, b => b.From <= part.EnteredAt && part.EnteredAt <= b.To);
            }

            // Each gap of a millimetre or more along the belt is an interval of its own.
            var expected =
                1
                + parts
                    .Zip(parts.Skip(1))
                    .Count(p => p.Second.Offset - (p.Second.Length / 2) - p.First.Offset - (p.First.Length / 2) >= 1);
            Assert.InRange(expected - blocked.Count, -1, 1);
        }

        Assert.Equal(edges.Select(e => e.At).Order(), edges.Select(e => e.At));
    }

    [Fact]
    public void TouchingPartsBlockTheEntryEyeAsOne()
    {
        using var line = new VirtualLine(
            new VirtualLineOptions
            {
                Seed = 6,
                TouchingShare = 0.5,
                SidewaysJitter = 0,
            }
        );
        var truth = line.Truth(Minute);
        var close = truth
            .Zip(truth.Skip(1))
            .Count(p => p.Second.Offset - (p.Second.Length / 2) - p.First.Offset - (p.First.Length / 2) < 1);
        Assert.True(close > 60, $"only {close} touch");
        Assert.Equal(truth.Length - close, Drain(line, Minute).Count(e => e.Blocked));
    }

    [Fact]
    public void PartsOfALaneNeverOverlapInThePicture()
    {
        using var line = new VirtualLine(
            new VirtualLineOptions
            {
                Seed = 12,
                TouchingShare = 0.9,
                DefectRate = 0.5,
            }
        );
        var truth = line.Truth(Minute);

        // Round things may interlock sideways; nothing comes nearer than that.
        Assert.All(truth.Zip(truth.Skip(1)), pair => Assert.True(pair.Second.Offset - pair.First.Offset > 8));
    }

    [Fact]
    public void SequenceNumbersHaveNoGap()
    {
        using var line = new VirtualLine(new VirtualLineOptions { Lanes = 2 });
        foreach (var eye in Drain(line, Minute).GroupBy(e => (e.Sensor, e.Lane)))
        {
            Assert.Equal(Enumerable.Range(0, eye.Count()).Select(i => (long)i), eye.Select(e => e.Sequence));
        }
    }

    [Fact]
    public void NextEdgeIsWhatIsDrainedNext()
    {
        using var line = new VirtualLine(new VirtualLineOptions { PartCount = 30 });
        var one = new SensorEdge[1];
        var count = 0;
        while (line.NextEdgeAt is { } next)
        {
            Assert.Equal(0, line.DrainEdges(next - TimeSpan.FromTicks(1), one));
            Assert.Equal(1, line.DrainEdges(next, one));
            Assert.Equal(next, one[0].At);
            count++;
        }

        Assert.Equal(0, count % 2);
        Assert.True(count > 40);
    }

    [Fact]
    public void AFiniteLineFinishesWhenItsLastPartIsPastTheEjector()
    {
        using var line = new VirtualLine(new VirtualLineOptions { PartCount = 25 });
        var last = line.Truth(Minute)[^1];
        Assert.Equal(24, last.Index);
        Assert.False(line.Finished(line.Motion.TimeAt(last.Offset + 400)));
        Assert.True(line.Finished(line.Motion.TimeAt(last.Offset + 400) + TimeSpan.FromMilliseconds(300)));
        Assert.All(line.Truth(Minute), p => Assert.Equal(PartFate.Passed, p.Fate));
    }

    [Fact]
    public void EncoderCountsFollowTheBelt()
    {
        using var line = new VirtualLine(new VirtualLineOptions());
        Assert.Equal(0, line.EncoderCountAt(TimeSpan.Zero));
        Assert.Equal(8000, line.EncoderCountAt(TimeSpan.FromSeconds(1)));
    }

    [Fact]
    public void EveryBadOptionIsNamedAtOnce()
    {
        var options = new VirtualLineOptions
        {
            BeltSpeed = 0,
            DefectRate = 2,
            EjectorPosition = 100,
            Lanes = 4,
        };
        var error = Assert.Throws<InvalidDataException>(() => new VirtualLine(options));
        Assert.All(
            ["BeltSpeed", "DefectRate", "EjectorPosition", "Lanes"],
            name => Assert.Contains(name, error.Message)
        );
        Assert.DoesNotContain('\n', error.Message);
    }

    internal static List<SensorEdge> Drain(VirtualLine line, TimeSpan upTo)
    {
        var all = new List<SensorEdge>();
        var some = new SensorEdge[7];
        int count;
        while ((count = line.DrainEdges(upTo, some)) > 0)
        {
            all.AddRange(some.AsSpan(0, count));
        }

        return all;
    }

    private static List<(TimeSpan From, TimeSpan To)> Intervals(IEnumerable<SensorEdge> edges)
    {
        var intervals = new List<(TimeSpan From, TimeSpan To)>();
        foreach (var edge in edges)
        {
            if (edge.Blocked)
            {
                intervals.Add((edge.At, TimeSpan.MaxValue));
            }
            else
            {
                intervals[^1] = (intervals[^1].From, edge.At);
            }
        }

        return intervals;
    }
}
