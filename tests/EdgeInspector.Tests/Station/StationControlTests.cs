using EdgeInspector.Line;
using EdgeInspector.Station;
using EdgeInspector.Telemetry;
using EdgeInspector.Tests.Support;
using Xunit;

namespace EdgeInspector.Tests.Station;

public sealed class StationControlTests : IDisposable
{
    private readonly LineClock _clock = new();
    private readonly StationStateCell _states = new();
    private readonly AlarmTable _alarms;
    private readonly PanelInputs _inputs;
    private readonly Health _health = new();
    private readonly Liveness _capture;
    private readonly StationControl _control;
    private readonly List<string> _swapped = [];
    private int _underWay;
    private TaskCompletionSource _swap = new();
    private TaskCompletionSource _verify = new();

    public StationControlTests()
    {
        _alarms = new AlarmTable([], _ => { }, _clock);
        _inputs = new PanelInputs(_alarms);
        _capture = _health.Add("capture", AlarmCode.CameraLost, TimeSpan.FromMilliseconds(400));
        _capture.Rest();
        _control = new StationControl(
            _states,
            _alarms,
            _inputs,
            _health,
            new ChangeoverOptions(),
            new StationWork
            {
                PartsUnderWay = () => _underWay,
                RefuseRecipe = name => name is "rusks" or "wafers" ? null : $"no recipe '{name}'; known are rusks, wafers",
                Swap = (name, _) =>
                {
                    _swapped.Add(name);
                    return _swap.Task;
                },
                Verify = (_, _) => _verify.Task,
                StartChallenge = (who, defect, _, _) => who == "anna" ? null : "who are you?",
                FireEjector = lane => lane == 0 ? null : $"there is no lane {lane}",
            }
        );
    }

    [Fact]
    public void StationRunsOnceItIsReadyAndArmed()
    {
        Assert.Contains("not possible in Preoperational", Refusal(_control.Arm(At(0))), StringComparison.Ordinal);
        Assert.True(_control.Ready(At(1)).IsDone);
        Assert.Equal(StationState.Ready, _states.State);
        Assert.True(_control.Arm(At(2)).IsDone);
        Assert.True(_control.Arm(At(3)).IsDone);
        Assert.Equal(StationState.ContinuousExecution, _states.State);
        Assert.True(_control.Pause(At(4)).IsDone);
        Assert.True(_control.Pause(At(5)).IsDone);
        Assert.Equal(StationState.Ready, _states.State);
    }

    [Fact]
    public void SingleRunEndsWithItsPart()
    {
        _control.Ready(At(0));
        _control.PartEnded(At(1));
        Assert.True(_control.ArmSingle(At(2)).IsDone);
        _control.PartEnded(At(3));
        _control.PartEnded(At(4));
        Assert.Equal(StationState.Ready, _states.State);
    }

    [Fact]
    public void EmergencyStopEndsTheRunAndReleasingItRestartsNothing()
    {
        Running();
        Input(SensorInput.EmergencyStop, true, 10);
        _control.Step(At(11));
        Assert.Equal(StationState.Ready, _states.State);
        Assert.Contains("emergency stop is pressed", Refusal(_control.Arm(At(12))), StringComparison.Ordinal);
        Input(SensorInput.EmergencyStop, false, 13);
        _control.AcknowledgeAlarm(null, "anna", At(14));
        _control.Reset(At(15));
        for (var now = 16; now < 1000; now++)
        {
            _control.Step(At(now));
        }

        Assert.Equal(StationState.Ready, _states.State);
        Assert.True(_control.Arm(At(1000)).IsDone);
    }

    [Fact]
    public void LatchedStopAlarmEndsTheRunAndIsNamedWhereItForbidsOne()
    {
        Running();
        Input(SensorInput.BinFull, true, 10);
        _control.Step(At(11));
        Assert.Equal(StationState.Ready, _states.State);
        Assert.Equal(
            "alarm 103 bin-full stands: the reject bin is full; remove the cause and acknowledge it",
            Refusal(_control.Arm(At(12)))
        );
        Input(SensorInput.BinFull, false, 13);
        Assert.False(_control.Arm(At(14)).IsDone);
        Assert.True(_control.AcknowledgeAlarm("bin-full", "anna", At(15)).IsDone);
        _control.Step(At(16));
        Assert.Equal(StationState.Ready, _states.State);
        Assert.True(_control.Arm(At(17)).IsDone);
    }

    [Fact]
    public void StopAlarmThatClearsItselfAndAWarningLeaveTheStationInItsRun()
    {
        Running();
        _alarms.Raise(AlarmCode.CameraLost, "no frame", At(10));
        _alarms.Raise(AlarmCode.DiskLow, "1 % left", At(10));
        _control.Step(At(11));
        Assert.Equal(StationState.ContinuousExecution, _states.State);
    }

    [Fact]
    public void SilentStationIsNotArmed()
    {
        _control.Ready(At(0));
        _capture.Beat(At(0));
        Assert.StartsWith("capture has been silent for 500 ms", Refusal(_control.Arm(At(500))), StringComparison.Ordinal);
    }

    [Fact]
    public void ResetLeadsFromErrorToReadyAndNoFurther()
    {
        Running();
        Assert.Contains("nothing to reset", Refusal(_control.Reset(At(1))), StringComparison.Ordinal);
        _control.Fault(At(2));
        Assert.Equal(StationState.Error, _states.State);
        _capture.Beat(At(0));
        Assert.Contains("capture has been silent", Refusal(_control.Reset(At(1000))), StringComparison.Ordinal);
        Assert.Equal(StationState.Error, _states.State);
        _capture.Beat(At(1000));
        Assert.True(_control.Reset(At(1001)).IsDone);
        _control.Step(At(1002));
        Assert.Equal(StationState.Ready, _states.State);
    }

    [Fact]
    public void ChangeoverDrainsSwapsVerifiesAndGoesOn()
    {
        Running();
        _underWay = 2;
        Assert.True(_control.ChangeRecipe("rusks", At(0)).IsDone);
        Steps(0, 5000);
        Assert.Equal((ChangeoverStep.Drain, StationState.ContinuousExecution), (_control.Changeover, _states.State));
        _underWay = 0;
        Steps(5000, 7100);
        Assert.Equal((ChangeoverStep.Swap, StationState.Ready), (_control.Changeover, _states.State));
        Assert.Equal(["rusks"], _swapped);
        Assert.Contains("a changeover to 'rusks'", Refusal(_control.Arm(At(7200))), StringComparison.Ordinal);
        Assert.Contains("under way", Refusal(_control.ChangeRecipe("wafers", At(7200))), StringComparison.Ordinal);
        _swap.SetResult();
        Steps(7200, 7300);
        Assert.Equal(ChangeoverStep.Verify, _control.Changeover);
        Assert.Equal(StationState.Ready, _states.State);
        _verify.SetResult();
        Steps(7300, 7400);
        Assert.Equal((ChangeoverStep.None, StationState.ContinuousExecution), (_control.Changeover, _states.State));
    }

    [Fact]
    public void StationThatDidNotRunDoesNotRunAfterAChangeoverEither()
    {
        _control.Ready(At(0));
        _swap.SetResult();
        _verify.SetResult();
        _control.ChangeRecipe("rusks", At(0));
        Steps(0, 5000);
        Assert.Equal((ChangeoverStep.None, StationState.Ready), (_control.Changeover, _states.State));
        Assert.Equal(["rusks"], _swapped);
    }

    [Fact]
    public void WhatEndsTheRunDuringAChangeoverIsNotUndoneByItsEnd()
    {
        Running();
        _swap.SetResult();
        _verify.SetResult();
        _control.ChangeRecipe("rusks", At(0));
        Input(SensorInput.EmergencyStop, true, 100);
        Steps(100, 200);
        Input(SensorInput.EmergencyStop, false, 200);
        _control.AcknowledgeAlarm(null, "anna", At(201));
        Steps(201, 5000);
        Assert.Equal((ChangeoverStep.None, StationState.Ready), (_control.Changeover, _states.State));
    }

    [Fact]
    public void ChangeoverThatFailsLeavesTheLineStandingWithAnAlarm()
    {
        Running();
        _swap.SetException(new SettingException("rusks: no such model"));
        _control.ChangeRecipe("rusks", At(0));
        Steps(0, 5000);
        Assert.Equal((ChangeoverStep.None, StationState.Ready), (_control.Changeover, _states.State));
        var alarm = Assert.Single(_alarms.Summary.Standing);
        Assert.Equal(AlarmCode.ChangeoverFailed, alarm.Code);
        Assert.Equal("to recipe 'rusks': swap failed: rusks: no such model", alarm.Text);
    }

    [Fact]
    public void UnknownRecipeIsRefusedByName() =>
        Assert.Equal("no recipe 'bolts'; known are rusks, wafers", Refusal(_control.ChangeRecipe("bolts", At(0))));

    [Fact]
    public void AlarmsAreAcknowledgedByNameNumberOrAllTogether()
    {
        _alarms.Raise(AlarmCode.BinFull, "full", At(0));
        _alarms.Raise(AlarmCode.AirLow, "2 bar", At(0));
        Assert.Equal("'bin' is no alarm", Refusal(_control.AcknowledgeAlarm("bin", "anna", At(1))));
        Assert.Equal("door-open does not wait to be acknowledged", Refusal(_control.AcknowledgeAlarm("115", "anna", At(1))));
        Assert.True(_control.AcknowledgeAlarm("103", "anna", At(1)).IsDone);
        Assert.True(_alarms.Summary.HasUnacknowledged(AlarmSeverity.Stop));
        Assert.True(_control.AcknowledgeAlarm(null, "anna", At(1)).IsDone);
        Assert.False(_alarms.Summary.HasUnacknowledged(AlarmSeverity.Stop));
        Assert.True(_control.Mute().IsDone);
        Assert.True(_alarms.Summary.IsMuted);
    }

    [Fact]
    public void OutputsAreTriedByHandOnlyWithTheKeyTurnedAndTheLineStanding()
    {
        Running();
        Assert.Contains("maintenance key", Refusal(_control.TryEjector(0)), StringComparison.Ordinal);
        Input(SensorInput.MaintenanceKey, true, 10);
        Assert.Contains("pause it first", Refusal(_control.TryEjector(0)), StringComparison.Ordinal);
        _control.Step(At(11)); // The key ends the run.
        Assert.True(_control.TryEjector(0).IsDone);
        Assert.Equal("there is no lane 1", Refusal(_control.TryEjector(1)));
        Assert.Equal("no panel is fitted", Refusal(_control.TryOutput(PanelOutput.Red, true)));
        Assert.Contains("maintenance key is turned", Refusal(_control.Arm(At(12))), StringComparison.Ordinal);
    }

    [Fact]
    public void ChallengeTestNeedsARunningLine()
    {
        _control.Ready(At(0));
        Assert.Contains("needs a running line", Refusal(_control.StartChallenge("anna", null, At(1))), StringComparison.Ordinal);
        _control.Arm(At(2));
        Assert.True(_control.StartChallenge("anna", "burnt", At(3)).IsDone);
        Assert.Equal("who are you?", Refusal(_control.StartChallenge("nobody", null, At(4))));
    }

    [Fact]
    public void HaltedStationAbandonsItsChangeover()
    {
        Running();
        _control.ChangeRecipe("rusks", At(0));
        _control.Halt(At(1));
        Assert.Equal((ChangeoverStep.None, StationState.Halted), (_control.Changeover, _states.State));
    }

    public void Dispose() => _control.Dispose();

    private static Instant At(double milliseconds) => Some.At(milliseconds);

    private static string Refusal(CommandResult result) => Assert.IsType<string>(result.Refusal);

    private void Running()
    {
        _control.Ready(At(0));
        _control.Arm(At(0));
        Assert.Equal(StationState.ContinuousExecution, _states.State);
    }

    private void Steps(int from, int to)
    {
        for (var now = from; now <= to; now += 50)
        {
            _control.Step(_clock.Now = At(now));
        }
    }

    private void Input(SensorInput input, bool active, double at) =>
        _inputs.Enter(new SensorReading(input, active, 0, At(at)));
}
