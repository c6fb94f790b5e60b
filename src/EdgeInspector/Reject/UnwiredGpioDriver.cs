using System.Device.Gpio;

namespace EdgeInspector.Reject;

/// <summary>
/// Pins that lead nowhere: a trial on a recording runs through the very code that drives an ejector, and nothing moves.
/// Outputs remember their level, inputs rest low and never change.
/// </summary>
internal sealed class UnwiredGpioDriver : GpioDriver
{
    private const int Pins = 1024;
    private readonly PinMode[] _modes = new PinMode[Pins];
    private readonly bool[] _levels = new bool[Pins];

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
    protected override void Write(int pinNumber, PinValue value) => _levels[pinNumber] = value == PinValue.High;

    /// <inheritdoc/>
    protected override WaitForEventResult WaitForEvent(
        int pinNumber,
        PinEventTypes eventTypes,
        CancellationToken cancellationToken
    )
    {
        cancellationToken.WaitHandle.WaitOne();
        return new WaitForEventResult { TimedOut = true };
    }

    /// <inheritdoc/>
    protected override void AddCallbackForPinValueChangedEvent(
        int pinNumber,
        PinEventTypes eventTypes,
        PinChangeEventHandler callback
    ) { }

    /// <inheritdoc/>
    protected override void RemoveCallbackForPinValueChangedEvent(int pinNumber, PinChangeEventHandler callback) { }
}
