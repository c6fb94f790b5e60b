using System.ComponentModel.DataAnnotations;

namespace EdgeInspector.Station;

/// <summary>A photo-eye.</summary>
internal sealed class EyeOptions
{
    /// <summary>GPIO line offset on the station's chip, 0 to 1023.</summary>
    [Range(0, 1023)]
    public int Pin { get; set; }

    /// <summary>True when a high level means that the beam is interrupted.</summary>
    public bool BlockedHigh { get; set; } = true;

    /// <summary>Where it looks, mm along the line from the camera's optical centre, -100,000 to 100,000; upstream is negative.</summary>
    [Range(-100_000.0, 100_000.0)]
    public double Position { get; set; } = -260;
}

/// <summary>A belt encoder on one GPIO line; the belt runs forward only.</summary>
internal sealed class EncoderOptions
{
    /// <summary>GPIO line offset on the station's chip, 0 to 1023.</summary>
    [Range(0, 1023)]
    public int Pin { get; set; }

    /// <summary>Counts (rising edges) per millimetre of belt, 0.001 to 100.</summary>
    [Range(0.001, 100.0)]
    public double CountsPerMillimetre { get; set; } = 1;
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
    /// Speed is the mean over this much time, 5 ms to 1 s. 50 ms smooths single counts and follows a ramp of 1 m/s² to
    /// within 25 mm/s.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:00.005", "00:00:01")]
    public TimeSpan SpeedWindow { get; set; } = TimeSpan.FromMilliseconds(50);
}

/// <summary>The eyes around the camera; leave out what is not fitted.</summary>
internal sealed class SensorOptions
{
    /// <summary>
    /// Upstream of the camera: count parts independently of it, so that none can go unnoticed. One across the whole belt,
    /// or one a lane in the order of <c>Reject:Ejectors</c>.
    /// </summary>
    public IList<EyeOptions> EntryEyes { get; set; } = [];

    /// <summary>In the reject chutes: prove that a rejected part has left the line. One for all, or one a lane.</summary>
    public IList<EyeOptions> ConfirmEyes { get; set; } = [];
}
