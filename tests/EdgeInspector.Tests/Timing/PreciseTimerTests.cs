using EdgeInspector.Line;
using EdgeInspector.Timing;
using Xunit;

namespace EdgeInspector.Tests.Timing;

public sealed class PreciseTimerTests
{
    private readonly TimeProvider _time = TimeProvider.System;

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void WaitEndsWhenItIsDueAndNotBefore(bool spin)
    {
        var timer = new PreciseTimer(TimeSpan.FromMicroseconds(100));
        for (var i = 0; i < 20; i++)
        {
            var due = _time.GetInstant() + TimeSpan.FromMicroseconds(300 * i);
            timer.WaitUntil(due, spin);
            Assert.True(_time.GetInstant() >= due);
        }
    }

    [Fact]
    public void TimeLongPastIsNoWait()
    {
        var timer = new PreciseTimer(TimeSpan.Zero);
        timer.WaitUntil(new Instant(long.MinValue), spin: false);
        timer.WaitUntil(new Instant(-1), spin: true);
    }

    [Fact]
    public void WakeBeforeTheWaitEndsIt()
    {
        var timer = new PreciseTimer(TimeSpan.Zero);
        timer.Wake();
        timer.Wake();
        timer.WaitUntil(_time.GetInstant() + TimeSpan.FromHours(1), spin: false);

        // Two wake-ups are one: the next wait is a wait.
        var due = _time.GetInstant() + TimeSpan.FromMilliseconds(2);
        timer.WaitUntil(due, spin: false);
        Assert.True(_time.GetInstant() >= due);
    }

    [Fact]
    public async Task WakeFromAnotherThreadEndsTheWait()
    {
        var timer = new PreciseTimer(TimeSpan.Zero);
        for (var i = 0; i < 200; i++)
        {
            var waiting = Task.Run(
                () => timer.WaitUntil(_time.GetInstant() + TimeSpan.FromHours(1), spin: true),
                TestContext.Current.CancellationToken
            );
            timer.Wake();
            await waiting;
        }
    }

    [Fact]
    public void NeverIsAWaitThatOnlyWakingEnds()
    {
        var timer = new PreciseTimer(TimeSpan.Zero);
        timer.Wake();
        timer.WaitUntil(Instant.Never, spin: false);
    }

    [Fact]
    public void WaitingAllocatesNothing()
    {
        var timer = new PreciseTimer(TimeSpan.FromMicroseconds(10));
        void Turn()
        {
            for (var i = 0; i < 50; i++)
            {
                timer.WaitUntil(_time.GetInstant() + TimeSpan.FromMicroseconds(30), spin: true);
                timer.Wake();
            }
        }

        Turn();
        var before = GC.GetAllocatedBytesForCurrentThread();
        Turn();
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }
}
