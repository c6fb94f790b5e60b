using CsCheck;
using EdgeInspector.Ledger;
using EdgeInspector.Line;
using EdgeInspector.Telemetry;
using EdgeInspector.Tests.Support;
using Xunit;

namespace EdgeInspector.Tests.Ledger;

public sealed class PartBookTests
{
    private readonly LineClock _clock = new();
    private readonly List<PartRecord> _records = [];
    private readonly List<PartNotice> _notices = [];

    [Fact]
    public void PassedPartEndsWithItsDecision()
    {
        var book = Book();
        book.Enter(Some.Decided(Some.Decision(1, Verdict.Pass)));
        var record = Assert.Single(_records);
        Assert.Equal((Verdict.Pass, Confirmation.NotExpected), (record.Verdict, record.Confirmation));
        Assert.Equal("biscuit-1/run/1", record.Id);
    }

    [Fact]
    public void RejectedPartEndsWhenTheEyeHasSeenItFall()
    {
        var book = Book();
        book.Enter(Some.Decided(Some.Decision(1)));
        book.Enter(new PartEvent(PartEventKind.Fired, 1, Some.At(500), TimeSpan.FromMicroseconds(12)));
        Assert.Empty(_records);
        Assert.Equal(1, book.Counts().Open);
        book.Enter(new PartEvent(PartEventKind.ConfirmEye, 0, Some.At(640)));
        var record = Assert.Single(_records);
        Assert.Equal((Verdict.Reject, Confirmation.Confirmed, 12.0), (record.Verdict, record.Confirmation, record.FiredLateMicroseconds));
        Assert.Equal((1, 1, 0L), (book.Counts().Pulses, book.Counts().Confirmed, book.Counts().Open));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void PulseForWhatNobodyHadDecidedBelongsToThePartNamedLater(bool eyeFirst)
    {
        var book = Book();
        book.Enter(new PartEvent(PartEventKind.FiredUndecided, 0, Some.At(500)));
        if (eyeFirst)
        {
            book.Enter(new PartEvent(PartEventKind.ConfirmEye, 0, Some.At(640)));
        }

        book.Enter(Some.Decided(Some.Decision(1, Verdict.Late, Disposition.Reject)));
        book.Enter(new PartEvent(PartEventKind.Fired, 1, Some.At(500)));
        if (!eyeFirst)
        {
            book.Enter(new PartEvent(PartEventKind.ConfirmEye, 0, Some.At(640)));
        }

        var record = Assert.Single(_records);
        Assert.Equal((Verdict.Late, Confirmation.Confirmed, true), (record.Verdict, record.Confirmation, record.Fired));
        var counts = book.Counts();
        Assert.Equal((1L, 1L, 0L, 0L), (counts.Pulses, counts.Confirmed, counts.UnexpectedBinEntries, counts.Unaccounted));
    }

    [Theory]
    [InlineData(640, 0)] // The eye's word went to the first pulse, or to the second: it is the part's.
    [InlineData(690, 0)]
    [InlineData(640, 1, 690.0)] // Two things fell where the record tells of one.
    public void TwoPulsesAtOnePartAreOnePartThrownOut(double eye, long unexpected, double? another = null)
    {
        var book = Book();
        book.Enter(new PartEvent(PartEventKind.FiredUndecided, 0, Some.At(500)));
        book.Enter(new PartEvent(PartEventKind.FiredUndecided, 0, Some.At(560)));
        foreach (var at in new[] { eye, another }.OfType<double>())
        {
            book.Enter(new PartEvent(PartEventKind.ConfirmEye, 0, Some.At(at)));
        }

        book.Enter(Some.Decided(Some.Decision(1, Verdict.Late, Disposition.Reject)));
        book.Enter(new PartEvent(PartEventKind.Fired, 1, Some.At(500)));
        book.Enter(new PartEvent(PartEventKind.Fired, 1, Some.At(560)));
        book.Close();
        Assert.Equal(Confirmation.Confirmed, Assert.Single(_records).Confirmation);
        var counts = book.Counts();
        Assert.Equal((0L, unexpected, 0L), (counts.Unaccounted, counts.UnexpectedBinEntries, counts.EmptyPulses));
    }

    [Fact]
    public void PulseThatNoPartClaimsIsAPartTooFewWhereSomethingFell()
    {
        var book = Book();
        book.Enter(new PartEvent(PartEventKind.FiredUndecided, 0, Some.At(500)));
        book.Enter(new PartEvent(PartEventKind.ConfirmEye, 0, Some.At(640)));
        book.Enter(new PartEvent(PartEventKind.FiredUndecided, 0, Some.At(900)));
        book.ExpireConfirmations(Some.At(59_000));
        Assert.Equal(0, book.Counts().Unaccounted);
        book.ExpireConfirmations(Some.At(61_000));
        Assert.Equal((1L, 1L), (book.Counts().Unaccounted, book.Counts().EmptyPulses));
    }

    [Fact]
    public void RejectThatNeverFallsIsMissingAndCounted()
    {
        var book = Book();
        book.Enter(Some.Decided(Some.Decision(1)));
        book.Enter(new PartEvent(PartEventKind.Fired, 1, Some.At(500)));
        book.ExpireConfirmations(Some.At(799)); // Its window closed at 700; an edge may take 100 ms to be told.
        Assert.Empty(_records);
        book.ExpireConfirmations(Some.At(801));
        Assert.Equal(Confirmation.Missing, Assert.Single(_records).Confirmation);
        Assert.Equal(1, book.Counts().Unconfirmed);
    }

    [Fact]
    public void FallThatNobodyAskedForIsCounted()
    {
        var book = Book();
        book.Enter(new PartEvent(PartEventKind.ConfirmEye, 0, Some.At(640)));
        Assert.Equal(1, book.Counts().UnexpectedBinEntries);
    }

    [Fact]
    public void NeighboursAreConfirmedInTheOrderTheyWereFired()
    {
        var book = Book();
        for (var part = 1; part <= 3; part++)
        {
            book.Enter(Some.Decided(Some.Decision(part)));
            book.Enter(new PartEvent(PartEventKind.Fired, part, Some.At(500 + (part * 30))));
        }

        for (var part = 1; part <= 3; part++)
        {
            book.Enter(new PartEvent(PartEventKind.ConfirmEye, 0, Some.At(640 + (part * 30))));
        }

        Assert.Equal([1L, 2L, 3L], _records.Select(record => record.Number));
        Assert.Equal(3, book.Counts().Confirmed);
    }

    [Fact]
    public void LateRejectIsLateWhateverWasDecided()
    {
        var book = Book();
        book.Enter(Some.Decided(Some.Decision(1)));
        book.Enter(new PartEvent(PartEventKind.Missed, 1, Some.At(900)));
        var record = Assert.Single(_records);
        Assert.Equal((Verdict.Late, Reason.Deadline, false), (record.Verdict, record.Reason, record.Fired));
    }

    [Fact]
    public void PulseThatIsToldBeforeItsDecisionIsKeptForIt()
    {
        var book = Book();
        book.Enter(new PartEvent(PartEventKind.Fired, 1, Some.At(500)));
        book.Enter(Some.Decided(Some.Decision(1)));
        book.Enter(new PartEvent(PartEventKind.ConfirmEye, 0, Some.At(640)));
        Assert.Equal(Confirmation.Confirmed, Assert.Single(_records).Confirmation);
    }

    [Fact]
    public void PartDecidedTwiceAndPartNeverToldAreUnaccounted()
    {
        var book = Book();
        book.Enter(Some.Decided(Some.Decision(1, Verdict.Pass)));
        book.Enter(Some.Decided(Some.Decision(1, Verdict.Pass)));
        Assert.Equal(1, book.Counts().Unaccounted);
        book.Enter(Some.Decided(Some.Decision(3, Verdict.Pass))); // What of 2?
        Assert.Equal(2, book.Counts().Unaccounted);
        book.Enter(Some.Decided(Some.Decision(2, Verdict.Pass)));
        Assert.Equal(1, book.Counts().Unaccounted);
    }

    [Fact]
    public void ClosingEndsEveryPartAndTheSumsReconcile()
    {
        var book = Book();
        book.Enter(Some.Decided(Some.Decision(1, Verdict.Pass)));
        book.Enter(Some.Decided(Some.Decision(2)));
        book.Enter(Some.Decided(Some.Decision(3)));
        book.Enter(Some.Decided(Some.Decision(4, Verdict.NotInspected)));
        book.Enter(new PartEvent(PartEventKind.Fired, 3, Some.At(500)));
        book.Enter(new PartEvent(PartEventKind.Fired, 4, Some.At(550)));
        book.Close();
        var counts = book.Counts();
        Assert.Equal(4, _records.Count);
        Assert.Equal(counts.Parts, counts.Passed + counts.Rejected + counts.NotInspected + counts.Late + counts.Open);
        Assert.Equal((1L, 1L, 1L, 1L, 0L), (counts.Passed, counts.Rejected, counts.NotInspected, counts.Late, counts.Open));
        Assert.Equal(Reason.Stopped, _records.Single(record => record.Number == 2).Reason);
    }

    [Fact]
    public void PulseThatIsToldTwiceIsOnePulse()
    {
        var book = Book();
        book.Enter(Some.Decided(Some.Decision(1)));
        book.Enter(new PartEvent(PartEventKind.Fired, 1, Some.At(500)));
        book.Enter(new PartEvent(PartEventKind.Fired, 1, Some.At(500)));
        book.Enter(new PartEvent(PartEventKind.ConfirmEye, 0, Some.At(640)));
        book.Enter(new PartEvent(PartEventKind.Fired, 1, Some.At(500)));
        Assert.Single(_records);
        Assert.Equal((1L, 1L, 0L), (book.Counts().Pulses, book.Counts().Confirmed, book.Counts().Unaccounted));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void PulseForAPartThatWasToStayIsUnaccounted(bool toldEarly)
    {
        var book = Book();
        var pulse = new PartEvent(PartEventKind.Fired, 1, Some.At(500));
        if (toldEarly)
        {
            book.Enter(pulse);
        }

        book.Enter(Some.Decided(Some.Decision(1, Verdict.Pass)));
        if (!toldEarly)
        {
            book.Enter(pulse);
        }

        Assert.Equal(1, book.Counts().Unaccounted);
        Assert.Equal((PartNoticeKind.Unaccounted, 1L), (_notices[0].Kind, _notices[0].Part));
    }

    [Fact]
    public void FaultOfAnOutputThatHasFiredDoesNotEndThePartTwice()
    {
        var book = Book();
        book.Enter(Some.Decided(Some.Decision(1)));
        book.Enter(new PartEvent(PartEventKind.Fired, 1, Some.At(500)));
        book.Enter(new PartEvent(PartEventKind.OutputFault, 1, Some.At(520)));
        Assert.Empty(_records);
        book.Enter(new PartEvent(PartEventKind.ConfirmEye, 0, Some.At(640)));
        Assert.Equal((Reason.OutputFault, Confirmation.Confirmed), (Assert.Single(_records).Reason, _records[0].Confirmation));
    }

    [Fact]
    public void EachLanesEyeAnswersForItsOwnParts()
    {
        var book = Book(confirmEyes: 2);
        book.Enter(Some.Decided(Some.Decision(1, lane: 0)));
        book.Enter(Some.Decided(Some.Decision(2, lane: 1)));
        book.Enter(new PartEvent(PartEventKind.Fired, 1, Some.At(500)));
        book.Enter(new PartEvent(PartEventKind.Fired, 2, Some.At(500)));
        book.Enter(new PartEvent(PartEventKind.ConfirmEye, 0, Some.At(640), Lane: 1));
        Assert.Equal(2, Assert.Single(_records).Number);
        book.Enter(new PartEvent(PartEventKind.ConfirmEye, 0, Some.At(641), Lane: 1));
        Assert.Equal(1, book.Counts().UnexpectedBinEntries);
        book.ExpireConfirmations(Some.At(801));
        Assert.Equal((1L, Confirmation.Missing), (_records[1].Number, _records[1].Confirmation));
    }

    [Fact]
    public void PartAcrossTwoLanesMayBeSeenByBothEyesAndIsOne()
    {
        var book = Book(confirmEyes: 2);
        book.Enter(Some.Decided(Some.Decision(1) with { Lanes = 0b11 }));
        book.Enter(new PartEvent(PartEventKind.Fired, 1, Some.At(500)));
        book.Enter(new PartEvent(PartEventKind.ConfirmEye, 0, Some.At(640), Lane: 1));
        book.Enter(new PartEvent(PartEventKind.ConfirmEye, 0, Some.At(643), Lane: 0));
        Assert.Equal((1L, 0L), (book.Counts().Confirmed, book.Counts().UnexpectedBinEntries));
        book.Enter(new PartEvent(PartEventKind.ConfirmEye, 0, Some.At(646), Lane: 0));
        Assert.Equal(1, book.Counts().UnexpectedBinEntries);
    }

    [Fact]
    public void OneEyeForAllLanesAnswersForAnyOfThem()
    {
        var book = Book();
        book.Enter(Some.Decided(Some.Decision(1, lane: 1)));
        book.Enter(new PartEvent(PartEventKind.Fired, 1, Some.At(500)));
        book.Enter(new PartEvent(PartEventKind.ConfirmEye, 0, Some.At(640)));
        Assert.Equal(Confirmation.Confirmed, Assert.Single(_records).Confirmation);
    }

    [Fact]
    public void AlarmsAreToldWhatHappenedToWhichPartAndWhen()
    {
        var book = Book();
        book.Enter(Some.Decided(Some.Decision(1)));
        book.Enter(new PartEvent(PartEventKind.Fired, 1, Some.At(500)));
        _clock.Now = Some.At(900);
        book.ExpireConfirmations(_clock.Now);
        book.Enter(new PartEvent(PartEventKind.ConfirmEye, 0, Some.At(890)));
        book.Enter(Some.Decided(Some.Decision(2)));
        book.Enter(new PartEvent(PartEventKind.Missed, 2, Some.At(900)));
        book.Enter(Some.Decided(Some.Decision(3)));
        book.Enter(new PartEvent(PartEventKind.OutputFault, 3, Some.At(900)));

        Assert.Equal(
            [
                "part 1 was fired at 00:00:00.500 and not seen in the bin",
                "something fell into the bin at 00:00:00.890 that was not rejected",
                "part 2 could not be rejected in its window at 00:00:00.900",
                "the ejector's output refused the pulse for part 3 at 00:00:00.900",
            ],
            _notices.Select(notice => notice.Text));
        Assert.Equal(["biscuit-1/run/1", null, "biscuit-1/run/2", "biscuit-1/run/3"], _notices.Select(notice => notice.PartId));
    }

    [Fact]
    public void PulsesToldOutOfOrderAreAnsweredAndExpireInTheirOwn()
    {
        var book = Book();
        for (var part = 1; part <= 2; part++)
        {
            book.Enter(Some.Decided(Some.Decision(part)));
        }

        book.Enter(new PartEvent(PartEventKind.Fired, 2, Some.At(590)));
        book.Enter(new PartEvent(PartEventKind.Fired, 1, Some.At(500)));
        book.ExpireConfirmations(Some.At(801));
        Assert.Equal((1L, Confirmation.Missing), (Assert.Single(_records).Number, _records[0].Confirmation));
    }

    [Fact]
    public void PartThatIsNeverToldAlarmsAfterAWhile()
    {
        var book = Book();
        book.Enter(Some.Decided(Some.Decision(2, Verdict.Pass)));
        book.ExpireConfirmations(Some.At(900));
        Assert.Empty(_notices);
        book.ExpireConfirmations(Some.At(1_100));
        book.ExpireConfirmations(Some.At(1_200));
        Assert.Equal((PartNoticeKind.Unaccounted, 1L), (Assert.Single(_notices).Kind, _notices[0].Part));
    }

    [Fact]
    public void WhateverIsLostDoubledOrOutOfOrderTheBooksAddUp() =>
        Gen.Select(Gen.Int[0, 3], Gen.Int[1, 40], Gen.Int[0, int.MaxValue]).Sample(
            (eyes, parts, seed) => AddsUp(eyes, parts, new Random(seed)), iter: 2_000);

    private void AddsUp(int eyes, int parts, Random random)
    {
        var records = new List<PartRecord>();
        var run = new RunFacts("biscuit-1", "run", "biscuit", "biscuit 1.0.0", ["good", "broken"], IsSimulated: true);
        var book = new PartBook(
            run,
            eyes,
            TimeSpan.FromMilliseconds(140),
            TimeSpan.FromMilliseconds(60),
            _clock,
            records.Add,
            number => number % 7 == 0 ? "c1" : null);
        var events = Events(parts, random);
        var decided = events.Where(happened => happened.Kind == PartEventKind.Decided).Select(happened => happened.PartId).ToArray();
        foreach (var happened in events)
        {
            book.Enter(happened);
            if (random.Next(8) == 0)
            {
                book.ExpireConfirmations(happened.At);
            }

            Balanced(book.Counts());
            Balanced(book.ChallengeCounts());
        }

        book.Close();
        book.Close();

        // Every part that was decided ends exactly once, whatever else was said about it.
        Assert.Equal(decided.Distinct().Order(), records.Select(record => record.Number).Order());
        var (production, tests, totals) = (book.Counts(), book.ChallengeCounts(), book.Totals(entryEyes: 1));
        Balanced(production);
        Balanced(tests);
        Assert.Equal((0L, 0L), (production.Open, tests.Open));
        Assert.Equal(records.Count, totals.Parts);
        Assert.Equal(records.Count(record => record.Challenge is not null), totals.ChallengeParts);
        Assert.Equal(records.Count(record => record.Fired), totals.Pulses);
        Assert.All(records.Where(record => record.Fired), record => Assert.Equal(Disposition.Reject, record.Disposition));
        Assert.Equal(events.Count(happened => happened.Kind == PartEventKind.EntryEye), totals.EntryEye);

        // What was doubled, skipped or fits no part stays visible.
        var doubled = decided.Length - decided.Distinct().Count();
        var skipped = decided.Length == 0 ? 0 : decided.Max() - decided.Distinct().Count();
        Assert.InRange(totals.Unaccounted, doubled + skipped, doubled + skipped + events.Length);
        var pulsedWrongly = events
            .Where(happened => happened.Kind == PartEventKind.Fired)
            .Select(happened => happened.PartId)
            .Distinct()
            .Count(number => records.All(record => record.Number != number || !record.Fired));
        Assert.True(totals.Unaccounted >= doubled + pulsedWrongly, "a pulse that hit no part to be rejected was swallowed");
        if (eyes == 0)
        {
            return;
        }

        var seen = events.Count(happened => happened.Kind == PartEventKind.ConfirmEye);
        Assert.Equal(records.Count(record => record.Confirmation == Confirmation.Confirmed), totals.Confirmed);
        Assert.Equal(records.Count(record => record.Confirmation == Confirmation.Missing), totals.Unconfirmed);
        var pending = records.Count(record => record.Confirmation == Confirmation.Pending);
        Assert.Equal(totals.Pulses, totals.Confirmed + totals.Unconfirmed + pending);

        // Every word of the eye is a confirmation or unexpected, but for second eyes on one part and pulses of unknown parts.
        var undecided = events.Count(happened => happened.Kind == PartEventKind.FiredUndecided);
        var spare = seen - totals.Confirmed!.Value;
        Assert.InRange(totals.UnexpectedBinEntries!.Value, eyes == 1 ? spare - undecided : 0, spare);

        static void Balanced(PartCounts counts) =>
            Assert.Equal(counts.Parts, counts.Passed + counts.Rejected + counts.NotInspected + counts.Late + counts.Open);
    }

    /// <summary>The story of some parts, with words lost, doubled and swapped.</summary>
    private static PartEvent[] Events(int parts, Random random)
    {
        var story = new List<(double At, PartEvent Event)>();
        for (var number = 1; number <= parts; number++)
        {
            var at = number * 40.0;
            var verdict = (Verdict)random.Next(4);
            var decision = Some.Decision(
                number, verdict, random.Next(2) == 0 ? Disposition.Reject : Disposition.Pass, decidedAfter: at) with
            {
                Lanes = (byte)random.Next(1, 8),
            };
            Say(at - 20, new PartEvent(PartEventKind.EntryEye, 0, Some.At(at - 20)));
            Say(at, Some.Decided(decision));
            var word = random.Next(5) switch
            {
                0 => PartEventKind.Missed,
                1 => PartEventKind.OutputFault,
                _ => PartEventKind.Fired,
            };
            if (decision.Disposition == Disposition.Reject || random.Next(20) == 0)
            {
                if (random.Next(10) == 0)
                {
                    Say(at + 60, new PartEvent(PartEventKind.FiredUndecided, 0, Some.At(at + 60), Lane: (byte)random.Next(3)));
                }

                Say(at + 60, new PartEvent(word, number, Some.At(at + 60), TimeSpan.FromMicroseconds(random.Next(50))));
            }

            var fell = at + 60 + random.Next(60, 220);
            Say(fell, new PartEvent(PartEventKind.ConfirmEye, 0, Some.At(fell), Lane: (byte)random.Next(3)));
        }

        return [.. story.OrderBy(entry => entry.At).Select(entry => entry.Event)];

        void Say(double at, PartEvent happened)
        {
            for (var times = random.Next(12) switch { 0 => 0, 1 => 2, _ => 1 }; times > 0; times--)
            {
                story.Add((at + (random.Next(6) == 0 ? random.Next(-80, 80) : 0), happened));
            }
        }
    }

    private PartBook Book(int confirmEyes = 1) =>
        new(
            new RunFacts("biscuit-1", "run", "biscuit", "biscuit 1.0.0", ["good", "broken"], IsSimulated: true),
            confirmEyes,
            TimeSpan.FromMilliseconds(140),
            TimeSpan.FromMilliseconds(60),
            _clock,
            _records.Add
        )
        {
            Noticed = _notices.Add,
        };
}
