using System.ComponentModel.DataAnnotations;

namespace EdgeInspector.Reject;

/// <summary>One ejector and the line that drives it.</summary>
internal sealed class EjectorOptions
{
    /// <summary>GPIO line offset on the chip, 0 to 1023.</summary>
    [Range(0, 1023, ErrorMessage = "names no line; give the GPIO line offset, 0 to 1023")]
    public int Pin { get; set; } = -1;

    /// <summary>True when a high level fires. Wire it so that low means rest: then power loss does not fire.</summary>
    public bool ActiveHigh { get; set; } = true;

    /// <summary>
    /// An input wired to this output, 0 to 1023; null when none is. Then the station proves at each start that the pin moves,
    /// with a pulse of 2 ms, and is not armed when it does not.
    /// </summary>
    [Range(0, 1023)]
    public int? LoopbackPin { get; set; }

    /// <summary>Whether the loopback comes back upside down, as through an optocoupler.</summary>
    public bool LoopbackInverted { get; set; }
}

/// <summary>What stands behind the pins.</summary>
internal enum PinDriver
{
    /// <summary>The kernel's GPIO character device through libgpiod 1, which sets mode and level at once.</summary>
    LibGpiod,

    /// <summary>Nothing: levels are remembered and no ejector moves. For trials on recordings.</summary>
    Unwired,
}

/// <summary>Where the ejector stands and how it behaves.</summary>
internal sealed class RejectOptions
{
    /// <summary>
    /// GPIO chip number (<c>/dev/gpiochipN</c>), 0 to 31. Named explicitly: automatic choice takes chip 0, whatever that is.
    /// </summary>
    [Range(0, 31)]
    public int Chip { get; set; }

    /// <summary>How the pins are driven.</summary>
    public PinDriver Driver { get; set; } = PinDriver.LibGpiod;

    /// <summary>The ejectors, one a lane, at least one.</summary>
    [MinLength(1, ErrorMessage = "needs at least one ejector")]
    public IList<EjectorOptions> Ejectors { get; set; } = [];

    /// <summary>From the camera's optical centre to the nozzle's centre along the belt, mm, 1 to 100,000.</summary>
    [Range(1.0, 100_000.0)]
    public double Position { get; set; } = 400;

    /// <summary>
    /// From the output's edge to air at the part, 0 to 1 s. Solenoid valves take 5 to 20 ms; measure yours with a camera
    /// or a pressure switch.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:00", "00:00:01")]
    public TimeSpan Latency { get; set; } = TimeSpan.FromMilliseconds(8);

    /// <summary>How long the output stays on for one part, 1 ms to 5 s. Shorter than the pitch, or it takes the neighbour.</summary>
    [Range(typeof(TimeSpan), "00:00:00.001", "00:00:05")]
    public TimeSpan Dwell { get; set; } = TimeSpan.FromMilliseconds(20);

    /// <summary>
    /// Shortest pulse that still throws a part, 1 ms to 1 s: where a good neighbour follows closely, the pulse is cut down
    /// to this and no further. A solenoid valve needs about 5 ms to open at all.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:00.001", "00:00:01")]
    public TimeSpan ShortestPulse { get; set; } = TimeSpan.FromMilliseconds(5);

    /// <summary>
    /// Least rest of a valve between two pulses, 0 to 1 s. Two rejects that follow closer keep it open, unless a good part
    /// lies between them.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:00", "00:00:01")]
    public TimeSpan MinimumGap { get; set; } = TimeSpan.FromMilliseconds(5);

    /// <summary>
    /// Width of belt, mm, 1 to 10,000, in which a blast still takes the part whose centre is there. A pulse that would miss
    /// it is not fired: it would hit a neighbour.
    /// </summary>
    [Range(1.0, 10_000.0)]
    public double Window { get; set; } = 20;

    /// <summary>From firing to the confirm eye, 0 to 10 s.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "00:00:10")]
    public TimeSpan ConfirmDelay { get; set; } = TimeSpan.FromMilliseconds(140);

    /// <summary>How much earlier or later the eye may answer, 1 ms to 5 s: parts fall at different speeds.</summary>
    [Range(typeof(TimeSpan), "00:00:00.001", "00:00:05")]
    public TimeSpan ConfirmTolerance { get; set; } = TimeSpan.FromMilliseconds(60);

    /// <summary>
    /// Last part of each wait that is spun, 0 to 1 ms. 100 microseconds hides the wake-up latency of a stock kernel for
    /// the cost of 0.1 % of one core at 10 rejects a second.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:00", "00:00:00.001")]
    public TimeSpan Spin { get; set; } = TimeSpan.FromMicroseconds(100);
}
