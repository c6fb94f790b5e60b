using EdgeInspector.Line;
using EdgeInspector.Telemetry;
using EdgeInspector.Vision;

namespace EdgeInspector.Inspection;

/// <summary>
/// The inspect thread, or several that share the work: takes frames as they come and hands them to the inspector. What is
/// done with a frame by itself is done side by side; parts are followed and decided one frame after another, in the order
/// in which the frames were taken. Ends when no more frames come or when it is stopped; either way every part gets its
/// decision first.
/// </summary>
internal sealed class InspectLoop : IDisposable
{
    /// <summary>Parts leave the view without frames too; this often is looked.</summary>
    public static readonly TimeSpan IdleAfter = TimeSpan.FromMilliseconds(50);

    private readonly Func<TimeSpan, Frame?> _take;
    private readonly Func<bool> _isDrained;
    private readonly Inspector _inspector;
    private readonly Liveness _alive;
    private readonly TimeProvider _time;
    private readonly Thread[] _workers;
    private readonly Lock _taking = new();
    private readonly Turns _turns = new();
    private readonly TaskCompletionSource _completion = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _atWork;
    private long _taken;
    private bool _isOver;
    private volatile bool _stopping;

    /// <summary>Joins the parts.</summary>
    /// <param name="station">For the threads' names.</param>
    /// <param name="take">Waits for a frame; null when none came in time. Called by one thread at a time.</param>
    /// <param name="isDrained">Whether no frame will come any more.</param>
    /// <param name="inspector">What is done with a frame. It says how many workers there are.</param>
    /// <param name="alive">Beats at each turn: a network that hangs holds up all turns and falls silent.</param>
    /// <param name="time">The station's clock.</param>
    public InspectLoop(
        string station,
        Func<TimeSpan, Frame?> take,
        Func<bool> isDrained,
        Inspector inspector,
        Liveness alive,
        TimeProvider time
    )
    {
        _alive = alive;
        _time = time;
        _take = take;
        _isDrained = isDrained;
        _inspector = inspector;
        _workers = new Thread[inspector.Workers];
        _atWork = _workers.Length;
        for (var i = 0; i < _workers.Length; i++)
        {
            var worker = i;
            var name = i == 0 ? $"inspect-{station}" : $"inspect{i + 1}-{station}";
            _workers[i] = new Thread(() => Run(worker)) { Name = name, IsBackground = true };
        }
    }

    /// <summary>Ends when the loop has stopped, faulted when it failed.</summary>
    public Task Completion => _completion.Task;

    /// <summary>Starts the threads.</summary>
    public void Start()
    {
        _alive.Beat(_time.GetInstant());
        foreach (var worker in _workers)
        {
            worker.Start();
        }
    }

    /// <summary>Stops the threads after the frames in hand.</summary>
    public void Dispose()
    {
        _stopping = true;
        foreach (var worker in _workers)
        {
            if (!worker.ThreadState.HasFlag(ThreadState.Unstarted))
            {
                worker.Join();
            }
        }
    }

    private void Run(int worker)
    {
        try
        {
            while (TryTake(out var frame, out var turn))
            {
                using (frame)
                {
                    if (frame is not null)
                    {
                        _inspector.Look(frame, worker);
                    }

                    if (!_turns.Await(turn))
                    {
                        return;
                    }

                    if (frame is not null)
                    {
                        _inspector.Conclude(frame, worker);
                    }
                    else
                    {
                        _inspector.Idle();
                    }

                    _alive.Beat(_time.GetInstant());
                    _turns.Pass();
                }
            }

            if (Interlocked.Decrement(ref _atWork) == 0)
            {
                _alive.Rest();
                _inspector.Finish();
                _completion.TrySetResult();
            }
        }
        catch (Exception fault)
        {
            _turns.End();
            _completion.TrySetException(fault);
        }
    }

    /// <summary>
    /// The next frame and its turn, or, when none came in time, a turn without one; false when it is over. A worker that is
    /// free while another waits for the camera has nothing to do either.
    /// </summary>
    private bool TryTake(out Frame? frame, out long turn)
    {
        frame = null;
        turn = 0;
        lock (_taking)
        {
            if (_stopping || _isOver)
            {
                return false;
            }

            frame = _take(IdleAfter);
            _isOver = frame is null && _isDrained();
            turn = _taken++;
            return !_isOver;
        }
    }
}
