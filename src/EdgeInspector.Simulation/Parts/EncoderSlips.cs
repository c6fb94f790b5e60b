namespace EdgeInspector.Simulation.Parts;

/// <summary>
/// Counts that the encoder has lost, or told twice, on its way to a count. They come in one stretch somewhere in each
/// block of counts; how many there are up to any block follows from its number alone, so nothing is remembered.
/// </summary>
/// <param name="purpose">Stream of random numbers, with the next two.</param>
/// <param name="share">Of all counts, 0-0.4.</param>
/// <param name="block">Counts in a block.</param>
internal sealed class EncoderSlips(ulong seed, ulong purpose, double share, long block)
{
    /// <summary>Counts concerned up to <paramref name="count"/>; never falls as that rises.</summary>
    public long UpTo(long count)
    {
        if (share == 0 || count <= 0)
        {
            return 0;
        }

        var number = count / block;
        var before = Before(number);
        var many = Before(number + 1) - before;
        var start = SeededRandom.For(seed, purpose + 1, number).Below((int)(block - many) + 1);
        return before + Math.Clamp((count % block) - start, 0, many);
    }

    /// <summary>Up to a block: the share, with up to one block's more.</summary>
    private long Before(long number)
    {
        return number == 0
            ? 0
            : (long)(share * block * (number + SeededRandom.For(seed, purpose, number).NextDouble()));
    }
}
