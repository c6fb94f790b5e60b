using EdgeInspector.Line;
using EdgeInspector.Telemetry;

namespace EdgeInspector.Station;

/// <summary>What a lamp or the buzzer does.</summary>
internal enum Lamp : byte
{
    /// <summary>Off.</summary>
    Off,

    /// <summary>On.</summary>
    On,

    /// <summary>On and off at 1 Hz.</summary>
    Flash,
}

/// <summary>What the stack light shows.</summary>
internal readonly record struct StackPattern(Lamp Green, Lamp Amber, Lamp Red, Lamp Blue, Lamp Buzzer);

/// <summary>
/// From how things stand to what the stack light shows. Colours after IEC 60073: green normal, amber abnormal, red
/// stopped, blue somebody has to act. A lamp flashes while somebody has still to say that they know. Pure.
/// </summary>
internal static class StackLight
{
    /// <summary>The pattern for a moment.</summary>
    /// <param name="state">The station's state.</param>
    /// <param name="alarms">Its alarms.</param>
    /// <param name="challenge">Where it stands with its challenge tests.</param>
    /// <param name="stopLine">Whether anything that is no alarm asks for a line stop, such as a failed challenge test.</param>
    public static StackPattern Show(StationState state, AlarmSummary alarms, ChallengeState challenge, bool stopLine = false)
    {
        var stopped = stopLine || alarms.StopsLine || state is StationState.Error or StationState.Halted;
        return new StackPattern(
            Green: StationStateTable.IsExecuting(state) && !stopped ? Lamp.On : Lamp.Off,
            Amber: Colour(
                alarms.HasUnacknowledged(AlarmSeverity.Warning),
                // Starting takes a model's load: a dark stack light would look dead.
                alarms.Has(AlarmSeverity.Warning) || state == StationState.Preoperational
            ),
            Red: Colour(alarms.HasUnacknowledged(AlarmSeverity.Stop), stopped),
            Blue: Colour(
                challenge is ChallengeState.Overdue or ChallengeState.Failed,
                challenge is ChallengeState.Due or ChallengeState.Running
                    || state is StationState.Initialized or StationState.Ready
            ),
            Buzzer: alarms.IsMuted ? Lamp.Off
                : alarms.HasUnacknowledged(AlarmSeverity.Stop) ? Lamp.On
                : alarms.HasUnacknowledged(AlarmSeverity.Warning) ? Lamp.Flash
                : Lamp.Off
        );
    }

    /// <summary>Whether a lamp is lit in this half of the second.</summary>
    public static bool IsLit(Lamp lamp, bool firstHalf) => lamp == Lamp.On || (lamp == Lamp.Flash && firstHalf);

    private static Lamp Colour(bool flashes, bool isOn) =>
        flashes ? Lamp.Flash
        : isOn ? Lamp.On
        : Lamp.Off;
}
