using EdgeInspector.Line;
using EdgeInspector.Telemetry;

namespace EdgeInspector.Station;

/// <summary>What came of a command.</summary>
/// <param name="Refusal">Null when it was done, else one line that says why not and what to do.</param>
internal readonly record struct CommandResult(string? Refusal)
{
    /// <summary>It was done.</summary>
    public static readonly CommandResult Done;

    /// <summary>Whether it was done.</summary>
    public bool IsDone => Refusal is null;

    /// <summary>It was not done.</summary>
    public static CommandResult Refused(string why) => new(why);
}

/// <summary>
/// What the control asks of the rest of the station; all of it is the station's own to wire. Nothing here may wait: what
/// takes time returns a task, whose exception's message is the one line that says what is wrong.
/// </summary>
internal sealed record StationWork
{
    /// <summary>Parts between entry and ejector, so that a belt can be seen to be empty.</summary>
    public required Func<int> PartsUnderWay { get; init; }

    /// <summary>Null when there is a recipe of this name, else one line that says which there are.</summary>
    public required Func<string, string?> RefuseRecipe { get; init; }

    /// <summary>Puts a recipe in force.</summary>
    public required Func<string, CancellationToken, Task> Swap { get; init; }

    /// <summary>Proves that the recipe works; done at once where nothing is asked for.</summary>
    public Func<string, CancellationToken, Task> Verify { get; init; } = (_, _) => Task.CompletedTask;

    /// <summary>
    /// Starts a challenge test: who, of which defect (null: of all), with which pieces (null: of the defect, or those of the
    /// options). Null when started, else why not.
    /// </summary>
    public Func<string, string?, IReadOnlyList<ChallengePiece>?, Instant, string?> StartChallenge { get; init; } =
        (_, _, _, _) => "no challenge tests are set up here";

    /// <summary>Fires one ejector by hand for one dwell. Null when done, else why not.</summary>
    public Func<int, string?> FireEjector { get; init; } = _ => "ejectors cannot be tried by hand here";

    /// <summary>Holds a panel output on or off by hand, or lets it go. Null when done, else why not.</summary>
    public Func<PanelOutput, bool?, string?> HoldOutput { get; init; } = (_, _) => "no panel is fitted";
}

/// <summary>
/// The commands of an operator, whatever they come through: buttons, page, messages. Each is done or refused with a reason.
/// <see cref="Step"/> keeps what follows by itself: a latched stop alarm takes the station out of its run, a changeover goes
/// on. Nothing but <see cref="Arm"/>, and a changeover out of a run, leads into one. Any thread may call any member.
/// </summary>
internal sealed class StationControl : IDisposable
{
    private readonly Lock _gate = new();
    private readonly StationStateCell _states;
    private readonly AlarmTable _alarms;
    private readonly PanelInputs _inputs;
    private readonly Health _health;
    private readonly StationWork _work;
    private readonly Changeover _changeover;
    private readonly CancellationTokenSource _stop = new();
    private Task? _running;
    private bool _resume;
    private bool _disposed;

    /// <summary>Joins the parts; owns none of them.</summary>
    public StationControl(
        StationStateCell states,
        AlarmTable alarms,
        PanelInputs inputs,
        Health health,
        ChangeoverOptions changeover,
        StationWork work
    )
    {
        _states = states;
        _alarms = alarms;
        _inputs = inputs;
        _health = health;
        _work = work;
        _changeover = new Changeover(changeover);
    }

    /// <summary>Where the changeover under way is.</summary>
    public ChangeoverStep Changeover => _changeover.Step;

    /// <summary>
    /// Camera, model and pins are open, the threads run and the recipe is in force: Preoperational to Ready. It does not run
    /// yet.
    /// </summary>
    public CommandResult Ready(Instant now)
    {
        lock (_gate)
        {
            return Move(StationEvent.StartupDone, now) is { IsDone: false } refused
                ? refused
                : Move(StationEvent.SelectRecipe, now);
        }
    }

    /// <summary>Lets the line run. Done when it already does.</summary>
    public CommandResult Arm(Instant now)
    {
        lock (_gate)
        {
            return _states.State == StationState.ContinuousExecution ? CommandResult.Done
                : WhyNotToRun(now) is { } why ? CommandResult.Refused(why)
                : Move(StationEvent.StartContinuous, now);
        }
    }

    /// <summary>Lets one part be inspected; <see cref="PartEnded"/> ends it.</summary>
    public CommandResult ArmSingle(Instant now)
    {
        lock (_gate)
        {
            return WhyNotToRun(now) is { } why ? CommandResult.Refused(why) : Move(StationEvent.StartSingle, now);
        }
    }

    /// <summary>A part has come to its end: a run of one is over. Costs nothing in any other state.</summary>
    public void PartEnded(Instant now)
    {
        if (_states.State == StationState.SingleExecution)
        {
            lock (_gate)
            {
                _ = Move(StationEvent.JobDone, now);
            }
        }
    }

    /// <summary>Ends the run: line stop is requested, parts under way come to their end. Done when it does not run.</summary>
    public CommandResult Pause(Instant now)
    {
        lock (_gate)
        {
            _resume = false;
            return StationStateTable.IsExecuting(_states.State) ? Move(StationEvent.Stop, now) : CommandResult.Done;
        }
    }

    /// <summary>
    /// Back from Error or Halted to Ready, when every part of the station lives. It never starts the line.
    /// </summary>
    public CommandResult Reset(Instant now)
    {
        lock (_gate)
        {
            if (_states.State is not (StationState.Error or StationState.Halted))
            {
                return CommandResult.Refused($"there is nothing to reset in {_states.State}");
            }

            if (_health.TryFindSilent(now, out var silence))
            {
                return CommandResult.Refused($"{silence}; restart the service if that does not pass");
            }

            _ = Move(StationEvent.Reset, now);
            return Ready(now);
        }
    }

    /// <summary>Something failed that keeps the station from inspecting.</summary>
    public void Fault(Instant now)
    {
        lock (_gate)
        {
            _resume = false;
            _ = Move(StationEvent.Fault, now);
        }
    }

    /// <summary>Stopped on purpose, from any state.</summary>
    public void Halt(Instant now)
    {
        lock (_gate)
        {
            _resume = false;
            _changeover.Abort("the station was halted");
            _ = Move(StationEvent.Halt, now);
        }
    }

    /// <summary>Somebody knows of an alarm, by name or number; of all when it is null.</summary>
    public CommandResult AcknowledgeAlarm(string? nameOrNumber, string who, Instant now)
    {
        if (nameOrNumber is null)
        {
            _alarms.Acknowledge(null, who, now);
            return CommandResult.Done;
        }

        return AlarmKind.Find(nameOrNumber) is not { } kind ? CommandResult.Refused($"'{nameOrNumber}' is no alarm")
            : _alarms.Acknowledge(kind.Code, who, now) > 0 ? CommandResult.Done
            : CommandResult.Refused($"{kind.Name} does not wait to be acknowledged");
    }

    /// <summary>Silences the buzzer until the next new alarm.</summary>
    public CommandResult Mute()
    {
        _alarms.Mute();
        return CommandResult.Done;
    }

    /// <summary>
    /// Begins a changeover: the belt runs empty under the old recipe, then the line stands while the new one is put in force
    /// and verified, then it runs again if it did before.
    /// </summary>
    public CommandResult ChangeRecipe(string recipe, Instant now)
    {
        lock (_gate)
        {
            if (_work.RefuseRecipe(recipe) is { } unknown)
            {
                return CommandResult.Refused(unknown);
            }

            if (!StationStateTable.IsOperational(_states.State))
            {
                return CommandResult.Refused($"a recipe cannot be changed in {_states.State}");
            }

            if (!_changeover.TryBegin(recipe, now))
            {
                return CommandResult.Refused($"a changeover to '{_changeover.Recipe}' is under way");
            }

            _resume = _states.State == StationState.ContinuousExecution;
            return CommandResult.Done;
        }
    }

    /// <summary>Starts a challenge test of one defect, of all, or of the pieces named.</summary>
    public CommandResult StartChallenge(string who, string? defect, Instant now, IReadOnlyList<ChallengePiece>? pieces = null)
    {
        lock (_gate)
        {
            return !StationStateTable.IsExecuting(_states.State)
                    ? CommandResult.Refused($"a challenge test needs a running line, and the station is {_states.State}")
                : _changeover.Step != ChangeoverStep.None
                    ? CommandResult.Refused($"a changeover to '{_changeover.Recipe}' is under way")
                : new CommandResult(_work.StartChallenge(who, defect, pieces, now));
        }
    }

    /// <summary>Fires an ejector by hand.</summary>
    public CommandResult TryEjector(int lane)
    {
        lock (_gate)
        {
            return WhyNotByHand() is { } why ? CommandResult.Refused(why) : new CommandResult(_work.FireEjector(lane));
        }
    }

    /// <summary>Holds a panel output on or off by hand until the key is turned back; null lets it go.</summary>
    public CommandResult TryOutput(PanelOutput output, bool? on)
    {
        lock (_gate)
        {
            return WhyNotByHand() is { } why ? CommandResult.Refused(why) : new CommandResult(_work.HoldOutput(output, on));
        }
    }

    /// <summary>
    /// Does what follows by itself. A few times a second, from a thread that may wait a little: not the panel's.
    /// </summary>
    public void Step(Instant now)
    {
        lock (_gate)
        {
            if (StationStateTable.IsExecuting(_states.State) && WhatEndsTheRun() is { } end)
            {
                _resume = false;
                _ = Move(end, now);
            }

            switch (_changeover.Next(now, _changeover.Step == ChangeoverStep.Drain ? _work.PartsUnderWay() : 0, Outcome()))
            {
                case ChangeoverAction.Swap:
                    if (StationStateTable.IsExecuting(_states.State))
                    {
                        _ = Move(StationEvent.Stop, now);
                    }

                    _running = Begin(_work.Swap);
                    break;
                case ChangeoverAction.Verify:
                    _ = Move(StationEvent.SelectRecipe, now);
                    _running = Begin(_work.Verify);
                    break;
                case ChangeoverAction.Go:
                    if (_resume && WhyNotToRun(now) is null)
                    {
                        _ = Move(StationEvent.StartContinuous, now);
                    }

                    break;
                case ChangeoverAction.Fail:
                    _alarms.Raise(AlarmCode.ChangeoverFailed, $"to recipe '{_changeover.Recipe}': {_changeover.Fault}", now);
                    break;
            }
        }
    }

    /// <summary>Cancels a swap under way.</summary>
    public void Dispose()
    {
        if (!_disposed)
        {
            _disposed = true;
            _stop.Cancel();
            _stop.Dispose();
        }
    }

    private CommandResult Move(StationEvent happened, Instant now) =>
        _states.TryMove(happened, now, out var refusal) ? CommandResult.Done : new CommandResult(refusal);

    /// <summary>The first thing that stands against a run; null when nothing does.</summary>
    private string? WhyNotToRun(Instant now) =>
        _inputs.IsEmergencyStopped ? "the emergency stop is pressed; release it when the reason is gone"
        : _inputs.IsMaintenance ? "the maintenance key is turned; turn it back"
        : _changeover.Step != ChangeoverStep.None ? $"a changeover to '{_changeover.Recipe}' is under way"
        : _alarms.Summary.FirstStop is { } alarm
            ? $"alarm {(int)alarm.Code} {alarm.Name} stands: {alarm.Text}; remove the cause and acknowledge it"
        : _health.TryFindSilent(now, out var silence) ? silence.ToString()
        : null;

    private string? WhyNotByHand() =>
        !_inputs.IsMaintenance ? "outputs can be tried by hand only while the maintenance key is turned"
        : StationStateTable.IsExecuting(_states.State) ? "the line runs; pause it first"
        : null;

    /// <summary>
    /// A stop that somebody has to acknowledge ends the run, so that acknowledging it does not restart the line. One that
    /// clears itself only holds the line while it stands.
    /// </summary>
    private StationEvent? WhatEndsTheRun()
    {
        if (_inputs.IsEmergencyStopped)
        {
            return StationEvent.Abort;
        }

        if (_inputs.IsMaintenance)
        {
            return StationEvent.Stop;
        }

        var standing = _alarms.Summary.Standing;
        for (var i = 0; i < standing.Count; i++)
        {
            if (standing[i] is { Severity: AlarmSeverity.Stop, IsLatched: true })
            {
                return StationEvent.Stop;
            }
        }

        return null;
    }

    /// <summary>Begins a piece of work; what it throws at once fails it like what it throws later.</summary>
    private async Task Begin(Func<string, CancellationToken, Task> work) =>
        await work(_changeover.Recipe, _stop.Token).ConfigureAwait(false);

    private WorkOutcome Outcome() =>
        _running is not { IsCompleted: true } ? WorkOutcome.Pending
        : _running.IsFaulted ? new WorkOutcome(true, _running.Exception.GetBaseException().Message)
        : _running.IsCanceled ? new WorkOutcome(true, "it was cancelled")
        : WorkOutcome.Done;
}
