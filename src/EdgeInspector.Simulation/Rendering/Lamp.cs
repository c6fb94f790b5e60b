namespace EdgeInspector.Simulation.Rendering;

/// <summary>
/// The lamp over the belt: brighter in the middle than at the edges, and slowly drifting in brightness (two sines, so
/// that it does not look like one) and in colour.
/// </summary>
internal sealed class Lamp
{
    // Leaves head room: a pale part under the lamp at its brightest stays below white.
    private const double Nominal = 0.90;
    private const double Warmth = 0.025;

    private readonly double _drift;
    private readonly double[] _periods = new double[3];
    private readonly double[] _phases = new double[3];
    private readonly double _middleX;
    private readonly double _middleY;
    private readonly double _fallX;
    private readonly double _fallY;

    public Lamp(int seed, double drift)
    {
        var random = SeededRandom.For((ulong)seed, 3, 0);
        _drift = drift;
        double[] typical = [90, 31, 140];
        for (var i = 0; i < typical.Length; i++)
        {
            _periods[i] = typical[i] * random.Range(0.8, 1.25);
            _phases[i] = random.Range(0, 2 * Math.PI);
        }

        _middleX = random.Range(-0.25, 0.25);
        _middleY = random.Range(-0.25, 0.25);
        _fallX = random.Range(0.05, 0.10);
        _fallY = random.Range(0.04, 0.08);
    }

    /// <summary>Light for blue, green and red at time <paramref name="t"/>; 1 is as painted.</summary>
    public (double Blue, double Green, double Red) At(TimeSpan t)
    {
        var level = Nominal * (1 + (_drift * ((0.65 * Wave(0, t)) + (0.35 * Wave(1, t)))));
        var warm = Warmth * Wave(2, t);
        return (level * (1 - warm), level, level * (1 + warm));
    }

    /// <summary>Share of the light at a column, -1 left edge to 1 right edge.</summary>
    public double Along(double x)
    {
        return 1 - (_fallX * (x - _middleX) * (x - _middleX));
    }

    /// <summary>Share of the light at a row, -1 top edge to 1 bottom edge.</summary>
    public double AcrossBelt(double y)
    {
        return 1 - (_fallY * (y - _middleY) * (y - _middleY));
    }

    private double Wave(int i, TimeSpan t)
    {
        return Math.Sin((2 * Math.PI * t.TotalSeconds / _periods[i]) + _phases[i]);
    }
}
