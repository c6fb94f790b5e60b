namespace EdgeInspector.Vision.Tests;

public sealed class FramePoolTests
{
    [Fact]
    public void EmptyPoolLendsNothing()
    {
        using var pool = new FramePool(8, 6, 2);
        Assert.True(pool.TryRent(out var first));
        Assert.True(pool.TryRent(out var second));
        Assert.False(pool.TryRent(out var third));
        Assert.Null(third);
        Assert.Equal((0, 2), (pool.Available, pool.Outstanding));

        first.Dispose();
        Assert.True(pool.TryRent(out third));
        Assert.Same(first, third);
        second.Dispose();
        third.Dispose();
        Assert.Equal(0, pool.Outstanding);
    }

    [Fact]
    public void LentFrameCarriesNothingOfItsLastOwner()
    {
        using var pool = new FramePool(8, 6, 1);
        Assert.True(pool.TryRent(out var frame));
        (frame.Sequence, frame.CapturedAt) = (7, 9);
        frame.Dispose();

        Assert.True(pool.TryRent(out frame));
        Assert.Equal((0, 0), (frame.Sequence, frame.CapturedAt));
        Assert.Equal((8, 6, 3), (frame.Picture.Width, frame.Picture.Height, frame.Picture.Channels()));
        frame.Dispose();
    }

    [Fact]
    public void ReturningAFrameTwiceIsAnError()
    {
        using var pool = new FramePool(8, 6, 2);
        Assert.True(pool.TryRent(out var frame));
        frame.Dispose();

        Assert.Throws<InvalidOperationException>(frame.Dispose);
        Assert.Equal(2, pool.Available);
    }

    [Fact]
    public void PoolFreesItsPicturesAndTheLentOnesWhenTheyComeBack()
    {
        var pool = new FramePool(8, 6, 2);
        Assert.True(pool.TryRent(out var kept));
        Assert.True(pool.TryRent(out var returned));
        returned.Dispose();
        pool.Dispose();

        Assert.True(returned.Picture.IsDisposed);
        Assert.False(kept.Picture.IsDisposed);
        kept.Dispose();
        Assert.True(kept.Picture.IsDisposed);
        Assert.Throws<ObjectDisposedException>(() => pool.TryRent(out _));
    }

    [Fact]
    public void LendingAllocatesNothing()
    {
        using var pool = new FramePool(8, 6, 2);

        Assert.Equal(0, Allocation.PerCall(() =>
        {
            pool.TryRent(out var frame);
            frame!.Dispose();
        }));
    }

    [Fact]
    public void ThreadsNeverShareAFrame()
    {
        using var pool = new FramePool(8, 6, 3);
        Parallel.For(0, 20_000, i =>
        {
            if (pool.TryRent(out var frame))
            {
                frame.Sequence = i;
                Thread.Yield();
                Assert.Equal(i, frame.Sequence);
                frame.Dispose();
            }
        });

        Assert.Equal(3, pool.Available);
    }
}
