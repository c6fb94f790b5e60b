using System.Device.Gpio;
using EdgeInspector.Line;
using EdgeInspector.Station;
using EdgeInspector.Telemetry;
using EdgeInspector.Tests.Support;
using Xunit;

namespace EdgeInspector.Tests.Station;

public sealed class PanelLoopTests : IDisposable
{
    private const int LineStop = 1;
    private const int Green = 2;
    private const int Amber = 3;
    private const int Red = 4;
    private const int Buzzer = 6;
    private const int Healthy = 7;
    private const int Heartbeat = 8;
    private readonly FakeGpioDriver _pins = new();
    private readonly GpioController _controller;
    private readonly LineClock _clock = new();
    private readonly List<AlarmRecord> _told = [];
    private readonly AlarmTable _alarms;
    private readonly Health _health = new();
    private readonly Liveness _capture;
    private readonly Liveness _inspect;
    private readonly Liveness _ledger;
    private PanelFacts _facts = new(StationState.ContinuousExecution);

    public PanelLoopTests()
    {
        _controller = new GpioController(_pins);
        _alarms = new AlarmTable([], _told.Add, _clock);
        var limits = new HealthOptions();
        _capture = _health.Add("capture", AlarmCode.CameraLost, limits.Capture);
        _inspect = _health.Add("inspect", AlarmCode.NotResponding, limits.Inspect);
        _ledger = _health.Add("ledger", AlarmCode.LedgerFault, limits.Ledger);
    }

    [Fact]
    public void OutputsAreSafeFromOpeningToTheFirstTurnAndAfterTheEnd()
    {
        var panel = Panel();
        Assert.Equal([LineStop], High());
        Live(panel, 0, 1000);
        Assert.Equal([Green, Healthy, Heartbeat], High());
        panel.Dispose();
        Assert.Equal([LineStop], High());
    }

    [Fact]
    public void ASiteMayLetTheLineRunWithoutTheService()
    {
        using var panel = Panel(new PanelOptions { StopLineWhenDown = false, LineStop = new() { Pin = LineStop } });
        Assert.Empty(High());
    }

    [Fact]
    public void LineStopThatIsActiveLowIsRequestedByALowLevel()
    {
        using var panel = Panel(new PanelOptions { LineStop = new() { Pin = LineStop, ActiveHigh = false } });
        Assert.False(_pins.IsHigh(LineStop)); // From the very first write: it never allowed the line to run.
        Assert.Equal([(LineStop, false)], _pins.Written);
        Live(panel, 0, 100);
        Assert.True(_pins.IsHigh(LineStop));
    }

    [Fact]
    public void HeartbeatIsASquareWaveOfOneHertz()
    {
        using var panel = Panel();
        Live(panel, 0, 10_000);
        var beats = _pins.Written.Where(write => write.Pin == Heartbeat).ToList();
        Assert.InRange(beats.Count, 20, 22);
        Assert.DoesNotContain(beats.Zip(beats.Skip(1)), pair => pair.First.High == pair.Second.High);
    }

    [Theory]
    [InlineData("camera")]
    [InlineData("model")]
    [InlineData("disk")]
    public void WhateverHangsDropsHealthyWithinHalfASecond(string what)
    {
        using var panel = Panel();
        Live(panel, 0, 2000);
        Assert.True(_pins.IsHigh(Healthy));
        var dropped = -1;
        for (var now = 2000; dropped < 0 && now <= 4000; now += 1)
        {
            // A frame, a model and a disk of the ordinary kind until 2 s; then one of them hangs in the middle of its work.
            if (what != "camera")
            {
                _capture.Beat(Some.At(now));
            }

            if (what != "model")
            {
                _inspect.Rest();
            }
            else if (now == 2000)
            {
                _inspect.Beat(Some.At(now));
            }

            if (what != "disk")
            {
                _ledger.Rest();
            }
            else
            {
                _ledger.Owe(Some.At(now));
            }

            if (now % 25 == 0)
            {
                panel.Step(_clock.Now = Some.At(now));
            }

            dropped = _pins.IsHigh(Healthy) ? -1 : now;
        }

        Assert.InRange(dropped - 2000, 400, 500);
        Assert.False(panel.IsHealthy);
        Assert.True(_pins.IsHigh(LineStop));
        Assert.False(_pins.IsHigh(Heartbeat));
        var expected =
            what == "camera" ? AlarmCode.CameraLost
            : what == "model" ? AlarmCode.NotResponding
            : AlarmCode.LedgerFault;
        Assert.Equal(expected, Assert.Single(_told).Code);
    }

    [Fact]
    public void WhatComesBackIsTrustedAgain()
    {
        using var panel = Panel();
        Live(panel, 0, 1000);
        panel.Step(_clock.Now = Some.At(3000));
        Assert.Equal(2, _told.Count); // Camera and inspection; the ledger has nothing to do.
        Live(panel, 3001, 4000);
        Assert.True(_pins.IsHigh(Healthy));
        Assert.False(_pins.IsHigh(LineStop));
        Assert.Empty(_alarms.Summary.Standing);
    }

    [Fact]
    public void StartingAndStoppedStationsMayBeSilentAndAreNotHealthy()
    {
        using var panel = Panel();
        _facts = new(StationState.Preoperational);
        Walk(panel, 0, 5000);
        _facts = new(StationState.Halted);
        Live(panel, 5000, 6000);
        Walk(panel, 6000, 8000);
        Assert.Empty(_told);
        Assert.False(panel.IsHealthy);
        Assert.True(_pins.IsHigh(LineStop));
    }

    [Fact]
    public void StopAlarmDropsHealthyAndRequestsLineStopWhileTheHeartbeatGoesOn()
    {
        using var panel = Panel();
        Live(panel, 0, 1000);
        _alarms.Raise(AlarmCode.BinFull, "full", Some.At(1000));
        Live(panel, 1001, 1100);
        Assert.Equal([LineStop, Red, Buzzer, Heartbeat], High());
        _alarms.Clear(AlarmCode.BinFull, Some.At(1100));
        _alarms.Acknowledge(null, "anna", Some.At(1100));
        Live(panel, 1101, 1200);
        Assert.Equal([Green, Healthy, Heartbeat], High());
    }

    [Fact]
    public void WarningLeavesTheLineRunning()
    {
        using var panel = Panel();
        Live(panel, 0, 1000);
        _alarms.Raise(AlarmCode.DiskLow, "1 % left", Some.At(1000));
        Live(panel, 1001, 1100);
        Assert.Equal([Green, Amber, Buzzer, Healthy, Heartbeat], High());
    }

    [Fact]
    public void LineStopIsRequestedUnlessTheStationExecutes()
    {
        using var panel = Panel();
        _facts = new(StationState.Ready);
        Live(panel, 0, 1000);
        Assert.True(_pins.IsHigh(LineStop));
        Assert.True(_pins.IsHigh(Healthy));
    }

    [Fact]
    public void ALineStopThatIsNoAlarmIsOneToo()
    {
        using var panel = Panel();
        Live(panel, 0, 1000);
        _facts = new(StationState.ContinuousExecution, ChallengeState.Overdue, StopLine: true);
        Live(panel, 1001, 1100);
        Assert.True(_pins.IsHigh(LineStop));
        Assert.False(_pins.IsHigh(Healthy));
    }

    [Fact]
    public void PinThatIsNoLongerAnOutputIsAnAlarmOnceAndTriedAgain()
    {
        using var panel = Panel();
        Live(panel, 0, 1000);
        _pins.LoseOutput(Heartbeat);
        Live(panel, 1001, 4000);
        var alarm = Assert.Single(_told);
        Assert.Equal((AlarmCode.OutputFault, 1), (alarm.Code, alarm.Count));
        Assert.Equal("Panel:Heartbeat, pin 8, is no longer an output", alarm.Text);
        Assert.False(_pins.IsHigh(Healthy));
    }

    [Fact]
    public void OutputsAreTriedByHandOnlyWhileTheKeyIsTurned()
    {
        using var panel = Panel();
        Live(panel, 0, 1000);
        Assert.Contains("maintenance key", panel.TryByHand(PanelOutput.Amber, on: true), StringComparison.Ordinal);
        _facts = _facts with { IsMaintenance = true };
        Assert.Null(panel.TryByHand(PanelOutput.Amber, on: true));
        Assert.NotNull(panel.TryByHand(PanelOutput.Healthy, on: true));
        Assert.Null(panel.TryByHand(PanelOutput.Healthy, on: false));
        Assert.Equal("Panel:Blue is not fitted", panel.TryByHand(PanelOutput.Blue, on: true));
        Live(panel, 1001, 1100);
        Assert.True(_pins.IsHigh(Amber));
        Assert.False(_pins.IsHigh(Healthy));
        _facts = _facts with { IsMaintenance = false };
        Live(panel, 1101, 1200);
        Assert.False(_pins.IsHigh(Amber));
        Assert.True(_pins.IsHigh(Healthy));
    }

    [Fact]
    public void NothingIsWrittenOnceTheOutputsWereMadeSafe()
    {
        using var panel = Panel();
        Live(panel, 0, 1000);
        panel.WriteSafe();
        Live(panel, 1001, 3000);
        Assert.Equal([LineStop], High());
        Assert.False(panel.IsHealthy);
    }

    [Fact]
    public async Task ThreadKeepsThePanelAndEndsSafe()
    {
        var time = TimeProvider.System;
        _capture.Rest();
        _inspect.Rest();
        _ledger.Rest();
        var turned = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var turns = 0;
        var panel = Panel(facts: () =>
        {
            if (++turns == 3)
            {
                turned.SetResult();
            }

            return _facts;
        }, time: time);
        panel.Start();
        await turned.Task.WaitAsync(TestContext.Current.CancellationToken);
        Assert.True(panel.IsHealthy);
        panel.Dispose();
        await panel.Completion;
        Assert.Equal([LineStop], High());
    }

    [Fact]
    public async Task ThreadThatFailsLeavesSafeOutputs()
    {
        _capture.Rest();
        _inspect.Rest();
        _ledger.Rest();
        var turns = 0;
        using var panel = Panel(
            facts: () => ++turns > 3 ? throw new InvalidOperationException("broken") : _facts,
            time: TimeProvider.System
        );
        panel.Start();
        await Assert.ThrowsAsync<InvalidOperationException>(() => panel.Completion);
        Assert.Equal([LineStop], High());
    }

    [Fact]
    public void StepAllocatesNothingWhileNothingChanges()
    {
        using var panel = Panel();
        Live(panel, 0, 3000);
        _alarms.Raise(AlarmCode.DiskLow, "1 % left", Some.At(3000));
        Live(panel, 3001, 6000);
        _pins.Written.Clear();
        _pins.Written.Capacity = 1000;
        var before = GC.GetAllocatedBytesForCurrentThread();
        Live(panel, 6001, 9000);
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
        Assert.NotEmpty(_pins.Written);
    }

    public void Dispose() => _controller.Dispose();

    private PanelLoop Panel(PanelOptions? options = null, Func<PanelFacts>? facts = null, TimeProvider? time = null) =>
        new(
            "test",
            new PanelOutputs(
                _controller,
                options
                    ?? new PanelOptions
                    {
                        LineStop = new() { Pin = LineStop },
                        Green = new() { Pin = Green },
                        Amber = new() { Pin = Amber },
                        Red = new() { Pin = Red },
                        Buzzer = new() { Pin = Buzzer },
                        Healthy = new() { Pin = Healthy },
                        Heartbeat = new() { Pin = Heartbeat },
                    }
            ),
            _health,
            _alarms,
            facts ?? (() => _facts),
            time ?? _clock
        );

    // A station in which everything goes well, turned as its thread would.
    private void Live(PanelLoop panel, int from, int to)
    {
        for (var now = from; now <= to; now++)
        {
            _capture.Beat(Some.At(now));
            _inspect.Beat(Some.At(now));
            _ledger.Rest();
            _clock.Now = Some.At(now);
            if (now % 25 == 0)
            {
                panel.Step(_clock.Now);
            }
        }
    }

    // The same with nobody alive.
    private void Walk(PanelLoop panel, int from, int to)
    {
        for (var now = from; now <= to; now += 25)
        {
            panel.Step(_clock.Now = Some.At(now));
        }
    }

    // Which pins are on; Some.Start is a whole number of seconds, so whole seconds are the lit half of flashing and beating.
    private int[] High() =>
        [.. new[] { LineStop, Green, Amber, Red, Buzzer, Healthy, Heartbeat }.Where(_pins.IsHigh)];
}
