namespace EdgeInspector.Line;

/// <summary>
/// Values on their way from one thread to one other: a ring without locks or allocation. One writer, one reader.
/// </summary>
/// <param name="capacity">A power of two.</param>
internal sealed class Ring<T>(int capacity)
    where T : struct
{
    private readonly T[] _values = new T[capacity];
    private long _written;
    private long _read;

    /// <summary>How many fit.</summary>
    public int Capacity => _values.Length;

    /// <summary>Adds a value; false when the ring is full. Writer only.</summary>
    public bool TryWrite(in T value)
    {
        if (_written - Volatile.Read(ref _read) == _values.Length)
        {
            return false;
        }

        _values[_written & (_values.Length - 1)] = value;
        Volatile.Write(ref _written, _written + 1);
        return true;
    }

    /// <summary>Takes the oldest value. Reader only.</summary>
    public bool TryRead(out T value)
    {
        if (_read == Volatile.Read(ref _written))
        {
            value = default;
            return false;
        }

        value = _values[_read & (_values.Length - 1)];
        Volatile.Write(ref _read, _read + 1);
        return true;
    }
}
