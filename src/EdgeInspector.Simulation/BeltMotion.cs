namespace EdgeInspector.Simulation;

/// <summary>
/// How the belt moves: travel in millimetres since the start, at any time. The belt runs at one speed; ramps, stops and
/// reversals belong here when they come, since nothing else in the simulation assumes a constant speed.
/// </summary>
public sealed class BeltMotion
{
    private readonly double _millimetresPerSecond;

    /// <param name="metresPerSecond">Belt speed, above 0.</param>
    public BeltMotion(double metresPerSecond)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(metresPerSecond);
        _millimetresPerSecond = metresPerSecond * 1000;
    }

    /// <summary>Millimetres the belt has moved since the start; negative before it.</summary>
    public double TravelAt(TimeSpan t)
    {
        return t.TotalSeconds * _millimetresPerSecond;
    }

    /// <summary>Millimetres per second at <paramref name="t"/>; negative when running backwards.</summary>
    public double SpeedAt(TimeSpan t)
    {
        _ = t;
        return _millimetresPerSecond;
    }

    /// <summary>The first time at which the belt has moved <paramref name="travel"/> millimetres.</summary>
    public TimeSpan TimeAt(double travel)
    {
        return TimeSpan.FromTicks((long)Math.Round(travel / _millimetresPerSecond * TimeSpan.TicksPerSecond));
    }
}
