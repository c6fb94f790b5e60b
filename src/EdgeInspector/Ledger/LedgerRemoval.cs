namespace EdgeInspector.Ledger;

/// <summary>What retention removed on one day for one reason, so that missing parts are never taken for lost ones.</summary>
/// <param name="Day">The day, UTC.</param>
/// <param name="Why"><c>age</c> or <c>size</c>.</param>
/// <param name="Parts">How many parts.</param>
/// <param name="FirstDecided">When the earliest of them was decided.</param>
/// <param name="LastDecided">When the latest of them was decided.</param>
/// <param name="RemovedAt">When the last of them went.</param>
internal sealed record LedgerRemoval(
    DateOnly Day,
    string Why,
    long Parts,
    DateTimeOffset FirstDecided,
    DateTimeOffset LastDecided,
    DateTimeOffset RemovedAt
);
