using System.Device.Gpio;
using EdgeInspector.Line;
using EdgeInspector.Simulation;
using EdgeInspector.Station;
using EdgeInspector.Tests.Support;
using Xunit;

namespace EdgeInspector.Tests.Station;

/// <summary>Over the virtual line's board, whose wires come back and break.</summary>
public sealed class SelfTestTests : IDisposable
{
    private static readonly Loopback[] Loopbacks =
    [
        new("Reject:Ejectors:0:Pin", 17, ActiveHigh: true, 22),
        new("Reject:Ejectors:1:Pin", 18, ActiveHigh: true, 23),
    ];

    private readonly VirtualLine _line = new(new VirtualLineOptions { Lanes = 2, PartsPerSecond = 0.01 });
    private readonly VirtualLineGpioDriver _board;
    private readonly GpioController _pins;
    private Instant _now = Some.Start;

    public SelfTestTests()
    {
        var wiring = new VirtualLinePins { Ejectors = [17, 18], Loopbacks = [new PinLoop(17, 22), new PinLoop(18, 23)] };
        _board = new VirtualLineGpioDriver(_line, wiring, () => _now - Some.Start);
        _pins = new GpioController(_board);
    }

    [Fact]
    public void OutputsThatFollowPassAndAreNeverOnForLong()
    {
        Assert.Empty(Test());
        Assert.Equal([(0, true), (0, false), (1, true), (1, false)], _board.Journal.Select(write => (write.Lane, write.Active)).Skip(2));
        Assert.All(Pulses(), pulse => Assert.True(pulse <= SelfTest.DefaultPulse));
        Assert.False(_pins.IsPinOpen(22) || _pins.IsPinOpen(17));
    }

    [Fact]
    public void OutputThatDoesNotMoveIsNamedWithItsRemedyAndTheOthersAreTested()
    {
        _board.Disconnect(17);
        _board.Stick(23, high: true);
        var faults = Test();
        Assert.Equal(2, faults.Count);
        Assert.StartsWith(
            "Reject:Ejectors:0:Pin: pin 17 was switched on, but its loopback, pin 22, reads low; check the wire",
            faults[0],
            StringComparison.Ordinal
        );
        Assert.Contains("pinmux overlay", faults[0], StringComparison.Ordinal);
        Assert.StartsWith(
            "Reject:Ejectors:1:Pin: pin 18 is at rest, but its loopback, pin 23, reads high",
            faults[1],
            StringComparison.Ordinal
        );
        Assert.DoesNotContain('\n', faults[0]);
        Assert.False(IsOn(17) || IsOn(18));
    }

    [Fact]
    public void ValveThatDoesNotAnswerIsHeldNoLongerThanThePulse()
    {
        _board.Stick(22, high: false);
        Test();
        var pulse = Assert.Single(Pulses(), pulse => pulse >= SelfTest.DefaultPulse);
        Assert.Equal(SelfTest.DefaultPulse, pulse);
    }

    [Fact]
    public void LoopbackMayComeBackUpsideDown()
    {
        _board.Stick(22, high: true);
        Assert.Contains("was switched on", Assert.Single(Test(Loopbacks[0] with { Inverted = true })), StringComparison.Ordinal);
    }

    [Fact]
    public void ActiveLowOutputsRestHigh()
    {
        using var line = new VirtualLine(new VirtualLineOptions { PartsPerSecond = 0.01 });
        using var board = new VirtualLineGpioDriver(
            line,
            new VirtualLinePins { EjectorActiveLow = true, Loopbacks = [new PinLoop(17, 22)] },
            () => _now - Some.Start
        );
        using var pins = new GpioController(board);
        Assert.Empty(Test(pins, Loopbacks[0] with { ActiveHigh = false }));
        Assert.Equal([true, false], board.Journal.Select(write => write.Active).Skip(1));
    }

    [Fact]
    public void TestThatIsBrokenOffLeavesItsOutputAtRest()
    {
        _board.Stick(22, high: false);
        using (var test = new SelfTest(_pins, Loopbacks, SelfTest.DefaultPulse))
        {
            test.Step(_now);
            Assert.True(IsOn(17));
        }

        Assert.False(IsOn(17));
    }

    [Fact]
    public void OutputThatAnotherHoldsIsNamed()
    {
        _pins.OpenPin(17, PinMode.Output);
        _pins.SetPinMode(17, PinMode.Input);
        Assert.Contains("pin 17 is no longer an output", Assert.Single(Test(Loopbacks[0])), StringComparison.Ordinal);
    }

    [Fact]
    public void RunWaitsOnTheRealClock()
    {
        _board.Stick(22, high: false);
        Assert.Single(SelfTest.Run(_pins, Loopbacks, SelfTest.DefaultPulse, TimeProvider.System));
        Assert.False(IsOn(17));
    }

    public void Dispose()
    {
        _pins.Dispose();
        _line.Dispose();
    }

    private IReadOnlyList<string> Test(params Loopback[] loopbacks) =>
        Test(_pins, loopbacks.Length == 0 ? Loopbacks : loopbacks);

    private IReadOnlyList<string> Test(GpioController pins, params Loopback[] loopbacks)
    {
        using var test = new SelfTest(pins, loopbacks, SelfTest.DefaultPulse);
        while (test.Step(_now) is var next && next != Instant.Never)
        {
            _now = next;
        }

        return test.Faults;
    }

    private bool IsOn(int pin) => _board.Level(pin) == PinValue.High;

    private IEnumerable<TimeSpan> Pulses() =>
        from lane in new[] { 0, 1 }
        let writes = _board.Journal.Where(write => write.Lane == lane).ToArray()
        from write in writes.Index()
        where write.Item.Active
        select writes[write.Index + 1].At - write.Item.At;
}
