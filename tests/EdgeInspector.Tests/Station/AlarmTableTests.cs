using CsCheck;
using EdgeInspector.Line;
using EdgeInspector.Station;
using EdgeInspector.Tests.Support;
using Xunit;

namespace EdgeInspector.Tests.Station;

public sealed class AlarmTableTests
{
    private readonly LineClock _clock = new();
    private readonly List<AlarmRecord> _changes = [];

    [Fact]
    public void LatchedAlarmStandsAfterItsCauseUntilSomebodyAcknowledgesIt()
    {
        var alarms = Table();
        alarms.Raise(AlarmCode.BinFull, "the bin is full", At(0));
        alarms.Clear(AlarmCode.BinFull, At(1000));
        Assert.True(alarms.Summary.StopsLine);
        Assert.Equal(1, alarms.Acknowledge(AlarmCode.BinFull, "anna", At(2000)));
        Assert.Empty(alarms.Summary.Standing);
        Assert.Equal(
            [AlarmState.ActiveUnacknowledged, AlarmState.ClearedUnacknowledged, AlarmState.Normal],
            _changes.Select(change => change.State)
        );
        var last = _changes[^1];
        Assert.Equal(TimeSpan.FromSeconds(1), last.ClearedAt - last.RaisedAt);
        Assert.Equal(TimeSpan.FromSeconds(2), last.AcknowledgedAt - last.RaisedAt);
        Assert.Equal("anna", last.AcknowledgedBy);
    }

    [Fact]
    public void AcknowledgedAlarmWhoseCausePersistsStaysActiveAndGoesOnStoppingTheLine()
    {
        var alarms = Table();
        alarms.Raise(AlarmCode.AirLow, "2 bar", At(0));
        alarms.Acknowledge(null, "anna", At(10));
        Assert.Equal(AlarmState.ActiveAcknowledged, Assert.Single(alarms.Summary.Standing).State);
        Assert.True(alarms.Summary.StopsLine);
        alarms.Clear(AlarmCode.AirLow, At(20));
        Assert.Null(alarms.Summary.Worst);
        Assert.False(alarms.Summary.StopsLine);
    }

    [Fact]
    public void SelfClearingAlarmGoesWithItsCause()
    {
        var alarms = Table();
        alarms.Raise(AlarmCode.CameraLost, "no frame", At(0));
        alarms.Clear(AlarmCode.CameraLost, At(10));
        Assert.Empty(alarms.Summary.Standing);
        Assert.Equal(0, alarms.Acknowledge(null, "anna", At(20)));
    }

    [Fact]
    public void AMomentIsCountedAndEndsWhenAcknowledged()
    {
        var alarms = Table();
        alarms.Raise(AlarmCode.RejectNotConfirmed, "part 7", At(0));
        alarms.Raise(AlarmCode.RejectNotConfirmed, "part 9", At(100));
        var standing = Assert.Single(alarms.Summary.Standing);
        Assert.Equal((2, "part 9"), (standing.Count, standing.Text));
        Assert.Single(_changes);
        alarms.Step(At(60_000));
        Assert.NotEmpty(alarms.Summary.Standing); // Latched: nobody has looked yet.
        alarms.Acknowledge(AlarmCode.RejectNotConfirmed, "anna", At(60_000));
        Assert.Empty(alarms.Summary.Standing);
        Assert.NotNull(_changes[^1].ClearedAt);
    }

    [Fact]
    public void AMomentThatIsNotLatchedIsShownForAWhile()
    {
        var alarms = Table(("edges-lost", new AlarmOptions { Latched = false }));
        alarms.Raise(AlarmCode.EdgesLost, "3", At(0));
        alarms.Raise(AlarmCode.EdgesLost, "2", At(4000));
        alarms.Step(At(13_999));
        Assert.NotEmpty(alarms.Summary.Standing);
        alarms.Step(At(14_000));
        Assert.Empty(alarms.Summary.Standing);
    }

    [Fact]
    public void SayingSoAgainWhileItIsSoChangesNothing()
    {
        var alarms = Table();
        for (var i = 0; i < 100; i++)
        {
            alarms.Set(AlarmCode.DoorOpen, true, "open", At(i));
        }

        Assert.Single(_changes);
        Assert.Equal(1, Assert.Single(alarms.Summary.Standing).Count);
        Assert.Equal(1, alarms.Summary.New);
    }

    [Fact]
    public void SettingsDecideWhatIsLatchedAndWhatStopsTheLine()
    {
        var alarms = Table(
            ("bin-full", new AlarmOptions { StopLine = false, Latched = false }),
            ("119", new AlarmOptions { StopLine = true })
        );
        alarms.Raise(AlarmCode.BinFull, "full", At(0));
        Assert.False(alarms.Summary.StopsLine);
        Assert.Equal(AlarmSeverity.Warning, alarms.Summary.Worst);
        alarms.Raise(AlarmCode.DiskLow, "1 % left", At(1));
        Assert.Equal(AlarmCode.DiskLow, alarms.Summary.FirstStop?.Code);
        Assert.Equal([AlarmCode.DiskLow, AlarmCode.BinFull], alarms.Summary.Standing.Select(alarm => alarm.Code));
        alarms.Clear(AlarmCode.BinFull, At(2));
        Assert.Equal([AlarmCode.DiskLow], alarms.Summary.Standing.Select(alarm => alarm.Code));
    }

    [Fact]
    public void MuteLastsUntilTheNextNewAlarm()
    {
        var alarms = Table();
        alarms.Raise(AlarmCode.BinFull, "full", At(0));
        alarms.Mute();
        alarms.Raise(AlarmCode.BinFull, "still full", At(1));
        alarms.Clear(AlarmCode.BinFull, At(2));
        alarms.Raise(AlarmCode.BinFull, "a sensor that chatters", At(3));
        Assert.True(alarms.Summary.IsMuted);
        alarms.Raise(AlarmCode.AirLow, "2 bar", At(4));
        Assert.False(alarms.Summary.IsMuted);
    }

    /// <summary>
    /// The table in the documentation, written down a second time and in another way, for the four habits an alarm can have.
    /// </summary>
    [Fact]
    public void AnyHistoryOfAnAlarmIsTheOneThatTheTableOfStatesAllows()
    {
        // One alarm of each habit: latched or not, a moment or not.
        AlarmCode[] codes = [AlarmCode.BinFull, AlarmCode.CameraLost, AlarmCode.EdgesLost, AlarmCode.LateParts];
        var step = Gen.Select(Gen.Int[0, 4], Gen.Int[0, codes.Length - 1], Gen.Int[0, 6000]);
        step.Array[0, 60]
            .Sample(
                steps =>
                {
                    _changes.Clear();
                    _clock.Now = Some.Start;
                    var alarms = Table(("edges-lost", new AlarmOptions { Latched = false }));
                    var expected = codes.ToDictionary(code => code, _ => AlarmState.Normal);
                    var lastRaised = codes.ToDictionary(code => code, _ => Some.Start);
                    long fresh = 0;
                    foreach (var (what, which, wait) in steps)
                    {
                        _clock.Now += TimeSpan.FromMilliseconds(wait);
                        var now = _clock.Now;
                        var code = codes[which];
                        switch (what)
                        {
                            case 0:
                                alarms.Raise(code, "x", now);
                                fresh += expected[code] == AlarmState.Normal ? 1 : 0;
                                lastRaised[code] = now;
                                expected[code] =
                                    expected[code] == AlarmState.ActiveAcknowledged
                                        ? AlarmState.ActiveAcknowledged
                                        : AlarmState.ActiveUnacknowledged;
                                break;
                            case 1:
                                alarms.Clear(code, now);
                                expected[code] = Cleared(code, expected[code]);
                                break;
                            case 2:
                                alarms.Acknowledge(code, "who", now);
                                expected[code] = Acknowledged(code, expected[code]);
                                break;
                            case 3:
                                alarms.Acknowledge(null, "who", now);
                                foreach (var each in codes)
                                {
                                    expected[each] = Acknowledged(each, expected[each]);
                                }

                                break;
                            default:
                                alarms.Step(now);
                                if (now - lastRaised[AlarmCode.EdgesLost] >= AlarmTable.MomentaryHold)
                                {
                                    expected[AlarmCode.EdgesLost] = AlarmState.Normal;
                                }

                                break;
                        }

                        var standing = alarms.Summary.Standing.ToDictionary(alarm => alarm.Code, alarm => alarm.State);
                        foreach (var each in codes)
                        {
                            Assert.Equal(expected[each], standing.GetValueOrDefault(each));
                        }

                        Assert.Equal(fresh, alarms.Summary.New);
                        Assert.Equal(
                            standing.Keys.Any(each => each is not AlarmCode.EdgesLost),
                            alarms.Summary.StopsLine
                        );
                    }

                    // The changes that were told, put end to end, lead to where the alarms are.
                    foreach (var each in codes)
                    {
                        var told = _changes.Where(change => change.Code == each).Select(change => change.State).ToList();
                        Assert.Equal(expected[each], told.LastOrDefault());
                        Assert.DoesNotContain(told.Zip(told.Skip(1)), pair => pair.First == pair.Second);
                    }
                },
                iter: 3000,
                threads: 1
            );
    }

    [Fact]
    public void ALatchedStopThatNobodyAcknowledgedHoldsTheLineAfterARestart()
    {
        var before = Table();
        before.Raise(AlarmCode.DoorOpen, "a guard door is open", At(0));
        before.Clear(AlarmCode.DoorOpen, At(10));
        before.Raise(AlarmCode.RunawayRejects, "20 rejects in a row", At(20));
        before.Raise(AlarmCode.CameraLost, "no frames", At(30));
        var after = Table();
        _changes.Clear();

        Assert.True(after.Restore(before.Summary.Standing, At(10_000)));

        Assert.Equal(
            [AlarmCode.RunawayRejects, AlarmCode.DoorOpen],
            after.Summary.Standing.Select(alarm => alarm.Code).Order()
        );
        Assert.Equal(before.Summary.Standing.Select(alarm => alarm.RaisedAt).Order().First(), after.Summary.Standing.Min(alarm => alarm.RaisedAt));
        Assert.Contains(_changes, change => change is { Code: AlarmCode.CameraLost, State: AlarmState.Normal, ClearedAt: not null });
        after.Step(At(60_000));
        Assert.True(after.Summary.StopsLine);
        Assert.Equal(2, after.Acknowledge(null, "anna", At(70_000)));
        Assert.False(after.Summary.StopsLine);
    }

    [Fact]
    public void WhatWasAcknowledgedBeforeARestartIsOverUnlessItIsSoStill()
    {
        var before = Table();
        before.Raise(AlarmCode.BinFull, "the bin is full", At(0));
        before.Acknowledge(null, "anna", At(10));
        var after = Table();

        Assert.False(after.Restore(before.Summary.Standing, At(20)));
        Assert.Empty(after.Summary.Standing);
        after.Raise(AlarmCode.BinFull, "the bin is full", At(30));
        Assert.Equal(AlarmState.ActiveUnacknowledged, Assert.Single(after.Summary.Standing).State);
    }

    private static bool IsMoment(AlarmCode code) => code is AlarmCode.EdgesLost or AlarmCode.LateParts;

    private static AlarmState Cleared(AlarmCode code, AlarmState state)
    {
        var isLatched = code is AlarmCode.BinFull or AlarmCode.LateParts;
        var isActive = state is AlarmState.ActiveUnacknowledged or AlarmState.ActiveAcknowledged;
        return !isActive ? state
            : isLatched && state == AlarmState.ActiveUnacknowledged ? AlarmState.ClearedUnacknowledged
            : AlarmState.Normal;
    }

    private static AlarmState Acknowledged(AlarmCode code, AlarmState state) =>
        state switch
        {
            AlarmState.ActiveUnacknowledged when !IsMoment(code) => AlarmState.ActiveAcknowledged,
            AlarmState.ActiveAcknowledged => state,
            _ => AlarmState.Normal,
        };

    private Instant At(double milliseconds) => _clock.Now = Some.At(milliseconds);

    private AlarmTable Table(params (string Name, AlarmOptions Options)[] options) =>
        new(options.Select(option => KeyValuePair.Create(option.Name, option.Options)), _changes.Add, _clock);
}
