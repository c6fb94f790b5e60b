using EdgeInspector.Simulation;
using Xunit;

namespace EdgeInspector.Tests.Simulation;

public sealed class VirtualLineEjectorTests
{
    private static readonly VirtualLineOptions Options = new() { Seed = 11, PartCount = 200 };
    private static readonly TimeSpan Later = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan Half = TimeSpan.FromMilliseconds(6);

    [Fact]
    public void ThePartUnderTheEjectorGoesOutAndNoOther()
    {
        using var line = new VirtualLine(Options);
        var truth = line.Truth(Later);
        long[] chosen = [3, 4, 17, 90, 199];
        using var fresh = new VirtualLine(Options);
        foreach (var index in chosen)
        {
            Pulse(fresh, truth[index]);
        }

        Assert.Equal(chosen, fresh.Truth(Later).Where(p => p.Fate == PartFate.Ejected).Select(p => p.Index));
    }

    [Fact]
    public void ABlastOutsideTheWindowTakesNothing()
    {
        using var line = new VirtualLine(Options);
        var at = CentreAt(line, line.Truth(TimeSpan.FromSeconds(5))[8]);

        // The window is 20 mm: at 0.8 m/s the centre is in it for 12.5 ms either way.
        line.SetEjector(0, true, at + TimeSpan.FromMilliseconds(13) - Options.EjectorLatency);
        line.SetEjector(0, false, at + TimeSpan.FromMilliseconds(20) - Options.EjectorLatency);
        Assert.DoesNotContain(line.Truth(Later), p => p.Fate == PartFate.Ejected);
    }

    [Fact]
    public void LevelsToldOutOfOrderCountWhereTheyBelong()
    {
        using var line = new VirtualLine(Options);
        var part = line.Truth(TimeSpan.FromSeconds(5))[8];
        var at = CentreAt(line, part) - Options.EjectorLatency;
        line.SetEjector(0, false, at + Half);
        line.SetEjector(0, true, at + (10 * Half));
        line.SetEjector(0, true, at - Half);
        line.SetEjector(0, false, at + (10 * Half));
        var ejected = Assert.Single(line.Truth(Later), p => p.Fate == PartFate.Ejected);
        Assert.Equal(part.Index, ejected.Index);
        Assert.Equal(at - Half + Options.EjectorLatency, ejected.EjectedAt);
    }

    [Fact]
    public void ALevelOfThePastStillCountsForAWhile()
    {
        using var line = new VirtualLine(Options);
        var part = line.Truth(TimeSpan.FromSeconds(5))[8];
        _ = line.Truth(CentreAt(line, part) + TimeSpan.FromSeconds(2));
        Pulse(line, part);
        Assert.Equal(PartFate.Ejected, line.Truth(Later)[8].Fate);
    }

    [Fact]
    public void FatesFollowTime()
    {
        using var line = new VirtualLine(Options);
        var part = line.Truth(TimeSpan.FromSeconds(5))[8];
        Pulse(line, part);
        var at = CentreAt(line, part);
        Assert.Equal(PartFate.OnBelt, line.Truth(at - TimeSpan.FromMilliseconds(50))[8].Fate);
        Assert.Null(line.Truth(at - TimeSpan.FromMilliseconds(50))[8].EjectedAt);
        Assert.Equal(PartFate.Ejected, line.Truth(at)[8].Fate);
        Assert.Equal(PartFate.Passed, line.Truth(at)[7].Fate);
        Assert.Equal(PartFate.OnBelt, line.Truth(at)[9].Fate);
    }

    [Fact]
    public void AnEjectorLeftOpenTakesEverything()
    {
        using var line = new VirtualLine(Options);
        line.SetEjector(0, true, TimeSpan.Zero);
        Assert.All(line.Truth(Later), p => Assert.Equal(PartFate.Ejected, p.Fate));
        Assert.Equal(200, Confirms(line).Count);
    }

    [Fact]
    public void EveryEjectedPartIsConfirmedOnceAboutOneDelayLater()
    {
        using var line = new VirtualLine(Options);
        var chosen = new VirtualLine(Options).Truth(Later).Where(p => p.IsDefect).ToArray();
        foreach (var part in chosen)
        {
            Pulse(line, part);
        }

        var ejected = line.Truth(Later).Where(p => p.Fate == PartFate.Ejected).ToArray();
        Assert.Equal(chosen.Select(p => p.Index), ejected.Select(p => p.Index));
        var confirms = Confirms(line);
        Assert.Equal(chosen.Length, confirms.Count);
        foreach (var (part, edge) in ejected.Zip(confirms))
        {
            Assert.InRange((edge.At - part.EjectedAt!.Value).TotalMilliseconds, 110, 130);
        }
    }

    [Fact]
    public void LanesHaveTheirOwnEjectors()
    {
        var options = Options with { Lanes = 3 };
        using var line = new VirtualLine(options);
        var part = line.Truth(TimeSpan.FromSeconds(8)).First(p => p.Lane == 2 && p.Index > 10);
        line.SetEjector(2, true, CentreAt(line, part) - options.EjectorLatency - Half);
        line.SetEjector(2, false, CentreAt(line, part) - options.EjectorLatency + Half);
        var ejected = Assert.Single(line.Truth(Later), p => p.Fate == PartFate.Ejected);
        Assert.Equal(part.Index, ejected.Index);
        Assert.All(
            VirtualLineSensorTests.Drain(line, Later).Where(e => e.Sensor == LineSensor.ConfirmEye),
            e => Assert.Equal(2, e.Lane)
        );
    }

    [Fact]
    public void ALongRunForgetsNothingItStillNeeds()
    {
        using var line = new VirtualLine(new VirtualLineOptions { Seed = 2 });
        var edges = new SensorEdge[64];
        long pulses = 0;
        long confirms = 0;
        long first = 0;
        for (var t = TimeSpan.FromSeconds(1); t < TimeSpan.FromMinutes(5); t += TimeSpan.FromSeconds(0.5))
        {
            foreach (var part in line.Truth(t, first))
            {
                first = part.Index + 1;
                if (part.IsDefect)
                {
                    Pulse(line, part);
                    pulses++;
                }
            }

            int count;
            while ((count = line.DrainEdges(t, edges)) > 0)
            {
                confirms += edges
                    .AsSpan(0, count)
                    .ToArray()
                    .Count(e => e is { Sensor: LineSensor.ConfirmEye, Blocked: true });
            }
        }

        // The last few are still on the belt.
        Assert.InRange(pulses - confirms, 0, 5);
        Assert.True(pulses > 250);
        Assert.DoesNotContain(
            line.Truth(TimeSpan.FromMinutes(4.9)),
            p => p.Fate == (p.IsDefect ? PartFate.Passed : PartFate.Ejected)
        );
    }

    private static List<SensorEdge> Confirms(VirtualLine line)
    {
        return
        [
            .. VirtualLineSensorTests
                .Drain(line, Later)
                .Where(e => e is { Sensor: LineSensor.ConfirmEye, Blocked: true }),
        ];
    }

    private static TimeSpan CentreAt(VirtualLine line, PartTruth part)
    {
        return line.Motion.TimeAt(part.Offset + line.Options.EjectorPosition);
    }

    private static void Pulse(VirtualLine line, PartTruth part)
    {
        var at = CentreAt(line, part) - line.Options.EjectorLatency;
        line.SetEjector(part.Lane, true, at - Half);
        line.SetEjector(part.Lane, false, at + Half);
    }
}
