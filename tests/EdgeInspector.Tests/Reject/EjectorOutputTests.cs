using System.Device.Gpio;
using EdgeInspector.Reject;
using EdgeInspector.Tests.Support;
using Xunit;

namespace EdgeInspector.Tests.Reject;

public sealed class EjectorOutputTests : IDisposable
{
    private readonly FakeGpioDriver _pins = new();
    private readonly GpioController _controller;
    private readonly EjectorOutput _output;

    public EjectorOutputTests()
    {
        _controller = new GpioController(_pins);
        _output = new EjectorOutput(_controller, [new EjectorOptions { Pin = 7 }, new EjectorOptions { Pin = 8, ActiveHigh = false }]);
    }

    [Fact]
    public void LanesMadeSafeRestAndNeverFireAgain()
    {
        Assert.Equal(0, _output.SetLanes(0b11, on: true));
        _output.MakeSafe();
        Assert.Equal((false, true), (_pins.IsHigh(7), _pins.IsHigh(8)));
        Assert.NotEqual(0, _output.SetLanes(0b11, on: true));
        Assert.Equal((false, true), (_pins.IsHigh(7), _pins.IsHigh(8)));
    }

    [Fact]
    public void MakingSafeAfterTheEndTouchesNoPin()
    {
        _output.Dispose();
        var written = _pins.Written.Count;
        _output.MakeSafe();
        Assert.Equal(written, _pins.Written.Count);
    }

    public void Dispose()
    {
        _output.Dispose();
        _controller.Dispose();
    }
}
