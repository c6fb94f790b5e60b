using EdgeInspector.Line;
using EdgeInspector.Telemetry;
using EdgeInspector.Timing;

namespace EdgeInspector.Station;

/// <summary>What the panel shows and does not find out for itself.</summary>
/// <param name="State">The station's state.</param>
/// <param name="Challenge">Where it stands with its challenge tests.</param>
/// <param name="StopLine">Whether anything that is no alarm asks for a line stop, such as a failed challenge test.</param>
/// <param name="IsMaintenance">Whether the maintenance key is turned: outputs may be tried by hand.</param>
internal readonly record struct PanelFacts(
    StationState State,
    ChallengeState Challenge = ChallengeState.Off,
    bool StopLine = false,
    bool IsMaintenance = false
);

/// <summary>
/// Keeps the panel: Healthy, heartbeat, line stop, stack light. Looks at the signs of life, raises the alarm of a part
/// that is silent. <see cref="Step"/> is all it does; <see cref="Start"/> gives it a thread of its own, at real-time
/// priority where the system permits: Healthy must drop on a machine that is too busy. Owns the outputs. Allocates nothing
/// while nothing changes.
/// <para>
/// Healthy is on while every part of the station lives, the state is within Operational and nothing asks for a line stop.
/// The heartbeat asks for life alone, so that a line's control can tell a stopped station from a dead one. Line stop is
/// requested unless the station executes and is healthy.
/// </para>
/// </summary>
internal sealed class PanelLoop : IDisposable
{
    /// <summary>
    /// Longest time between two turns. With it, a silence of 400 ms is on the pin within 425 ms, and 75 ms are left for a
    /// busy machine.
    /// </summary>
    public static readonly TimeSpan Period = TimeSpan.FromMilliseconds(25);

    /// <summary>Half a period of the heartbeat and of a flashing lamp, ns.</summary>
    private const long HalfSecond = 500_000_000;

    private readonly PanelOutputs _outputs;
    private readonly Health _health;
    private readonly AlarmTable _alarms;
    private readonly Func<PanelFacts> _facts;
    private readonly TimeProvider _time;
    private readonly PreciseTimer _timer = new(TimeSpan.Zero);
    private readonly Thread _thread;
    private readonly TaskCompletionSource _completion = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly AlarmCode[] _silenceAlarms;
    private readonly bool[] _isSilent;
    private readonly bool[] _refused = new bool[Enum.GetValues<PanelOutput>().Length];
    private readonly bool?[] _byHand = new bool?[Enum.GetValues<PanelOutput>().Length];
    private readonly Lock _handGate = new();
    private volatile bool _anyByHand;
    private volatile bool _isHealthy;
    private volatile bool _isSafe;
    private volatile bool _stopping;

    /// <summary>Joins the parts.</summary>
    /// <param name="station">For the thread's name.</param>
    /// <param name="outputs">The pins; owned from now on.</param>
    /// <param name="health">What must give signs of life; complete.</param>
    /// <param name="alarms">The station's alarms.</param>
    /// <param name="facts">Asked at every turn; must not wait for anybody.</param>
    /// <param name="time">The station's clock.</param>
    public PanelLoop(
        string station,
        PanelOutputs outputs,
        Health health,
        AlarmTable alarms,
        Func<PanelFacts> facts,
        TimeProvider time
    )
    {
        _outputs = outputs;
        _health = health;
        _alarms = alarms;
        _facts = facts;
        _time = time;
        _silenceAlarms = [.. Enumerable.Range(0, health.Count).Select(health.AlarmOf).Distinct()];
        _isSilent = new bool[_silenceAlarms.Length];
        _thread = new Thread(Run) { Name = $"panel-{station}", IsBackground = true };
    }

    /// <summary>Ends when the loop has stopped with outputs safe, faulted when it failed.</summary>
    public Task Completion => _completion.Task;

    /// <summary>What Healthy says, whether or not a pin is fitted.</summary>
    public bool IsHealthy => _isHealthy;

    /// <summary>Starts the thread, and sees to safe outputs should the process end without disposing.</summary>
    public void Start()
    {
        AppDomain.CurrentDomain.UnhandledException += ProcessEnds;
        AppDomain.CurrentDomain.ProcessExit += ProcessEnds;
        _thread.Start();
    }

    /// <summary>Looks at everything, writes what has changed and returns when to come again.</summary>
    public Instant Step(Instant now)
    {
        var facts = _facts();
        var alarms = _alarms.Summary;
        var isAlive = _health.IsAlive(now);
        var stopLine = facts.StopLine || alarms.StopsLine;
        _isHealthy = !_isSafe && isAlive && !stopLine && StationStateTable.IsOperational(facts.State);
        var firstHalf = now.Nanoseconds / HalfSecond % 2 == 0;
        if (_anyByHand && !facts.IsMaintenance)
        {
            ReleaseHands();
        }

        // Pins first: what follows may meet another thread's lock.
        Set(PanelOutput.Healthy, _isHealthy, now);
        Set(PanelOutput.LineStop, !(_isHealthy && StationStateTable.IsExecuting(facts.State)), now);
        Set(PanelOutput.Heartbeat, isAlive && firstHalf, now);
        var pattern = StackLight.Show(facts.State, alarms, facts.Challenge, facts.StopLine);
        Set(PanelOutput.Green, StackLight.IsLit(pattern.Green, firstHalf), now);
        Set(PanelOutput.Amber, StackLight.IsLit(pattern.Amber, firstHalf), now);
        Set(PanelOutput.Red, StackLight.IsLit(pattern.Red, firstHalf), now);
        Set(PanelOutput.Blue, StackLight.IsLit(pattern.Blue, firstHalf), now);
        Set(PanelOutput.Buzzer, StackLight.IsLit(pattern.Buzzer, firstHalf), now);

        TellOfSilence(facts.State, now);
        _alarms.Step(now);
        var edge = new Instant(((now.Nanoseconds / HalfSecond) + 1) * HalfSecond);
        var turn = now + Period;
        return edge < turn ? edge : turn;
    }

    /// <summary>
    /// Holds an output on or off by hand until the maintenance key is turned back; null lets it go. Healthy and heartbeat
    /// can be held off and not on: nobody vouches for a station by hand.
    /// </summary>
    /// <returns>Null when it was done, else one line that says why not.</returns>
    public string? TryByHand(PanelOutput output, bool? on)
    {
        if (!_facts().IsMaintenance)
        {
            return "outputs can be tried by hand only while the maintenance key is turned";
        }

        if (!_outputs.IsFitted(output))
        {
            return $"Panel:{output} is not fitted";
        }

        if (on == true && output is (PanelOutput.Healthy or PanelOutput.Heartbeat))
        {
            return $"{output} can be held off by hand, not on";
        }

        lock (_handGate)
        {
            _byHand[(int)output] = on;
            _anyByHand = _byHand.Any(hand => hand is not null);
        }

        _timer.Wake();
        return null;
    }

    /// <summary>Makes the outputs safe for good, from whichever thread sees the end coming. Not for disposing.</summary>
    public void WriteSafe()
    {
        _isSafe = true;
        _isHealthy = false;
        _outputs.WriteSafe();
    }

    /// <summary>Makes the outputs safe, stops the thread and frees the pins.</summary>
    public void Dispose()
    {
        // Before the other threads stop: their silence is wanted now, and is no alarm.
        WriteSafe();
        AppDomain.CurrentDomain.UnhandledException -= ProcessEnds;
        AppDomain.CurrentDomain.ProcessExit -= ProcessEnds;
        _stopping = true;
        _timer.Wake();
        if (!_thread.ThreadState.HasFlag(ThreadState.Unstarted))
        {
            _thread.Join();
        }

        _outputs.Dispose();
    }

    private void ProcessEnds(object? sender, EventArgs end) => WriteSafe();

    private void Set(PanelOutput output, bool on, Instant now)
    {
        if (_anyByHand && _byHand[(int)output] is { } hand)
        {
            on = hand;
        }

        var refused = !_outputs.TrySet(output, on);
        if (refused && !_refused[(int)output])
        {
            _alarms.Raise(AlarmCode.OutputFault, $"Panel:{output}, pin {_outputs.PinOf(output)}, is no longer an output", now);
        }

        _refused[(int)output] = refused;
    }

    private void ReleaseHands()
    {
        lock (_handGate)
        {
            Array.Clear(_byHand);
            _anyByHand = false;
        }
    }

    /// <summary>Raises the alarm of each silence when it begins, clears it when it ends.</summary>
    private void TellOfSilence(StationState state, Instant now)
    {
        // While it starts and once it has been stopped, a thread may well be silent.
        var mayBeSilent = state is StationState.Preoperational or StationState.Halted;
        for (var i = 0; i < _silenceAlarms.Length; i++)
        {
            var silence = mayBeSilent ? default : FirstSilence(_silenceAlarms[i], now);
            var isSilent = silence.Silent is not null;
            if (isSilent && !_isSilent[i])
            {
                _alarms.Raise(_silenceAlarms[i], silence.ToString(), now);
            }
            else if (!isSilent && _isSilent[i])
            {
                _alarms.Clear(_silenceAlarms[i], now);
            }

            _isSilent[i] = isSilent;
        }
    }

    private Silence FirstSilence(AlarmCode alarm, Instant now)
    {
        for (var part = 0; part < _health.Count; part++)
        {
            if (_health.AlarmOf(part) == alarm && _health.Look(part, now) is { Silent: not null } silence)
            {
                return silence;
            }
        }

        return default;
    }

    private void Run()
    {
        try
        {
            _ = RealTime.TryMakeCurrentThread();
            while (!_stopping)
            {
                var due = Step(_time.GetInstant());
                _timer.WaitUntil(due, spin: false);
            }

            _completion.SetResult();
        }
        catch (Exception fault)
        {
            _completion.SetException(fault);
        }
        finally
        {
            WriteSafe();
        }
    }
}
