using EdgeInspector.Line;
using EdgeInspector.Station;
using EdgeInspector.Tests.Support;
using Xunit;

namespace EdgeInspector.Tests.Station;

public sealed class PanelInputsTests
{
    private readonly LineClock _clock = new();
    private readonly AlarmTable _alarms;
    private readonly PanelInputs _inputs;

    public PanelInputsTests()
    {
        _alarms = new AlarmTable([], _ => { }, _clock);
        _inputs = new PanelInputs(_alarms);
    }

    [Theory]
    [InlineData(SensorInput.BinFull, true, AlarmCode.BinFull)]
    [InlineData(SensorInput.AirPressure, false, AlarmCode.AirLow)]
    [InlineData(SensorInput.Door, true, AlarmCode.DoorOpen)]
    [InlineData(SensorInput.EmergencyStop, true, AlarmCode.EmergencyStop)]
    [InlineData(SensorInput.MaintenanceKey, true, AlarmCode.Maintenance)]
    internal void EachInputHasItsAlarmThatLastsAsLongAsItDoes(SensorInput input, bool wrong, AlarmCode expected)
    {
        Enter(input, !wrong, 0);
        Assert.Empty(_alarms.Summary.Standing);
        Enter(input, wrong, 10);
        Assert.Equal((expected, AlarmState.ActiveUnacknowledged), Only());
        _alarms.Acknowledge(null, "anna", Some.At(20));
        Assert.Equal((expected, AlarmState.ActiveAcknowledged), Only());
        Enter(input, !wrong, 30);
        Assert.Empty(_alarms.Summary.Standing);
    }

    [Fact]
    public void InputsThatNeverSpokeAreAtRest() =>
        Assert.False(
            _inputs.IsBinFull || _inputs.IsAirLow || _inputs.IsDoorOpen || _inputs.IsEmergencyStopped || _inputs.IsMaintenance
        );

    [Fact]
    public void ShortPressMutesAtOnceAndAcknowledgesEverythingWhenLetGo()
    {
        Enter(SensorInput.BinFull, true, 0);
        Enter(SensorInput.Acknowledge, true, 100);
        Assert.True(_alarms.Summary.IsMuted);
        Assert.Equal(AlarmState.ActiveUnacknowledged, Only().State);
        Enter(SensorInput.Acknowledge, false, 400);
        Assert.Equal(AlarmState.ActiveAcknowledged, Only().State);
        Assert.Equal("button", _alarms.Summary.Standing[0].AcknowledgedBy);
    }

    [Fact]
    public void ButtonThatIsStuckAcknowledgesNothing()
    {
        Enter(SensorInput.Acknowledge, false, 0); // The level it was found at is no release.
        Enter(SensorInput.Acknowledge, true, 100);
        Enter(SensorInput.BinFull, true, 200);
        Enter(SensorInput.Acknowledge, false, 2101);
        Assert.Equal(AlarmState.ActiveUnacknowledged, Only().State);
    }

    [Fact]
    public void LostEdgesOfAnyInputAreAnAlarm()
    {
        _inputs.Enter(new SensorReading(SensorInput.EntryEye, true, 0, Some.At(0), Lane: 1, Lost: 3));
        Assert.Equal(AlarmCode.EdgesLost, Only().Code);
        Assert.Equal("3 edges of EntryEye 1 lost", _alarms.Summary.Standing[0].Text);
    }

    [Fact]
    public void EyesAndEncoderPassWithoutAllocation()
    {
        void Turn()
        {
            for (var i = 0; i < 1000; i++)
            {
                _inputs.Enter(new SensorReading(SensorInput.Encoder, false, i, Some.At(i)));
                _inputs.Enter(new SensorReading(SensorInput.EntryEye, true, 0, Some.At(i)));
            }
        }

        Turn();
        var before = GC.GetAllocatedBytesForCurrentThread();
        Turn();
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    private void Enter(SensorInput input, bool active, double at) =>
        _inputs.Enter(new SensorReading(input, active, 0, _clock.Now = Some.At(at)));

    private (AlarmCode Code, AlarmState State) Only()
    {
        var alarm = Assert.Single(_alarms.Summary.Standing);
        return (alarm.Code, alarm.State);
    }
}
