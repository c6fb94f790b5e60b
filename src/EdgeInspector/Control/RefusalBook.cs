namespace EdgeInspector.Control;

/// <summary>
/// Decides which refusals get an audit entry of their own: a few at once, then one every <see cref="Interval"/>; the others
/// are summed up. So nobody can fill the disk, or wear it out, with commands that are refused. Not thread-safe.
/// </summary>
internal sealed class RefusalBook(DateTimeOffset start)
{
    /// <summary>Entries at once: what a person or a misconfigured program causes before somebody looks.</summary>
    public const int Burst = 20;

    /// <summary>Time between further entries: 0.9 MB a day at most.</summary>
    public static readonly TimeSpan Interval = TimeSpan.FromSeconds(30);

    private readonly SortedDictionary<string, long> _uncounted = new(StringComparer.Ordinal);
    private double _left = Burst;
    private DateTimeOffset _at = start;

    /// <summary>Whether this refusal is booked; otherwise it is added to the sum.</summary>
    public bool Enter(string code, DateTimeOffset now)
    {
        var passed = now - _at;
        _at = now;
        _left = Math.Min(Burst, _left + Math.Max(0, passed / Interval));
        if (_left >= 1)
        {
            _left--;
            return true;
        }

        _uncounted[code] = _uncounted.GetValueOrDefault(code) + 1;
        return false;
    }

    /// <summary>The sum since it was last taken; null when there is none.</summary>
    public IReadOnlyDictionary<string, long>? TakeSum()
    {
        if (_uncounted.Count == 0)
        {
            return null;
        }

        var sum = new Dictionary<string, long>(_uncounted, StringComparer.Ordinal);
        _uncounted.Clear();
        return sum;
    }
}
