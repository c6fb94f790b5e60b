using CsCheck;
using EdgeInspector.Line;
using EdgeInspector.Reject;
using EdgeInspector.Tests.Support;
using Xunit;

namespace EdgeInspector.Tests.Reject;

public sealed class RejectScheduleTests
{
    private static readonly RejectOptions Ejector = new()
    {
        Ejectors = [new EjectorOptions { Pin = 3 }],
        Position = 400,
        Latency = TimeSpan.FromMilliseconds(8),
        Dwell = TimeSpan.FromMilliseconds(20),
        Window = 20,
    };

    [Fact]
    public void BlastIsCentredOnThePartUnderTheNozzleAndAllowsForTheValve()
    {
        var schedule = new RejectSchedule(Ejector, new ConstantBelt(Some.Start, 800));
        schedule.Add(Some.Decision(1, offset: 80), out _);

        // Under the nozzle at (80 + 400) mm / 0.8 m/s = 600 ms; the output goes on 8 + 10 ms before.
        var waiting = schedule.Next(Some.At(581.9));
        Assert.Equal((RejectAction.Wait, Some.At(582)), (waiting.Action, waiting.Due));
        var open = schedule.Next(Some.At(582));
        Assert.Equal((RejectAction.Open, 1L), (open.Action, open.PartId));
        Assert.Equal(RejectAction.Wait, schedule.Next(Some.At(601.9)).Action);
        Assert.Equal(RejectAction.Close, schedule.Next(Some.At(602)).Action);
        Assert.Equal(Instant.Never, schedule.Next(Some.At(603)).Due);
    }

    [Fact]
    public void DecisionThatComesAfterItsWindowIsAMissAndHitsNobody()
    {
        var schedule = new RejectSchedule(Ejector, new ConstantBelt(Some.Start, 800));
        schedule.Add(Some.Decision(1, offset: 80), out _);
        Assert.Equal(RejectAction.Miss, schedule.Next(Some.At(582 + 23)).Action);
        Assert.Equal(RejectAction.Wait, schedule.Next(Some.At(700)).Action);
    }

    [Fact]
    public void NeighboursShareOneLongPulse()
    {
        var schedule = new RejectSchedule(Ejector, new ConstantBelt(Some.Start, 800));
        schedule.Add(Some.Decision(1, offset: 0), out _);
        schedule.Add(Some.Decision(2, offset: 12), out _); // 15 ms behind, the dwell is 20.
        Assert.Equal(
            [(RejectAction.Open, 482.0), (RejectAction.Open, 497.0), (RejectAction.Close, 517.0)],
            Walk(schedule, 400, 600).Select(step => (step.Action, step.Due.MillisecondsSince(Some.Start)))
        );
    }

    [Fact]
    public void StoppedBeltTakesItsRejectsAlong()
    {
        var belt = new EncoderBelt(countsPerMillimetre: 10, TimeSpan.FromMilliseconds(50));
        var schedule = new RejectSchedule(Ejector, belt);
        schedule.Add(Some.Decision(1, offset: -100), out _); // Under the nozzle after 300 mm of travel.
        double travel = 0;
        double? opened = null;
        for (var milliseconds = 0; milliseconds < 3000; milliseconds++)
        {
            travel += milliseconds is > 200 and < 1500 ? 0 : 0.8; // Stops at 160 mm, for 1.3 s.
            belt.Sample((long)(travel * 10), Some.At(milliseconds));
            if (schedule.Next(Some.At(milliseconds)).Action == RejectAction.Open)
            {
                opened = travel;
            }
        }

        // 18 ms before the part's centre is under the nozzle, which at 0.8 m/s is 14.4 mm short of 300.
        Assert.NotNull(opened);
        Assert.Equal(300 - 14.4, opened.Value, 2.0);
    }

    [Fact]
    public void EveryPartOpensOrMissesExactlyOnceAndEveryOpenCloses() =>
        Gen.Double[-500, 5000]
            .List[1, 60]
            .Sample(
                offsets =>
                {
                    var schedule = new RejectSchedule(Ejector, new ConstantBelt(Some.Start, 800));
                    for (var i = 0; i < offsets.Count; i++)
                    {
                        Assert.Equal(Acceptance.Scheduled, schedule.Add(Some.Decision(i + 1, offset: offsets[i]), out _));
                    }

                    var steps = Walk(schedule, 0, 8000);
                    var parts = steps.Where(step => step.PartId != 0).Select(step => step.PartId).Order();
                    Assert.Equal(Enumerable.Range(1, offsets.Count).Select(id => (long)id), parts);
                    var on = false;
                    foreach (var step in steps.Where(step => step.Action is RejectAction.Open or RejectAction.Close))
                    {
                        Assert.True(on || step.Action == RejectAction.Open);
                        on = step.Action == RejectAction.Open;
                    }

                    Assert.False(on);
                },
                iter: 200,
                seed: "0000000000007"
            );

    [Fact]
    public void FullScheduleSaysSo()
    {
        var schedule = new RejectSchedule(Ejector, new ConstantBelt(Some.Start, 800), capacity: 2);
        Assert.Equal(Acceptance.Scheduled, schedule.Add(Some.Decision(1), out _));
        Assert.Equal(Acceptance.Scheduled, schedule.Add(Some.Decision(2), out _));
        Assert.Equal(Acceptance.Full, schedule.Add(Some.Decision(3), out _));
    }

    [Fact]
    public void PulseIsCutWhereANeighbourThatStaysWouldBeInTheWindow()
    {
        var schedule = new RejectSchedule(Ejector, new ConstantBelt(Some.Start, 800));
        schedule.Add(Some.Decision(1, offset: 0), out _);
        schedule.Add(Some.Decision(2, Verdict.Pass, offset: 24), out _);

        // The blast would end 10 ms after 500 ms; the neighbour is in the window from (424 - 10) / 0.8 = 517.5 ms on: no cut.
        Assert.Equal([482.0, 502.0], Milliseconds(Walk(schedule, 400, 600)));

        var crowded = new RejectSchedule(Ejector, new ConstantBelt(Some.Start, 800));
        crowded.Add(Some.Decision(1, offset: 0), out _);
        crowded.Add(Some.Decision(2, Verdict.Pass, offset: 16), out _); // From 507.5 ms on: the pulse ends half a millisecond before.
        Assert.Equal([482.0, 499.0], Milliseconds(Walk(crowded, 400, 600)));
    }

    [Fact]
    public void PulseBeginsOnlyWhenTheNeighbourAheadIsOutOfTheWindow()
    {
        var schedule = new RejectSchedule(Ejector, new ConstantBelt(Some.Start, 800));
        schedule.Add(Some.Decision(1, Verdict.Pass, offset: -16), out _); // Leaves the window at (400 - 16 + 10) / 0.8 = 492.5 ms.
        schedule.Add(Some.Decision(2, offset: 0), out _);
        Assert.Equal([485.0, 502.0], Milliseconds(Walk(schedule, 400, 600)));
    }

    [Fact]
    public void NeighbourOnAnotherLaneCutsNothing()
    {
        var schedule = new RejectSchedule(Ejector, new ConstantBelt(Some.Start, 800));
        schedule.Add(Some.Decision(1, offset: 0), out _);
        schedule.Add(Some.Decision(2, Verdict.Pass, offset: 0, lane: 1), out _);
        Assert.Equal([482.0, 502.0], Milliseconds(Walk(schedule, 400, 600)));
    }

    [Fact]
    public void LatePulseThatWouldHitANeighbourIsAMiss()
    {
        var schedule = new RejectSchedule(Ejector, new ConstantBelt(Some.Start, 800));
        schedule.Add(Some.Decision(1, offset: 0), out _);
        schedule.Add(Some.Decision(2, Verdict.Pass, offset: 16), out _);
        Assert.Equal(RejectAction.Miss, schedule.Next(Some.At(496)).Action); // 5 ms from here the neighbour has come.
    }

    [Fact]
    public void PartAcrossTwoLanesOpensAndClosesBoth()
    {
        var schedule = new RejectSchedule(Ejector, new ConstantBelt(Some.Start, 800));
        schedule.Add(Some.Decision(1, offset: 0) with { Lanes = 0b11 }, out _);
        Assert.Equal(
            [(RejectAction.Open, (byte)0b11), (RejectAction.Close, (byte)0b11)],
            Walk(schedule, 400, 600).Select(step => (step.Action, step.Lanes))
        );
    }

    [Fact]
    public void WhatNobodyDecidesInTimeIsThrownOut()
    {
        var schedule = new RejectSchedule(Ejector, new ConstantBelt(Some.Start, 800));
        Announce(schedule, from: -30, to: 30);
        var steps = Walk(schedule, 400, 600);
        Assert.Equal([RejectAction.OpenUndecided, RejectAction.Close], steps.Select(step => step.Action));

        // A part of 25 mm at least within 60 mm: its centre is within 17.5 mm of the middle, and the blast covers that.
        Assert.Equal([470.125, 513.875], Milliseconds(steps));

        // The decision that comes at last names the part that is gone.
        Assert.Equal(Acceptance.ThrownOutBefore, schedule.Add(Some.Decision(1, offset: 0), out var firedAt));
        Assert.Equal(Some.At(471), firedAt);
        Assert.Equal(Acceptance.Scheduled, schedule.Add(Some.Decision(2, offset: 60), out _));
    }

    [Fact]
    public void WhatWasThrownOutAsOnePartMayTurnOutToBeTwo()
    {
        var schedule = new RejectSchedule(Ejector, new ConstantBelt(Some.Start, 800));
        Announce(schedule, from: -30, to: 30);
        Walk(schedule, 400, 600);
        foreach (var (part, offset) in new[] { (1, -15.0), (2, 15.0) })
        {
            Assert.Equal(Acceptance.ThrownOutBefore, schedule.Add(Unseen(part, offset, length: 30), out var firedAt));
            Assert.Equal(Some.At(471), firedAt);
        }
    }

    [Fact]
    public void BlastThatCameTooLateForTheFrontOfARowHasNotThrownItOut()
    {
        var schedule = new RejectSchedule(Ejector, new ConstantBelt(Some.Start, 800));
        Announce(schedule, from: -30, to: 30);

        // Held up: with the valve's latency it blows from 503 ms on, at a window that reaches 7.6 mm ahead of the middle.
        Assert.Equal(RejectAction.OpenUndecided, schedule.Next(Some.At(495)).Action);
        Assert.Equal(Acceptance.ThrownOutBefore, schedule.Add(Unseen(1, 12, length: 20), out _));
        Assert.Equal(Acceptance.Scheduled, schedule.Add(Unseen(2, -20, length: 20), out _));
    }

    [Fact]
    public void WhatWasThrownOutAsTwoPartsMayTurnOutToBeOne()
    {
        var schedule = new RejectSchedule(Ejector, new ConstantBelt(Some.Start, 800));
        Announce(schedule, from: -50, to: 50);
        var pulses = Walk(schedule, 400, 600).Count(step => step.Action == RejectAction.OpenUndecided);
        var decision = Unseen(1, 0, length: 100);
        Assert.Equal(Acceptance.ThrownOutBefore, schedule.Add(decision, out _));
        var more = 0;
        while (schedule.TryClaimMore(decision, out _))
        {
            more++;
        }

        Assert.Equal((2, 1), (pulses, more));
    }

    [Fact]
    public void WhatNobodyDecidesInTimeGoesThroughWhereTheRecipeSaysSo()
    {
        var schedule = new RejectSchedule(Ejector, new ConstantBelt(Some.Start, 800), onLate: Disposition.Pass);
        Announce(schedule, from: -30, to: 30);
        Assert.DoesNotContain(Walk(schedule, 400, 600), step => step.Action is RejectAction.Open or RejectAction.OpenUndecided);
    }

    [Fact]
    public void WhatIsDecidedInTimeHasNoDeadline()
    {
        var schedule = new RejectSchedule(Ejector, new ConstantBelt(Some.Start, 800));
        Announce(schedule, from: -30, to: 90);
        schedule.Add(Some.Decision(1, Verdict.Pass, offset: 0), out _);
        schedule.Add(Some.Decision(2, Verdict.Pass, offset: 61), out _);
        Assert.Empty(Walk(schedule, 400, 800));
    }

    [Fact]
    public void UndecidedPartInARowGoesAndItsNeighboursStay()
    {
        var schedule = new RejectSchedule(Ejector, new ConstantBelt(Some.Start, 800));
        Announce(schedule, from: -30, to: 150);
        schedule.Add(Some.Decision(1, Verdict.Pass, offset: 0), out _);
        schedule.Add(Some.Decision(3, Verdict.Pass, offset: 120), out _);
        var steps = Walk(schedule, 400, 900);
        Assert.Equal([RejectAction.OpenUndecided, RejectAction.Close], steps.Select(step => step.Action));
        var blast = steps.Select(step => (step.Due.MillisecondsSince(Some.Start) + 8) * 0.8 - 400).ToArray();
        Assert.InRange(blast[0], 10.0, 60.0); // Part 1 has left the window at +10, part 3 enters it at 110.
        Assert.InRange(blast[1], 60.0, 110.0);
    }

    [Fact]
    public void RowThatStillBlocksTheEyeHasADeadlineToo()
    {
        var schedule = new RejectSchedule(Ejector, new ConstantBelt(Some.Start, 800));
        schedule.Expect(new EntryMark(Eye: 0, Lanes: byte.MaxValue, Blocked: true, Offset: -30));
        Assert.Contains(Walk(schedule, 400, 500), step => step.Action == RejectAction.OpenUndecided);
    }

    [Fact]
    public void ValveStaysOpenForARejectThatComesBeforeItHasRested()
    {
        var schedule = new RejectSchedule(Ejector, new ConstantBelt(Some.Start, 800));
        schedule.Add(Some.Decision(1, offset: 0), out _);
        schedule.Add(Some.Decision(2, offset: 19), out _); // 23.75 ms behind: 3.75 ms after the first pulse's end.
        Assert.Equal(
            [RejectAction.Open, RejectAction.Open, RejectAction.Close],
            Walk(schedule, 400, 700).Select(step => step.Action)
        );
    }

    private static IEnumerable<double> Milliseconds(IEnumerable<RejectStep> steps) =>
        steps.Select(step => Math.Round(step.Due.MillisecondsSince(Some.Start), 3));

    private static void Announce(RejectSchedule schedule, double from, double to)
    {
        schedule.Expect(new EntryMark(Eye: 0, Lanes: byte.MaxValue, Blocked: true, Offset: from));
        schedule.Expect(new EntryMark(Eye: 0, Lanes: byte.MaxValue, Blocked: false, Offset: to));
    }

    private static Decision Unseen(long part, double offset, double length) =>
        Some.Decision(part, Verdict.NotInspected, offset: offset) with { Views = 0, Length = length };

    private static List<RejectStep> Walk(RejectSchedule schedule, int from, int to)
    {
        List<RejectStep> steps = [];
        for (var now = from; now <= to; now++)
        {
            for (var step = schedule.Next(Some.At(now)); step.Action != RejectAction.Wait; step = schedule.Next(Some.At(now)))
            {
                steps.Add(step);
            }
        }

        return steps;
    }
}
