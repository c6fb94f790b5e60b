using System.Device.I2c;
using Iot.Device.Sht4x;

namespace EdgeInspector.Devices.Bindings;

/// <summary>A Sensirion SHT40, SHT41 or SHT45: temperature and humidity, no pressure. One measurement takes about 9 ms.</summary>
public sealed class Sht4xClimate : IClimateSensor
{
    private readonly Sht4x _sensor;

    /// <summary>Opens the sensor on an I²C bus.</summary>
    /// <param name="bus">Number of the bus, the N of /dev/i2c-N.</param>
    /// <param name="address">0x44 for the common part; fixed when the part is made.</param>
    public Sht4xClimate(int bus, int address = Sht4x.DefaultI2cAddress)
    {
        _sensor = new Sht4x(I2cDevice.Create(new I2cConnectionSettings(bus, address)));
    }

    /// <inheritdoc/>
    public ClimateReading Read()
    {
        var (humidity, temperature) = _sensor.ReadHumidityAndTemperature();
        return new ClimateReading(temperature?.DegreesCelsius, humidity?.Percent, null);
    }

    /// <inheritdoc/>
    public void Dispose() => _sensor.Dispose();
}
