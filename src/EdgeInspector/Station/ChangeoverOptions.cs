using System.ComponentModel.DataAnnotations;

namespace EdgeInspector.Station;

/// <summary>How a station goes from one recipe to another: drain, swap, verify, go.</summary>
internal sealed class ChangeoverOptions
{
    /// <summary>
    /// How long no part may be under way before the belt counts as empty, 0s to 10min. 2 s are 1.6 m of belt at 0.8 m/s:
    /// more than any gap between parts that still come.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:00", "00:10:00")]
    public TimeSpan Quiet { get; set; } = TimeSpan.FromSeconds(2);

    /// <summary>Longest time for the belt to run empty, 1s to 1h. Somebody has to stop the infeed: two minutes to walk there.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "01:00:00")]
    public TimeSpan DrainLimit { get; set; } = TimeSpan.FromMinutes(2);

    /// <summary>Longest time to put the recipe in force, 1s to 1h. A model that is loaded with it takes seconds; one that TensorRT builds, minutes.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "01:00:00")]
    public TimeSpan SwapLimit { get; set; } = TimeSpan.FromMinutes(20);

    /// <summary>Longest time to verify it, 1s to 1h: a challenge test by hand.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "01:00:00")]
    public TimeSpan VerifyLimit { get; set; } = TimeSpan.FromMinutes(10);
}
