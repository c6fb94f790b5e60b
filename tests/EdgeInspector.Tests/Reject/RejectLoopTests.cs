using System.Device.Gpio;
using System.Threading.Channels;
using EdgeInspector.Line;
using EdgeInspector.Reject;
using EdgeInspector.Telemetry;
using EdgeInspector.Tests.Support;
using Xunit;

namespace EdgeInspector.Tests.Reject;

public sealed class RejectLoopTests : IDisposable
{
    private const int Pin = 7;
    private readonly FakeGpioDriver _pins = new();
    private readonly GpioController _controller;
    private readonly LineClock _clock = new();
    private readonly DecisionQueue _decisions = new();
    private readonly Ring<EntryMark> _marks = new(16);
    private readonly Channel<PartEvent> _events = Channel.CreateUnbounded<PartEvent>();
    private readonly InspectionFigures _figures = new();

    public RejectLoopTests() => _controller = new GpioController(_pins);

    [Fact]
    public void RejectedPartGetsItsPulseAndPassedPartGetsNone()
    {
        using var loop = Loop();
        _decisions.Write(Some.Decision(1, Verdict.Pass, offset: 0));
        _decisions.Write(Some.Decision(2, offset: 80));
        Walk(loop, 0, 700);
        Assert.Equal([false, true, false], _pins.Written.Select(write => write.High));
        Assert.Equal([(PartEventKind.Fired, 2L)], Told().Select(told => (told.Kind, told.PartId)));
    }

    [Fact]
    public void PinThatIsNoLongerAnOutputIsAFaultAndNotASilentEscape()
    {
        using var loop = Loop();
        _decisions.Write(Some.Decision(1, offset: 80));
        _pins.LoseOutput(Pin);
        Walk(loop, 0, 700);
        Assert.Equal(PartEventKind.OutputFault, Told()[0].Kind);
    }

    [Fact]
    public void LatenessIsActualMinusPlanned()
    {
        using var loop = Loop();
        _decisions.Write(Some.Decision(1, offset: 80));
        loop.Step();
        _clock.Now = Some.At(582.25);
        loop.Step();
        Assert.Equal(250, Told()[0].Lateness.TotalMicroseconds);
    }

    [Fact]
    public void OutputsAreSafeFromOpeningToClosing()
    {
        var loop = Loop(activeHigh: false);
        Assert.True(_pins.IsHigh(Pin)); // Active low rests high, from the first write on.
        _decisions.Write(Some.Decision(1, offset: 80));
        Walk(loop, 0, 590);
        Assert.False(_pins.IsHigh(Pin));
        loop.Dispose();
        Assert.True(_pins.IsHigh(Pin));
    }

    [Fact]
    public async Task ThreadFiresOnTheRealClockAndStopsSafe()
    {
        var time = TimeProvider.System;
        var loop = Loop(time: time, start: time.GetInstant());
        loop.Start();
        _decisions.Write(Some.Decision(1, offset: -360)); // 40 mm from the nozzle: 50 ms away, 32 ms to the edge.
        var fired = await _events.Reader.ReadAsync(TestContext.Current.CancellationToken);
        Assert.Equal(PartEventKind.Fired, fired.Kind);
        loop.Dispose();
        await loop.Completion;
        Assert.False(_pins.IsHigh(Pin));
    }

    [Fact]
    public void StepAllocatesNothing()
    {
        using var loop = Loop();
        long travelled = 0;
        void Turn(int rounds)
        {
            for (var i = 0; i < rounds; i++)
            {
                _decisions.Write(Some.Decision(i + 1, offset: (_clock.Now - Some.Start).TotalMilliseconds * 0.8));
                for (var ms = 0; ms < 600; ms += 2)
                {
                    _clock.Now += TimeSpan.FromMilliseconds(2);
                    loop.Step();
                    _pins.Written.Clear();
                }

                travelled += _events.Reader.TryRead(out _) ? 1 : 0;
            }
        }

        Turn(50);
        var before = GC.GetAllocatedBytesForCurrentThread();
        Turn(50);
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
        Assert.Equal(100, travelled);
    }

    [Fact]
    public void PulseForAnUndecidedPartIsToldOfByTheInstantThatItsDecisionNames()
    {
        using var loop = Loop(time: new RunningClock(_clock));
        _marks.TryWrite(new EntryMark(0, byte.MaxValue, true, 50));
        _marks.TryWrite(new EntryMark(0, byte.MaxValue, false, 110));
        Walk(loop, 0, 700);
        _decisions.Write(Some.Decision(1, offset: 80));
        loop.Step();
        var told = Told();
        Assert.Equal([PartEventKind.FiredUndecided, PartEventKind.Fired], told.Select(happened => happened.Kind));
        Assert.Equal(told[0].At, told[1].At);
    }

    [Fact]
    public void NothingIsFiredByHandOnceTheKeyIsTurnedBack()
    {
        var isTurned = true;
        using var loop = Loop(mayFire: () => isTurned);
        Assert.Null(loop.FireByHand(0));
        Walk(loop, 0, 200);
        Assert.Equal([false, true, false], _pins.Written.Select(write => write.High));

        // Asked for while it was turned, and looked at when it no longer is.
        Assert.Null(loop.FireByHand(0));
        isTurned = false;
        Walk(loop, 200, 400);
        isTurned = true;
        Walk(loop, 400, 600);
        Assert.Equal(3, _pins.Written.Count);
    }

    public void Dispose() => _controller.Dispose();

    private RejectLoop Loop(bool activeHigh = true, TimeProvider? time = null, Instant? start = null, Func<bool>? mayFire = null)
    {
        var options = new RejectOptions
        {
            Ejectors = [new EjectorOptions { Pin = Pin, ActiveHigh = activeHigh }],
            Position = 400,
        };
        var belt = new ConstantBelt(start ?? Some.Start, 800);
        return new RejectLoop(
            "test",
            _decisions,
            _marks,
            new RejectSchedule(options, belt),
            new EjectorOutput(_controller, options.Ejectors),
            _events.Writer,
            _figures,
            options.Spin,
            time ?? _clock
        )
        {
            MayFireByHand = mayFire ?? (() => true),
        };
    }

    private void Walk(RejectLoop loop, int from, int to)
    {
        for (var now = from; now <= to; now++)
        {
            _clock.Now = Some.At(now);
            loop.Step();
        }
    }

    private List<PartEvent> Told()
    {
        List<PartEvent> told = [];
        while (_events.Reader.TryRead(out var happened))
        {
            told.Add(happened);
        }

        return told;
    }

    /// <summary>A clock that goes on between two looks, as real ones do.</summary>
    private sealed class RunningClock(LineClock clock) : TimeProvider
    {
        private long _looks;

        public override long TimestampFrequency => clock.TimestampFrequency;

        public override long GetTimestamp() => clock.GetTimestamp() + (++_looks % 1000);
    }
}
