using EdgeInspector.Line;

namespace EdgeInspector.Telemetry;

/// <summary>
/// One thread's sign of life: it beats when it has done a piece of work and rests when it has none, so that silence means
/// a thread that owes something. One thread beats and rests, any thread may say that work is owed, any thread looks. No
/// allocation, no lock.
/// </summary>
internal sealed class Liveness
{
    private const long NotBegun = 0;
    private const long Resting = long.MaxValue;
    private long _since = NotBegun;

    /// <summary>Whether it has ever given a sign.</summary>
    public bool HasBegun => Volatile.Read(ref _since) != NotBegun;

    /// <summary>A piece of work is done, or is begun: whatever is owed counts from now.</summary>
    public void Beat(Instant now) => Volatile.Write(ref _since, now.Nanoseconds);

    /// <summary>
    /// Nothing is owed: it waits for work, for however long. A thread that is given its work through a queue looks into the
    /// queue once more after this, since <see cref="Owe"/> may just have said that there is some.
    /// </summary>
    public void Rest() => Volatile.Write(ref _since, Resting);

    /// <summary>Work is there from now on. Changes nothing where some was owed before.</summary>
    public void Owe(Instant now)
    {
        if (Volatile.Read(ref _since) == Resting)
        {
            Interlocked.CompareExchange(ref _since, now.Nanoseconds, Resting);
        }
    }

    /// <summary>Since when it is silent: <see cref="Instant.Never"/> while it rests. Meaningless before it has begun.</summary>
    public Instant SilentSince => new(Volatile.Read(ref _since));
}
