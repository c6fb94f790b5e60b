namespace EdgeInspector.Ledger;

/// <summary>
/// What a run counted that its parts do not tell one by one; what their records are reconciled with. Counts since the run
/// began, production and challenge tests together.
/// </summary>
/// <param name="Parts">Parts that got a number.</param>
/// <param name="ChallengeParts">Of these, parts of challenge tests.</param>
/// <param name="Unaccounted">Parts without an end, or with two, and events that fit no part: 0 in a sound run.</param>
/// <param name="EntryEyes">Entry eyes that are fitted.</param>
/// <param name="EntryEye">Blockages of the entry eyes; null where none is fitted.</param>
/// <param name="Pulses">Parts fired at.</param>
/// <param name="Confirmed">Pulses that the confirm eye answered; null where none is fitted.</param>
/// <param name="Unconfirmed">Pulses that it did not answer in time; null where none is fitted.</param>
/// <param name="UnexpectedBinEntries">Falls that nothing had asked for; null where no confirm eye is fitted.</param>
internal sealed record RunTotals(
    long Parts,
    long ChallengeParts,
    long Unaccounted,
    int EntryEyes,
    long? EntryEye,
    long Pulses,
    long? Confirmed,
    long? Unconfirmed,
    long? UnexpectedBinEntries
);
