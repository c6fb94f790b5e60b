namespace EdgeInspector.Simulation;

/// <summary>
/// SplitMix64 (Steele, Lea, Flood, OOPSLA 2014): a small generator whose whole state is one number, so that each part,
/// chunk of belt and frame can have its own stream and be made again alone. The same seed gives the same numbers on
/// every machine and .NET version, which <see cref="Random"/> does not promise.
/// </summary>
internal struct SeededRandom(ulong state)
{
    private ulong _state = state;

    /// <summary>An independent stream for one thing (<paramref name="purpose"/>) of one owner.</summary>
    public static SeededRandom For(ulong seed, ulong purpose, long index)
    {
        return new SeededRandom(
            Mix(seed + (0x9E3779B97F4A7C15UL * purpose)) ^ Mix((ulong)index + 0x632BE59BD9B4E019UL)
        );
    }

    public static ulong Mix(ulong z)
    {
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9UL;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EBUL;
        return z ^ (z >> 31);
    }

    public ulong NextUInt64()
    {
        return Mix(_state += 0x9E3779B97F4A7C15UL);
    }

    /// <summary>Uniform in [0, 1).</summary>
    public double NextDouble()
    {
        return (NextUInt64() >> 11) * (1.0 / (1UL << 53));
    }

    public double Range(double low, double high)
    {
        return low + ((high - low) * NextDouble());
    }

    public float Range(float low, float high)
    {
        return low + ((high - low) * (float)NextDouble());
    }

    /// <summary>Uniform in 0 .. <paramref name="count"/> - 1.</summary>
    public int Below(int count)
    {
        return (int)(NextDouble() * count);
    }

    public bool Chance(double probability)
    {
        return NextDouble() < probability;
    }

    /// <summary>Standard normal, by Box and Muller.</summary>
    public double Normal()
    {
        var radius = Math.Sqrt(-2 * Math.Log(1 - NextDouble()));
        return radius * Math.Cos(2 * Math.PI * NextDouble());
    }
}
