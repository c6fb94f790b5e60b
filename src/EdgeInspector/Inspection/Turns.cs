namespace EdgeInspector.Inspection;

/// <summary>
/// Lets workers that took numbers go on one after another, in the order of the numbers. Without others nobody waits.
/// Allocates nothing.
/// </summary>
internal sealed class Turns
{
    // A plain object: Monitor, unlike Lock, can wait for a pulse.
    private readonly object _gate = new();
    private long _next;
    private bool _ended;

    /// <summary>Waits until every smaller number has passed; false when there are no turns any more.</summary>
    public bool Await(long turn)
    {
        lock (_gate)
        {
            while (_next != turn && !_ended)
            {
                Monitor.Wait(_gate);
            }

            return !_ended;
        }
    }

    /// <summary>Lets the next one go on.</summary>
    public void Pass()
    {
        lock (_gate)
        {
            _next++;
            Monitor.PulseAll(_gate);
        }
    }

    /// <summary>Sends everybody home: one of them cannot pass any more.</summary>
    public void End()
    {
        lock (_gate)
        {
            _ended = true;
            Monitor.PulseAll(_gate);
        }
    }
}
