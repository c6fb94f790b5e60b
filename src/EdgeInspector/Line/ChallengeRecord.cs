namespace EdgeInspector.Line;

/// <summary>How a challenge test ended. The numbers are stored: never reuse one.</summary>
internal enum ChallengeOutcome : byte
{
    /// <summary>Under way; for ever when the program crashed meanwhile.</summary>
    Running = 0,

    /// <summary>Every piece met its end as it should.</summary>
    Passed = 1,

    /// <summary>A piece did not, see <see cref="ChallengeRecord.Fault"/>.</summary>
    Failed = 2,

    /// <summary>Given up by a person or a stop: proves nothing either way.</summary>
    Aborted = 3,
}

/// <summary>Test pieces of one kind.</summary>
/// <param name="Label">
/// The classifier's label that the piece stands for; a good label for one that must not be rejected.
/// </param>
/// <param name="Count">How many, 1 to 100.</param>
internal sealed record ChallengePiece(string Label, int Count);

/// <summary>What became of one test piece.</summary>
/// <param name="Expected">The label it stands for.</param>
/// <param name="IsGood">True for a piece that must pass.</param>
/// <param name="Part">The part's number within the run; null when no part took its place.</param>
/// <param name="Label">The label it was given.</param>
/// <param name="Score">Its defect score.</param>
/// <param name="Margin">
/// How far on the right side of the threshold: score - threshold, for a good piece threshold - score.
/// </param>
internal sealed record ChallengePieceResult(
    string Expected,
    bool IsGood,
    long? Part = null,
    string? Label = null,
    double? Score = null,
    double? Margin = null
)
{
    /// <summary>Whether a part met the end that the piece was to meet.</summary>
    public bool Found => Part is not null;

    /// <summary>Whether it was also called by its name.</summary>
    public bool LabelMatches => Found && Label == Expected;
}

/// <summary>
/// One challenge test: who put which pieces on the line, and what the line made of them. Written when it starts and again
/// when it has ended; never changed afterwards. Every attempt is kept, the failed ones before all.
/// </summary>
internal sealed record ChallengeRecord
{
    /// <summary>Unique and stable: the run's id and a number, such as <c>biscuit-1/20261123T144800Z/c3</c>.</summary>
    public required string Id { get; init; }

    /// <summary>The run it belongs to.</summary>
    public required string Run { get; init; }

    /// <summary>The station's name.</summary>
    public required string Station { get; init; }

    /// <summary>Who started it.</summary>
    public required string Who { get; init; }

    /// <summary>The defect it tests for, where it tests for one.</summary>
    public required string? Defect { get; init; }

    /// <summary>Wall-clock label.</summary>
    public required DateTimeOffset StartedAt { get; init; }

    /// <summary>Wall-clock label; null while it is under way.</summary>
    public DateTimeOffset? EndedAt { get; init; }

    /// <summary>How it ended.</summary>
    public required ChallengeOutcome Outcome { get; init; }

    /// <summary>Why it failed or was given up, in one line.</summary>
    public string? Fault { get; init; }

    /// <summary>The last part before it: the test's parts have higher numbers.</summary>
    public required long AfterPart { get; init; }

    /// <summary>The last part of it; null while parts still join.</summary>
    public long? LastPart { get; init; }

    /// <summary>Every expected piece.</summary>
    public required IReadOnlyList<ChallengePieceResult> Pieces { get; init; }

    /// <summary>Pieces that met the end they were to meet.</summary>
    public int Found => Pieces.Count(piece => piece.Found);

    /// <summary>
    /// The smallest margin of the pieces, whose trend shows sensitivity fading before a test fails; null when no piece was
    /// scored.
    /// </summary>
    public double? LeastMargin => Pieces.Min(piece => piece.Margin);
}

/// <summary>What earlier runs know of a station's challenge tests, so that a restart neither forgets nor forgives.</summary>
/// <param name="LastPassedAt">When the last good one ended; null when none is known.</param>
/// <param name="FailedSince">Why the latest one failed, when none has passed since.</param>
internal sealed record ChallengeHistory(DateTimeOffset? LastPassedAt, string? FailedSince);
