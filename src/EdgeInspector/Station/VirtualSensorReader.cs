using EdgeInspector.Line;
using EdgeInspector.Simulation;

namespace EdgeInspector.Station;

/// <summary>The virtual line's eyes and encoder. Edges carry their exact time; the encoder is read every 5 ms.</summary>
/// <param name="line">The line; stays the caller's.</param>
/// <param name="start">When the line's time is zero.</param>
/// <param name="hasEncoder">Whether the encoder is fitted.</param>
/// <param name="time">The clock to wait by.</param>
internal sealed class VirtualSensorReader(VirtualLine line, Instant start, bool hasEncoder, TimeProvider time)
    : ISensorReader
{
    private const int MostLanes = 8;
    private static readonly TimeSpan EncoderInterval = TimeSpan.FromMilliseconds(5);
    private readonly SensorEdge[] _edges = new SensorEdge[32];
    private readonly ManualResetEventSlim _woken = new();
    private readonly long[] _entrySequence = new long[MostLanes];
    private readonly long[] _confirmSequence = new long[MostLanes];
    private int _held;
    private int _next;
    private TimeSpan _nextSample;

    /// <inheritdoc/>
    public bool TryRead(TimeSpan timeout, out SensorReading reading)
    {
        var deadline = time.GetInstant() + timeout;
        while (true)
        {
            var now = time.GetInstant();
            if (TryReadNow(now, out reading))
            {
                return true;
            }

            if (now >= deadline || _woken.IsSet)
            {
                _woken.Reset();
                return false;
            }

            // A reject may bring on an edge of the confirm eye at any moment, so the wait is short in any case.
            var wake = now + EncoderInterval;
            _woken.Wait((wake < deadline ? wake : deadline) - now);
        }
    }

    /// <inheritdoc/>
    public void Wake() => _woken.Set();

    /// <inheritdoc/>
    public void Dispose() => _woken.Dispose();

    private bool TryReadNow(Instant now, out SensorReading reading)
    {
        var elapsed = now - start;
        if (elapsed < TimeSpan.Zero)
        {
            reading = default;
            return false;
        }

        if (hasEncoder && elapsed >= _nextSample)
        {
            reading = new(SensorInput.Encoder, false, line.EncoderCountAt(elapsed), now);
            _nextSample = elapsed + EncoderInterval;
            return true;
        }

        if (_next == _held)
        {
            _next = 0;
            _held = line.DrainEdges(elapsed, _edges);
        }

        if (_next == _held)
        {
            reading = default;
            return false;
        }

        reading = Reading(_edges[_next++]);
        return true;
    }

    private SensorReading Reading(in SensorEdge edge)
    {
        var (input, sequences) = edge.Sensor == LineSensor.EntryEye
            ? (SensorInput.EntryEye, _entrySequence)
            : (SensorInput.ConfirmEye, _confirmSequence);
        ref var expected = ref sequences[edge.Lane];
        var lost = (int)Math.Max(0, edge.Sequence - expected);
        expected = edge.Sequence + 1;
        return new(input, edge.Blocked, 0, start + edge.At, (byte)edge.Lane, lost);
    }
}
