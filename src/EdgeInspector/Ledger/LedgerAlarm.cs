using EdgeInspector.Line;

namespace EdgeInspector.Ledger;

/// <summary>
/// An alarm as the ledger keeps it: station, code and the time of its raising name it; the latest word counts.
/// </summary>
/// <param name="Station">The station's name.</param>
/// <param name="Alarm">What is known about it.</param>
internal sealed record LedgerAlarm(string Station, AlarmRecord Alarm);
