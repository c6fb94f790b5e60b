using EdgeInspector.Inspection;
using EdgeInspector.Line;
using EdgeInspector.Tests.Support;
using Xunit;

namespace EdgeInspector.Tests.Inspection;

public sealed class EntryEyeTests
{
    private readonly EntryEye _eye = new(new ConstantBelt(Some.Start, 1000), position: 0, tolerance: 10);

    [Fact]
    public void RowOfTouchingPartsOfWhichOneWasNotSeenLeavesItsStretch()
    {
        Block(100, 280); // Three parts of 60 mm.
        Assert.True(_eye.Claim(130, 60));
        Assert.True(_eye.Claim(250, 60));
        Assert.Equal([new Stretch(160, 220)], Unclaimed());
    }

    [Fact]
    public void BlockWithoutAnyPartIsOnePartHoweverShort()
    {
        Block(100, 112);
        Assert.Equal([new Stretch(100, 112)], Unclaimed());
    }

    [Fact]
    public void RimsOfPartsThatAreAccountedForAreNoParts()
    {
        Block(100, 222);
        _eye.Claim(133, 52);
        _eye.Claim(190, 55);
        Assert.Empty(Unclaimed());
    }

    [Fact]
    public void PartBesideEveryBlockIsNotOneTheEyeSaw()
    {
        Block(100, 160);
        Assert.False(_eye.Saw(180));
        Assert.False(_eye.Claim(80, 60));
        Assert.True(_eye.Claim(165, 60));
    }

    [Fact]
    public void FirstPartOfALongRowIsClaimedWhileTheLastStillBlocksTheBeam()
    {
        _eye.Edge(blocked: true, Some.At(100));
        Assert.True(_eye.Saw(130));
        Assert.True(_eye.Claim(130, 60));
        Assert.False(_eye.TryRetire(10_000, out _));
        _eye.Edge(blocked: false, Some.At(220));
        Assert.Equal([new Stretch(160, 220)], Unclaimed());
    }

    [Fact]
    public void EyeThatWasBlockedAtTheStartSaysNothingOfIt()
    {
        Assert.False(_eye.Edge(blocked: false, Some.At(50)));
        Assert.Equal(0, _eye.Seen);
    }

    [Fact]
    public void ClosedEyesTellThePartInTheBeamToItsEndAndNoOther()
    {
        var eyes = new EntryEyes(_eye);
        eyes.Close(Some.At(150));
        eyes.Edge(0, blocked: true, Some.At(100)); // It came before, and is read only now.
        Assert.True(eyes.IsBlocked);
        Assert.True(eyes.Edge(0, blocked: false, Some.At(160)));
        Assert.False(eyes.IsBlocked);
        eyes.Edge(0, blocked: true, Some.At(200));
        Assert.False(eyes.Edge(0, blocked: false, Some.At(260)));
        Assert.Equal([new Stretch(100, 160)], Unclaimed());
    }

    private void Block(int from, int to)
    {
        _eye.Edge(blocked: true, Some.At(from));
        Assert.True(_eye.Edge(blocked: false, Some.At(to)));
    }

    private List<Stretch> Unclaimed()
    {
        List<Stretch> found = [];
        while (_eye.TryRetire(10_000, out var block))
        {
            var from = block.Seen.From;
            while (block.TryFindUnclaimed(from, shortest: 25, out var unclaimed))
            {
                found.Add(unclaimed);
                from = Math.BitIncrement(unclaimed.To);
            }
        }

        return found;
    }
}
