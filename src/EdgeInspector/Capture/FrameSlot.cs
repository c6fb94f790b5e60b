using EdgeInspector.Vision;

namespace EdgeInspector.Capture;

/// <summary>
/// A mailbox between the capture thread, which alone puts, and the inspect thread, which alone takes: for one frame, the
/// newest, or for several in turn. Whoever holds a frame disposes it: putting hands it over, taking hands it on, and what
/// is displaced is disposed here and counted. Allocates nothing.
/// </summary>
/// <param name="capacity">
/// Frames that may wait. One: the newest wins. Several, of a triggered camera: when they are too many the oldest goes,
/// whose part is nearest to its deadline.
/// </param>
internal sealed class FrameSlot(int capacity = 1) : IDisposable
{
    // A plain object: Monitor, unlike Lock, can wait for a pulse.
    private readonly object _gate = new();
    private readonly Frame?[] _frames = new Frame?[capacity];
    private int _first;
    private int _count;
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
                return _complete && _count == 0;
            }
        }
    }

    /// <summary>Puts a live frame: where too many wait, it displaces the oldest.</summary>
    public void Put(Frame frame)
    {
        Frame? displaced;
        lock (_gate)
        {
            displaced = _complete ? frame : _count == capacity ? Remove() : null;
            if (!_complete)
            {
                Add(frame);
            }

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
            if (_count == capacity && !_complete)
            {
                Monitor.Wait(_gate, timeout);
            }

            if (_count == capacity || _complete)
            {
                return false;
            }

            Add(frame);
            Monitor.PulseAll(_gate);
            return true;
        }
    }

    /// <summary>The frame that waits longest, now the caller's; null when none came in time, or <see cref="IsDrained"/>.</summary>
    public Frame? Take(TimeSpan timeout)
    {
        lock (_gate)
        {
            if (_count == 0 && !_complete)
            {
                Monitor.Wait(_gate, timeout);
            }

            if (_count == 0)
            {
                return null;
            }

            Monitor.PulseAll(_gate);
            return Remove();
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

    /// <summary>Completes the slot and gives waiting frames back to their pool.</summary>
    public void Dispose()
    {
        lock (_gate)
        {
            _complete = true;
            while (_count > 0)
            {
                Remove().Dispose();
            }

            Monitor.PulseAll(_gate);
        }
    }

    private void Add(Frame frame) => _frames[(_first + _count++) % capacity] = frame;

    private Frame Remove()
    {
        var frame = _frames[_first]!;
        _frames[_first] = null;
        _first = (_first + 1) % capacity;
        _count--;
        return frame;
    }
}
