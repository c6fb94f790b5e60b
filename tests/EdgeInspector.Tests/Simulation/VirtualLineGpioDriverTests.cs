using System.Device.Gpio;
using EdgeInspector.Simulation;
using Xunit;

namespace EdgeInspector.Tests.Simulation;

public sealed class VirtualLineGpioDriverTests : IDisposable
{
    private const int Ejector = 17;
    private const int Entry = 22;
    private const int Confirm = 23;
    private const int Lamp = 5;

    private readonly VirtualLine _line = new(new VirtualLineOptions { Seed = 11, PartCount = 40 });
    private readonly VirtualLineGpioDriver _driver;
    private readonly GpioController _controller;
    private TimeSpan _now;

    public VirtualLineGpioDriverTests()
    {
        var pins = new VirtualLinePins
        {
            Ejectors = [Ejector],
            EntryEyes = [Entry],
            ConfirmEyes = [Confirm],
        };
        _driver = new VirtualLineGpioDriver(_line, pins, () => _now);
        _controller = new GpioController(_driver);
    }

    [Fact]
    public void WritingTheEjectorPinEjectsThePartUnderIt()
    {
        _controller.OpenPin(Ejector, PinMode.Output, PinValue.Low);
        var part = _line.Truth(TimeSpan.FromSeconds(3))[5];
        var at = _line.Motion.TimeAt(part.Offset + 400) - TimeSpan.FromMilliseconds(8);
        _now = at;
        _controller.Write(Ejector, PinValue.High);
        _now = at + TimeSpan.FromMilliseconds(5);
        _controller.Write(Ejector, PinValue.Low);
        Assert.Equal(
            [5],
            _line.Truth(TimeSpan.FromSeconds(20)).Where(p => p.Fate == PartFate.Ejected).Select(p => p.Index)
        );
        Assert.Equal([false, true, false], _driver.Journal.Select(w => w.Active));
        Assert.Equal(at, _driver.Journal[1].At);
    }

    [Fact]
    public void AWriteToAPinThatIsNoOutputDoesNothingAndSaysNothing()
    {
        _controller.OpenPin(Ejector, PinMode.Output, PinValue.Low);
        _controller.SetPinMode(Ejector, PinMode.Input);
        _controller.Write(new PinValuePair[] { new(Ejector, PinValue.High) });
        Assert.Equal(PinValue.Low, _driver.Level(Ejector));
        Assert.Single(_driver.Journal);
    }

    [Fact]
    public void AClosedPinKeepsItsLastLevel()
    {
        _controller.OpenPin(Ejector, PinMode.Output, PinValue.High);
        _controller.ClosePin(Ejector);
        Assert.Equal(PinValue.High, _driver.Level(Ejector));
        Assert.Equal(PartFate.Ejected, _line.Truth(TimeSpan.FromSeconds(20))[0].Fate);
    }

    [Fact]
    public void EyesReadAsTheirEdgesSay()
    {
        _line.SetEjector(0, true, TimeSpan.Zero);
        _controller.OpenPin(Entry, PinMode.Input);
        _controller.OpenPin(Confirm, PinMode.Input);
        foreach (var edge in VirtualLineSensorTests.Drain(_line, TimeSpan.FromSeconds(20)))
        {
            var pin = edge.Sensor == LineSensor.EntryEye ? Entry : Confirm;
            _now = edge.At + TimeSpan.FromTicks(2);
            Assert.Equal(edge.Blocked, (bool)_controller.Read(pin));
        }
    }

    [Fact]
    public void EyesCannotBeOutputs()
    {
        _controller.OpenPin(Entry);
        Assert.Throws<InvalidOperationException>(() => _controller.SetPinMode(Entry, PinMode.Output));
    }

    [Fact]
    public void OtherPinsRememberTheirLevel()
    {
        _controller.OpenPin(Lamp, PinMode.Output);
        _controller.Write(Lamp, PinValue.High);
        Assert.Equal(PinValue.High, _driver.Level(Lamp));
        Assert.Empty(_driver.Journal);
    }

    public void Dispose()
    {
        _controller.Dispose();
        _driver.Dispose();
        _line.Dispose();
    }
}
