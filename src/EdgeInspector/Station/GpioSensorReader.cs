using System.Runtime.InteropServices;
using EdgeInspector.Line;

namespace EdgeInspector.Station;

/// <summary>
/// Eyes, encoder and contacts through the kernel's GPIO character device: every reading carries the kernel's own timestamp
/// and says what was lost before it. Levels are told once at the start; while the belt stands still, its count is told
/// regularly, since a belt that gives no counts must be told from a reader that is late. Allocates nothing while it runs.
/// </summary>
internal sealed class GpioSensorReader : ISensorReader
{
    /// <summary>
    /// Edges gather for this long before the next batch is read: they carry their time, so nothing is lost by it, and the
    /// finest encoder costs 2,000 wake-ups a second instead of one for each of its counts.
    /// </summary>
    private static readonly TimeSpan Gathering = TimeSpan.FromMicroseconds(500);

    /// <summary>One encoder reading stands for all counts within this: at 3 m/s, 3 mm of belt between two that are interpolated.</summary>
    private static readonly TimeSpan EncoderInterval = TimeSpan.FromMilliseconds(1);

    private static readonly TimeSpan StandstillSample = TimeSpan.FromMilliseconds(10);

    /// <summary>However slowly counts came, a silence this long is standstill.</summary>
    private static readonly TimeSpan LongestCount = TimeSpan.FromMilliseconds(100);

    private readonly LineEvents _events;
    private readonly EdgeDecoder _decoder;
    private readonly InputLine[] _lines;
    private readonly TimeProvider _time;
    private readonly GpioUapi.LineEvent[] _batch = new GpioUapi.LineEvent[64];
    private readonly bool _hasEncoder;
    private readonly Instant _startedAt;
    private int _held;
    private int _next;
    private int _told;
    private bool _waitingForLevel;
    private SensorReading _waiting;
    private SensorReading _encoder;
    private bool _encoderHeld;
    private Instant _encoderToldAt;
    private Instant _lastCountAt;
    private Instant _nextStandstill;
    private TimeSpan _countInterval = StandstillSample;

    /// <summary>Reads lines that are taken already.</summary>
    /// <param name="fd">Their stream of events; owned from here on.</param>
    /// <param name="lines">The lines, in the order of the request.</param>
    /// <param name="reversed">Encoder: forward while B leads A.</param>
    /// <param name="call">How the kernel is asked for the levels.</param>
    /// <param name="time">The clock of the events: CLOCK_MONOTONIC.</param>
    /// <exception cref="SettingException">The levels cannot be read.</exception>
    public GpioSensorReader(int fd, IReadOnlyList<InputLine> lines, bool reversed, GpioCall call, TimeProvider time)
    {
        _lines = [.. lines];
        _time = time;
        _events = new LineEvents(fd);
        _decoder = new EdgeDecoder(lines, reversed);
        _hasEncoder = _lines.Any(line => line.Input == SensorInput.Encoder);
        var before = time.GetInstant();
        var levels = ReadLevels(call);
        _startedAt = time.GetInstant();
        _decoder.Start(levels, before, _startedAt);
        _nextStandstill = _startedAt;
    }

    /// <summary>Edges that are known to have been lost, of all inputs.</summary>
    public long LostEdges => _decoder.LostEdges;

    /// <summary>Encoder transitions that no sequence of known edges explains: noise on a wire, or lost edges nobody counted.</summary>
    public long IllegalTransitions => _decoder.IllegalTransitions;

    /// <summary>Finds and takes the lines that the options name, and begins to listen.</summary>
    /// <param name="sensors">Eyes and contacts.</param>
    /// <param name="encoder">The encoder, if one is fitted.</param>
    /// <param name="ejectorChip">The chip where <see cref="SensorOptions.Chip"/> names none.</param>
    /// <param name="time">The system's clock.</param>
    /// <exception cref="SettingException">A chip or line is not there, not permitted, or in use.</exception>
    public static unsafe GpioSensorReader Open(SensorOptions sensors, EncoderOptions? encoder, int ejectorChip, TimeProvider time)
    {
        var name = string.IsNullOrEmpty(sensors.Chip) ? $"/dev/gpiochip{ejectorChip}" : sensors.Chip;
        using var chip = GpioChip.Open(name);
        var lines = InputLine.Plan(sensors, encoder, chip.Find);
        return new GpioSensorReader(chip.Take(lines), lines, encoder?.Reversed == true, GpioChip.AskKernel, time);
    }

    /// <summary>Edges of one input that are known to have been lost, by its key in the configuration.</summary>
    public IEnumerable<(string Key, long Lost)> LostEdgesByKey() =>
        _lines.Select((line, i) => (line.IsChannelB ? $"{line.Key}:B" : line.Key, _decoder.LostEdgesOf(i)));

    /// <inheritdoc/>
    public bool TryRead(TimeSpan timeout, out SensorReading reading)
    {
        if (TryTellLevel(out reading) || TryReadHeld(out reading))
        {
            return true;
        }

        var now = _time.GetInstant();
        var deadline = now + timeout;
        if (_held == _batch.Length || _events.Wait(WaitFor(now, timeout)))
        {
            // A full batch was not all there is; an idle line is read at once, a busy one after edges have gathered.
            if (_held < _batch.Length && now - _encoderToldAt < Gathering && deadline - now >= Gathering)
            {
                _events.Rest(Gathering);
            }

            _next = 0;
            _held = _events.Wait(TimeSpan.Zero) ? _events.Read(_batch) : 0;
            return TryReadHeld(out reading);
        }

        return TryTellStandstill(out reading);
    }

    /// <inheritdoc/>
    public void Wake() => _events.Wake();

    /// <inheritdoc/>
    public void Dispose() => _events.Dispose();

    private unsafe ulong ReadLevels(GpioCall call)
    {
        var values = new GpioUapi.LineValues { Mask = ulong.MaxValue >> (64 - _lines.Length) };
        var error = call(_events.Fd, GpioUapi.GetValues, &values);
        if (error != 0)
        {
            _events.Dispose();
            throw new SettingException(
                $"Sensors: the levels of the inputs cannot be read ({Marshal.GetPInvokeErrorMessage(error)}); check `gpioinfo`."
            );
        }

        return values.Bits;
    }

    private TimeSpan WaitFor(Instant now, TimeSpan timeout) =>
        _hasEncoder && _nextStandstill - now < timeout ? _nextStandstill - now : timeout;

    private bool TryTellLevel(out SensorReading reading)
    {
        while (_told < _lines.Length)
        {
            var line = _told++;
            if (_lines[line].IsLevel)
            {
                ref readonly var of = ref _lines[line];
                reading = new(of.Input, _decoder.IsActive(line), 0, _startedAt, of.Lane, AtStart: true);
                return true;
            }
        }

        reading = default;
        return false;
    }

    /// <summary>Tells what has been read and not told: encoder counts together, everything else one by one, in order.</summary>
    private bool TryReadHeld(out SensorReading reading)
    {
        if (_waitingForLevel)
        {
            _waitingForLevel = false;
            reading = _waiting;
            return true;
        }

        while (_next < _held)
        {
            if (!_decoder.TryDecode(_batch[_next++], out reading))
            {
                continue;
            }

            if (reading.Input == SensorInput.Encoder)
            {
                Gather(reading);
                if (reading.At - _encoderToldAt >= EncoderInterval)
                {
                    return TellEncoder(out reading);
                }
            }
            else if (_encoderHeld)
            {
                // Where the belt was is told before what passed the eye.
                (_waiting, _waitingForLevel) = (reading, true);
                return TellEncoder(out reading);
            }
            else
            {
                return true;
            }
        }

        if (_encoderHeld)
        {
            return TellEncoder(out reading);
        }

        reading = default;
        return false;
    }

    private void Gather(in SensorReading count)
    {
        _encoder = count with { Lost = count.Lost + (_encoderHeld ? _encoder.Lost : 0) };
        _encoderHeld = true;
        if (_lastCountAt.Nanoseconds > 0)
        {
            _countInterval = count.At - _lastCountAt;
        }

        _lastCountAt = count.At;
        var silence = 2 * _countInterval;
        silence = silence < StandstillSample ? StandstillSample : silence > LongestCount ? LongestCount : silence;
        _nextStandstill = count.At + silence;
    }

    private bool TellEncoder(out SensorReading reading)
    {
        reading = _encoder;
        _encoderHeld = false;
        _encoderToldAt = reading.At;
        return true;
    }

    private bool TryTellStandstill(out SensorReading reading)
    {
        var now = _time.GetInstant();
        if (!_hasEncoder || now < _nextStandstill)
        {
            reading = default;
            return false;
        }

        _nextStandstill = now + StandstillSample;
        reading = new(SensorInput.Encoder, false, _decoder.Count, now);
        return true;
    }
}
