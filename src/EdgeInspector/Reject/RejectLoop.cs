using System.Numerics;
using System.Threading.Channels;
using EdgeInspector.Line;
using EdgeInspector.Telemetry;
using EdgeInspector.Timing;

namespace EdgeInspector.Reject;

/// <summary>
/// Takes decisions, keeps the schedule, writes the pins. <see cref="Step"/> is all it does; <see cref="Start"/> gives it a
/// thread of its own, at real-time priority where the system permits. The only code that touches the ejector. Allocates
/// nothing while it runs.
/// </summary>
internal sealed class RejectLoop : IDisposable
{
    /// <summary>
    /// Longest wait, so that a belt that changes speed moves its parts' times soon enough: at 10 % a second of
    /// acceleration, 5 ms of delay is 2 micrometres of belt.
    /// </summary>
    public static readonly TimeSpan LongestWait = TimeSpan.FromMilliseconds(5);

    private readonly DecisionQueue _decisions;
    private readonly Ring<EntryMark> _marks;
    private readonly RejectSchedule _schedule;
    private readonly EjectorOutput _output;
    private readonly ChannelWriter<PartEvent> _events;
    private readonly InspectionFigures _figures;
    private readonly TimeProvider _time;
    private readonly Liveness _alive;
    private readonly TimeSpan _spin;
    private readonly PreciseTimer _timer = new(TimeSpan.Zero);
    private readonly Thread _thread;
    private readonly TaskCompletionSource _completion = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _byHand;
    private byte _stuckOpen;
    private volatile bool _stopping;

    /// <summary>Joins the parts. Owns the output and the timer.</summary>
    public RejectLoop(
        string station,
        DecisionQueue decisions,
        Ring<EntryMark> marks,
        RejectSchedule schedule,
        EjectorOutput output,
        ChannelWriter<PartEvent> events,
        InspectionFigures figures,
        TimeSpan spin,
        TimeProvider time,
        Liveness? alive = null
    )
    {
        _alive = alive ?? new Liveness();
        _decisions = decisions;
        _marks = marks;
        _schedule = schedule;
        _output = output;
        _events = events;
        _figures = figures;
        _time = time;
        _spin = spin;
        _thread = new Thread(Run) { Name = $"reject-{station}", IsBackground = true };
    }

    /// <summary>Ends when the loop has stopped with outputs safe, faulted when it failed.</summary>
    public Task Completion => _completion.Task;

    /// <summary>
    /// Asked on the reject thread at the very moment a lane would be fired by hand: what was allowed when it was asked for
    /// may no longer be. Must not wait.
    /// </summary>
    public Func<bool> MayFireByHand { get; init; } = static () => true;

    /// <summary>Whether the kernel gave the thread real-time priority.</summary>
    public bool IsRealTime { get; private set; }

    /// <summary>Starts the thread, and sees to ejectors at rest should the process end without disposing.</summary>
    public void Start()
    {
        AppDomain.CurrentDomain.UnhandledException += ProcessEnds;
        AppDomain.CurrentDomain.ProcessExit += ProcessEnds;
        _decisions.Written = _timer.Wake;
        _thread.Start();
    }

    /// <summary>Fires a lane for one dwell, by hand. Null when it will, else why not. Any thread.</summary>
    public string? FireByHand(int lane)
    {
        if (lane < 0 || lane >= _output.Lanes)
        {
            return $"there is no lane {lane}; there are {_output.Lanes}, from 0";
        }

        Volatile.Write(ref _byHand, lane + 1);
        _timer.Wake();
        return null;
    }

    /// <summary>Does everything that is due and returns when to come again.</summary>
    public Instant Step()
    {
        while (_marks.TryRead(out var mark))
        {
            _schedule.Expect(mark);
        }

        while (_decisions.TryRead(out var decision))
        {
            switch (_schedule.Add(decision, out var firedAt))
            {
                case Acceptance.ThrownOutBefore:
                    Tell(new PartEvent(PartEventKind.Fired, decision.PartId, firedAt));
                    while (_schedule.TryClaimMore(decision, out firedAt))
                    {
                        Tell(new PartEvent(PartEventKind.Fired, decision.PartId, firedAt));
                    }

                    break;
                case Acceptance.RefusedBefore when decision.Disposition == Disposition.Reject:
                    Tell(new PartEvent(PartEventKind.OutputFault, decision.PartId, _time.GetInstant()));
                    break;
                case Acceptance.Full when decision.Disposition == Disposition.Reject:
                    Tell(new PartEvent(PartEventKind.Missed, decision.PartId, _time.GetInstant()));
                    break;
            }
        }

        if (Interlocked.Exchange(ref _byHand, 0) is var asked and not 0 && MayFireByHand())
        {
            _output.TrySet(asked - 1, on: true);
            _schedule.OpenByHand(asked - 1, _time.GetInstant());
        }

        if (_stuckOpen != 0)
        {
            _stuckOpen = _output.SetLanes(_stuckOpen, on: false); // Until the pin is an output again, and the valve at rest.
        }

        while (true)
        {
            var now = _time.GetInstant();
            var step = _schedule.Next(now);
            switch (step.Action)
            {
                case RejectAction.Wait:
                    return step.Due;
                case RejectAction.Miss when step.PartId == 0:
                    break; // Nobody knows the part yet; its decision will find itself late.
                case RejectAction.Miss:
                    Tell(new PartEvent(PartEventKind.Missed, step.PartId, _time.GetInstant()));
                    break;
                default:
                    Act(step, now);
                    break;
            }
        }
    }

    /// <summary>Stops the thread, makes the outputs safe, names the parts whose pulse will never come and frees the pins.</summary>
    public void Dispose()
    {
        _stopping = true;
        _timer.Wake();
        if (!_thread.ThreadState.HasFlag(ThreadState.Unstarted))
        {
            _thread.Join();
        }

        Abandon();
        AppDomain.CurrentDomain.UnhandledException -= ProcessEnds;
        AppDomain.CurrentDomain.ProcessExit -= ProcessEnds;
        _output.Dispose();
    }

    private void ProcessEnds(object? sender, EventArgs end) => _output.MakeSafe();

    /// <summary>Names the parts whose pulse will never come.</summary>
    private void Abandon()
    {
        Step(); // What was decided in the last moment is scheduled, and fires if it is due.
        _output.WriteSafe();
        while (_schedule.TryAbandon(out var partId))
        {
            Tell(new PartEvent(PartEventKind.Missed, partId, _time.GetInstant()));
        }
    }

    private void Act(in RejectStep step, Instant asked)
    {
        var open = step.Action != RejectAction.Close;
        var refused = _output.SetLanes(step.Lanes, open);
        _stuckOpen = open ? (byte)(_stuckOpen & ~step.Lanes) : (byte)(_stuckOpen | refused);
        if (refused != 0)
        {
            if (step.Action == RejectAction.OpenUndecided)
            {
                _schedule.RefuseThrownOut();
            }

            Tell(new PartEvent(PartEventKind.OutputFault, step.PartId, _time.GetInstant()));
            return;
        }

        if (open && step.Action != RejectAction.Reopen)
        {
            var firedAt = _time.GetInstant();
            var lateness = firedAt - step.Due;
            _figures.Fired(lateness);
            Tell(
                new PartEvent(
                    step.PartId == 0 ? PartEventKind.FiredUndecided : PartEventKind.Fired,
                    step.PartId,
                    step.PartId == 0 ? asked : firedAt, // By this instant the schedule names the pulse when its part is decided.
                    lateness,
                    Lane: (byte)BitOperations.TrailingZeroCount(step.Lanes)
                )
            );
        }
    }

    private void Tell(in PartEvent happened)
    {
        if (!_events.TryWrite(happened))
        {
            _figures.EventLost();
        }
    }

    private void Run()
    {
        try
        {
            IsRealTime = RealTime.TryMakeCurrentThread();
            while (!_stopping)
            {
                var due = Step();
                var now = _time.GetInstant();
                _alive.Beat(now);
                if (due - now > _spin)
                {
                    var latest = now + LongestWait;
                    _timer.WaitUntil(due - _spin < latest ? due - _spin : latest, spin: false);
                }
                else
                {
                    // The step just taken found nothing to do, yet brought everything that the next one needs close to the
                    // processor; the pins' way to the kernel follows. Cold, they made a pulse 4 to 5 microseconds late at the
                    // median, and about 1 now (line-lab, a shared virtual machine).
                    _output.Rehearse();
                    PreciseTimer.SpinUntil(due);
                }
            }

            _completion.SetResult();
        }
        catch (Exception fault)
        {
            _completion.SetException(fault);
        }
        finally
        {
            _output.WriteSafe();
        }
    }
}
