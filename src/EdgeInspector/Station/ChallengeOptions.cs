using System.ComponentModel.DataAnnotations;

namespace EdgeInspector.Station;

/// <summary>Test pieces of one kind that every challenge test takes.</summary>
internal sealed class ChallengePieceOptions
{
    /// <summary>The classifier's label it stands for; a good label for a piece that must not be rejected.</summary>
    [Required, StringLength(64, MinimumLength = 1)]
    public string Label { get; set; } = "";

    /// <summary>How many, 1 to 100. One proves that the defect is seen; more in a row prove that the ejector keeps up.</summary>
    [Range(1, 100)]
    public int Count { get; set; } = 1;
}

/// <summary>
/// Challenge tests: pieces with known defects are put on the running line, and the line has to throw them out. The proof
/// that camera, model, ejector and confirm eye still work together, which no self-test can give.
/// </summary>
internal sealed class ChallengeOptions : IValidatableObject
{
    /// <summary>
    /// Time from one passed test to the next, 1min to 7d; null, the default, asks for none. Retailers' codes ask for one
    /// at least hourly, at shift start and at product change.
    /// </summary>
    [Range(typeof(TimeSpan), "00:01:00", "7.00:00:00")]
    public TimeSpan? Interval { get; set; }

    /// <summary>
    /// How long a test that is due may wait before it is overdue, 0s to 1d. Ten minutes let an operator finish what is at
    /// hand, and are the window of common metal detectors.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:00", "1.00:00:00")]
    public TimeSpan Grace { get; set; } = TimeSpan.FromMinutes(10);

    /// <summary>
    /// The pieces, of all defects that matter. With a good piece among them it is a memory test: then nothing but the pieces
    /// may be on the belt, and a good one that is rejected fails it.
    /// </summary>
    public IList<ChallengePieceOptions> Pieces { get; set; } = [];

    /// <summary>
    /// Longest time from the start to the last piece's end, 10s to 1h; then what is missing counts as missed. Five minutes
    /// are ample to walk along a line and lay pieces down.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:10", "01:00:00")]
    public TimeSpan Timeout { get; set; } = TimeSpan.FromMinutes(5);

    /// <summary>
    /// How long parts of a test that is over may still take to the ejector and the confirm eye, 1s to 10min. Half a minute
    /// is many times the way from camera to bin; on a belt that has stopped, the result then comes without them.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:01", "00:10:00")]
    public TimeSpan Settling { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// Whether an overdue test asks for a line stop. False: the alarm alone, since what runs was proven good a while ago.
    /// </summary>
    public bool StopLineWhenOverdue { get; set; }

    /// <summary>
    /// Whether a failed test asks for a line stop. True: every part that goes on is a part that may have to be recalled.
    /// </summary>
    public bool StopLineWhenFailed { get; set; } = true;

    /// <inheritdoc/>
    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (Interval is not null && Pieces.Count == 0)
        {
            yield return new("names no pieces, so no test could pass; give a label and a count each", [nameof(Pieces)]);
        }

        foreach (var twice in Pieces.GroupBy(piece => piece.Label).Where(group => group.Count() > 1))
        {
            yield return new($"names '{twice.Key}' twice; add the counts up", [nameof(Pieces)]);
        }
    }
}
