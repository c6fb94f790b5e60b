using System.ComponentModel.DataAnnotations;
using EdgeInspector.Ledger;
using EdgeInspector.Line;
using EdgeInspector.Station;
using EdgeInspector.Tests.Support;
using Xunit;

namespace EdgeInspector.Tests.Station;

public sealed class ChallengeScheduleTests
{
    private const double Threshold = 0.5;

    private static readonly string[] Labels = ["good", "broken", "burnt", "hole"];

    private readonly LineClock _clock = new();
    private readonly List<ChallengeRecord> _records = [];

    [Fact]
    public void NothingIsAskedForWithoutAnInterval()
    {
        var schedule = Schedule(new ChallengeOptions());

        Assert.Equal(ChallengeState.Off, After(schedule, TimeSpan.FromDays(30)).State);
        Assert.False(schedule.Standing.StopLine);
    }

    [Fact]
    public void OneIsDueAtTheStartAndOverdueAfterItsGrace()
    {
        var schedule = Schedule(Hourly(stopWhenOverdue: true));
        Assert.Equal(ChallengeState.Due, schedule.Standing.State);

        Assert.Equal(ChallengeState.Due, After(schedule, TimeSpan.FromMinutes(10)).State);
        var late = After(schedule, TimeSpan.FromSeconds(1));

        Assert.Equal((ChallengeState.Overdue, true, true), (late.State, late.IsOverdue, late.StopLine));
    }

    [Fact]
    public void AnOverdueTestStopsTheLineOnlyWhereThatIsAskedFor()
    {
        var schedule = Schedule(Hourly());

        var late = After(schedule, TimeSpan.FromMinutes(11));

        Assert.Equal((true, false), (late.IsOverdue, late.StopLine));
    }

    [Fact]
    public void TheTestOfAnEarlierRunCounts()
    {
        var passed = new ChallengeHistory(_clock.GetUtcNow() - TimeSpan.FromMinutes(50), FailedSince: null);
        var schedule = Schedule(Hourly(), passed);
        Assert.Equal(TimeSpan.FromMinutes(10), schedule.Standing.UntilDue);

        Assert.Equal(ChallengeState.NotDue, After(schedule, TimeSpan.FromMinutes(9)).State);
        Assert.Equal(ChallengeState.Due, After(schedule, TimeSpan.FromMinutes(1)).State);
    }

    [Fact]
    public void AClockSetBackPutsTheNextTestOffByOneIntervalAtMost()
    {
        var schedule = Schedule(Hourly(), new ChallengeHistory(_clock.GetUtcNow().AddYears(1), FailedSince: null));

        Assert.Equal(TimeSpan.FromHours(1), schedule.Standing.UntilDue);
    }

    [Fact]
    public void ARestartDoesNotForgiveAFailure()
    {
        var schedule = Schedule(Hourly(), new ChallengeHistory(_clock.GetUtcNow(), "part 7 was not rejected"));

        Assert.Equal((ChallengeState.Failed, true), (schedule.Standing.State, schedule.Standing.StopLine));
    }

    [Fact]
    public void PiecesThatAreRejectedFiredAndConfirmedPassIt()
    {
        var schedule = Schedule(Hourly());
        Assert.Null(schedule.Start("Ann", null, null, lastPart: 0, _clock.Now));
        Assert.Equal(ChallengeState.Running, schedule.Standing.State);

        Put(schedule, 1, "broken", 0.9);
        Assert.Equal(ChallengeState.Running, schedule.Standing.State);
        Put(schedule, 2, "hole", 0.7);

        var record = Ended();
        Assert.Equal((ChallengeOutcome.Passed, "Ann", 2, null), (record.Outcome, record.Who, record.Found, record.Fault));
        Assert.Equal((0L, 2L), (record.AfterPart, record.LastPart));
        Assert.Equal([0.4, 0.2], record.Pieces.Select(piece => Math.Round(piece.Margin!.Value, 9)));
        Assert.Equal(0.2, record.LeastMargin!.Value, 9);
        Assert.Equal((ChallengeState.NotDue, TimeSpan.FromHours(1)), (schedule.Standing.State, schedule.Standing.UntilDue));
    }

    [Fact]
    public void AnyDefectWillDoAndTheNameIsComparedApart()
    {
        var schedule = Schedule(Hourly());
        schedule.Start("Ann", null, null, 0, _clock.Now);

        Put(schedule, 1, "burnt", 0.9); // Laid down as "broken", "hole" still to come.
        Put(schedule, 2, "broken", 0.9);

        var record = Ended();
        Assert.Equal(ChallengeOutcome.Passed, record.Outcome);
        Assert.Equal(
            [("broken", "broken", true), ("hole", "burnt", false)],
            record.Pieces.Select(piece => (piece.Expected, piece.Label, piece.LabelMatches)));
    }

    [Fact]
    public void PartsBelongByTheirNumbersWheneverTheyAreBooked()
    {
        var schedule = Schedule(Hourly());
        schedule.Enroll(8);
        schedule.Start("Ann", "hole", null, lastPart: 10, _clock.Now);

        Assert.Null(schedule.Enroll(9));
        Assert.Null(schedule.Enroll(10)); // Decided before the start, booked after it.
        var id = schedule.Enroll(11);
        Assert.Equal("biscuit-1/run/c1", id);
        Enter(schedule, Reject(11, "hole", 0.9, id));

        Assert.Equal((10L, 11L), (Ended().AfterPart, Ended().LastPart));
        Assert.Null(schedule.Enroll(12));
        Assert.Equal(id, schedule.Enroll(11)); // Known even after its end.
    }

    [Fact]
    public void PartsBetweenThePiecesAreItsPartsToo()
    {
        var schedule = Schedule(Hourly());
        schedule.Start("Ann", "hole", null, 0, _clock.Now);

        Put(schedule, 1, "good", 0.1);
        Put(schedule, 2, "good", 0.1);
        Put(schedule, 3, "hole", 0.9);

        Assert.Equal((ChallengeOutcome.Passed, 3L), (Ended().Outcome, Ended().LastPart));
    }

    [Fact]
    public void AConfirmationThatComesAfterTheTimeoutStillCounts()
    {
        var schedule = Schedule(Hourly());
        schedule.Start("Ann", "hole", null, 0, _clock.Now);
        var id = schedule.Enroll(1);

        After(schedule, TimeSpan.FromMinutes(5) + TimeSpan.FromMilliseconds(1)); // Fired; the eye has not spoken yet.
        Assert.Equal(ChallengeState.Running, schedule.Standing.State);
        Assert.Null(schedule.Enroll(2));
        Enter(schedule, Reject(1, "hole", 0.9, id));

        Assert.Equal((ChallengeOutcome.Passed, 1L), (Ended().Outcome, Ended().LastPart));
    }

    [Fact]
    public void APartThatNeverEndsHoldsTheResultUpForAWhileOnly()
    {
        var schedule = Schedule(Hourly());
        schedule.Start("Ann", "hole", null, 0, _clock.Now);
        schedule.Enroll(1);

        After(schedule, TimeSpan.FromMinutes(5.1));
        Assert.Equal(ChallengeState.Running, schedule.Standing.State);
        After(schedule, TimeSpan.FromSeconds(31));

        Assert.Equal(ChallengeOutcome.Failed, Ended().Outcome);
    }

    [Fact]
    public void APieceThatIsLetThroughFailsItAtTheTimeout()
    {
        var schedule = Schedule(Hourly());
        schedule.Start("Ann", null, null, 0, _clock.Now);
        Put(schedule, 1, "broken", 0.9);
        Put(schedule, 2, "good", 0.4); // The one with the hole.

        var standing = After(schedule, TimeSpan.FromMinutes(5.1));

        Assert.Equal("1 of 2 pieces did not come within 5 min: hole", Ended().Fault);
        Assert.Equal((ChallengeState.Failed, true, true), (standing.State, standing.IsFailed, standing.StopLine));
    }

    [Theory]
    [InlineData("Missing", "Reject", "Defect", "part 1 was fired at and not seen in the bin")]
    [InlineData("NotExpected", "Late", "Deadline", "part 1 was not rejected in its window")]
    [InlineData("NotExpected", "Reject", "OutputFault", "the ejector's output refused the pulse for part 1")]
    public void APieceThatIsSeenAndNotThrownOutFailsItAtOnce(string confirmation, string verdict, string reason, string fault)
    {
        var schedule = Schedule(Hourly());
        schedule.Start("Ann", "hole", null, 0, _clock.Now);

        Enter(schedule, Reject(1, "hole", 0.9, schedule.Enroll(1)) with
        {
            Confirmation = Enum.Parse<Confirmation>(confirmation),
            Verdict = Enum.Parse<Verdict>(verdict),
            Reason = Enum.Parse<Reason>(reason),
            FiredLateMicroseconds = confirmation == "Missing" ? 1 : null,
        });

        Assert.Equal((ChallengeOutcome.Failed, fault), (Ended().Outcome, Ended().Fault));
    }

    [Fact]
    public void ALineThatRejectsEverythingFailsTheMemoryTest()
    {
        var schedule = Schedule(Memory());
        schedule.Start("Ann", null, null, 0, _clock.Now);

        Put(schedule, 1, "hole", 0.9);
        Put(schedule, 2, "hole", 0.8); // A good one.

        Assert.Equal("part 2, a good piece, was rejected as hole", Ended().Fault);
    }

    [Fact]
    public void GoodPiecesThatPassArePartOfTheMemoryTest()
    {
        var schedule = Schedule(Memory());
        schedule.Start("Ann", null, null, 0, _clock.Now);

        Put(schedule, 1, "hole", 0.9);
        Put(schedule, 2, "good", 0.2);
        Assert.Equal(ChallengeState.Running, schedule.Standing.State);
        Put(schedule, 3, "good", 0.1);

        Assert.Equal(ChallengeOutcome.Passed, Ended().Outcome);
        Assert.Equal(0.3, Ended().LeastMargin!.Value, 9); // How far the worst good piece stayed below.
    }

    [Fact]
    public void AnUninspectedPieceFailsTheMemoryTest()
    {
        var schedule = Schedule(Memory());
        schedule.Start("Ann", null, null, 0, _clock.Now);

        Enter(schedule, Reject(1, "hole", 0.9, schedule.Enroll(1)) with { Verdict = Verdict.NotInspected });

        Assert.Equal("part 1 was not inspected", Ended().Fault);
    }

    [Fact]
    public void AFailureStandsUntilATestPasses()
    {
        var schedule = Schedule(Hourly());
        schedule.Start("Ann", "hole", null, 0, _clock.Now);
        After(schedule, TimeSpan.FromMinutes(6));
        Assert.True(schedule.Standing.StopLine);

        Assert.Null(schedule.Start("Bob", "hole", null, 5, _clock.Now));
        Assert.Equal((true, false), (schedule.Standing.IsFailed, schedule.Standing.StopLine)); // It needs a moving belt.
        Assert.True(schedule.Abort("Bob", _clock.Now));
        Assert.Equal((ChallengeState.Failed, true), (schedule.Standing.State, schedule.Standing.StopLine));

        schedule.Start("Bob", "hole", null, 5, _clock.Now);
        Put(schedule, 6, "hole", 0.9);
        Assert.Equal((ChallengeState.NotDue, false), (schedule.Standing.State, schedule.Standing.IsFailed));
    }

    [Fact]
    public void EveryAttemptIsRecordedWithItsPerson()
    {
        var schedule = Schedule(Hourly());
        schedule.Start("Ann", "hole", null, 0, _clock.Now);
        schedule.Abort("Ann", _clock.Now);
        schedule.Start("Bob", "hole", null, 0, _clock.Now);
        Put(schedule, 1, "hole", 0.9);

        Assert.Equal(
            [
                ("c1", ChallengeOutcome.Running, "Ann"),
                ("c1", ChallengeOutcome.Aborted, "Ann"),
                ("c2", ChallengeOutcome.Running, "Bob"),
                ("c2", ChallengeOutcome.Passed, "Bob"),
            ],
            _records.Select(record => (record.Id.Split('/')[^1], record.Outcome, record.Who)));
    }

    [Fact]
    public void WhatCannotBeginIsRefusedInOneLine()
    {
        var schedule = Schedule(new ChallengeOptions());
        Assert.Contains("needs pieces", schedule.Start("Ann", null, null, 0, _clock.Now), StringComparison.Ordinal);
        Assert.Contains("name", schedule.Start(" ", "hole", null, 0, _clock.Now), StringComparison.Ordinal);
        Assert.Equal(
            "'holes' is no label of the model; it knows broken, burnt, good, hole",
            schedule.Start("Ann", "holes", null, 0, _clock.Now));
        Assert.False(schedule.Abort("Ann", _clock.Now));
        Assert.Empty(_records);

        Assert.Null(schedule.Start("Ann", "hole", null, 0, _clock.Now));
        Assert.Contains("under way", schedule.Start("Bob", "hole", null, 0, _clock.Now), StringComparison.Ordinal);
    }

    [Fact]
    public void ProductionCountersStandStillWhileATestRuns()
    {
        var schedule = Schedule(Hourly());
        var ended = new List<PartRecord>();
        var book = new PartBook(
            new RunFacts("biscuit-1", "run", "biscuit", "biscuit 1.0.0", ["good", "broken"], IsSimulated: true),
            confirmEyes: 1,
            TimeSpan.FromMilliseconds(140),
            TimeSpan.FromMilliseconds(60),
            _clock,
            part =>
            {
                ended.Add(part);
                schedule.Enter(part, Threshold, _clock.Now);
            },
            schedule.Enroll);
        book.Enter(Some.Decided(Some.Decision(1, Verdict.Pass)));
        var before = book.Counts();

        schedule.Start("Ann", "broken", null, book.LastNumber, _clock.Now);
        book.Enter(Some.Decided(Some.Decision(2, Verdict.Pass)));
        book.Enter(Some.Decided(Some.Decision(3)));
        book.Enter(new PartEvent(PartEventKind.Fired, 3, Some.At(500)));
        Assert.Equal(before with { ChallengeParts = 2 }, book.Counts());
        book.Enter(new PartEvent(PartEventKind.ConfirmEye, 0, Some.At(640)));

        Assert.Equal(before with { ChallengeParts = 2 }, book.Counts());
        Assert.Equal((2L, 1L, 1L, 1L), Challenge(book));
        Assert.Equal(ChallengeOutcome.Passed, Ended().Outcome);
        Assert.Equal([null, Ended().Id, Ended().Id], ended.Select(part => part.Challenge));
        book.Enter(Some.Decided(Some.Decision(4, Verdict.Pass)));
        Assert.Equal((2L, 2L), (book.Counts().Parts, book.Counts().Passed));
        Assert.Equal((4L, 2L, 1L, 1L), (book.Totals(1).Parts, book.Totals(1).ChallengeParts, book.Totals(1).Pulses, book.Totals(1).Confirmed));

        static (long, long, long, long) Challenge(PartBook book) =>
            (book.ChallengeCounts().Parts, book.ChallengeCounts().Rejected, book.ChallengeCounts().Pulses, book.ChallengeCounts().Confirmed);
    }

    [Fact]
    public void AnIntervalWithoutPiecesIsRefused()
    {
        var options = new ChallengeOptions { Interval = TimeSpan.FromHours(1) };

        Assert.Contains("names no pieces", Assert.Single(options.Validate(new ValidationContext(options))).ErrorMessage, StringComparison.Ordinal);
    }

    private static ChallengeOptions Hourly(bool stopWhenOverdue = false) =>
        new()
        {
            Interval = TimeSpan.FromHours(1),
            StopLineWhenOverdue = stopWhenOverdue,
            Pieces = [new() { Label = "broken" }, new() { Label = "hole" }],
        };

    private static ChallengeOptions Memory() =>
        new() { Pieces = [new() { Label = "hole" }, new() { Label = "good", Count = 2 }] };

    private ChallengeSchedule Schedule(ChallengeOptions options, ChallengeHistory? history = null) =>
        new(options, "biscuit-1", "biscuit-1/run", Labels, ["good"], history, _clock.Now, _clock, _records.Add);

    private ChallengeStanding After(ChallengeSchedule schedule, TimeSpan time)
    {
        _clock.Now += time;
        return schedule.Step(_clock.Now);
    }

    private void Enter(ChallengeSchedule schedule, PartRecord part) => schedule.Enter(part, Threshold, _clock.Now);

    /// <summary>A part goes all its way.</summary>
    private void Put(ChallengeSchedule schedule, long number, string label, double score)
    {
        var part = Reject(number, label, score, schedule.Enroll(number));
        Enter(
            schedule,
            score >= Threshold
                ? part
                : part with
                {
                    Verdict = Verdict.Pass,
                    Reason = Reason.None,
                    Disposition = Disposition.Pass,
                    FiredLateMicroseconds = null,
                    Confirmation = Confirmation.NotExpected,
                });
    }

    private ChallengeRecord Ended() => _records[^1];

    private static PartRecord Reject(long number, string label, double score, string? challenge) =>
        Publishing.Some.Record(number) with
        {
            Verdict = Verdict.Reject,
            Reason = Reason.Defect,
            Disposition = Disposition.Reject,
            Label = label,
            Score = score,
            FiredLateMicroseconds = 5,
            Confirmation = Confirmation.Confirmed,
            Challenge = challenge,
        };
}
