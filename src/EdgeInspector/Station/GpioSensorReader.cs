using System.Collections.Concurrent;
using System.Device.Gpio;
using EdgeInspector.Line;

namespace EdgeInspector.Station;

/// <summary>
/// Eyes and encoder through System.Device.Gpio's callbacks. The library gives no timestamps, so an edge is stamped when
/// its callback runs: good to about a millisecond, which is a millimetre at 1 m/s.
/// </summary>
internal sealed class GpioSensorReader : ISensorReader
{
    private static readonly TimeSpan StandstillSample = TimeSpan.FromMilliseconds(10);
    private readonly GpioController _controller;
    private readonly TimeProvider _time;
    private readonly BlockingCollection<SensorReading> _readings = new(new ConcurrentQueue<SensorReading>());
    private readonly List<(int Pin, PinChangeEventHandler Handler)> _registered = [];
    private readonly int? _encoderPin;
    private long _count;

    /// <summary>Opens the pins as inputs and begins to listen. The controller stays the caller's.</summary>
    public GpioSensorReader(GpioController controller, SensorOptions sensors, EncoderOptions? encoder, TimeProvider time)
    {
        _controller = controller;
        _time = time;
        ListenToEyes(sensors.EntryEyes, SensorInput.EntryEye);
        ListenToEyes(sensors.ConfirmEyes, SensorInput.ConfirmEye);

        if (encoder is not null)
        {
            _encoderPin = encoder.Pin;
            Listen(encoder.Pin, PinEventTypes.Rising, _ =>
                new SensorReading(SensorInput.Encoder, false, Interlocked.Increment(ref _count), _time.GetInstant()));
        }
    }

    /// <inheritdoc/>
    public bool TryRead(TimeSpan timeout, out SensorReading reading)
    {
        if (_encoderPin is null)
        {
            return _readings.TryTake(out reading, timeout);
        }

        // A belt that stands still gives no counts; saying so regularly is what tells it from a reader that is late.
        if (!_readings.TryTake(out reading, timeout < StandstillSample ? timeout : StandstillSample))
        {
            reading = new SensorReading(SensorInput.Encoder, false, Interlocked.Read(ref _count), _time.GetInstant());
        }

        return true;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var (pin, handler) in _registered)
        {
            _controller.UnregisterCallbackForPinValueChangedEvent(pin, handler);
            _controller.ClosePin(pin);
        }

        _registered.Clear();
        _readings.Dispose();
    }

    private void ListenToEyes(IList<EyeOptions> eyes, SensorInput input)
    {
        for (byte lane = 0; lane < eyes.Count; lane++)
        {
            var (eye, at) = (eyes[lane], lane);
            Listen(eye.Pin, PinEventTypes.Rising | PinEventTypes.Falling, change =>
                new SensorReading(input, change == PinEventTypes.Rising == eye.BlockedHigh, 0, _time.GetInstant(), at));
        }
    }

    private void Listen(int pin, PinEventTypes edges, Func<PinEventTypes, SensorReading> read)
    {
        _controller.OpenPin(pin, PinMode.Input);
        void Changed(object sender, PinValueChangedEventArgs change) => _readings.Add(read(change.ChangeType));
        _controller.RegisterCallbackForPinValueChangedEvent(pin, edges, Changed);
        _registered.Add((pin, Changed));
    }
}
