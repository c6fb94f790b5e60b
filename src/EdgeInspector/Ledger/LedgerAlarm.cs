namespace EdgeInspector.Ledger;

/// <summary>One alarm from its being raised to its being cleared and acknowledged; station, code and time name it.</summary>
/// <param name="Station">The station's name.</param>
/// <param name="Code">Stable code, such as <c>challenge-failed</c>.</param>
/// <param name="Raised">Wall-clock label.</param>
/// <param name="Text">One line for an operator.</param>
/// <param name="Cleared">When its cause went away; null while it lasts.</param>
/// <param name="Acknowledged">When a person took note; null when nobody has.</param>
/// <param name="Who">Who took note.</param>
internal sealed record LedgerAlarm(
    string Station,
    string Code,
    DateTimeOffset Raised,
    string Text,
    DateTimeOffset? Cleared = null,
    DateTimeOffset? Acknowledged = null,
    string? Who = null
);
