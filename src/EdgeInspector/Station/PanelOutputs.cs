using System.Device.Gpio;

namespace EdgeInspector.Station;

/// <summary>The outputs of a panel; named like their settings.</summary>
internal enum PanelOutput
{
    /// <summary>Line stop is requested.</summary>
    LineStop,

    /// <summary>Green lamp.</summary>
    Green,

    /// <summary>Amber lamp.</summary>
    Amber,

    /// <summary>Red lamp.</summary>
    Red,

    /// <summary>Blue lamp.</summary>
    Blue,

    /// <summary>Buzzer.</summary>
    Buzzer,

    /// <summary>The station is to be trusted.</summary>
    Healthy,

    /// <summary>The square wave.</summary>
    Heartbeat,
}

/// <summary>
/// The panel's pins. At their safe levels from the moment they are opened until the panel turns, and again from
/// <see cref="WriteSafe"/> on: line stop as configured, everything else off. Writes a pin only when its level changes.
/// Owns neither the controller nor its driver. The panel's thread sets, any thread may make safe.
/// </summary>
internal sealed class PanelOutputs : IDisposable
{
    private readonly Lock _gate = new();
    private readonly GpioController _controller;
    private readonly Line?[] _lines = new Line?[Enum.GetValues<PanelOutput>().Length];
    private readonly bool _stopLineWhenDown;
    private bool _safe;
    private bool _disposed;

    /// <summary>Opens every fitted pin as an output at its safe level.</summary>
    /// <exception cref="InvalidOperationException">A pin cannot be an output.</exception>
    public PanelOutputs(GpioController controller, PanelOptions options)
    {
        _controller = controller;
        _stopLineWhenDown = options.StopLineWhenDown;
        foreach (var (output, wiring) in options.Fitted())
        {
            var line = new Line(wiring) { IsOn = SafeLevel(output) };
            controller.OpenPin(wiring.Pin, PinMode.Output, (SafeLevel(output) ? line.On : line.Off)[0].PinValue);
            _lines[(int)output] = line;
        }
    }

    /// <summary>Whether there is a pin for it.</summary>
    public bool IsFitted(PanelOutput output) => _lines[(int)output] is not null;

    /// <summary>The pin of a fitted output.</summary>
    public int PinOf(PanelOutput output) => _lines[(int)output]!.Pin;

    /// <summary>
    /// Switches an output, when that is a change. False when its pin is no longer an output: System.Device.Gpio would then
    /// do nothing and say nothing. True for one that is not fitted, and once the outputs have been made safe for good.
    /// </summary>
    public bool TrySet(PanelOutput output, bool on)
    {
        if (_lines[(int)output] is not { } line)
        {
            return true;
        }

        lock (_gate)
        {
            return _safe || TryWrite(line, on);
        }
    }

    /// <summary>Writes the safe levels, for good: nothing is written afterwards. For the end, whatever brings it.</summary>
    public void WriteSafe()
    {
        lock (_gate)
        {
            if (_disposed)
            {
                return;
            }

            _safe = true;
            for (var i = 0; i < _lines.Length; i++)
            {
                if (_lines[i] is { } line)
                {
                    line.IsOn = null; // Written even when it seems to be there already: this is the last chance.
                    TryWrite(line, SafeLevel((PanelOutput)i));
                }
            }
        }
    }

    /// <summary>Makes the outputs safe and closes the pins. The level is written first: some chips keep the last one after release.</summary>
    public void Dispose()
    {
        lock (_gate)
        {
            if (_disposed)
            {
                return;
            }

            WriteSafe();
            _disposed = true;
            foreach (var line in _lines)
            {
                if (line is not null)
                {
                    _controller.ClosePin(line.Pin);
                }
            }
        }
    }

    private bool SafeLevel(PanelOutput output) => output == PanelOutput.LineStop && _stopLineWhenDown;

    private bool TryWrite(Line line, bool on)
    {
        if (line.IsOn == on)
        {
            return true;
        }

        if (_controller.GetPinMode(line.Pin) != PinMode.Output)
        {
            line.IsOn = null; // Whatever level it has now, it is not ours: tried again at the next turn.
            return false;
        }

        _controller.Write(on ? line.On : line.Off);
        line.IsOn = on;
        return true;
    }

    // One pair a level: the library's single-pin Write allocates (System.Device.Gpio 4.2), the span overload does not.
    private sealed class Line(PanelOutputOptions options)
    {
        public int Pin { get; } = options.Pin;

        public PinValuePair[] On { get; } = [new(options.Pin, options.ActiveHigh ? PinValue.High : PinValue.Low)];

        public PinValuePair[] Off { get; } = [new(options.Pin, options.ActiveHigh ? PinValue.Low : PinValue.High)];

        public bool? IsOn { get; set; }
    }
}
