using EdgeInspector.Ledger;
using EdgeInspector.Line;
using EdgeInspector.Tests.Support;
using Xunit;

namespace EdgeInspector.Tests.Ledger;

public sealed class PartBookTests
{
    private readonly LineClock _clock = new();
    private readonly List<PartRecord> _records = [];

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

    [Fact]
    public void PulseThatNoPartClaimsStaysVisible()
    {
        var book = Book();
        book.Enter(new PartEvent(PartEventKind.FiredUndecided, 0, Some.At(500)));
        book.ExpireConfirmations(Some.At(59_000));
        Assert.Equal(0, book.Counts().Unaccounted);
        book.ExpireConfirmations(Some.At(61_000));
        Assert.Equal(1, book.Counts().Unaccounted);
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

    private PartBook Book() =>
        new(
            new RunFacts("biscuit-1", "run", "biscuit", "biscuit 1.0.0", ["good", "broken"], IsSimulated: true),
            confirmEyes: 1,
            TimeSpan.FromMilliseconds(140),
            TimeSpan.FromMilliseconds(60),
            _clock,
            _records.Add
        );
}
