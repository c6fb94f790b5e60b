namespace EdgeInspector.Devices;

/// <summary>
/// Measures the air around camera and lamp. Owned by whoever opened it; calls block for up to 15 ms on the I²C bus, so
/// never from the capture, inspection or reject thread.
/// </summary>
public interface IClimateSensor : IDisposable
{
    /// <summary>One measurement; a quantity that the sensor failed to give, or does not have, is null.</summary>
    /// <exception cref="IOException">The sensor does not answer on the bus.</exception>
    ClimateReading Read();
}
