using System.Text.Json.Serialization;

namespace EdgeInspector.Line;

/// <summary>
/// What can be wrong with a station. The numbers are stored, published and printed on the card beside the line: never
/// change or reuse one. <see cref="AlarmKind"/> holds each one's name and habits, <c>docs/alarms.md</c> cause and remedy.
/// </summary>
[JsonConverter(typeof(JsonNumberEnumConverter<AlarmCode>))]
internal enum AlarmCode : short
{
    /// <summary>No alarm: what a lookup that found none gives.</summary>
    None = 0,

    /// <summary>The ejector fired and the confirm eye saw nothing fall.</summary>
    RejectNotConfirmed = 101,

    /// <summary>Something fell into the bin that nothing had asked for.</summary>
    UnexpectedBinEntry = 102,

    /// <summary>The reject bin is full.</summary>
    BinFull = 103,

    /// <summary>Too little air pressure for the ejectors.</summary>
    AirLow = 104,

    /// <summary>No frames come from the camera.</summary>
    CameraLost = 105,

    /// <summary>As many parts rejected in a row as the recipe allows at most.</summary>
    RunawayRejects = 106,

    /// <summary>A larger share of the last parts rejected than the recipe allows.</summary>
    RejectRate = 107,

    /// <summary>An output could not be written.</summary>
    OutputFault = 108,

    /// <summary>A challenge test should have been made.</summary>
    ChallengeOverdue = 109,

    /// <summary>A challenge test failed.</summary>
    ChallengeFailed = 110,

    /// <summary>Records cannot be written.</summary>
    LedgerFault = 111,

    /// <summary>The kernel dropped edges of an eye or of the encoder.</summary>
    EdgesLost = 112,

    /// <summary>As many late parts in a row as the recipe allows at most.</summary>
    LateParts = 113,

    /// <summary>As many parts in a row that could not be judged as the recipe allows at most.</summary>
    NotInspectedInARow = 114,

    /// <summary>A guard door is open.</summary>
    DoorOpen = 115,

    /// <summary>The emergency stop is pressed.</summary>
    EmergencyStop = 116,

    /// <summary>The maintenance key is turned.</summary>
    Maintenance = 117,

    /// <summary>A pin did not move in the loopback self-test.</summary>
    SelfTestFailed = 118,

    /// <summary>The disk is nearly full.</summary>
    DiskLow = 119,

    /// <summary>One of the station's threads does not answer.</summary>
    NotResponding = 120,

    /// <summary>As many unsure parts in a row as the recipe allows at most.</summary>
    UnsureInARow = 121,

    /// <summary>A change of recipe did not come to its end.</summary>
    ChangeoverFailed = 122,

    /// <summary>Entry eye, ledger, pulses and confirmations do not add up.</summary>
    CountsMismatch = 123,

    /// <summary>What waited for the broker was lost with its file.</summary>
    OutboxDamaged = 124,
}

/// <summary>How much an alarm matters.</summary>
internal enum AlarmSeverity : byte
{
    /// <summary>Worth knowing; nobody has to come.</summary>
    Info,

    /// <summary>Somebody should look; the line goes on.</summary>
    Warning,

    /// <summary>The line must not go on: line stop is requested and Healthy drops while it stands.</summary>
    Stop,
}

/// <summary>The states of ISA-18.2 that are used here, by meaning.</summary>
internal enum AlarmState : byte
{
    /// <summary>Nothing is wrong.</summary>
    Normal,

    /// <summary>It is so, and nobody has said that they know.</summary>
    ActiveUnacknowledged,

    /// <summary>It is so, and somebody knows.</summary>
    ActiveAcknowledged,

    /// <summary>It is over, and nobody has said that they know.</summary>
    ClearedUnacknowledged,
}
