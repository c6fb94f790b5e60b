using System.Runtime.InteropServices;
using EdgeInspector.Line;
using EdgeInspector.Station;
using EdgeInspector.Tests.Support;
using Xunit;

namespace EdgeInspector.Tests.Station;

/// <summary>The reader over a real socket into which events are written as the kernel would write them.</summary>
public sealed partial class GpioSensorReaderTests : IDisposable
{
    private const uint Entry = 106;
    private const uint Chute = 124;
    private const uint DoorLine = 7;
    private const uint Belt = 105;
    private readonly LineClock _clock = new();
    private readonly FakeChip _chip = new();
    private readonly SensorOptions _sensors = new()
    {
        EntryEyes = [new EyeOptions { Pin = (int)Entry }],
        ConfirmEyes = [new EyeOptions { Line = "CHUTE" }],
        Door = new ContactOptions { Pin = (int)DoorLine, Debounce = TimeSpan.Zero },
    };

    [Fact]
    public void LevelsAreToldFirst()
    {
        _chip.Levels = 0b100; // The third line of the request: the door.
        using var reader = Open();
        Assert.Equal(
            [(SensorInput.EntryEye, false, true), (SensorInput.ConfirmEye, false, true), (SensorInput.Door, true, true)],
            ReadAll(reader).Select(reading => (reading.Input, reading.Active, reading.AtStart))
        );
    }

    [Fact]
    public void BurstOfALargeBatchIsToldInOrderAndComplete()
    {
        using var reader = Open();
        ReadAll(reader);
        for (var i = 1; i <= 200; i++)
        {
            _chip.Write(i % 3 == 0 ? Chute : Entry, i % 2 == 0, Some.At(i));
        }

        var readings = ReadAll(reader);
        Assert.Equal(200, readings.Count);
        Assert.Equal(readings.OrderBy(reading => reading.At.Nanoseconds), readings);
    }

    [Fact]
    public void GapIsTheLinesOwnLoss()
    {
        using var reader = Open();
        ReadAll(reader);
        _chip.Write(Entry, true, Some.At(1));
        _chip.Lose(Entry, 3);
        _chip.Write(Entry, true, Some.At(9));
        Assert.Equal([0, 3], ReadAll(reader).Select(reading => reading.Lost));
        Assert.Equal([("Sensors:EntryEyes:0", 3L)], reader.LostEdgesByKey().Where(line => line.Lost > 0));
        Assert.Equal(3, reader.LostEdges);
    }

    [Fact]
    public void EncoderCountsAreGatheredAndComeBeforeWhatPassedTheEye()
    {
        using var reader = Open(new EncoderOptions { Pin = (int)Belt });
        ReadAll(reader);
        for (var i = 1; i <= 40; i++)
        {
            _chip.Write(Belt, true, Some.At(i * 0.1)); // 10,000 counts a second.
            if (i == 25)
            {
                _chip.Write(Entry, true, Some.At(2.55));
            }
        }

        _clock.Now = Some.At(4);
        var readings = ReadAll(reader);
        Assert.InRange(readings.Count, 4, 8);
        Assert.Equal(40, readings[^1].Count);
        var eye = readings.FindIndex(reading => reading.Input == SensorInput.EntryEye);
        Assert.Equal((25, Some.At(2.5)), (readings[eye - 1].Count, readings[eye - 1].At));
    }

    [Fact]
    public void BeltThatStandsStillIsToldRegularly()
    {
        using var reader = Open(new EncoderOptions { Pin = (int)Belt });
        ReadAll(reader);
        _chip.Write(Belt, true, Some.At(1));
        _chip.Write(Belt, true, Some.At(4));
        ReadAll(reader);
        List<double> told = [];
        for (var ms = 5; ms < 50; ms++)
        {
            _clock.Now = Some.At(ms);
            told.AddRange(ReadAll(reader).Select(reading => reading.At.MillisecondsSince(Some.Start)));
        }

        Assert.Equal([14, 24, 34, 44], told);
    }

    [Fact]
    public void SlowCountsAreNotTakenForStandstill()
    {
        using var reader = Open(new EncoderOptions { Pin = (int)Belt });
        ReadAll(reader);
        for (var ms = 0; ms <= 300; ms += 30)
        {
            _clock.Now = Some.At(ms + 1);
            _chip.Write(Belt, true, Some.At(ms + 0.5));
            var readings = ReadAll(reader);
            Assert.True(ms < 60 || readings is [{ Count: > 0 }], "one reading a count");
        }
    }

    [Fact]
    public void QuadratureRunsBothWays()
    {
        using var reader = Open(new EncoderOptions { Pin = (int)Belt, PinB = 104 });
        ReadAll(reader);
        _chip.Write(Belt, true, Some.At(1));
        _chip.Write(104, true, Some.At(2));
        _chip.Write(Belt, false, Some.At(3));
        _chip.Write(Belt, true, Some.At(4)); // Turns.
        _chip.Write(104, false, Some.At(5));
        _clock.Now = Some.At(5);
        Assert.Equal(1, ReadAll(reader)[^1].Count);
        Assert.Equal(0, reader.IllegalTransitions);
    }

    [Fact]
    public void PartOfAnEventIsRefused()
    {
        using var reader = Open();
        ReadAll(reader);
        _chip.WriteBytes(new byte[47]);
        Assert.Contains("47 bytes", Assert.Throws<IOException>(() => ReadAll(reader)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void ChipThatGoesAwayIsAFaultAndNotSilence()
    {
        using var reader = Open();
        ReadAll(reader);
        _chip.HangUp();
        Assert.Throws<IOException>(() => ReadAll(reader));
    }

    [Fact]
    public void WakingEndsTheWait()
    {
        using var reader = Open();
        ReadAll(reader);
        reader.Wake();
        Assert.False(reader.TryRead(TimeSpan.FromMinutes(10), out _));
    }

    [Fact]
    public void ReadingAllocatesNothing()
    {
        using var reader = Open(new EncoderOptions { Pin = (int)Belt });
        ReadAll(reader);
        long Turn(int from, int to)
        {
            var allocated = 0L;
            for (var i = from; i < to; i++)
            {
                _chip.Write(Belt, true, Some.At(i));
                _chip.Write(Entry, i % 2 == 0, Some.At(i + 0.5));
                var before = GC.GetAllocatedBytesForCurrentThread();
                while (reader.TryRead(TimeSpan.Zero, out _))
                {
                    // Every reading.
                }

                allocated += GC.GetAllocatedBytesForCurrentThread() - before;
            }

            return allocated;
        }

        Turn(1, 50);
        Assert.Equal(0, Turn(50, 100));
    }

    [Fact]
    public void LineInUseIsNamedWithItsUser()
    {
        _chip.Users[Chute] = "other-program";
        var fault = Assert.Throws<SettingException>(() => Open());
        Assert.Contains("Sensors:ConfirmEyes:0: line 124", fault.Message, StringComparison.Ordinal);
        Assert.Contains("'other-program'", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void NameThatNoLineHasIsNamed()
    {
        _sensors.ConfirmEyes[0].Line = "SHUTE";
        var fault = Assert.Throws<SettingException>(() => Open());
        Assert.Contains("Sensors:ConfirmEyes:0:Line", fault.Message, StringComparison.Ordinal);
        Assert.Contains("SHUTE", fault.Message, StringComparison.Ordinal);
        Assert.Contains("gpioinfo", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void OffsetBeyondTheChipIsNamed()
    {
        _sensors.EntryEyes[0].Pin = 164;
        Assert.Contains("no line 164, it has 164", Assert.Throws<SettingException>(() => Open()).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void OldKernelIsNamed()
    {
        _chip.IsOld = true;
        _sensors.ConfirmEyes.Clear();
        Assert.Contains("Linux 5.10", Assert.Throws<SettingException>(() => Open()).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("31", "/dev/gpiochip31 does not exist")]
    [InlineData("no-such-label", "no GPIO chip has the label no-such-label")]
    [InlineData("/dev/null", "/dev/null is no GPIO chip")]
    public void ChipThatIsNotThereIsNamed(string chip, string named)
    {
        _sensors.Chip = chip;
        var fault = Assert.Throws<SettingException>(() => GpioSensorReader.Open(_sensors, null, 0, _clock));
        Assert.StartsWith("Sensors:Chip: ", fault.Message, StringComparison.Ordinal);
        Assert.Contains(named, fault.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', fault.Message);
    }

    public void Dispose() => _chip.Dispose();

    private GpioSensorReader Open(EncoderOptions? encoder = null)
    {
        using var chip = new GpioChip(_chip.OpenDevice(), "/dev/gpiochip0", _chip.Answer);
        var lines = InputLine.Plan(_sensors, encoder, chip.Find);
        return new GpioSensorReader(chip.Take(lines), lines, encoder?.Reversed == true, _chip.Answer, _clock);
    }

    private static List<SensorReading> ReadAll(GpioSensorReader reader)
    {
        List<SensorReading> readings = [];
        while (reader.TryRead(TimeSpan.Zero, out var reading))
        {
            readings.Add(reading);
        }

        return readings;
    }

    /// <summary>A chip of 164 lines that answers as the kernel does, and a socket that its events come out of.</summary>
    private sealed unsafe partial class FakeChip : IDisposable
    {
        private const int Busy = 16;
        private const int NotThatDevice = 25;
        private readonly Dictionary<uint, uint> _lineSequence = [];
        private int _write = -1;
        private uint _sequence;

        public FakeChip() => Answer = Call;

        public GpioCall Answer { get; }

        public ulong Levels { get; set; }

        public bool IsOld { get; set; }

        public Dictionary<uint, string> Users { get; } = [];

        public int OpenDevice()
        {
            var fds = stackalloc int[2];
            Assert.Equal(0, SocketPair(1, 1, 0, fds));
            _ = Close(fds[1]);
            return fds[0];
        }

        public void Write(uint line, bool active, Instant at)
        {
            _lineSequence[line] = _lineSequence.GetValueOrDefault(line) + 1;
            var edge = new GpioUapi.LineEvent
            {
                TimestampNanoseconds = (ulong)at.Nanoseconds,
                Id = active ? GpioUapi.EventRising : GpioUapi.EventFalling,
                Offset = line,
                Sequence = ++_sequence,
                LineSequence = _lineSequence[line],
            };
            WriteBytes(MemoryMarshal.AsBytes(new ReadOnlySpan<GpioUapi.LineEvent>(in edge)));
        }

        public void Lose(uint line, uint edges)
        {
            _lineSequence[line] += edges;
            _sequence += edges;
        }

        public void WriteBytes(ReadOnlySpan<byte> bytes)
        {
            fixed (byte* from = bytes)
            {
                Assert.Equal(bytes.Length, (int)WriteTo(_write, from, (nuint)bytes.Length));
            }
        }

        public void HangUp() => Dispose();

        public void Dispose()
        {
            if (_write >= 0)
            {
                _ = Close(_write);
                _write = -1;
            }
        }

        private int Call(int fd, uint request, void* argument)
        {
            if (request == GpioUapi.GetChipInfo)
            {
                *(GpioUapi.ChipInfo*)argument = new() { Label = GpioUapi.Name.From("fake"), Lines = 164 };
            }
            else if (IsOld)
            {
                return NotThatDevice;
            }
            else if (request == GpioUapi.GetLineInfo)
            {
                var info = (GpioUapi.LineInfo*)argument;
                info->Name = GpioUapi.Name.From(info->Offset == Chute ? "CHUTE" : "");
                info->Flags = Users.TryGetValue(info->Offset, out var user) ? GpioUapi.Used : 0;
                info->Consumer = GpioUapi.Name.From(user ?? "");
            }
            else if (request == GpioUapi.GetValues)
            {
                var values = (GpioUapi.LineValues*)argument;
                values->Bits = Levels & values->Mask;
            }
            else if (request == GpioUapi.GetLine)
            {
                var lines = (GpioUapi.LineRequest*)argument;
                for (var i = 0; i < lines->LineCount; i++)
                {
                    if (Users.ContainsKey(lines->Offsets[i]))
                    {
                        return Busy;
                    }
                }

                var fds = stackalloc int[2];
                Assert.Equal(0, SocketPair(1, 1, 0, fds)); // AF_UNIX, SOCK_STREAM
                (lines->Fd, _write) = (fds[0], fds[1]);
            }

            return 0;
        }

        [LibraryImport("libc", EntryPoint = "socketpair")]
        private static partial int SocketPair(int domain, int type, int protocol, int* fds);

        [LibraryImport("libc", EntryPoint = "write")]
        private static partial nint WriteTo(int fd, void* buffer, nuint length);

        [LibraryImport("libc", EntryPoint = "close")]
        private static partial int Close(int fd);
    }
}
