using System.Device.Gpio;
using System.Device.I2c;
using Iot.Device.Mcp23xxx;

namespace EdgeInspector.Devices.Bindings;

/// <summary>
/// Sixteen more pins on an I²C bus (Microchip MCP23017), for stack lights and slow outputs. It goes where any
/// <see cref="GpioDriver"/> goes.
/// </summary>
/// <remarks>
/// Opening it makes every pin an input and every latch low: a restart lets all outputs fall, so wire low to mean rest.
/// Mode and level are set in two transfers, so an active-low output twitches when opened, and a write takes about
/// 0.1 ms at 400 kHz with nothing to bound it: not for an ejector.
/// </remarks>
public static class Mcp23017Pins
{
    /// <summary>Opens the expander; pins 0–7 are port A, 8–15 port B.</summary>
    /// <param name="bus">Number of the bus, the N of /dev/i2c-N.</param>
    /// <param name="address">0x20 to 0x27, set by the pins A0 to A2.</param>
    /// <returns>A driver that the caller, or the <see cref="GpioController"/> given it, disposes.</returns>
    public static GpioDriver Open(int bus, int address = 0x20) =>
        new Mcp23017(I2cDevice.Create(new I2cConnectionSettings(bus, address)));
}
