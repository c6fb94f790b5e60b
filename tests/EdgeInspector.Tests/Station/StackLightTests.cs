using EdgeInspector.Line;
using EdgeInspector.Station;
using EdgeInspector.Telemetry;
using EdgeInspector.Tests.Support;
using Xunit;

namespace EdgeInspector.Tests.Station;

public sealed class StackLightTests
{
    private const Lamp Off = Lamp.Off;
    private const Lamp On = Lamp.On;
    private const Lamp Flash = Lamp.Flash;
    private readonly AlarmTable _alarms = new([], _ => { }, new LineClock());

    [Theory]
    // States without alarms.          green, amber, red, blue
    [InlineData(StationState.Preoperational, Off, On, Off, Off)]
    [InlineData(StationState.Halted, Off, Off, On, Off)]
    [InlineData(StationState.Error, Off, Off, On, Off)]
    [InlineData(StationState.Initialized, Off, Off, Off, On)]
    [InlineData(StationState.Ready, Off, Off, Off, On)]
    [InlineData(StationState.SingleExecution, On, Off, Off, Off)]
    [InlineData(StationState.ContinuousExecution, On, Off, Off, Off)]
    internal void EachStateHasItsColour(StationState state, Lamp green, Lamp amber, Lamp red, Lamp blue) =>
        Assert.Equal(new StackPattern(green, amber, red, blue, Off), Show(state));

    [Fact]
    public void WarningFlashesAmberUntilAcknowledgedAndGreenGoesOn()
    {
        _alarms.Raise(AlarmCode.DiskLow, "1 % left", Some.At(0));
        Assert.Equal(new StackPattern(On, Flash, Off, Off, Flash), Show());
        _alarms.Acknowledge(null, "anna", Some.At(1));
        Assert.Equal(new StackPattern(On, On, Off, Off, Off), Show());
        _alarms.Clear(AlarmCode.DiskLow, Some.At(2));
        Assert.Equal(new StackPattern(On, Off, Off, Off, Off), Show());
    }

    [Fact]
    public void StopTurnsGreenOffAndRedFlashesUntilAcknowledged()
    {
        _alarms.Raise(AlarmCode.BinFull, "full", Some.At(0));
        Assert.Equal(new StackPattern(Off, Off, Flash, Off, On), Show());
        _alarms.Mute();
        Assert.Equal(Off, Show().Buzzer);
        _alarms.Acknowledge(null, "anna", Some.At(1));
        Assert.Equal(new StackPattern(Off, Off, On, Off, Off), Show());
    }

    [Fact]
    public void StopThatIsOverAndThatNobodySawStillFlashes()
    {
        _alarms.Raise(AlarmCode.BinFull, "full", Some.At(0));
        _alarms.Clear(AlarmCode.BinFull, Some.At(1));
        Assert.Equal(Flash, Show().Red);
        Assert.Equal(Off, Show().Green);
    }

    [Theory]
    [InlineData(ChallengeState.Off, Off)]
    [InlineData(ChallengeState.NotDue, Off)]
    [InlineData(ChallengeState.Due, On)]
    [InlineData(ChallengeState.Running, On)]
    [InlineData(ChallengeState.Overdue, Flash)]
    [InlineData(ChallengeState.Failed, Flash)]
    internal void ChallengeTestAsksInBlue(ChallengeState test, Lamp blue) =>
        Assert.Equal(new StackPattern(On, Off, Off, blue, Off), StackLight.Show(StationState.ContinuousExecution, _alarms.Summary, test));

    [Fact]
    public void LineStopThatIsNoAlarmIsRed() =>
        Assert.Equal(
            new StackPattern(Off, Off, On, Flash, Off),
            StackLight.Show(StationState.ContinuousExecution, _alarms.Summary, ChallengeState.Overdue, stopLine: true)
        );

    private StackPattern Show(StationState state = StationState.ContinuousExecution) =>
        StackLight.Show(state, _alarms.Summary, ChallengeState.Off);
}
