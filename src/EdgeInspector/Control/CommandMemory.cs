using EdgeInspector.Line;

namespace EdgeInspector.Control;

/// <summary>
/// Ids of commands that were let in, so that none is executed twice. An id is remembered until its command has expired, and
/// for <see cref="Margin"/> beyond, since clocks are set back; what is forgotten can no longer be repeated, because it has
/// expired. Not thread-safe.
/// </summary>
/// <param name="capacity">Most that are remembered.</param>
internal sealed class CommandMemory(int capacity)
{
    /// <summary>A day: more than any clock is out by where people work by it.</summary>
    public static readonly TimeSpan Margin = TimeSpan.FromDays(1);

    private readonly Dictionary<string, Remembered> _byId = new(StringComparer.Ordinal);
    private readonly Queue<string> _order = new();

    /// <summary>How many are remembered.</summary>
    public int Count => _byId.Count;

    /// <summary>What is known of an id; null when it is new.</summary>
    public Remembered? Find(string id) => _byId.GetValueOrDefault(id);

    /// <summary>Makes room for one more; false when all that are remembered may still be repeated.</summary>
    public bool TryMakeRoom(DateTimeOffset now)
    {
        while (_order.TryPeek(out var oldest) && _byId.TryGetValue(oldest, out var known))
        {
            if (known.ExpiresAt + Margin >= now && (_byId.Count < capacity || known.ExpiresAt >= now))
            {
                break;
            }

            _order.Dequeue();
            _byId.Remove(oldest);
        }

        return _byId.Count < capacity;
    }

    /// <summary>Remembers a command before it is executed.</summary>
    public void Begin(string id, string fingerprint, DateTimeOffset expiresAt)
    {
        if (_byId.TryAdd(id, new Remembered(fingerprint, expiresAt)))
        {
            _order.Enqueue(id);
        }
    }

    /// <summary>Remembers what came of it.</summary>
    public void End(string id, CommandReply reply)
    {
        if (_byId.TryGetValue(id, out var known))
        {
            known.Reply = reply;
        }
    }

    /// <summary>One id.</summary>
    /// <param name="fingerprint">What the command said.</param>
    /// <param name="expiresAt">Until when it could be repeated.</param>
    internal sealed class Remembered(string fingerprint, DateTimeOffset expiresAt)
    {
        /// <summary>What the command said.</summary>
        public string Fingerprint { get; } = fingerprint;

        /// <summary>Until when it could be repeated.</summary>
        public DateTimeOffset ExpiresAt { get; } = expiresAt;

        /// <summary>What came of it; null while nobody knows.</summary>
        public CommandReply? Reply { get; set; }
    }
}
