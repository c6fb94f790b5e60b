using System.Device.Gpio;
using System.IO.MemoryMappedFiles;
using EdgeInspector.Simulation;
using Xunit;

namespace EdgeInspector.Tests.Simulation;

public sealed class VirtualLineGpioDriverTests : IDisposable
{
    private const int Ejector = 17;
    private const int Entry = 22;
    private const int Confirm = 23;
    private const int Lamp = 5;
    private const int Sensed = 6;
    private const int Key = 7;

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
            Loopbacks = [new PinLoop(Lamp, Sensed)],
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

    [Fact]
    public void AFreeInputHasTheLevelItIsGiven()
    {
        _controller.OpenPin(Key, PinMode.InputPullUp);
        Assert.Equal(PinValue.High, _controller.Read(Key));
        _driver.SetInput(Key, false);
        Assert.Equal(PinValue.Low, _controller.Read(Key));
        Assert.Throws<InvalidOperationException>(() => _driver.SetInput(Entry, true));
        Assert.Throws<InvalidOperationException>(() => _driver.SetInput(Sensed, true));
        _controller.OpenPin(Lamp, PinMode.Output);
        Assert.Throws<InvalidOperationException>(() => _driver.SetInput(Lamp, true));
    }

    [Fact]
    public void CallbacksTellEveryChangeOfAFreeInputHoweverShort()
    {
        using var done = new ManualResetEventSlim();
        var told = new List<PinEventTypes>();
        _controller.OpenPin(Key, PinMode.Input);
        _controller.RegisterCallbackForPinValueChangedEvent(
            Key,
            PinEventTypes.Rising | PinEventTypes.Falling,
            (_, change) =>
            {
                told.Add(change.ChangeType);
                if (told.Count == 6)
                {
                    done.Set();
                }
            }
        );
        for (var i = 0; i < 3; i++)
        {
            _driver.SetInput(Key, true);
            _driver.SetInput(Key, true);
            _driver.SetInput(Key, false);
        }

        Assert.True(done.Wait(TimeSpan.FromSeconds(10), TestContext.Current.CancellationToken));
        Assert.Equal(
            Enumerable.Range(0, 6).Select(i => i % 2 == 0 ? PinEventTypes.Rising : PinEventTypes.Falling),
            told
        );
    }

    [Fact]
    public async Task WaitingForAFreeInputEnds()
    {
        _controller.OpenPin(Key, PinMode.Input);
        var wait = Task.Run(() => _controller.WaitForEvent(Key, PinEventTypes.Falling, TimeSpan.FromSeconds(10)));
        for (var high = true; !wait.IsCompleted; high = !high)
        {
            _driver.SetInput(Key, high);
            await Task.Yield();
        }

        var result = await wait;
        Assert.False(result.TimedOut);
        Assert.Equal(PinEventTypes.Falling, result.EventTypes);
    }

    [Fact]
    public void AWireBringsAnOutputBackToAnInputUntilItBreaks()
    {
        _controller.OpenPin(Lamp, PinMode.Output);
        _controller.OpenPin(Sensed, PinMode.Input);
        _controller.Write(Lamp, PinValue.High);
        Assert.Equal(PinValue.High, _controller.Read(Sensed));
        _controller.Write(Lamp, PinValue.Low);
        Assert.Equal(PinValue.Low, _controller.Read(Sensed));

        _driver.Disconnect(Lamp);
        _controller.Write(Lamp, PinValue.High);
        Assert.Equal(PinValue.High, _controller.Read(Lamp));
        Assert.Equal(PinValue.Low, _controller.Read(Sensed));
        _driver.Mend(Lamp);
        Assert.Equal(PinValue.High, _controller.Read(Sensed));

        _driver.Stick(Lamp, true);
        _controller.Write(Lamp, PinValue.Low);
        Assert.Equal(PinValue.High, _controller.Read(Sensed));
        _driver.Mend(Lamp);
        _driver.Stick(Sensed, false);
        _controller.Write(Lamp, PinValue.High);
        Assert.Equal(PinValue.Low, _controller.Read(Sensed));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void AValveWhoseWireIsOffDoesNotMoveAndOneThatSticksDoes(bool sticks)
    {
        _controller.OpenPin(Ejector, PinMode.Output, PinValue.Low);
        if (sticks)
        {
            _driver.Stick(Ejector, true);
        }
        else
        {
            _driver.Disconnect(Ejector);
            _controller.Write(Ejector, PinValue.High);
        }

        var expected = sticks ? PartFate.Ejected : PartFate.Passed;
        Assert.All(_line.Truth(TimeSpan.FromSeconds(20)), p => Assert.Equal(expected, p.Fate));
        Assert.Single(_driver.Journal);
    }

    [Fact]
    public void EyesCanBreakToo()
    {
        _controller.OpenPin(Entry, PinMode.Input);
        _now = _line.Truth(TimeSpan.FromSeconds(3))[5].EnteredAt + TimeSpan.FromMilliseconds(5);
        Assert.Equal(PinValue.High, _controller.Read(Entry));
        _driver.Disconnect(Entry);
        Assert.Equal(PinValue.Low, _controller.Read(Entry));
    }

    [Fact]
    public void EveryWriteToAnOutputIsInTheJournal()
    {
        _controller.OpenPin(Lamp, PinMode.Output);
        _controller.OpenPin(Ejector, PinMode.Output, PinValue.Low);
        _now = TimeSpan.FromSeconds(1);
        _controller.Write(Lamp, PinValue.High);
        _controller.SetPinMode(Lamp, PinMode.Input);
        _controller.Write(new PinValuePair[] { new(Lamp, PinValue.Low) });
        Assert.Equal(
            [new PinWrite(Lamp, false, default), new PinWrite(Ejector, false, default), new PinWrite(Lamp, true, _now)],
            _driver.Writes
        );
    }

    [Fact]
    public void TheJournalKeepsTheLatest()
    {
        _controller.OpenPin(Lamp, PinMode.Output);
        for (var i = 1; i <= 20_010; i++)
        {
            _now = TimeSpan.FromMilliseconds(i);
            _controller.Write(Lamp, i % 2 == 0);
        }

        Assert.Equal(20_000, _driver.Writes.Length);
        Assert.Equal(TimeSpan.FromMilliseconds(11), _driver.Writes[0].At);
        Assert.Equal(_now, _driver.Writes[^1].At);
    }

    [Fact]
    public void TheFileOfPinsFollowsEveryWriteAndStays()
    {
        var path = Path.Combine(Path.GetTempPath(), $"pins-{Guid.NewGuid():N}");
        try
        {
            using (var driver = new VirtualLineGpioDriver(_line, new VirtualLinePins { PinFile = path }, () => _now))
            using (var controller = new GpioController(driver))
            using (var other = MemoryMappedFile.CreateFromFile(path, FileMode.Open))
            using (var view = other.CreateViewAccessor(0, 1024))
            {
                controller.OpenPin(Lamp, PinMode.Output);
                controller.Write(Lamp, PinValue.High);
                Assert.Equal(1, view.ReadByte(Lamp));
                controller.Write(Lamp, PinValue.Low);
                Assert.Equal(0, view.ReadByte(Lamp));
                driver.SetInput(Key, true);
                Assert.Equal(1, view.ReadByte(Key));
            }

            var levels = File.ReadAllBytes(path);
            Assert.Equal(1024, levels.Length);
            Assert.Equal(1, levels[Key]);
        }
        finally
        {
            File.Delete(path);
        }

        var error = Assert.Throws<IOException>(() =>
            new VirtualLineGpioDriver(_line, new VirtualLinePins { PinFile = "/nowhere/pins" }, () => _now)
        );
        Assert.StartsWith("/nowhere/pins:", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void WritingAllocatesNothing()
    {
        var path = Path.Combine(Path.GetTempPath(), $"pins-{Guid.NewGuid():N}");
        try
        {
            using var line = new VirtualLine(new VirtualLineOptions { PartsPerSecond = 0.01 });
            var pins = new VirtualLinePins { Loopbacks = [new PinLoop(Lamp, Sensed)], PinFile = path };
            using var driver = new VirtualLineGpioDriver(line, pins, () => _now);
            using var controller = new GpioController(driver);
            controller.OpenPin(Lamp, PinMode.Output, PinValue.High);
            controller.OpenPin(Ejector, PinMode.Output, PinValue.Low);

            // The library's overload for one pin allocates 40 bytes of its own.
            PinValuePair[] high = [new(Lamp, PinValue.High), new(Ejector, PinValue.Low)];
            PinValuePair[] low = [new(Lamp, PinValue.Low), new(Ejector, PinValue.Low)];
            for (var i = 0; i < 400; i++)
            {
                controller.Write(i % 2 == 0 ? high : low);
            }

            _now += TimeSpan.FromMinutes(1);
            var before = GC.GetAllocatedBytesForCurrentThread();
            for (var i = 0; i < 400; i++)
            {
                controller.Write(i % 2 == 0 ? high : low);
            }

            Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
        }
        finally
        {
            File.Delete(path);
        }
    }

    [Fact]
    public void AWireToAnEyeIsRefused()
    {
        Assert.Throws<ArgumentException>(() =>
            new VirtualLineGpioDriver(
                _line,
                new VirtualLinePins { EntryEyes = [Entry], Loopbacks = [new PinLoop(Lamp, Entry)] },
                () => _now
            )
        );
    }

    public void Dispose()
    {
        _controller.Dispose();
        _driver.Dispose();
        _line.Dispose();
    }
}
