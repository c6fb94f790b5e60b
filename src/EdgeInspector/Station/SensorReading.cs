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
}

/// <summary>One thing a sensor said.</summary>
/// <param name="Input">Which sensor.</param>
/// <param name="Blocked">Eyes: whether the beam is now interrupted.</param>
/// <param name="Count">Encoder: counts since it was opened.</param>
/// <param name="At">When it happened, by the best clock the reader has.</param>
internal readonly record struct SensorReading(SensorInput Input, bool Blocked, long Count, Instant At);

/// <summary>Reads a station's sensors. Owned and called by the sensor thread.</summary>
internal interface ISensorReader : IDisposable
{
    /// <summary>Waits for the next reading, in order of time; false when none came within the timeout.</summary>
    bool TryRead(TimeSpan timeout, out SensorReading reading);
}
