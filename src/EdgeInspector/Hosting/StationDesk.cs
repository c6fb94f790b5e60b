using System.Device.Gpio;
using EdgeInspector.Capture;
using EdgeInspector.Configuration;
using EdgeInspector.Ledger;
using EdgeInspector.Line;
using EdgeInspector.Station;
using EdgeInspector.Telemetry;

namespace EdgeInspector.Hosting;

/// <summary>
/// What a station's operator sees and touches: alarms, states, panel, challenge tests, commands. Gathered here from the
/// rooms that make them; <see cref="Step"/> keeps them, a few times a second, on the book keeping task.
/// </summary>
internal sealed class StationDesk : IDisposable
{
    private readonly StationOptions _options;
    private readonly StationBooks _books;
    private readonly StationModel _model;
    private readonly TimeProvider _time;
    private readonly RunawayWatch _runaways;
    private readonly PanelLoop _panel;
    private readonly StationControl _control;
    private readonly ILogger _log;
    private volatile Recipe _recipe;
    private bool _armed; // Or not to be armed but by a command.

    /// <summary>Opens the panel's pins at their safe levels.</summary>
    /// <param name="options">The station's options.</param>
    /// <param name="run">The run.</param>
    /// <param name="model">Knows the labels of challenge pieces.</param>
    /// <param name="controller">The pins.</param>
    /// <param name="books">Where alarms and tests go.</param>
    /// <param name="work">What commands ask of the rest of the station.</param>
    /// <param name="now">The run's start.</param>
    /// <param name="time">The station's clock.</param>
    /// <param name="log">Changes of state.</param>
    public StationDesk(
        StationOptions options,
        RunFacts run,
        StationModel model,
        GpioController controller,
        StationBooks books,
        Func<StationDesk, StationWork> work,
        Instant now,
        TimeProvider time,
        ILogger log
    )
    {
        _options = options;
        _books = books;
        _model = model;
        _time = time;
        _log = log;
        _recipe = options.Recipe;
        Alarms = new AlarmTable(options.Alarms, AlarmChanged, time);
        States = new StationStateCell((from, to, happened, _) => log.StationMoved(options.Name, from, to, happened));
        Inputs = new PanelInputs(Alarms);
        Capture = Health.Add("capture", AlarmCode.CameraLost, options.Health.Capture);
        CameraDriver = Health.Add("the camera's driver", AlarmCode.NotResponding, CameraDriverLimit(options.Camera));
        Inspect = Health.Add("inspect", AlarmCode.NotResponding, options.Health.Inspect);
        Reject = Health.Add("reject", AlarmCode.NotResponding, options.Health.Reject);
        Sensors = Health.Add("sensors", AlarmCode.NotResponding, options.Health.Sensors);
        Book = Health.Add("book", AlarmCode.NotResponding, options.Health.Book);
        if (books.Ledger is { } ledger)
        {
            Health.Add("ledger", AlarmCode.LedgerFault, options.Health.Ledger, ledger);
        }

        // A stop that somebody has to acknowledge, and a pause, outlive the service: somebody has to arm.
        var isStopped = Alarms.Restore(books.Alarms, now);
        _armed = isStopped || books.IsPaused;
        Challenges = new ChallengeSchedule(
            options.Challenges,
            options.Name,
            run.Id,
            model.Labels,
            model.GoodLabel >= 0 ? [model.Labels[model.GoodLabel]] : [],
            books.Challenges,
            now,
            time,
            books.Challenged
        );
        _runaways = new RunawayWatch(Alarms, LimitsOf(options.Recipe));
        _control = new StationControl(States, Alarms, Inputs, Health, options.Changeover, work(this));
        _panel = new PanelLoop(options.Name, new PanelOutputs(controller, options.Panel), Health, Alarms, Facts, time);
    }

    /// <summary>The alarms.</summary>
    public AlarmTable Alarms { get; }

    /// <summary>The state.</summary>
    public StationStateCell States { get; }

    /// <summary>Bin, air, door, emergency stop, key, button.</summary>
    public PanelInputs Inputs { get; }

    /// <summary>The challenge tests.</summary>
    public ChallengeSchedule Challenges { get; }

    /// <summary>The signs of life.</summary>
    public Health Health { get; } = new();

    /// <summary>The capture thread's: a frame came.</summary>
    public Liveness Capture { get; }

    /// <summary>The capture thread's: the driver came back from a call.</summary>
    public Liveness CameraDriver { get; }

    /// <summary>The inspect thread's: it turned.</summary>
    public Liveness Inspect { get; }

    /// <summary>The reject thread's.</summary>
    public Liveness Reject { get; }

    /// <summary>The sensor thread's; rests where no sensor is fitted.</summary>
    public Liveness Sensors { get; }

    /// <summary>The book keeping task's.</summary>
    public Liveness Book { get; }

    /// <summary>The operator's commands.</summary>
    public StationControl Control => _control;

    /// <summary>The recipe in force.</summary>
    public Recipe Recipe => _recipe;

    /// <summary>What Healthy says.</summary>
    public bool IsHealthy => _panel.IsHealthy;

    /// <summary>Ends when the panel's thread does.</summary>
    public Task Completion => _panel.Completion;

    /// <summary>Starts the panel's thread.</summary>
    public void Start() => _panel.Start();

    /// <summary>Makes the panel's outputs safe for good; any thread, at the end of everything.</summary>
    public void WriteSafe() => _panel.WriteSafe();

    /// <summary>Holds a panel output by hand.</summary>
    public string? Hold(PanelOutput output, bool? on) => _panel.TryByHand(output, on);

    /// <summary>Takes the end of a part: runaway limits and challenge tests live on it.</summary>
    public void Ended(PartRecord record)
    {
        var now = _time.GetInstant();
        if (record.Challenge is null)
        {
            _runaways.Enter(record.Verdict, record.Reason, record.Disposition, now);
        }
        else
        {
            Challenges.Enter(record, _recipe.DefectThreshold ?? _model.DefectThreshold, now);
        }

        _control.PartEnded(now);
    }

    /// <summary>Takes what the part book found amiss.</summary>
    public void Noticed(PartNotice notice)
    {
        var code = notice.Kind switch
        {
            PartNoticeKind.MissingConfirmation => AlarmCode.RejectNotConfirmed,
            PartNoticeKind.UnexpectedBinEntry => AlarmCode.UnexpectedBinEntry,
            PartNoticeKind.OutputFault => AlarmCode.OutputFault,
            PartNoticeKind.Unaccounted => AlarmCode.CountsMismatch,
            _ => AlarmCode.None, // Late parts are counted by the runaway watch.
        };
        if (code != AlarmCode.None)
        {
            Alarms.Raise(code, notice.Text, _time.GetInstant());
        }
    }

    /// <summary>Puts another recipe's limits in force.</summary>
    public void Use(Recipe recipe)
    {
        _recipe = recipe;
        _runaways.Use(LimitsOf(recipe));
    }

    /// <summary>A loopback that did not follow: the station is not armed.</summary>
    public void SelfTestFailed(IReadOnlyList<string> faults)
    {
        foreach (var fault in faults)
        {
            Alarms.Raise(AlarmCode.SelfTestFailed, fault, _time.GetInstant());
        }
    }

    /// <summary>Does what follows by itself.</summary>
    public void Step(Instant now)
    {
        Book.Beat(now);
        var standing = Challenges.Step(now);
        Alarms.Set(AlarmCode.ChallengeOverdue, standing.IsOverdue, standing.Text, now);
        Alarms.Set(AlarmCode.ChallengeFailed, standing.IsFailed, standing.Text, now);
        if (States.State == StationState.Preoperational && Health.IsAlive(now))
        {
            _ = _control.Ready(now);
        }

        if (!_armed && States.State == StationState.Ready && _options.ArmOnStart)
        {
            _armed = _control.Arm(now).IsDone;
        }

        _control.Step(now);
    }

    /// <summary>Makes the outputs safe, ends the thread and frees the pins.</summary>
    public void Dispose()
    {
        _control.Halt(_time.GetInstant());
        Challenges.Abort("the service, which stopped", _time.GetInstant());
        _panel.Dispose();
        _control.Dispose();
    }

    /// <summary>
    /// A call that takes so long does not come back: a read is bound by its timeout, an opening of a network camera by a few
    /// of them.
    /// </summary>
    private static TimeSpan CameraDriverLimit(CameraOptions camera) => (6 * camera.ReadTimeout) + TimeSpan.FromSeconds(2);

    private static RunawayLimits LimitsOf(Recipe recipe) =>
        new(
            recipe.ConsecutiveRejectLimit,
            recipe.RejectRateLimit,
            recipe.RejectRateParts,
            recipe.StopAfterNotInspected,
            recipe.StopAfterLate,
            recipe.StopAfterUnsure
        );

    private PanelFacts Facts()
    {
        var standing = Challenges.Standing;
        return new PanelFacts(States.State, standing.State, standing.StopLine, Inputs.IsMaintenance);
    }

    private void AlarmChanged(AlarmRecord alarm)
    {
        _log.AlarmChanged(_options.Name, (int)alarm.Code, alarm.Name, alarm.State, alarm.Text);
        _books.AlarmChanged(alarm);
    }
}
