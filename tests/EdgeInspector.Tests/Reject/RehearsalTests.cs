using System.Device.Gpio;
using EdgeInspector.Reject;
using EdgeInspector.Tests.Support;
using Xunit;

namespace EdgeInspector.Tests.Reject;

public sealed class RehearsalTests
{
    [Fact]
    public void RehearsalWritesRestToLanesAtRestAndLeavesAPulseAlone()
    {
        var pins = new FakeGpioDriver();
        using var controller = new GpioController(pins);
        using var output = new EjectorOutput(
            controller,
            [new EjectorOptions { Pin = 1 }, new EjectorOptions { Pin = 2, ActiveHigh = false }]
        );
        Assert.True(output.TrySet(0, on: true));
        pins.Written.Clear();
        output.Rehearse();
        Assert.Equal([(2, true)], pins.Written); // The resting lane's rest level; lane 0 is firing.
        Assert.True(output.TrySet(0, on: false));
        pins.Written.Clear();
        output.Rehearse();
        Assert.Equal([(1, false), (2, true)], pins.Written);
    }
}
