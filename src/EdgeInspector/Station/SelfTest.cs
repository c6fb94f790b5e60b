using System.Device.Gpio;
using EdgeInspector.Line;
using EdgeInspector.Timing;

namespace EdgeInspector.Station;

/// <summary>An output that is wired back to an input.</summary>
/// <param name="Key">The setting that names the output's pin: <c>Reject:Ejectors:0:Pin</c>.</param>
/// <param name="Pin">The output.</param>
/// <param name="ActiveHigh">Whether a high level switches it on.</param>
/// <param name="LoopbackPin">The input that its level comes back to.</param>
/// <param name="Inverted">Whether it comes back upside down, as through an optocoupler.</param>
internal readonly record struct Loopback(string Key, int Pin, bool ActiveHigh, int LoopbackPin, bool Inverted = false);

/// <summary>
/// Moves each output that is wired back to an input, and sees whether the pin follows: on a Jetson a pad without its
/// pinmux overlay takes every write and never moves. A pin that does not follow must keep the station from being armed.
/// <para>
/// The output is on until the input has followed, microseconds as a rule, and never longer than the pulse. With a pulse
/// shorter than the valve's own latency no air comes out: solenoid valves take 5 ms and more to open, so 2 ms are safe.
/// </para>
/// <see cref="Step"/> is all it does; <see cref="Run"/> waits in between. One thread calls it, before anybody else uses the
/// pins; whatever happens the outputs are at rest afterwards. Owns nothing but the inputs while it lasts.
/// </summary>
internal sealed class SelfTest : IDisposable
{
    /// <summary>How long an output is switched on at most, unless told otherwise.</summary>
    public static readonly TimeSpan DefaultPulse = TimeSpan.FromMilliseconds(2);

    /// <summary>How long a level may take to settle at rest, where no valve is open meanwhile: an RC filter of 10 ms.</summary>
    private static readonly TimeSpan RestLimit = TimeSpan.FromMilliseconds(50);

    private static readonly TimeSpan Look = TimeSpan.FromMicroseconds(50);

    private readonly GpioController _controller;
    private readonly Loopback[] _loopbacks;
    private readonly TimeSpan _pulse;
    private readonly List<string> _faults = [];
    private readonly List<int> _opened = [];
    private readonly PinValuePair[] _write = new PinValuePair[1];
    private int _at = -1;
    private Phase _phase = Phase.Done;
    private Instant _deadline;
    private bool _disposed;

    /// <summary>Opens the inputs, and those outputs that nobody has opened yet, at rest.</summary>
    public SelfTest(GpioController controller, IEnumerable<Loopback> loopbacks, TimeSpan pulse)
    {
        _controller = controller;
        _loopbacks = [.. loopbacks];
        _pulse = pulse;
        foreach (var loopback in _loopbacks)
        {
            if (!controller.IsPinOpen(loopback.Pin))
            {
                controller.OpenPin(loopback.Pin, PinMode.Output, Level(loopback, on: false));
                _opened.Add(loopback.Pin);
            }

            controller.OpenPin(loopback.LoopbackPin, PinMode.Input);
            _opened.Add(loopback.LoopbackPin);
        }
    }

    private enum Phase
    {
        /// <summary>At rest: the input has to read rest.</summary>
        Rest,

        /// <summary>Switched on: the input has to follow.</summary>
        On,

        /// <summary>Switched off again: the input has to go back.</summary>
        Off,

        /// <summary>Nothing left to do.</summary>
        Done,
    }

    /// <summary>One line for each output that did not follow, with pin and remedy; complete once it is done.</summary>
    public IReadOnlyList<string> Faults => _faults;

    /// <summary>Does what is due; returns when to come again, <see cref="Instant.Never"/> when all is done.</summary>
    public Instant Step(Instant now)
    {
        while (true)
        {
            if (_phase == Phase.Done && !TryBeginNext(now))
            {
                return Instant.Never;
            }

            var loopback = _loopbacks[_at];
            var reads = _controller.Read(loopback.LoopbackPin);
            var follows = (reads == Level(loopback, on: _phase == Phase.On)) != loopback.Inverted;
            if (!follows && now < _deadline)
            {
                var look = now + Look;
                return look < _deadline ? look : _deadline;
            }

            if (_phase == Phase.On)
            {
                Write(loopback, on: false); // Before anything else, also when it did not follow.
            }

            if (!follows)
            {
                _faults.Add(Fault(loopback, reads));
                _phase = Phase.Done;
            }
            else if (_phase == Phase.Off)
            {
                _phase = Phase.Done;
            }
            else if (_phase == Phase.On)
            {
                (_phase, _deadline) = (Phase.Off, now + RestLimit);
            }
            else
            {
                Write(loopback, on: true);
                (_phase, _deadline) = (Phase.On, now + _pulse);
            }
        }
    }

    /// <summary>Makes the whole test; some milliseconds an output at most.</summary>
    /// <returns>What is wrong; empty when every pin follows.</returns>
    public static IReadOnlyList<string> Run(
        GpioController controller,
        IEnumerable<Loopback> loopbacks,
        TimeSpan pulse,
        TimeProvider time
    )
    {
        using var test = new SelfTest(controller, loopbacks, pulse);
        var timer = new PreciseTimer(Look);
        while (true)
        {
            var due = test.Step(time.GetInstant());
            if (due == Instant.Never)
            {
                return test.Faults;
            }

            timer.WaitUntil(due, spin: true);
        }
    }

    /// <summary>Rests what is on and closes the pins it has opened.</summary>
    public void Dispose()
    {
        if (_disposed)
        {
            return;
        }

        _disposed = true;
        if (_phase == Phase.On)
        {
            Write(_loopbacks[_at], on: false);
        }

        foreach (var pin in _opened)
        {
            _controller.ClosePin(pin);
        }
    }

    private static PinValue Level(Loopback loopback, bool on) =>
        on == loopback.ActiveHigh ? PinValue.High : PinValue.Low;

    private bool TryBeginNext(Instant now)
    {
        while (++_at < _loopbacks.Length)
        {
            var loopback = _loopbacks[_at];
            if (_controller.GetPinMode(loopback.Pin) == PinMode.Output)
            {
                (_phase, _deadline) = (Phase.Rest, now + RestLimit);
                return true;
            }

            _faults.Add($"{loopback.Key}: pin {loopback.Pin} is no longer an output; stop whatever else uses the GPIO chip.");
        }

        _at = _loopbacks.Length; // Asked again when all is done, it stays so.
        return false;
    }

    private void Write(Loopback loopback, bool on)
    {
        _write[0] = new PinValuePair(loopback.Pin, Level(loopback, on));
        _controller.Write(_write);
    }

    private string Fault(Loopback loopback, PinValue reads)
    {
        var what = _phase switch
        {
            Phase.Rest => "is at rest",
            Phase.On => "was switched on",
            _ => "was switched off again",
        };
        var level = reads == PinValue.High ? "high" : "low";
        return $"{loopback.Key}: pin {loopback.Pin} {what}, but its loopback, pin {loopback.LoopbackPin}, reads {level}; "
            + "check the wire between them, and on a Jetson load the pinmux overlay (firmware-config/pinmux): without it "
            + "a pad takes every write and never moves.";
    }
}
