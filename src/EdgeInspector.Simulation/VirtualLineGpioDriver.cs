using System.Device.Gpio;

namespace EdgeInspector.Simulation;

/// <summary>
/// A board whose pins lead to a <see cref="VirtualLine"/>: writing an ejector's pin moves its valve, reading an eye's
/// pin or the encoder's tells its level now. Every other pin remembers what was written to it. It has the habits of the
/// real boards: a write to a pin that is not an output does nothing and says nothing, and a pin that is closed keeps
/// its last level. Safe from any thread; owns neither the line nor the clock.
/// </summary>
/// <param name="now">Time since the line's start, as the line's other callers count it.</param>
public sealed class VirtualLineGpioDriver(VirtualLine line, VirtualLinePins pins, Func<TimeSpan> now) : GpioDriver
{
    private const int Pins = 1024;

    // Oldest writes are forgotten beyond this many.
    private const int JournalLength = 20_000;

    // How often waiting and callbacks look at the eyes; a part blocks one for tens of milliseconds.
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(1);

    private readonly Lock _gate = new();
    private readonly PinMode[] _modes = new PinMode[Pins];
    private readonly bool[] _levels = new bool[Pins];
    private readonly Queue<EjectorWrite> _journal = new();
    private readonly List<(int Pin, PinEventTypes Types, PinChangeEventHandler Callback)> _callbacks = [];
    private readonly CancellationTokenSource _closing = new();
    private Thread? _watcher;

    /// <summary>
    /// What was written to the ejectors, oldest first, the latest 20,000; writes that had no effect are not in it.
    /// </summary>
    public EjectorWrite[] Journal
    {
        get
        {
            lock (_gate)
            {
                return [.. _journal];
            }
        }
    }

    /// <inheritdoc/>
    protected override int PinCount => Pins;

    /// <summary>The level a pin has now, whether input or output, without opening it.</summary>
    public PinValue Level(int pin)
    {
        return Read(pin);
    }

    /// <inheritdoc/>
    protected override void OpenPin(int pinNumber)
    {
        lock (_gate)
        {
            _modes[pinNumber] = PinMode.Input;
        }
    }

    /// <inheritdoc/>
    protected override void ClosePin(int pinNumber)
    {
        lock (_gate)
        {
            // The level stays as it was: only writing a safe one before makes it safe.
            _modes[pinNumber] = PinMode.Input;
            _callbacks.RemoveAll(c => c.Pin == pinNumber);
        }
    }

    /// <inheritdoc/>
    protected override void SetPinMode(int pinNumber, PinMode mode)
    {
        if (!IsPinModeSupported(pinNumber, mode))
        {
            throw new InvalidOperationException($"Pin {pinNumber} of the virtual line cannot be {mode}.");
        }

        lock (_gate)
        {
            _modes[pinNumber] = mode;
            if (mode == PinMode.Output)
            {
                Drive(pinNumber);
            }
        }
    }

    /// <inheritdoc/>
    protected override void SetPinMode(int pinNumber, PinMode mode, PinValue initialValue)
    {
        lock (_gate)
        {
            // Level first, so that an active-low valve does not twitch.
            _levels[pinNumber] = initialValue == PinValue.High;
            SetPinMode(pinNumber, mode);
        }
    }

    /// <inheritdoc/>
    protected override PinMode GetPinMode(int pinNumber)
    {
        lock (_gate)
        {
            return _modes[pinNumber];
        }
    }

    /// <inheritdoc/>
    protected override bool IsPinModeSupported(int pinNumber, PinMode mode)
    {
        return mode != PinMode.Output || Sensed(pinNumber, TimeSpan.Zero) is null;
    }

    /// <inheritdoc/>
    protected override PinValue Read(int pinNumber)
    {
        if (Sensed(pinNumber, now()) is { } level)
        {
            return level;
        }

        lock (_gate)
        {
            return _levels[pinNumber];
        }
    }

    /// <inheritdoc/>
    protected override void Toggle(int pinNumber)
    {
        lock (_gate)
        {
            Write(pinNumber, !_levels[pinNumber]);
        }
    }

    /// <inheritdoc/>
    protected override void Write(int pinNumber, PinValue value)
    {
        lock (_gate)
        {
            if (_modes[pinNumber] != PinMode.Output)
            {
                return;
            }

            _levels[pinNumber] = value == PinValue.High;
            Drive(pinNumber);
        }
    }

    /// <inheritdoc/>
    protected override WaitForEventResult WaitForEvent(
        int pinNumber,
        PinEventTypes eventTypes,
        CancellationToken cancellationToken
    )
    {
        var before = Read(pinNumber);
        while (!cancellationToken.WaitHandle.WaitOne(Look))
        {
            var after = Read(pinNumber);
            if (after != before && (eventTypes & Change(after)) != 0)
            {
                return new WaitForEventResult { EventTypes = Change(after) };
            }

            before = after;
        }

        return new WaitForEventResult { TimedOut = true };
    }

    /// <inheritdoc/>
    protected override void AddCallbackForPinValueChangedEvent(
        int pinNumber,
        PinEventTypes eventTypes,
        PinChangeEventHandler callback
    )
    {
        lock (_gate)
        {
            _callbacks.Add((pinNumber, eventTypes, callback));
            if (_watcher is null)
            {
                _watcher = new Thread(Watch) { IsBackground = true, Name = "virtual pins" };
                _watcher.Start();
            }
        }
    }

    /// <inheritdoc/>
    protected override void RemoveCallbackForPinValueChangedEvent(int pinNumber, PinChangeEventHandler callback)
    {
        lock (_gate)
        {
            _callbacks.RemoveAll(c => c.Pin == pinNumber && c.Callback == callback);
        }
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing && !_closing.IsCancellationRequested)
        {
            _closing.Cancel();
            if (_watcher != Thread.CurrentThread)
            {
                _watcher?.Join();
            }

            _closing.Dispose();
        }

        base.Dispose(disposing);
    }

    private static PinEventTypes Change(PinValue level)
    {
        return level == PinValue.High ? PinEventTypes.Rising : PinEventTypes.Falling;
    }

    private static int IndexOf(IReadOnlyList<int> list, int pin)
    {
        for (var i = 0; i < list.Count; i++)
        {
            if (list[i] == pin)
            {
                return i;
            }
        }

        return -1;
    }

    /// <summary>The level of a pin that the line drives; null for every other.</summary>
    private bool? Sensed(int pin, TimeSpan t)
    {
        if (IndexOf(pins.EntryEyes, pin) is >= 0 and var entry)
        {
            return line.IsBlocked(LineSensor.EntryEye, entry, t);
        }

        if (IndexOf(pins.ConfirmEyes, pin) is >= 0 and var confirm)
        {
            return line.IsBlocked(LineSensor.ConfirmEye, confirm, t);
        }

        if (pin == pins.EncoderA)
        {
            return (line.EncoderCountAt(t) & 2) != 0;
        }

        return pin == pins.EncoderB ? ((line.EncoderCountAt(t) + 1) & 2) != 0 : null;
    }

    private void Drive(int pin)
    {
        var lane = IndexOf(pins.Ejectors, pin);
        if (lane < 0)
        {
            return;
        }

        var (active, at) = (_levels[pin] != pins.EjectorActiveLow, now());
        line.SetEjector(lane, active, at);
        _journal.Enqueue(new EjectorWrite(lane, active, at));
        if (_journal.Count > JournalLength)
        {
            _journal.Dequeue();
        }
    }

    private void Watch()
    {
        var levels = new Dictionary<int, PinValue>();
        while (!_closing.Token.WaitHandle.WaitOne(Look))
        {
            (int Pin, PinEventTypes Types, PinChangeEventHandler Callback)[] callbacks;
            lock (_gate)
            {
                callbacks = [.. _callbacks];
            }

            foreach (var pin in callbacks.Select(c => c.Pin).Distinct())
            {
                var level = Read(pin);
                if (levels.TryGetValue(pin, out var before) && before != level)
                {
                    foreach (
                        var (_, _, callback) in callbacks.Where(c => c.Pin == pin && (c.Types & Change(level)) != 0)
                    )
                    {
                        callback(this, new PinValueChangedEventArgs(Change(level), pin));
                    }
                }

                levels[pin] = level;
            }
        }
    }
}
