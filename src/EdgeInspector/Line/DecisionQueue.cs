namespace EdgeInspector.Line;

/// <summary>
/// Decisions on their way from the inspect thread (one writer) to the reject thread (one reader): a ring without locks or
/// allocation. A full ring means that the reject thread no longer turns, which no verdict can mend: writing throws, and
/// the process ends with outputs safe.
/// </summary>
/// <param name="capacity">A power of two; 1,024 parts are minutes of belt.</param>
internal sealed class DecisionQueue(int capacity = 1024)
{
    private readonly Decision[] _ring = new Decision[capacity];
    private long _written;
    private long _read;

    /// <summary>Called by the writer after each write, to wake the reader. Set once, before the threads start.</summary>
    public Action? Written { get; set; }

    /// <summary>Adds a decision. Inspect thread only.</summary>
    /// <exception cref="InvalidOperationException">The ring is full.</exception>
    public void Write(in Decision decision)
    {
        if (_written - Volatile.Read(ref _read) == _ring.Length)
        {
            throw new InvalidOperationException(
                $"The reject thread has not taken a decision for {_ring.Length} parts; stopping with outputs safe."
            );
        }

        _ring[_written & (_ring.Length - 1)] = decision;
        Volatile.Write(ref _written, _written + 1);
        Written?.Invoke();
    }

    /// <summary>Takes the oldest decision. Reject thread only.</summary>
    public bool TryRead(out Decision decision)
    {
        if (_read == Volatile.Read(ref _written))
        {
            decision = default;
            return false;
        }

        decision = _ring[_read & (_ring.Length - 1)];
        Volatile.Write(ref _read, _read + 1);
        return true;
    }
}
