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
);
