using System.Device.I2c;
using Iot.Device.Adc;

namespace EdgeInspector.Devices.Bindings;

/// <summary>
/// A TI INA219 in a supply rail of up to 26 V. Reads block for about 1 ms. The three-channel INA3221 on Jetson modules
/// has no binding: the kernel shows that one under /sys/class/hwmon.
/// </summary>
public sealed class Ina219Supply : IDisposable
{
    private readonly Ina219 _monitor;
    private readonly double _shuntOhms;

    /// <summary>Opens the monitor on an I²C bus.</summary>
    /// <param name="bus">Number of the bus, the N of /dev/i2c-N.</param>
    /// <param name="shuntOhms">Resistance of the shunt, Ω; breakout boards carry 0.1 Ω, good for 3.2 A.</param>
    /// <param name="address">0x40 to 0x4F, set by the pins A0 and A1.</param>
    public Ina219Supply(int bus, double shuntOhms = 0.1, int address = 0x40)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(shuntOhms);
        _shuntOhms = shuntOhms;
        _monitor = new Ina219(I2cDevice.Create(new I2cConnectionSettings(bus, address)));
    }

    /// <summary>One measurement.</summary>
    /// <exception cref="IOException">The monitor does not answer on the bus.</exception>
    public SupplyReading Read()
    {
        // Two registers come with the wrong sign from the binding (dotnet/iot 4.2.0, Ina219.cs). The shunt voltage is read
        // as unsigned, so a current that flows backwards is 65,536 steps of 10 µV too high; the bus voltage is read as
        // signed, so anything above 16.38 V, a 24 V rail for one, is 8,192 steps of 4 mV too low.
        var shunt = _monitor.ReadShuntVoltage().Volts;
        if (shunt > 0.32767)
        {
            shunt -= 0.65536;
        }

        var rail = _monitor.ReadBusVoltage().Volts;
        if (rail < 0)
        {
            rail += 32.768;
        }

        // Ohm's law instead of the chip's calibration register, which a sharp change of load can clear.
        return new SupplyReading(rail, shunt / _shuntOhms);
    }

    /// <inheritdoc/>
    public void Dispose() => _monitor.Dispose();
}
