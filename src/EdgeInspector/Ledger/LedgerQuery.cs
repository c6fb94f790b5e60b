using EdgeInspector.Line;

namespace EdgeInspector.Ledger;

/// <summary>Which parts to read; every property narrows.</summary>
internal sealed record LedgerQuery
{
    /// <summary>Decided at or after.</summary>
    public DateTimeOffset? From { get; init; }

    /// <summary>Decided before.</summary>
    public DateTimeOffset? To { get; init; }

    /// <summary>The part with this <see cref="PartRecord.Id"/>.</summary>
    public string? Id { get; init; }

    /// <summary>One station's.</summary>
    public string? Station { get; init; }

    /// <summary>One recipe's.</summary>
    public string? Recipe { get; init; }

    /// <summary>One run's, see <see cref="LedgerRun.Id"/>.</summary>
    public string? Run { get; init; }

    /// <summary>One verdict's.</summary>
    public Verdict? Verdict { get; init; }

    /// <summary>Those with one label.</summary>
    public string? Label { get; init; }

    /// <summary>One challenge test's, see <see cref="ChallengeRecord.Id"/>.</summary>
    public string? Challenge { get; init; }

    /// <summary>
    /// Those that came after their station's last passed challenge test, to be held when the next one fails; of a station
    /// that never passed one, all.
    /// </summary>
    public bool SinceGoodChallenge { get; init; }

    /// <summary>At most so many.</summary>
    public int? Limit { get; init; }

    /// <summary>Latest written first; otherwise in the order of writing.</summary>
    public bool NewestFirst { get; init; }
}
