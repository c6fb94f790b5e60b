using EdgeInspector.Line;

namespace EdgeInspector.Station;

/// <summary>What a <see cref="SensorReading"/> comes from.</summary>
internal enum SensorInput : byte
{
    /// <summary>Photo-eye upstream of the camera.</summary>
    EntryEye,

    /// <summary>Photo-eye in the reject chute.</summary>
    ConfirmEye,

    /// <summary>Belt encoder.</summary>
    Encoder,

    /// <summary>The reject bin is full.</summary>
    BinFull,

    /// <summary>Air pressure is high enough for the ejectors.</summary>
    AirPressure,

    /// <summary>A guard door is open.</summary>
    Door,

    /// <summary>The emergency stop is pressed. Read only: what it stops, it stops in hardware.</summary>
    EmergencyStop,

    /// <summary>The maintenance key is turned: outputs may be tried by hand.</summary>
    MaintenanceKey,

    /// <summary>The operator's button: acknowledges alarms and mutes the buzzer.</summary>
    Acknowledge,
}

/// <summary>One thing a sensor said.</summary>
/// <param name="Input">Which sensor.</param>
/// <param name="Active">Eyes: whether the beam is now interrupted. Other inputs: whether what they are named after is so.</param>
/// <param name="Count">Encoder: counts since it was opened, less those backward. Lost ones are made up for.</param>
/// <param name="At">When it happened, by the best clock the reader has.</param>
/// <param name="Lane">Eyes: which lane's, from 0; an eye across the whole belt is lane 0's.</param>
/// <param name="Lost">Edges of this input that are known to have been lost just before this one.</param>
/// <param name="AtStart">No edge: the level that the input was found at when it was opened.</param>
internal readonly record struct SensorReading(
    SensorInput Input,
    bool Active,
    long Count,
    Instant At,
    byte Lane = 0,
    int Lost = 0,
    bool AtStart = false
);

/// <summary>Reads a station's sensors. Owned and called by the sensor thread.</summary>
internal interface ISensorReader : IDisposable
{
    /// <summary>Waits for the next reading, in order of time; false when none came within the timeout.</summary>
    bool TryRead(TimeSpan timeout, out SensorReading reading);

    /// <summary>Ends a wait of <see cref="TryRead"/>, or the next one if none is under way. Any thread.</summary>
    void Wake();
}
