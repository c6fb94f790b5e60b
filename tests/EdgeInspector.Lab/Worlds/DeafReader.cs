using EdgeInspector.Station;

namespace EdgeInspector.Lab.Worlds;

/// <summary>A sensor reader that keeps to itself what was lost.</summary>
internal sealed class DeafReader(ISensorReader reader) : ISensorReader
{
    /// <inheritdoc/>
    public bool TryRead(TimeSpan timeout, out SensorReading reading)
    {
        if (!reader.TryRead(timeout, out reading))
        {
            return false;
        }

        reading = reading with { Lost = 0 };
        return true;
    }

    /// <inheritdoc/>
    public void Wake() => reader.Wake();

    /// <inheritdoc/>
    public void Dispose() => reader.Dispose();
}
