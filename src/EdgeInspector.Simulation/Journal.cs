namespace EdgeInspector.Simulation;

/// <summary>
/// The latest entries of something, the oldest forgotten first. Its room is taken once. Not thread-safe.
/// </summary>
internal sealed class Journal<T>(int length)
{
    private readonly T[] _entries = new T[length];
    private long _count;

    public void Add(T entry)
    {
        _entries[_count++ % _entries.Length] = entry;
    }

    /// <summary>A copy, oldest first.</summary>
    public T[] ToArray()
    {
        var copy = new T[Math.Min(_count, _entries.Length)];
        for (var i = 0; i < copy.Length; i++)
        {
            copy[i] = _entries[(_count - copy.Length + i) % _entries.Length];
        }

        return copy;
    }
}
