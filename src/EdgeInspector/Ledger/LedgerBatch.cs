using EdgeInspector.Line;

namespace EdgeInspector.Ledger;

/// <summary>What goes into the file in one transaction.</summary>
internal sealed record LedgerBatch
{
    /// <summary>Parts that have ended.</summary>
    public IReadOnlyList<PartRecord> Parts { get; init; } = [];

    /// <summary>Runs that begin or end.</summary>
    public IReadOnlyList<LedgerRun> Runs { get; init; } = [];

    /// <summary>What runs have counted, by run.</summary>
    public IReadOnlyDictionary<string, RunTotals> Totals { get; init; } = new Dictionary<string, RunTotals>();

    /// <summary>When the totals were taken; wall-clock label.</summary>
    public DateTimeOffset Heard { get; init; }

    /// <summary>How far others have the parts, by their names.</summary>
    public IReadOnlyDictionary<string, long> Marks { get; init; } = new Dictionary<string, long>();

    /// <summary><see cref="ChallengeRecord"/>s and <see cref="LedgerAlarm"/>s.</summary>
    public IReadOnlyList<object> Events { get; init; } = [];
}
