using System.Threading.Channels;
using EdgeInspector.Line;
using EdgeInspector.Station;
using EdgeInspector.Tests.Support;
using Xunit;

namespace EdgeInspector.Tests.Station;

public sealed class SensorLoopTests
{
    private readonly Channel<PartEvent> _events = Channel.CreateUnbounded<PartEvent>();
    private readonly List<SensorReading> _readings = [];
    private readonly List<SensorReading> _eye = [];

    [Fact]
    public void EachReadingGoesWhereItBelongs()
    {
        var belt = new EncoderBelt(1, TimeSpan.FromMilliseconds(50));
        using var loop = Loop(
            belt,
            new(SensorInput.Encoder, false, 0, Some.At(0)),
            new(SensorInput.Encoder, false, 5, Some.At(5)),
            new(SensorInput.EntryEye, true, 0, Some.At(6)),
            new(SensorInput.Door, true, 0, Some.At(7), AtStart: true),
            new(SensorInput.ConfirmEye, true, 0, Some.At(8), Lane: 1)
        );
        Assert.True(belt.IsKnown);
        Assert.Equal(SensorInput.EntryEye, Assert.Single(_eye).Input);
        Assert.Contains(_readings, reading => reading.Input == SensorInput.Door); // The panel hears of everything.
        Assert.Equal([(PartEventKind.ConfirmEye, (byte)1)], Told());
    }

    [Fact]
    public void LevelAtTheStartIsNoPart()
    {
        using var loop = Loop(
            null,
            new(SensorInput.EntryEye, true, 0, Some.At(0), AtStart: true),
            new(SensorInput.ConfirmEye, true, 0, Some.At(0), AtStart: true)
        );
        Assert.Empty(_eye);
        Assert.Empty(Told());
    }

    [Fact]
    public void ConfirmationIsToldOnceThoughTheEdgeIsDoubledAndToldThoughTheEdgeWasLost()
    {
        using var loop = Loop(
            null,
            new(SensorInput.ConfirmEye, true, 0, Some.At(1)),
            new(SensorInput.ConfirmEye, true, 0, Some.At(1.1)), // Doubled.
            new(SensorInput.ConfirmEye, false, 0, Some.At(5)),
            new(SensorInput.ConfirmEye, false, 0, Some.At(90), Lost: 1) // The beginning of this one was lost.
        );
        Assert.Equal(2, Told().Count);
    }

    [Fact]
    public void LostEdgesAreCountedForEachInput()
    {
        using var loop = Loop(
            null,
            new(SensorInput.EntryEye, true, 0, Some.At(1), Lane: 2, Lost: 3),
            new(SensorInput.Encoder, false, 9, Some.At(2), Lost: 4),
            new(SensorInput.Encoder, false, 9, Some.At(3), Lost: 1)
        );
        Assert.Equal(3, loop.LostEdges(SensorInput.EntryEye, 2));
        Assert.Equal(0, loop.LostEdges(SensorInput.EntryEye));
        Assert.Equal(5, loop.LostEdges(SensorInput.Encoder));
        Assert.Equal(8, loop.AllLostEdges());
    }

    [Fact]
    public async Task StoppingWakesTheReader()
    {
        var reader = new ListReader([]) { Waits = true };
        var loop = new SensorLoop("test", reader, null, null, _events.Writer);
        loop.Start();
        loop.Dispose();
        await loop.Completion;
        Assert.True(reader.Woken.IsSet);
    }

    private List<(PartEventKind, byte)> Told()
    {
        List<(PartEventKind, byte)> told = [];
        while (_events.Reader.TryRead(out var happened))
        {
            told.Add((happened.Kind, happened.Lane));
        }

        return told;
    }

    private SensorLoop Loop(EncoderBelt? belt, params SensorReading[] readings)
    {
        var loop = new SensorLoop(
            "test",
            new ListReader(readings),
            belt,
            reading =>
            {
                _eye.Add(reading);
                return false;
            },
            _events.Writer,
            (in SensorReading reading) => _readings.Add(reading)
        );
        while (loop.Step(TimeSpan.Zero))
        {
            // Everything.
        }

        return loop;
    }

    private sealed class ListReader(IEnumerable<SensorReading> readings) : ISensorReader
    {
        private readonly Queue<SensorReading> _readings = new(readings);

        public bool Waits { get; init; }

        public ManualResetEventSlim Woken { get; } = new();

        public bool TryRead(TimeSpan timeout, out SensorReading reading)
        {
            if (Waits)
            {
                Woken.Wait();
            }

            return _readings.TryDequeue(out reading);
        }

        public void Wake() => Woken.Set();

        public void Dispose()
        {
            // Nothing is held; the test looks at the event afterwards.
        }
    }
}
