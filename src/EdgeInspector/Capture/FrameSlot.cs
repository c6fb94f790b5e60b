using EdgeInspector.Vision;

namespace EdgeInspector.Capture;

/// <summary>
/// A mailbox for one frame between the capture thread, which alone puts, and the inspect thread, which alone takes.
/// Whoever holds a frame disposes it: putting hands it over, taking hands it on, and what is displaced is disposed here
/// and counted. Allocates nothing.
/// </summary>
internal sealed class FrameSlot : IDisposable
{
    // A plain object: Monitor, unlike Lock, can wait for a pulse.
    private readonly object _gate = new();
    private Frame? _frame;
    private bool _complete;
    private long _dropped;

    /// <summary>Frames that nobody took because a newer one came.</summary>
    public long Dropped => Interlocked.Read(ref _dropped);

    /// <summary>True when no frame waits and none will come.</summary>
    public bool IsDrained
    {
        get
        {
            lock (_gate)
            {
                return _complete && _frame is null;
            }
        }
    }

    /// <summary>Puts a live frame: it displaces one that still waits.</summary>
    public void Put(Frame frame)
    {
        Frame? displaced;
        lock (_gate)
        {
            displaced = _complete ? frame : _frame;
            _frame = _complete ? _frame : frame;
            Monitor.PulseAll(_gate);
        }

        if (displaced is not null)
        {
            Interlocked.Increment(ref _dropped);
            displaced.Dispose();
        }
    }

    /// <summary>
    /// Puts a frame of a recording: waits until the one before it has been taken. False after the timeout or when the
    /// slot is complete; the frame then still belongs to the caller.
    /// </summary>
    public bool TryPut(Frame frame, TimeSpan timeout)
    {
        lock (_gate)
        {
            if (_frame is not null && !_complete)
            {
                Monitor.Wait(_gate, timeout);
            }

            if (_frame is not null || _complete)
            {
                return false;
            }

            _frame = frame;
            Monitor.PulseAll(_gate);
            return true;
        }
    }

    /// <summary>The waiting frame, now the caller's; null when none came in time, or <see cref="IsDrained"/>.</summary>
    public Frame? Take(TimeSpan timeout)
    {
        lock (_gate)
        {
            if (_frame is null && !_complete)
            {
                Monitor.Wait(_gate, timeout);
            }

            var frame = _frame;
            _frame = null;
            if (frame is not null)
            {
                Monitor.PulseAll(_gate);
            }

            return frame;
        }
    }

    /// <summary>No more frames come; one that waits can still be taken. Wakes both threads.</summary>
    public void Complete()
    {
        lock (_gate)
        {
            _complete = true;
            Monitor.PulseAll(_gate);
        }
    }

    /// <summary>Completes the slot and gives a waiting frame back to its pool.</summary>
    public void Dispose()
    {
        Frame? left;
        lock (_gate)
        {
            _complete = true;
            left = _frame;
            _frame = null;
            Monitor.PulseAll(_gate);
        }

        left?.Dispose();
    }
}
