using System.Device.Gpio;

namespace EdgeInspector.Simulation;

/// <summary>
/// A board whose pins lead to a <see cref="VirtualLine"/>: writing an ejector's pin moves its valve, reading an eye's
/// pin or the encoder's tells its level now. Every other output remembers what was written to it, and every other input
/// has the level that <see cref="SetInput"/> or a wire from an output gives it. It has the habits of the real boards: a
/// write to a pin that is not an output does nothing and says nothing, a pin that is closed keeps its last level, and
/// what goes wrong with a wire (<see cref="Disconnect"/>, <see cref="Stick"/>) nobody is told. Safe from any thread;
/// owns neither the line nor the clock. Writing allocates nothing.
/// </summary>
public sealed class VirtualLineGpioDriver : GpioDriver
{
    private const int Pins = 1024;

    // Oldest writes are forgotten beyond this many.
    private const int JournalLength = 20_000;

    // How often waiting and callbacks look at the pins; a part blocks an eye for tens of milliseconds. Pins that are
    // set count their changes, so none of those is missed.
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(1);

    private readonly VirtualLine _line;
    private readonly VirtualLinePins _wiring;
    private readonly Func<TimeSpan> _now;
    private readonly Lock _gate = new();
    private readonly PinState[] _pins = new PinState[Pins];
    private readonly Journal<EjectorWrite> _ejections = new(JournalLength);
    private readonly Journal<PinWrite> _writes = new(JournalLength);
    private readonly CancellationTokenSource _closing = new();
    private readonly PinFile? _file;
    private (int Pin, PinEventTypes Types, PinChangeEventHandler Callback)[] _callbacks = [];
    private Thread? _watcher;

    /// <param name="now">Time since the line's start, as the line's other callers count it.</param>
    /// <exception cref="ArgumentException">A wire leads from or to a pin that it cannot.</exception>
    /// <exception cref="IOException">The file of pins cannot be made.</exception>
    public VirtualLineGpioDriver(VirtualLine line, VirtualLinePins pins, Func<TimeSpan> now)
    {
        ArgumentNullException.ThrowIfNull(pins);
        (_line, _wiring, _now) = (line, pins, now);
        Lead(pins.EntryEyes, Source.EntryEye);
        Lead(pins.ConfirmEyes, Source.ConfirmEye);
        Lead(pins.EncoderA is { } a ? [a] : [], Source.EncoderA);
        Lead(pins.EncoderB is { } b ? [b] : [], Source.EncoderB);
        Lead(pins.Ejectors, Source.None);
        foreach (var (output, input) in pins.Loopbacks)
        {
            ref var end = ref _pins[input];
            if (output == input || !_pins[output].IsFree || !end.IsFree || end.IsWired || end.Lane is not null)
            {
                throw new ArgumentException(
                    $"Loopbacks: pin {input} cannot follow pin {output}; wire each free input to one output",
                    nameof(pins)
                );
            }

            end.IsWired = true;
        }

        _file = pins.PinFile is { } path ? new PinFile(path, Pins) : null;
    }

    /// <summary>
    /// What was written to the ejectors, oldest first, the latest 20,000; writes that had no effect are not in it.
    /// </summary>
    public EjectorWrite[] Journal
    {
        get
        {
            lock (_gate)
            {
                return _ejections.ToArray();
            }
        }
    }

    /// <summary>
    /// What was written to any output, oldest first, the latest 20,000; writes to pins that are no outputs are not in
    /// it, those to broken wires are.
    /// </summary>
    public PinWrite[] Writes
    {
        get
        {
            lock (_gate)
            {
                return _writes.ToArray();
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

    /// <summary>Gives a free input its level: a switch, a pressure gauge, a key.</summary>
    /// <exception cref="InvalidOperationException">It is an output, or the line or a wire drives it.</exception>
    public void SetInput(int pin, bool high)
    {
        lock (_gate)
        {
            if (!_pins[pin].IsFree || _pins[pin].IsWired || _pins[pin].Mode == PinMode.Output)
            {
                throw new InvalidOperationException($"Pin {pin} of the virtual line is no free input.");
            }

            Set(pin, high);
        }
    }

    /// <summary>
    /// Takes the wire off a pin: an input reads as if nothing were there, and what is written to an output goes
    /// nowhere, though it reads back.
    /// </summary>
    public void Disconnect(int pin)
    {
        Break(pin, Fault.Off);
    }

    /// <summary>Holds a pin at a level, whatever is written to it or sensed by it.</summary>
    public void Stick(int pin, bool high)
    {
        Break(pin, high ? Fault.StuckHigh : Fault.StuckLow);
    }

    /// <summary>Makes a pin whole again.</summary>
    public void Mend(int pin)
    {
        Break(pin, Fault.None);
    }

    /// <inheritdoc/>
    protected override void OpenPin(int pinNumber)
    {
        lock (_gate)
        {
            _pins[pinNumber].Mode = PinMode.Input;
        }
    }

    /// <inheritdoc/>
    protected override void ClosePin(int pinNumber)
    {
        lock (_gate)
        {
            // The level stays as it was: only writing a safe one before makes it safe.
            _pins[pinNumber].Mode = PinMode.Input;
            RemoveCallbacks(c => c.Pin == pinNumber);
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
            var before = LevelOf(pinNumber);
            _pins[pinNumber].Mode = mode;
            Notice(pinNumber, before);
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
            _pins[pinNumber].Written = initialValue == PinValue.High;
            SetPinMode(pinNumber, mode);
        }
    }

    /// <inheritdoc/>
    protected override PinMode GetPinMode(int pinNumber)
    {
        lock (_gate)
        {
            return _pins[pinNumber].Mode;
        }
    }

    /// <inheritdoc/>
    protected override bool IsPinModeSupported(int pinNumber, PinMode mode)
    {
        return mode != PinMode.Output || _pins[pinNumber].IsFree;
    }

    /// <inheritdoc/>
    protected override PinValue Read(int pinNumber)
    {
        lock (_gate)
        {
            var high = LevelOf(pinNumber);
            if (!_pins[pinNumber].IsFree)
            {
                _file?.Write(pinNumber, high);
            }

            return high;
        }
    }

    /// <inheritdoc/>
    protected override void Toggle(int pinNumber)
    {
        lock (_gate)
        {
            Write(pinNumber, !_pins[pinNumber].Written);
        }
    }

    /// <inheritdoc/>
    protected override void Write(int pinNumber, PinValue value)
    {
        lock (_gate)
        {
            if (_pins[pinNumber].Mode != PinMode.Output)
            {
                return;
            }

            _pins[pinNumber].Written = value == PinValue.High;
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
        var watch = Watch(pinNumber);
        while (!cancellationToken.WaitHandle.WaitOne(Look))
        {
            while (Follow(pinNumber, ref watch))
            {
                if ((eventTypes & Change(watch.High)) != 0)
                {
                    return new WaitForEventResult { EventTypes = Change(watch.High) };
                }
            }
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
            _callbacks = [.. _callbacks, (pinNumber, eventTypes, callback)];
            _pins[pinNumber].Watched ??= Watch(pinNumber);
            if (_watcher is null)
            {
                _watcher = new Thread(WatchAll) { IsBackground = true, Name = "virtual pins" };
                _watcher.Start();
            }
        }
    }

    /// <inheritdoc/>
    protected override void RemoveCallbackForPinValueChangedEvent(int pinNumber, PinChangeEventHandler callback)
    {
        lock (_gate)
        {
            RemoveCallbacks(c => c.Pin == pinNumber && c.Callback == callback);
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
            lock (_gate)
            {
                _file?.Dispose();
            }
        }

        base.Dispose(disposing);
    }

    private static PinEventTypes Change(bool high)
    {
        return high ? PinEventTypes.Rising : PinEventTypes.Falling;
    }

    /// <summary>Notes where the pins of each lane lead.</summary>
    private void Lead(IReadOnlyList<int> pins, Source source)
    {
        for (var lane = 0; lane < pins.Count; lane++)
        {
            (_pins[pins[lane]].Source, _pins[pins[lane]].Lane) = (source, lane);
        }
    }

    private bool LevelOf(int pin)
    {
        ref var state = ref _pins[pin];
        if (state.Fault is Fault.StuckLow or Fault.StuckHigh)
        {
            return state.Fault == Fault.StuckHigh;
        }

        if (state.Fault == Fault.Off && state.Mode != PinMode.Output)
        {
            return state.Mode == PinMode.InputPullUp;
        }

        return state.Source switch
        {
            Source.EntryEye => _line.IsBlocked(LineSensor.EntryEye, state.Lane!.Value, _now()),
            Source.ConfirmEye => _line.IsBlocked(LineSensor.ConfirmEye, state.Lane!.Value, _now()),
            Source.EncoderA => (_line.EncoderCountAt(_now()) & 2) != 0,
            Source.EncoderB => ((_line.EncoderCountAt(_now()) + 1) & 2) != 0,
            _ => state.IsDriven ? state.High : state.Mode == PinMode.InputPullUp,
        };
    }

    /// <summary>Puts what was written to an output on its pin, and on what it leads to.</summary>
    private void Drive(int pin)
    {
        var written = _pins[pin].Written;
        _writes.Add(new PinWrite(pin, written, _now()));
        Set(pin, written);
        Settle(pin);
        if (_pins[pin] is { Lane: { } lane, Fault: Fault.None })
        {
            _ejections.Add(new EjectorWrite(lane, written != _wiring.EjectorActiveLow, _now()));
        }
    }

    /// <summary>Moves what an output leads to: an input, a valve. One whose wire is off goes to rest.</summary>
    private void Settle(int pin)
    {
        var connected = _pins[pin].Fault != Fault.Off;
        var high = LevelOf(pin);
        for (var i = 0; i < _wiring.Loopbacks.Count; i++)
        {
            if (_wiring.Loopbacks[i] is var loop && loop.Output == pin)
            {
                Set(loop.Input, high, connected);
            }
        }

        if (_pins[pin].Lane is { } lane)
        {
            _line.SetEjector(lane, connected && high != _wiring.EjectorActiveLow, _now());
        }
    }

    private void Set(int pin, bool high, bool driven = true)
    {
        var before = LevelOf(pin);
        (_pins[pin].High, _pins[pin].IsDriven) = (high, driven);
        Notice(pin, before);
    }

    private void Break(int pin, Fault fault)
    {
        lock (_gate)
        {
            var before = LevelOf(pin);
            _pins[pin].Fault = fault;
            Notice(pin, before);
            if (_pins[pin].IsFree && _pins[pin].IsDriven)
            {
                Settle(pin);
            }
        }
    }

    /// <summary>Counts the change of a pin that is set; those that the line drives are looked at instead.</summary>
    private void Notice(int pin, bool before)
    {
        if (_pins[pin].IsFree && LevelOf(pin) is var high && high != before)
        {
            _pins[pin].Changes++;
            _file?.Write(pin, high);
        }
    }

    private PinWatch Watch(int pin)
    {
        lock (_gate)
        {
            return new PinWatch(LevelOf(pin), _pins[pin].Changes);
        }
    }

    /// <summary>The next change of a pin that the watch has not seen; false when there is none.</summary>
    private bool Follow(int pin, ref PinWatch watch)
    {
        lock (_gate)
        {
            if (_pins[pin].IsFree ? watch.Seen == _pins[pin].Changes : watch.High == LevelOf(pin))
            {
                return false;
            }

            watch = new PinWatch(!watch.High, watch.Seen + 1);
            return true;
        }
    }

    private void RemoveCallbacks(Predicate<(int Pin, PinEventTypes Types, PinChangeEventHandler Callback)> which)
    {
        foreach (var removed in Array.FindAll(_callbacks, which))
        {
            _pins[removed.Pin].Watched = null;
        }

        _callbacks = Array.FindAll(_callbacks, c => !which(c));
        foreach (var kept in _callbacks)
        {
            _pins[kept.Pin].Watched ??= Watch(kept.Pin);
        }
    }

    private void WatchAll()
    {
        while (!_closing.Token.WaitHandle.WaitOne(Look))
        {
            (int Pin, PinEventTypes Types, PinChangeEventHandler Callback)[] callbacks;
            lock (_gate)
            {
                callbacks = _callbacks;
            }

            foreach (var (pin, _, _) in callbacks)
            {
                // The first of a pin's callbacks sees all its changes; the others then find none left.
                while (NextChange(pin) is { } high)
                {
                    foreach (var (other, types, callback) in callbacks)
                    {
                        if (other == pin && (types & Change(high)) != 0)
                        {
                            callback(this, new PinValueChangedEventArgs(Change(high), pin));
                        }
                    }
                }
            }
        }
    }

    private bool? NextChange(int pin)
    {
        lock (_gate)
        {
            if (_pins[pin].Watched is not { } watch || !Follow(pin, ref watch))
            {
                return null;
            }

            _pins[pin].Watched = watch;
            return watch.High;
        }
    }

    /// <summary>What drives a pin.</summary>
    private enum Source : byte
    {
        None,
        EntryEye,
        ConfirmEye,
        EncoderA,
        EncoderB,
    }

    /// <summary>What is wrong with a pin's wire.</summary>
    private enum Fault : byte
    {
        None,
        Off,
        StuckLow,
        StuckHigh,
    }

    /// <summary>How far a pin's changes have been seen.</summary>
    private readonly record struct PinWatch(bool High, long Seen);

    private record struct PinState
    {
        public PinMode Mode { get; set; }

        public Source Source { get; set; }

        /// <summary>Of the eye or the ejector it leads to.</summary>
        public int? Lane { get; set; }

        public Fault Fault { get; set; }

        /// <summary>At the end of a wire from an output.</summary>
        public bool IsWired { get; set; }

        /// <summary>Last level written to it as an output.</summary>
        public bool Written { get; set; }

        /// <summary>The level that it was given, by a write, a wire or a person, if <see cref="IsDriven"/>.</summary>
        public bool High { get; set; }

        public bool IsDriven { get; set; }

        /// <summary>How often its level has changed.</summary>
        public long Changes { get; set; }

        /// <summary>How far the callbacks have been told; null where it has none.</summary>
        public PinWatch? Watched { get; set; }

        /// <summary>Whether the line does not drive it.</summary>
        public readonly bool IsFree => Source == Source.None;
    }
}
