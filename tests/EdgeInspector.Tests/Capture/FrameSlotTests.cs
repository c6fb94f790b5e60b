using EdgeInspector.Capture;
using EdgeInspector.Vision;
using Xunit;

namespace EdgeInspector.Tests.Capture;

public sealed class FrameSlotTests : IDisposable
{
    private static readonly TimeSpan Long = TimeSpan.FromSeconds(30);

    private readonly FramePool _pool = new(4, 4, 8);
    private readonly FrameSlot _slot = new();

    public void Dispose()
    {
        _slot.Dispose();
        Assert.Equal(0, _pool.Outstanding);
        _pool.Dispose();
    }

    [Fact]
    public void TheNewestLiveFrameWinsAndTheOthersGoBackAndAreCounted()
    {
        _slot.Put(Frame(1));
        _slot.Put(Frame(2));
        _slot.Put(Frame(3));

        Assert.Equal(1, _pool.Outstanding);
        using var taken = _slot.Take(TimeSpan.Zero);
        Assert.Equal(3, taken!.Sequence);
        Assert.Equal(2, _slot.Dropped);
        Assert.Null(_slot.Take(TimeSpan.Zero));
    }

    [Fact]
    public async Task ARecordingWaitsUntilItsFrameIsTaken()
    {
        var taken = new List<long>();
        var inspect = Task.Run(
            () =>
            {
                while (!_slot.IsDrained)
                {
                    using var frame = _slot.Take(Long);
                    if (frame is not null)
                    {
                        taken.Add(frame.Sequence);
                    }
                }
            },
            TestContext.Current.CancellationToken);
        for (var number = 1; number <= 1_000; number++)
        {
            var frame = Frame(number);
            while (!_slot.TryPut(frame, Long))
            {
                // A pulse for another reason: wait on.
            }
        }

        _slot.Complete();
        await inspect.WaitAsync(Long, TestContext.Current.CancellationToken);

        Assert.Equal(Enumerable.Range(1, 1_000).Select(number => (long)number), taken);
        Assert.Equal(0, _slot.Dropped);
    }

    [Fact]
    public void AFrameThatCannotBePutStaysWithTheCaller()
    {
        _slot.Put(Frame(1));
        using var second = Frame(2);

        Assert.False(_slot.TryPut(second, TimeSpan.FromMilliseconds(1)));
        _slot.Complete();
        Assert.False(_slot.TryPut(second, Long));
    }

    [Fact]
    public void ACompletedSlotStillGivesItsLastFrame()
    {
        _slot.Put(Frame(1));
        _slot.Complete();

        Assert.False(_slot.IsDrained);
        _slot.Take(Long)!.Dispose();
        Assert.True(_slot.IsDrained);
        Assert.Null(_slot.Take(Long));
    }

    [Fact]
    public async Task CompletingWakesBothThreads()
    {
        var take = Task.Run(() => _slot.Take(Long), TestContext.Current.CancellationToken);
        _slot.Complete();

        Assert.Null(await take.WaitAsync(Long, TestContext.Current.CancellationToken));
    }

    [Fact]
    public void PuttingAndTakingAllocatesNothing()
    {
        Exchange();
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 1_000; i++)
        {
            Exchange();
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);

        void Exchange()
        {
            _slot.Put(Frame(1));
            _slot.Put(Frame(2));
            _slot.Take(Long)!.Dispose();
        }
    }

    private Frame Frame(long sequence)
    {
        Frame? frame;
        while (!_pool.TryRent(out frame))
        {
            Thread.Yield();
        }

        frame.Sequence = sequence;
        return frame;
    }
}
