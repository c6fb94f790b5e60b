using EdgeInspector.Line;
using EdgeInspector.Telemetry;
using EdgeInspector.Vision;

namespace EdgeInspector.Inspection;

/// <summary>
/// The inspect thread: takes frames as they come and hands them to the inspector. Ends when no more frames come or when
/// it is stopped; either way every part gets its decision first.
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
    private readonly Thread _thread;
    private readonly TaskCompletionSource _completion = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile bool _stopping;

    /// <summary>Joins the parts.</summary>
    /// <param name="station">For the thread's name.</param>
    /// <param name="take">Waits for a frame; null when none came in time.</param>
    /// <param name="isDrained">Whether no frame will come any more.</param>
    /// <param name="inspector">What is done with a frame.</param>
    /// <param name="alive">Beats at each turn: a network that hangs falls silent.</param>
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
        _thread = new Thread(Run) { Name = $"inspect-{station}", IsBackground = true };
    }

    /// <summary>Ends when the loop has stopped, faulted when it failed.</summary>
    public Task Completion => _completion.Task;

    /// <summary>Starts the thread.</summary>
    public void Start() => _thread.Start();

    /// <summary>Stops the thread after the frame in hand.</summary>
    public void Dispose()
    {
        _stopping = true;
        if (!_thread.ThreadState.HasFlag(ThreadState.Unstarted))
        {
            _thread.Join();
        }
    }

    private void Run()
    {
        try
        {
            while (!_stopping)
            {
                _alive.Beat(_time.GetInstant());
                using var frame = _take(IdleAfter);
                if (frame is not null)
                {
                    _inspector.Inspect(frame);
                }
                else if (_isDrained())
                {
                    break;
                }
                else
                {
                    _inspector.Idle();
                }
            }

            _alive.Rest();
            _inspector.Finish();
            _completion.SetResult();
        }
        catch (Exception fault)
        {
            _completion.SetException(fault);
        }
    }
}
