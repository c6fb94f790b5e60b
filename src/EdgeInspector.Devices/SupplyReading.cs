namespace EdgeInspector.Devices;

/// <summary>What a supply rail gives: a lamp that draws less is dimmer, an ejector valve that draws nothing is unplugged.</summary>
/// <param name="Volts">Voltage of the rail against ground, V.</param>
/// <param name="Amperes">Current through the shunt, A; negative when it flows backwards.</param>
public readonly record struct SupplyReading(double Volts, double Amperes)
{
    /// <summary>Power taken from the rail, W.</summary>
    public double Watts => Volts * Amperes;
}
