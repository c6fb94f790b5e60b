namespace EdgeInspector.Line;

/// <summary>
/// Decisions on their way from the inspect thread to the reject thread. A full queue means that the reject thread no longer
/// turns, which no verdict can mend: writing throws, and the process ends with outputs safe.
/// </summary>
/// <param name="capacity">A power of two; 1,024 parts are minutes of belt.</param>
internal sealed class DecisionQueue(int capacity = 1024)
{
    private readonly Ring<Decision> _ring = new(capacity);

    /// <summary>Called by the writer after each write, to wake the reader. Set once, before the threads start.</summary>
    public Action? Written { get; set; }

    /// <summary>Adds a decision. Inspect thread only.</summary>
    /// <exception cref="InvalidOperationException">The queue is full.</exception>
    public void Write(in Decision decision)
    {
        if (!_ring.TryWrite(decision))
        {
            throw new InvalidOperationException(
                $"The reject thread has not taken a decision for {_ring.Capacity} parts; stopping with outputs safe."
            );
        }

        Written?.Invoke();
    }

    /// <summary>Takes the oldest decision. Reject thread only.</summary>
    public bool TryRead(out Decision decision) => _ring.TryRead(out decision);
}
