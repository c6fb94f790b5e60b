using EdgeInspector.Line;
using EdgeInspector.Station;
using EdgeInspector.Tests.Support;
using Xunit;

namespace EdgeInspector.Tests.Station;

/// <summary>
/// The decoder beside a small model of the kernel: numbers drawn at the interrupt, merged interrupts, a buffer that runs
/// over, numbers that wrap.
/// </summary>
public sealed class EdgeDecoderTests
{
    private const uint Eye = 10;
    private const uint A = 20;
    private const uint B = 21;

    [Fact]
    public void EyeTellsItsEdgesWithTheKernelsTime()
    {
        var decoder = new EdgeDecoder([Line(SensorInput.EntryEye, Eye)]);
        decoder.Start(0, Some.Start, Some.Start);
        var kernel = new KernelModel(decoder);
        kernel.Interrupt(Eye, true, Some.At(3.25));
        kernel.Interrupt(Eye, false, Some.At(7));
        Assert.Equal(
            [
                new SensorReading(SensorInput.EntryEye, true, 0, Some.At(3.25)),
                new SensorReading(SensorInput.EntryEye, false, 0, Some.At(7)),
            ],
            kernel.Read()
        );
    }

    [Fact]
    public void FilteredLineIsToldWhenTheEdgeWas()
    {
        var decoder = new EdgeDecoder([Line(SensorInput.Door, Eye) with { Debounce = 10_000 }]);
        decoder.Start(0, Some.Start, Some.Start);
        var kernel = new KernelModel(decoder);
        kernel.Interrupt(Eye, true, Some.At(35));
        Assert.Equal(Some.At(25), kernel.Read().Single().At);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(5)]
    public void GapInALinesNumbersIsLostEdges(int lost)
    {
        var decoder = new EdgeDecoder([Line(SensorInput.EntryEye, Eye), Line(SensorInput.ConfirmEye, 11)]);
        decoder.Start(0, Some.Start, Some.Start);
        var kernel = new KernelModel(decoder);
        for (var i = 0; i < lost + 1; i++)
        {
            kernel.Interrupt(Eye, i % 2 == 0, Some.At(i + 1));
        }

        kernel.Drop(lost);
        Assert.Equal(lost, kernel.Read().Single().Lost);
        Assert.Equal(lost, decoder.LostEdgesOf(0));
        Assert.Equal(0, decoder.LostEdgesOf(1));
    }

    [Fact]
    public void SameLevelTwiceIsALostEdgeThoughNoNumberIsMissing()
    {
        var decoder = new EdgeDecoder([Line(SensorInput.EntryEye, Eye), Line(SensorInput.ConfirmEye, 11)]);
        decoder.Start(0, Some.Start, Some.Start);
        var kernel = new KernelModel(decoder);
        kernel.Interrupt(Eye, true, Some.At(1));
        kernel.Interrupt(Eye, true, Some.At(2));
        Assert.Equal([0, 1], kernel.Read().Select(reading => reading.Lost));
    }

    [Fact]
    public void EdgesFromBeforeTheLevelsWereReadAreNoNews()
    {
        var decoder = new EdgeDecoder([Line(SensorInput.EntryEye, Eye)]);
        decoder.Start(1, before: Some.At(5), after: Some.At(6));
        var kernel = new KernelModel(decoder);
        kernel.Interrupt(Eye, true, Some.At(4));
        kernel.Interrupt(Eye, true, Some.At(5.5)); // Seen by the level already.
        kernel.Interrupt(Eye, false, Some.At(7));
        Assert.Equal([(false, 0)], kernel.Read().Select(reading => (reading.Active, reading.Lost)));
    }

    [Fact]
    public void NumbersWrap()
    {
        var decoder = new EdgeDecoder([Line(SensorInput.EntryEye, Eye), Encoder(A)], sequence: uint.MaxValue - 3);
        decoder.Start(0, Some.Start, Some.Start);
        var kernel = new KernelModel(decoder, uint.MaxValue - 3);
        for (var i = 0; i < 20; i++)
        {
            kernel.Interrupt(i % 2 == 0 ? Eye : A, i % 4 == 0, Some.At(i));
        }

        Assert.All(kernel.Read(), reading => Assert.Equal(0, reading.Lost));
        Assert.Equal(10, decoder.Count);
    }

    [Fact]
    public void MergedInterruptsOfASingleChannelAreCounted()
    {
        var decoder = new EdgeDecoder([Line(SensorInput.EntryEye, Eye), Encoder(A)]);
        decoder.Start(0, Some.Start, Some.Start);
        var kernel = new KernelModel(decoder);
        kernel.Interrupt(A, true, Some.At(1));
        kernel.Merge(A, true, Some.At(2), Some.At(2.1));
        kernel.Interrupt(Eye, true, Some.At(3));
        kernel.Interrupt(A, true, Some.At(4));
        var readings = kernel.Read();
        Assert.Equal(4, decoder.Count);
        Assert.Equal(1, decoder.LostEdgesOf(1));
        Assert.Equal(0, readings.Single(reading => reading.Input == SensorInput.EntryEye).Lost);
    }

    [Fact]
    public void OvertakenNumberIsTakenBack()
    {
        var decoder = new EdgeDecoder([Line(SensorInput.EntryEye, Eye), Encoder(A)]);
        decoder.Start(0, Some.Start, Some.Start);
        var kernel = new KernelModel(decoder);
        kernel.Interrupt(A, true, Some.At(1));
        kernel.Interrupt(Eye, true, Some.At(2));
        kernel.Interrupt(A, true, Some.At(2.01));
        kernel.SwapLast();
        kernel.Read();
        Assert.Equal(2, decoder.Count);
        Assert.Equal(0, decoder.LostEdges);
    }

    [Fact]
    public void QuadratureCountsForwardAndBack()
    {
        var decoder = Quadrature(out var kernel);
        kernel.Turn(57);
        kernel.Turn(-80);
        kernel.Read();
        Assert.Equal(-23, decoder.Count);
        Assert.Equal(0, decoder.IllegalTransitions);
    }

    [Fact]
    public void ReversedQuadratureCountsTheOtherWay()
    {
        var decoder = Quadrature(out var kernel, reversed: true);
        kernel.Turn(-40);
        kernel.Read();
        Assert.Equal(40, decoder.Count);
    }

    [Fact]
    public void EdgesLostWhenTheBufferRanOverAreMadeUpFor()
    {
        for (var lost = 1; lost < 200; lost++)
        {
            var decoder = Quadrature(out var kernel);
            kernel.Turn(100);
            kernel.Read();
            kernel.Turn(lost);
            kernel.Drop(lost);
            kernel.Turn(40);
            kernel.Read();
            Assert.InRange(decoder.Count, 140 + lost - 2, 140 + lost + 2);
            Assert.InRange(decoder.LostEdges, lost, lost + 2);
        }
    }

    [Fact]
    public void QuadratureHoldsItsCountWhenInterruptsMerge()
    {
        // A merged pair on one channel with the other's edge between: the kernel tells 2 events of 3 edges.
        var off = 0;
        for (var seed = 0; seed < 300; seed++)
        {
            var random = new Random(seed);
            var decoder = Quadrature(out var kernel);
            kernel.Turn(20);
            var truth = 20;
            for (var i = 0; i < 200; i++)
            {
                if (random.Next(20) == 0)
                {
                    kernel.TurnMerged();
                    truth += 3;
                }
                else
                {
                    kernel.Turn(1);
                    truth++;
                }
            }

            kernel.Turn(5);
            kernel.Read();
            off = Math.Max(off, (int)Math.Abs(decoder.Count - truth - 5));
        }

        Assert.Equal(0, off);
    }

    [Fact]
    public void JumpThatNoEdgeExplainsIsCounted()
    {
        var quadrature = new QuadratureDecoder(reversed: false);
        quadrature.Start(false, false);
        quadrature.Edge(channelB: false, high: true);
        quadrature.Edge(channelB: true, high: true);
        quadrature.Edge(channelB: true, high: true);
        Assert.Equal(1, quadrature.IllegalTransitions);
        Assert.Equal(2, quadrature.Count);
    }

    [Fact]
    public void NothingIsAllocated()
    {
        var decoder = Quadrature(out var kernel);
        kernel.Turn(200);
        var events = kernel.Take();
        void Decode(int from, int to)
        {
            for (var i = from; i < to; i++)
            {
                decoder.TryDecode(events[i], out _);
            }
        }

        Decode(0, 100);
        var before = GC.GetAllocatedBytesForCurrentThread();
        Decode(100, 200);
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    internal static InputLine Line(SensorInput input, uint offset, byte lane = 0) => new(input, lane, $"{input}", offset, 0, 0);

    private static InputLine Encoder(uint offset, bool channelB = false) =>
        new(SensorInput.Encoder, 0, "Encoder", offset, 0, 0, channelB);

    private static EdgeDecoder Quadrature(out KernelModel kernel, bool reversed = false)
    {
        var decoder = new EdgeDecoder([Line(SensorInput.EntryEye, Eye), Encoder(A), Encoder(B, channelB: true)], reversed);
        decoder.Start(0, Some.Start, Some.Start);
        kernel = new KernelModel(decoder);
        return decoder;
    }

    /// <summary>What gpiolib-cdev.c does with interrupts.</summary>
    private sealed class KernelModel(EdgeDecoder decoder, uint first = 0)
    {
        private readonly Dictionary<uint, uint> _lineSequence = [];
        private readonly List<GpioUapi.LineEvent> _events = [];
        private readonly uint _first = first;
        private uint _sequence = first;
        private long _position;
        private double _now = 100;

        public void Interrupt(uint line, bool active, Instant at) => Serve(line, active, at, ++_sequence);

        /// <summary>Two interrupts before the first is served: one event, with the later number and time.</summary>
        public void Merge(uint line, bool active, Instant first, Instant second)
        {
            Assert.True(first < second);
            _sequence += 2;
            Serve(line, active, second, _sequence);
        }

        /// <summary>The buffer is full: the oldest are dropped.</summary>
        public void Drop(int count) => _events.RemoveRange(0, count);

        public void SwapLast() => (_events[^1], _events[^2]) = (_events[^2], _events[^1]);

        public void Turn(int counts)
        {
            for (var i = 0; i < Math.Abs(counts); i++)
            {
                _position += Math.Sign(counts);
                var (a, b) = Levels();
                var onB = counts > 0 ? _position % 2 == 0 : _position % 2 != 0;
                Interrupt(onB ? B : A, onB ? b : a, Some.At(_now++));
            }
        }

        /// <summary>Three edges forward, of which the first and third are of one channel and served together.</summary>
        public void TurnMerged()
        {
            _position += 2;
            var middleOnB = _position % 2 == 0;
            var (a, b) = Levels();
            _sequence += 2; // The first, not served yet, and the second.
            Serve(middleOnB ? B : A, middleOnB ? b : a, Some.At(_now++), _sequence);
            _position++;
            (a, b) = Levels();
            Serve(middleOnB ? A : B, middleOnB ? a : b, Some.At(_now++), ++_sequence);
        }

        public List<GpioUapi.LineEvent> Take()
        {
            List<GpioUapi.LineEvent> taken = [.. _events];
            _events.Clear();
            return taken;
        }

        public List<SensorReading> Read()
        {
            List<SensorReading> readings = [];
            foreach (var edge in Take())
            {
                if (decoder.TryDecode(edge, out var reading))
                {
                    readings.Add(reading);
                }
            }

            return readings;
        }

        private (bool A, bool B) Levels() => ((((_position % 4) + 4) % 4) is 1 or 2, (((_position % 4) + 4) % 4) is 2 or 3);

        private void Serve(uint line, bool active, Instant at, uint number)
        {
            var own = _lineSequence.GetValueOrDefault(line, _first) + 1;
            _lineSequence[line] = own;
            _events.Add(
                new GpioUapi.LineEvent
                {
                    TimestampNanoseconds = (ulong)at.Nanoseconds,
                    Id = active ? GpioUapi.EventRising : GpioUapi.EventFalling,
                    Offset = line,
                    Sequence = number,
                    LineSequence = own,
                }
            );
        }
    }
}
