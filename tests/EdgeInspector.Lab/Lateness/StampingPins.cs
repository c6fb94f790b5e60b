using System.Device.Gpio;

namespace EdgeInspector.Lab.Lateness;

/// <summary>Pins that lead nowhere and note, each time one is written high, what the writing thread has allocated by then.</summary>
internal sealed class StampingPins(int capacity) : GpioDriver
{
    private const int Pins = 64;
    private readonly PinMode[] _modes = new PinMode[Pins];
    private readonly bool[] _levels = new bool[Pins];
    private readonly long[] _allocated = new long[capacity];
    private int _count;

    /// <summary>How often a pin was written high.</summary>
    public int Count => Volatile.Read(ref _count);

    /// <summary>Bytes that the writing thread had allocated since it began.</summary>
    public ReadOnlySpan<long> Allocated => _allocated.AsSpan(0, Count);

    /// <inheritdoc/>
    protected override int PinCount => Pins;

    /// <inheritdoc/>
    protected override void OpenPin(int pinNumber) => _modes[pinNumber] = PinMode.Input;

    /// <inheritdoc/>
    protected override void ClosePin(int pinNumber) => _modes[pinNumber] = PinMode.Input;

    /// <inheritdoc/>
    protected override void SetPinMode(int pinNumber, PinMode mode) => _modes[pinNumber] = mode;

    /// <inheritdoc/>
    protected override PinMode GetPinMode(int pinNumber) => _modes[pinNumber];

    /// <inheritdoc/>
    protected override bool IsPinModeSupported(int pinNumber, PinMode mode) => true;

    /// <inheritdoc/>
    protected override PinValue Read(int pinNumber) => _levels[pinNumber];

    /// <inheritdoc/>
    protected override void Toggle(int pinNumber) => Write(pinNumber, !_levels[pinNumber]);

    /// <inheritdoc/>
    protected override void Write(int pinNumber, PinValue value)
    {
        _levels[pinNumber] = value == PinValue.High;
        if (_levels[pinNumber] && _count < _allocated.Length)
        {
            _allocated[_count] = GC.GetAllocatedBytesForCurrentThread();
            Volatile.Write(ref _count, _count + 1);
        }
    }

    /// <inheritdoc/>
    protected override WaitForEventResult WaitForEvent(int pinNumber, PinEventTypes eventTypes, CancellationToken cancellationToken) =>
        throw new NotSupportedException();

    /// <inheritdoc/>
    protected override void AddCallbackForPinValueChangedEvent(int pinNumber, PinEventTypes eventTypes, PinChangeEventHandler callback) =>
        throw new NotSupportedException();

    /// <inheritdoc/>
    protected override void RemoveCallbackForPinValueChangedEvent(int pinNumber, PinChangeEventHandler callback) =>
        throw new NotSupportedException();
}
