namespace EdgeInspector.Ledger;

/// <summary>One run of a station, from its start to its end.</summary>
/// <param name="Id">
/// What the ids of its parts begin with: station and start, such as <c>biscuit-1/20261123T144800Z</c>.
/// </param>
/// <param name="Station">The station's name.</param>
/// <param name="Started">Wall-clock label.</param>
/// <param name="Model">Model package at the start, name and version.</param>
/// <param name="Recipe">The recipe at the start.</param>
/// <param name="Version">The program's version.</param>
/// <param name="Ended">Null while it runs, and for ever when it crashed: its last parts may be missing.</param>
internal sealed record LedgerRun(
    string Id,
    string Station,
    DateTimeOffset Started,
    string Model,
    string Recipe,
    string Version,
    DateTimeOffset? Ended = null
)
{
    /// <summary>The last sign of life: when its totals were last written. Null when they never were.</summary>
    public DateTimeOffset? Heard { get; init; }

    /// <summary>When a later start found that it had never ended: the gap goes from <see cref="Heard"/> to here.</summary>
    public DateTimeOffset? GapNoticed { get; init; }

    /// <summary>How many of its parts retention has removed.</summary>
    public long Removed { get; init; }

    /// <summary>What it counted, at <see cref="Heard"/>; null when it was never written.</summary>
    public RunTotals? Totals { get; init; }
}
