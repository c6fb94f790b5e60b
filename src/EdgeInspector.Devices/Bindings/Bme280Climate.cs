using System.Device.I2c;
using Iot.Device.Bmxx80;

namespace EdgeInspector.Devices.Bindings;

/// <summary>A Bosch BME280: temperature, humidity and pressure. One measurement takes about 10 ms.</summary>
public sealed class Bme280Climate : IClimateSensor
{
    private readonly Bme280 _sensor;

    /// <summary>Opens the sensor on an I²C bus.</summary>
    /// <param name="bus">Number of the bus, the N of /dev/i2c-N.</param>
    /// <param name="address">0x77, or 0x76 with SDO tied to ground (datasheet BST-BME280-DS002, section 6.2).</param>
    public Bme280Climate(int bus, int address = Bmx280Base.DefaultI2cAddress)
    {
        _sensor = new Bme280(I2cDevice.Create(new I2cConnectionSettings(bus, address)));
    }

    /// <inheritdoc/>
    public ClimateReading Read()
    {
        var reading = _sensor.Read();
        return new ClimateReading(
            reading.Temperature?.DegreesCelsius,
            reading.Humidity?.Percent,
            reading.Pressure?.Hectopascals
        );
    }

    /// <inheritdoc/>
    public void Dispose() => _sensor.Dispose();
}
