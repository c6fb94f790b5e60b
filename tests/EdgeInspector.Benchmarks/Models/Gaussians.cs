namespace EdgeInspector.Benchmarks.Models;

/// <summary>Normally distributed weights; the same seed gives the same ones.</summary>
internal sealed class Gaussians(int seed)
{
    private readonly Random _random = new(seed);

    /// <summary>So many of mean 0 and the given spread (Box and Muller, 1958).</summary>
    public float[] Next(int count, double spread)
    {
        var values = new float[count];
        for (var i = 0; i < count; i += 2)
        {
            var radius = spread * Math.Sqrt(-2 * Math.Log(1 - _random.NextDouble()));
            var (sine, cosine) = Math.SinCos(2 * Math.PI * _random.NextDouble());
            values[i] = (float)(radius * cosine);
            if (i + 1 < count)
            {
                values[i + 1] = (float)(radius * sine);
            }
        }

        return values;
    }
}
