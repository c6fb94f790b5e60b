using System.ComponentModel.DataAnnotations;

namespace EdgeInspector.Station;

/// <summary>
/// How long each part of a station may be silent before Healthy drops. With the panel's turn of
/// <see cref="PanelLoop.Period"/> on top, 400 ms keep the promise that Healthy drops within half a second of anything
/// that hangs; a belt at 3 m/s has then moved 1.5 m.
/// </summary>
internal sealed class HealthOptions
{
    /// <summary>
    /// Between two frames, 50ms to 1min. 400 ms are 24 frames of a camera at 60 a second, and 2 at 5 a second: give a slower
    /// or a triggered camera three times its longest pause.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:00.050", "00:01:00")]
    public TimeSpan Capture { get; set; } = TimeSpan.FromMilliseconds(400);

    /// <summary>For one frame from being taken to being judged, 50ms to 1min. A model that takes longer decides nothing in time.</summary>
    [Range(typeof(TimeSpan), "00:00:00.050", "00:01:00")]
    public TimeSpan Inspect { get; set; } = TimeSpan.FromMilliseconds(400);

    /// <summary>For one turn of the reject thread, 50ms to 1min; it turns at least every 5 ms.</summary>
    [Range(typeof(TimeSpan), "00:00:00.050", "00:01:00")]
    public TimeSpan Reject { get; set; } = TimeSpan.FromMilliseconds(400);

    /// <summary>For one turn of the sensor thread, 150ms to 1min; without edges it turns every 100 ms.</summary>
    [Range(typeof(TimeSpan), "00:00:00.150", "00:01:00")]
    public TimeSpan Sensors { get; set; } = TimeSpan.FromMilliseconds(400);

    /// <summary>
    /// From a record that waits to its being written, 50ms to 1min. A disk that is full or gone is seen by this. Worn flash
    /// may take longer now and then: raise it for such a disk, rather than stopping the line for it.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:00.050", "00:01:00")]
    public TimeSpan Ledger { get; set; } = TimeSpan.FromMilliseconds(400);

    /// <summary>For one turn of the book keeping, 150ms to 1min; it turns every 50 ms.</summary>
    [Range(typeof(TimeSpan), "00:00:00.150", "00:01:00")]
    public TimeSpan Book { get; set; } = TimeSpan.FromMilliseconds(400);
}
