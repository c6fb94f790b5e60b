using System.Device.Gpio;

namespace EdgeInspector.Tests.Support;

/// <summary>
/// Pins in memory behind the library's own seam. Like the real drivers it says nothing when a line that is no output is
/// written.
/// </summary>
internal sealed class FakeGpioDriver : GpioDriver
{
    private readonly Dictionary<int, PinMode> _modes = [];
    private readonly Dictionary<int, PinValue> _levels = [];
    private readonly Dictionary<int, List<(PinEventTypes Edges, PinChangeEventHandler Handler)>> _handlers = [];

    /// <summary>Every level that reached an output, in order.</summary>
    public List<(int Pin, bool High)> Written { get; } = [];

    public bool IsHigh(int pin) => _levels.TryGetValue(pin, out var level) && level == PinValue.High;

    /// <summary>What another process or a driver fault may do to a line.</summary>
    public void LoseOutput(int pin) => _modes[pin] = PinMode.Input;

    /// <summary>Moves an input, as a sensor would.</summary>
    public void Drive(int pin, bool high)
    {
        _levels[pin] = high ? PinValue.High : PinValue.Low;
        var edge = high ? PinEventTypes.Rising : PinEventTypes.Falling;
        foreach (var (edges, handler) in _handlers.GetValueOrDefault(pin) ?? [])
        {
            if (edges.HasFlag(edge))
            {
                handler(this, new PinValueChangedEventArgs(edge, pin));
            }
        }
    }

    protected override int PinCount => 64;

    protected override void OpenPin(int pinNumber) => _modes[pinNumber] = PinMode.Input;

    protected override void ClosePin(int pinNumber) => _modes.Remove(pinNumber);

    protected override void SetPinMode(int pinNumber, PinMode mode) => _modes[pinNumber] = mode;

    protected override void SetPinMode(int pinNumber, PinMode mode, PinValue initialValue)
    {
        _modes[pinNumber] = mode;
        Write(pinNumber, initialValue);
    }

    protected override PinMode GetPinMode(int pinNumber) => _modes[pinNumber];

    protected override bool IsPinModeSupported(int pinNumber, PinMode mode) => true;

    protected override PinValue Read(int pinNumber) => _levels.GetValueOrDefault(pinNumber);

    protected override void Toggle(int pinNumber) => Write(pinNumber, !Read(pinNumber));

    protected override void Write(int pinNumber, PinValue value)
    {
        if (_modes[pinNumber] == PinMode.Output)
        {
            _levels[pinNumber] = value;
            Written.Add((pinNumber, value == PinValue.High));
        }
    }

    protected override WaitForEventResult WaitForEvent(int pinNumber, PinEventTypes eventTypes, CancellationToken cancellationToken) =>
        throw new NotSupportedException();

    protected override void AddCallbackForPinValueChangedEvent(int pinNumber, PinEventTypes eventTypes, PinChangeEventHandler callback)
    {
        _handlers.TryAdd(pinNumber, []);
        _handlers[pinNumber].Add((eventTypes, callback));
    }

    protected override void RemoveCallbackForPinValueChangedEvent(int pinNumber, PinChangeEventHandler callback) =>
        _handlers[pinNumber].RemoveAll(entry => entry.Handler == callback);
}
