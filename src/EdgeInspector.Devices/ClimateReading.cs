namespace EdgeInspector.Devices;

/// <summary>
/// The air around camera and lamp: a lamp changes with heat, and a fogged lens looks like a bad model.
/// </summary>
/// <param name="TemperatureCelsius">Air temperature, °C.</param>
/// <param name="HumidityPercent">Relative humidity, 0–100 %.</param>
/// <param name="PressureHectopascal">Air pressure, hPa; null where the sensor has no barometer.</param>
public readonly record struct ClimateReading(
    double? TemperatureCelsius,
    double? HumidityPercent,
    double? PressureHectopascal
);
