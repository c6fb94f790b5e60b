namespace EdgeInspector.Simulation;

/// <summary>The photo-eyes of a lane.</summary>
public enum LineSensor
{
    /// <summary>Upstream of the camera: blocked while a part passes.</summary>
    EntryEye,

    /// <summary>In the chute: blocked for a moment by each part that was ejected.</summary>
    ConfirmEye,
}

/// <summary>A photo-eye became blocked or clear.</summary>
/// <param name="Sequence">Counts from 0 for each eye of each lane; a gap is a lost edge.</param>
public readonly record struct SensorEdge(LineSensor Sensor, bool Blocked, TimeSpan At, long Sequence, int Lane = 0);
