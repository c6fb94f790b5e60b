using System.ComponentModel.DataAnnotations;

namespace EdgeInspector.Publishing;

/// <summary>The Sparkplug B edge node. Section <c>Sparkplug</c>.</summary>
internal sealed class SparkplugOptions : IValidatableObject
{
    private const string IdPattern = "^[^+/#\\x00-\\x1f]{1,64}$";
    private const string IdFault = "must be 1 to 64 characters without '+', '/' and '#'";

    /// <summary>Whether this device is an edge node, each station a device of it. Off: it says again what the contract says.</summary>
    public bool Enabled { get; set; }

    /// <summary>Group id; null for enterprise, site and area with '-' between them.</summary>
    [RegularExpression(IdPattern, ErrorMessage = IdFault)]
    public string? Group { get; set; }

    /// <summary>Edge node id, unique in the group; null for the line's name. A line with two devices names them here.</summary>
    [RegularExpression(IdPattern, ErrorMessage = IdFault)]
    public string? Node { get; set; }

    /// <summary>Time between two looks at the figures, 100 ms to 1 h; what has changed is sent. A SCADA screen is drawn anew about as often.</summary>
    [Range(typeof(TimeSpan), "00:00:00.1", "01:00:00")]
    public TimeSpan Interval { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>
    /// Time between two looks while the broker is away, 100 ms to 1 h, sent as historical data later. A minute is as fine as historians
    /// keep.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:00.1", "01:00:00")]
    public TimeSpan HistoryInterval { get; set; } = TimeSpan.FromMinutes(1);

    /// <summary>Looks kept while the broker is away, 10 to 100,000; the oldest go first. 5,000 minutes are more than three days, some 10 MB.</summary>
    [Range(10, 100_000)]
    public int HistoryLimit { get; set; } = 5000;

    /// <inheritdoc/>
    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (HistoryInterval < Interval)
        {
            yield return new ValidationResult(
                "Sparkplug:HistoryInterval is shorter than Sparkplug:Interval",
                [nameof(HistoryInterval)]
            );
        }
    }
}
