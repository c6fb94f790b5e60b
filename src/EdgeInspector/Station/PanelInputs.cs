using EdgeInspector.Line;

namespace EdgeInspector.Station;

/// <summary>
/// What the panel's inputs mean: each becomes an alarm or a fact. Fed by the sensor thread with every reading; anyone may
/// look. An input that has never spoken counts as being at rest, and air as sufficient: it may not be fitted.
/// </summary>
/// <remarks>
/// The emergency stop is only read. What it stops, it stops in hardware; here it is shown, and it takes the station out of
/// its run, so that releasing it restarts nothing.
/// </remarks>
internal sealed class PanelInputs(AlarmTable alarms)
{
    /// <summary>
    /// A press that lasts longer acknowledges nothing: 2 s are no press of a finger, but a button that is stuck or leaned on.
    /// </summary>
    private static readonly TimeSpan LongestPress = TimeSpan.FromSeconds(2);

    private Instant _pressedAt = Instant.Never;
    private volatile bool _isBinFull;
    private volatile bool _isAirLow;
    private volatile bool _isDoorOpen;
    private volatile bool _isEmergencyStopped;
    private volatile bool _isMaintenance;

    /// <summary>Whether the reject bin is full.</summary>
    public bool IsBinFull => _isBinFull;

    /// <summary>Whether the air pressure is too low for the ejectors.</summary>
    public bool IsAirLow => _isAirLow;

    /// <summary>Whether a guard door is open.</summary>
    public bool IsDoorOpen => _isDoorOpen;

    /// <summary>Whether the emergency stop is pressed.</summary>
    public bool IsEmergencyStopped => _isEmergencyStopped;

    /// <summary>Whether the maintenance key is turned: outputs may be tried by hand, and the line may not run.</summary>
    public bool IsMaintenance => _isMaintenance;

    /// <summary>Takes one reading; those of eyes and encoder concern it only where edges were lost.</summary>
    public void Enter(in SensorReading reading)
    {
        if (reading.Lost > 0)
        {
            alarms.Raise(
                AlarmCode.EdgesLost,
                $"{reading.Lost} {(reading.Lost == 1 ? "edge" : "edges")} of {reading.Input} {reading.Lane} lost",
                reading.At
            );
        }

        switch (reading.Input)
        {
            case SensorInput.BinFull:
                _isBinFull = reading.Active;
                alarms.Set(AlarmCode.BinFull, _isBinFull, "the reject bin is full", reading.At);
                break;
            case SensorInput.AirPressure:
                _isAirLow = !reading.Active;
                alarms.Set(AlarmCode.AirLow, _isAirLow, "the air pressure is too low for the ejectors", reading.At);
                break;
            case SensorInput.Door:
                _isDoorOpen = reading.Active;
                alarms.Set(AlarmCode.DoorOpen, _isDoorOpen, "a guard door is open", reading.At);
                break;
            case SensorInput.EmergencyStop:
                _isEmergencyStopped = reading.Active;
                alarms.Set(AlarmCode.EmergencyStop, _isEmergencyStopped, "the emergency stop is pressed", reading.At);
                break;
            case SensorInput.MaintenanceKey:
                _isMaintenance = reading.Active;
                alarms.Set(AlarmCode.Maintenance, _isMaintenance, "the maintenance key is turned", reading.At);
                break;
            case SensorInput.Acknowledge when reading.Active:
                _pressedAt = reading.At;
                alarms.Mute();
                break;
            case SensorInput.Acknowledge:
                if (_pressedAt != Instant.Never && reading.At - _pressedAt <= LongestPress)
                {
                    alarms.Acknowledge(null, "button", reading.At);
                }

                _pressedAt = Instant.Never;
                break;
        }
    }
}
