using System.ComponentModel.DataAnnotations;

namespace EdgeInspector.Station;

/// <summary>What holds an input at a level while its sensor does not drive it.</summary>
internal enum InputBias
{
    /// <summary>Whatever the board is set to. Tegra chips take no other: there the pinmux decides.</summary>
    AsIs,

    /// <summary>Nothing.</summary>
    Disabled,

    /// <summary>A pull-up, for contacts and open collectors to ground.</summary>
    PullUp,

    /// <summary>A pull-down, for contacts to the supply.</summary>
    PullDown,
}

/// <summary>A GPIO line that is read: by offset on the chip or by the kernel's name for it.</summary>
internal abstract class InputOptions : IValidatableObject
{
    /// <summary>GPIO line offset on the sensors' chip, 0 to 1023. This or <see cref="Line"/>.</summary>
    [Range(0, 1023)]
    public int? Pin { get; set; }

    /// <summary>GPIO line name, as <c>gpioinfo</c> shows it. This or <see cref="Pin"/>.</summary>
    [StringLength(31)]
    public string? Line { get; set; }

    /// <summary>
    /// A level that lasts less than this is not told, 0 to 50 ms. The kernel's timestamps are late by this time, which is
    /// taken off again; where the chip has no filter of its own, the kernel's is good to one of its ticks (1 to 10 ms).
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:00", "00:00:00.050")]
    public TimeSpan Debounce { get; set; }

    /// <summary>What holds the line while its sensor does not drive it.</summary>
    public InputBias Bias { get; set; } = InputBias.AsIs;

    /// <inheritdoc/>
    public virtual IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (Pin is null == string.IsNullOrEmpty(Line))
        {
            yield return new("needs a GPIO line: its offset as Pin or its name as Line, not both", [nameof(Pin)]);
        }
    }
}

/// <summary>
/// A photo-eye. Its debounce is 0 by default: a photo-eye's output is a transistor and does not bounce, and what flutters
/// at a crumbly edge is sorted out in belt coordinates, without a delay.
/// </summary>
internal sealed class EyeOptions : InputOptions
{
    /// <summary>True when a high level means that the beam is interrupted.</summary>
    public bool BlockedHigh { get; set; } = true;

    /// <summary>Where it looks, mm along the line from the camera's optical centre, -100,000 to 100,000; upstream is negative.</summary>
    [Range(-100_000.0, 100_000.0)]
    public double Position { get; set; } = -260;
}

/// <summary>
/// A level contact of the panel or the machine. It is active while what it is named after is so, whatever the level.
/// <para>
/// Defaults are for wires from the supply with a pull-down, so that a broken wire reads as the fault: air pressure is a
/// contact that closes when the pressure is there; emergency stop, door and full bin are contacts that are closed while
/// all is well and open on the event; key and button close when used.
/// </para>
/// </summary>
internal sealed class ContactOptions : InputOptions
{
    /// <summary>Makes a contact as the panel has them.</summary>
    public ContactOptions()
    {
        Debounce = TimeSpan.FromMilliseconds(10); // Mechanical contacts bounce for 1 to 5 ms, and nobody waits for them.
        Bias = InputBias.PullDown;
    }

    /// <summary>
    /// True when a high level means that the thing the input is named after is so. Unset, it is true for air pressure, key
    /// and button, and false for emergency stop, door and full bin, which open their contact.
    /// </summary>
    public bool? ActiveHigh { get; set; }

    /// <summary>Whether a high level is active, for the input it is used for.</summary>
    internal bool IsActiveHigh(SensorInput input) =>
        ActiveHigh
        ?? input is SensorInput.AirPressure or SensorInput.MaintenanceKey or SensorInput.Acknowledge;
}

/// <summary>
/// A belt encoder: single channel (rising edges; the belt is taken to run forward) or quadrature, A on <c>Pin</c> or
/// <c>Line</c> and B beside it (both edges of both channels, with direction). Encoders do not bounce: no debounce.
/// </summary>
internal sealed class EncoderOptions : InputOptions
{
    /// <summary>Channel B's line offset, 0 to 1023; with it the encoder is a quadrature one.</summary>
    [Range(0, 1023)]
    public int? PinB { get; set; }

    /// <summary>Channel B's line name; with it the encoder is a quadrature one.</summary>
    [StringLength(31)]
    public string? LineB { get; set; }

    /// <summary>True when the belt runs forward while B leads A: saves swapping wires.</summary>
    public bool Reversed { get; set; }

    /// <summary>
    /// Counts per millimetre of belt, 0.001 to 100. Single channel: rising edges, the encoder's pulses. Quadrature: edges of
    /// both channels, four times its pulses.
    /// </summary>
    [Range(0.001, 100.0)]
    public double CountsPerMillimetre { get; set; } = 1;

    /// <summary>Whether there are two channels.</summary>
    internal bool IsQuadrature => PinB is not null || !string.IsNullOrEmpty(LineB);

    /// <inheritdoc/>
    public override IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        foreach (var fault in base.Validate(validationContext))
        {
            yield return fault;
        }

        if (PinB is not null && !string.IsNullOrEmpty(LineB))
        {
            yield return new("give channel B's offset or its name, not both", [nameof(PinB)]);
        }

        if (Reversed && !IsQuadrature)
        {
            yield return new("a single channel knows no direction; give channel B or leave this out", [nameof(Reversed)]);
        }

        if (Debounce > TimeSpan.Zero)
        {
            yield return new("an encoder does not bounce, and a filter would eat its counts; leave it out", [nameof(Debounce)]);
        }
    }
}

/// <summary>The belt.</summary>
internal sealed class BeltOptions
{
    /// <summary>Speed, m/s, 0.01 to 5. Used when no encoder is fitted: then it has to be constant and true.</summary>
    [Range(0.01, 5.0)]
    public double Speed { get; set; } = 0.8;

    /// <summary>The encoder; null when the belt runs at one calibrated speed.</summary>
    public EncoderOptions? Encoder { get; set; }

    /// <summary>
    /// Speed and acceleration are taken over this much time, 5 ms to 1 s. With 50 ms, the belt 18 ms ahead (where latency and
    /// half a dwell reach) is foreseen to within 0.7 mm where a ramp of 2 m/s² begins or ends, 1.8 mm at 5 m/s², from time
    /// stamped edges or 10 counts/mm; from 1 count/mm read every 5 ms, 2 and 2.8 mm. Longer smooths coarse counts.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:00.005", "00:00:01")]
    public TimeSpan SpeedWindow { get; set; } = TimeSpan.FromMilliseconds(50);
}

/// <summary>The inputs of a station; leave out what is not fitted.</summary>
internal sealed class SensorOptions
{
    /// <summary>
    /// The chip that eyes, encoder and contacts are on: its number (<c>0</c>), its device (<c>/dev/gpiochip0</c>) or its label
    /// (<c>tegra234-gpio</c>), which does not change with the kernel. Empty: the ejectors' chip.
    /// </summary>
    public string? Chip { get; set; }

    /// <summary>
    /// Upstream of the camera: count parts independently of it, so that none can go unnoticed. One across the whole belt,
    /// or one a lane in the order of <c>Reject:Ejectors</c>.
    /// </summary>
    public IList<EyeOptions> EntryEyes { get; set; } = [];

    /// <summary>In the reject chutes: prove that a rejected part has left the line. One for all, or one a lane.</summary>
    public IList<EyeOptions> ConfirmEyes { get; set; } = [];

    /// <summary>Active: the reject bin is full.</summary>
    public ContactOptions? BinFull { get; set; }

    /// <summary>Active: the ejectors have enough air.</summary>
    public ContactOptions? AirPressure { get; set; }

    /// <summary>Active: a guard door is open.</summary>
    public ContactOptions? Door { get; set; }

    /// <summary>Active: the emergency stop is pressed. Read only; what it stops, it stops in hardware.</summary>
    public ContactOptions? EmergencyStop { get; set; }

    /// <summary>Active: the maintenance key is turned.</summary>
    public ContactOptions? MaintenanceKey { get; set; }

    /// <summary>Active: the operator's button is held.</summary>
    public ContactOptions? Acknowledge { get; set; }

    /// <summary>Every contact that is fitted, with the name of its key.</summary>
    internal IEnumerable<(SensorInput Input, string Key, ContactOptions Contact)> Contacts() =>
        from contact in new[]
        {
            (SensorInput.BinFull, nameof(BinFull), BinFull),
            (SensorInput.AirPressure, nameof(AirPressure), AirPressure),
            (SensorInput.Door, nameof(Door), Door),
            (SensorInput.EmergencyStop, nameof(EmergencyStop), EmergencyStop),
            (SensorInput.MaintenanceKey, nameof(MaintenanceKey), MaintenanceKey),
            (SensorInput.Acknowledge, nameof(Acknowledge), Acknowledge),
        }
        where contact.Item3 is not null
        select (contact.Item1, contact.Item2, contact.Item3!);

    /// <summary>Whether anything is fitted.</summary>
    internal bool IsEmpty => EntryEyes.Count == 0 && ConfirmEyes.Count == 0 && !Contacts().Any();

    /// <summary>
    /// Every input's line, as offset or name, and the key it stands under. Offsets on a chip of its own meet no ejector's:
    /// they carry the chip.
    /// </summary>
    internal IEnumerable<(string Line, string Key)> Signals(EncoderOptions? encoder)
    {
        IEnumerable<(string Key, string Suffix, int? Pin, string? Line)> inputs =
        [
            .. EntryEyes.Select((eye, lane) => ($"Sensors:{nameof(EntryEyes)}:{lane}", "", eye.Pin, eye.Line)),
            .. ConfirmEyes.Select((eye, lane) => ($"Sensors:{nameof(ConfirmEyes)}:{lane}", "", eye.Pin, eye.Line)),
            .. Contacts().Select(contact => ($"Sensors:{contact.Key}", "", contact.Contact.Pin, contact.Contact.Line)),
        ];
        if (encoder is not null)
        {
            inputs = [.. inputs, ("Belt:Encoder", "", encoder.Pin, encoder.Line), ("Belt:Encoder", "B", encoder.PinB, encoder.LineB)];
        }

        foreach (var (key, suffix, pin, line) in inputs)
        {
            if (pin is not null)
            {
                yield return (string.IsNullOrEmpty(Chip) ? $"{pin}" : $"{Chip}:{pin}", $"{key}:{nameof(InputOptions.Pin)}{suffix}");
            }
            else if (!string.IsNullOrEmpty(line))
            {
                yield return (line, $"{key}:{nameof(InputOptions.Line)}{suffix}");
            }
        }
    }
}
