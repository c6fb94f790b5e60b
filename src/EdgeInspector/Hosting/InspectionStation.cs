using System.Device.Gpio;
using System.Threading.Channels;
using EdgeInspector.Capture;
using EdgeInspector.Configuration;
using EdgeInspector.Inspection;
using EdgeInspector.Ledger;
using EdgeInspector.Line;
using EdgeInspector.Reject;
using EdgeInspector.Simulation;
using EdgeInspector.Station;
using EdgeInspector.Telemetry;
using EdgeInspector.Vision;

namespace EdgeInspector.Hosting;

/// <summary>
/// One station at work: the wiring of its threads. Capture hands frames to inspect, inspect hands decisions to reject,
/// and all three tell the part book, which alone talks to the rest of the service. Owns the threads; hardware and model
/// stay the caller's.
/// </summary>
internal sealed class InspectionStation : IAsyncDisposable
{
    /// <summary>What the part book's channel holds: at a thousand parts a second, half a minute of a stalled process.</summary>
    private const int EventCapacity = 65_536;

    private static readonly TimeSpan BookInterval = TimeSpan.FromMilliseconds(50);

    /// <summary>
    /// A turn of the book keeping that took so long means that the whole process may have stood still: what the chute's eye
    /// saw meanwhile is still on its way, and for as long again no part is called missing.
    /// </summary>
    private static readonly TimeSpan StoodStill = TimeSpan.FromMilliseconds(250);

    /// <summary>How long a stopping station waits for the end of a part in the entry eye's beam: 0.5 m at 1 m/s.</summary>
    private static readonly TimeSpan EyeLimit = TimeSpan.FromMilliseconds(500);

    /// <summary>How long a stopping station waits for parts that are already on their way to the ejector.</summary>
    private static readonly TimeSpan DrainLimit = TimeSpan.FromSeconds(3);

    private readonly StationOptions _options;
    private readonly RunFacts _run;
    private readonly Lock _changing = new();
    private volatile StationModel _model;
    private readonly TimeProvider _time;
    private readonly Instant _start;
    private readonly IBelt _belt;
    private readonly Channel<PartEvent> _events;
    private readonly InspectionFigures _figures = new();
    private readonly DecisionQueue _decisions = new();
    private readonly FrameSlot _slot;
    private readonly CaptureLoop _capture;
    private readonly Inspector _inspector;
    private readonly InspectLoop _inspect;
    private readonly RejectLoop _reject;
    private readonly RejectSchedule _schedule;
    private readonly EjectorOutput _output;
    private readonly EntryEyes _entryEyes;
    private readonly SensorLoop? _sensors;
    private readonly EvidenceWorker? _evidence;
    private readonly PartBook _book;
    private readonly StationDesk _desk;
    private readonly GpioController _controller;
    private readonly Recipe[] _recipes;
    private readonly Lock _recipeGate = new();
    private readonly StationBooks _books;
    private readonly RateMeter _frameRate = new(TimeSpan.FromSeconds(2));
    private readonly RateMeter _partRate = new(TimeSpan.FromSeconds(10));
    private readonly CancellationTokenSource _bookStop = new();
    private Task _bookKeeping = Task.CompletedTask;
    private Lockstep? _lockstep;
    private volatile bool _stopped;

    /// <summary>Wires the station; nothing turns before <see cref="Start"/>.</summary>
    /// <param name="options">The station's options.</param>
    /// <param name="run">What every record of this run has in common.</param>
    /// <param name="model">The stages.</param>
    /// <param name="hardware">Camera, pins and sensors.</param>
    /// <param name="start">When belt travel is zero.</param>
    /// <param name="books">Where records go.</param>
    /// <param name="time">The station's clock.</param>
    /// <param name="log">State changes.</param>
    public InspectionStation(
        StationOptions options,
        RunFacts run,
        StationModel model,
        StationHardware hardware,
        Instant start,
        StationBooks books,
        TimeProvider time,
        ILogger log
    )
    {
        _options = options;
        _run = run;
        _model = model;
        _time = time;
        _start = start;
        _events = Channel.CreateBounded<PartEvent>(new BoundedChannelOptions(EventCapacity) { SingleReader = true });
        var encoderBelt = options.Belt.Encoder is { } encoder
            ? new EncoderBelt(encoder.CountsPerMillimetre, options.Belt.SpeedWindow)
            : null;
        _belt = encoderBelt ?? (IBelt)new ConstantBelt(start, options.Belt.Speed * 1000);
        var marks = new Ring<EntryMark>(1024);
        var entryEyes = _entryEyes = EntryEyes.Announcing(
            _belt,
            options.Sensors.EntryEyes.Select(eye => eye.Position),
            options.Inspection.EntryTolerance,
            marks,
            _figures
        );

        _desk = new StationDesk(options, run, model, hardware.Controller, books, Work, start, time, log);
        _controller = hardware.Controller;
        _books = books;
        _recipes = [options.Recipe, .. options.Recipes];
        _slot = new FrameSlot(options.Camera.MostWaiting);
        options.Camera.FramePoolSize += model.Detectors.Count - 1; // Each further worker holds a frame.
        _capture = new CaptureLoop(options.Name, options.Camera, hardware.OpenCamera, _slot, time, log, _desk.Capture, _desk.CameraDriver);
        _evidence = books.Pictured is null ? null : new EvidenceWorker(options.Name, model.Labels, run.IdOf, books.Pictured, time);
        _inspector = new Inspector(
            model.Stages,
            new DecisionRules(options.Recipe, model.DefectThreshold, model.GoodLabel),
            options.Inspection,
            options.Camera.Width ?? 640,
            options.Camera.Height ?? 480,
            options.Reject.Ejectors.Count,
            _belt,
            entryEyes,
            new RejectDeadline(
                _belt,
                options.Reject.Position,
                options.Reject.Window / 2,
                options.Reject.Latency + options.Reject.ShortestPulse,
                options.Reject.Latency + (options.Reject.Dwell / 2) + RejectLoop.LongestWait,
                options.Inspection.EntryTolerance + (2 * options.Inspection.ShortestPart) // A typical part: a guess may be that far off.
            ),
            _decisions,
            _events.Writer,
            _evidence,
            _figures,
            time
        );
        _inspect = new InspectLoop(options.Name, _slot.Take, () => _slot.IsDrained, _inspector, _desk.Inspect, time);
        _schedule = new RejectSchedule(options.Reject, _belt, options.Recipe.OnLate, options.Inspection.ShortestPart);
        _output = new EjectorOutput(hardware.Controller, options.Reject.Ejectors);
        _reject = new RejectLoop(
            options.Name,
            _decisions,
            marks,
            _schedule,
            _output,
            _events.Writer,
            _figures,
            options.Reject.Spin,
            time,
            _desk.Reject
        )
        {
            MayFireByHand = () => _desk.Inputs.IsMaintenance,
        };
        _sensors = hardware.OpenSensors() is { } reader
            ? new SensorLoop(options.Name, reader, encoderBelt, EntryEdge, _events.Writer, _desk.Inputs.Enter, _desk.Sensors, time)
            : null;
        _book = new PartBook(
            run,
            options.Sensors.ConfirmEyes.Count,
            options.Reject.ConfirmDelay,
            options.Reject.ConfirmTolerance,
            time,
            Ended,
            _desk.Challenges.Enroll
        )
        {
            Noticed = _desk.Noticed,
        };
        if (_sensors is null)
        {
            _desk.Sensors.Rest();
        }

        bool EntryEdge(SensorReading edge)
        {
            var cleared = entryEyes.Edge(edge.Lane, edge.Active, edge.At, edge.Lost);
            if (options.Camera.Trigger is { } trigger && edge.Active && edge.Lane == trigger.Eye)
            {
                var exposure = _belt.WhenTravelReaches(_belt.TravelAt(edge.At) + trigger.Distance);
                if (exposure != Instant.Never) // The belt stands: what is under it now is not exposed before it runs.
                {
                    _capture.Expect(exposure);
                }
            }

            return cleared;
        }

        void Ended(PartRecord record)
        {
            books.Ended(record);
            _desk.Ended(record);
        }
    }

    /// <summary>The station's name.</summary>
    public string Name => _options.Name;

    /// <summary>
    /// Ends when a recording is over or the station is stopped; faulted as soon as any of its threads has failed.
    /// </summary>
    public Task Completion { get; private set; } = Task.CompletedTask;

    /// <summary>
    /// Opens the camera, since a station that cannot see must not start, then starts the threads, the reject thread first:
    /// a decision must never find nobody. Once it runs, a lost camera is waited for.
    /// </summary>
    /// <exception cref="CameraException">The camera is not there.</exception>
    public void Start()
    {
        _capture.Open();
        _desk.SelfTestFailed(SelfTest.Run(_controller, Loopbacks(), SelfTest.DefaultPulse, _time));
        _bookKeeping = KeepBookAsync(_bookStop.Token);
        _reject.Start();
        _sensors?.Start();
        _evidence?.Start();
        _inspect.Start();
        _capture.Start();
        _desk.Start();
        Completion = WatchAsync();
    }

    /// <summary>
    /// Runs the very same steps on one thread and on a clock of its own, as fast as the machine goes, until the virtual line
    /// has run empty: the same seed gives the same ledger, whatever else the machine is doing. The station must have been
    /// built with <paramref name="clock"/>.
    /// </summary>
    public void StartLockstep(LockstepClock clock, VirtualLine line, LockstepScript script, CancellationToken stopping)
    {
        _lockstep = new Lockstep(clock, line, script);
        _schedule.KeepsDeadlines = script.KeepsDeadlines;
        _output.ChecksMode = script.ChecksMode;
        _evidence?.Start();
        Completion = Task.Factory.StartNew(
            () => RunLockstep(_lockstep, stopping),
            CancellationToken.None,
            TaskCreationOptions.LongRunning,
            TaskScheduler.Default
        );
    }

    /// <summary>What the run's records are reconciled with.</summary>
    public RunTotals Totals()
    {
        var totals = _book.Totals(_options.Sensors.EntryEyes.Count);
        return totals with { Unaccounted = totals.Unaccounted + LostTrackOf };
    }

    /// <summary>What is loading a model to replace the one in force; null when nothing does.</summary>
    public ModelBuild? ModelBuild { get; set; }

    /// <summary>
    /// Puts another model's networks in force between two frames; ends when no frame is looked at with the old ones any
    /// more, which may then be disposed. The labels must be the same.
    /// </summary>
    public async Task ReplaceAsync(StationModel next)
    {
        var old = _model;
        lock (_changing)
        {
            _inspector.Use(next.Stages, new DecisionRules(_desk.Recipe, next.DefectThreshold, next.GoodLabel));
            _model = next;
        }

        while (!_stopped && _inspector.Uses(old.Stages))
        {
            await Task.Delay(BookInterval, _time, CancellationToken.None).ConfigureAwait(false);
        }
    }

    /// <summary>Parts that the books cannot name: what a thread had to say of them, or the eye had seen of them, found no room.</summary>
    private long LostTrackOf => _figures.EventsLost + _entryEyes.Overflowed;

    /// <summary>The operator's commands.</summary>
    public StationControl Control => _desk.Control;

    /// <summary>The recipe in force.</summary>
    public Recipe Recipe => _desk.Recipe;

    /// <summary>Names of the recipes that there are.</summary>
    public IEnumerable<string> Recipes => _recipes.Select(recipe => recipe.Name);

    /// <summary>The classifier's labels.</summary>
    public IReadOnlyList<string> Labels => _model.Labels;

    /// <summary>Score from which a part is defective.</summary>
    public double Threshold => _desk.Recipe.DefectThreshold ?? _model.DefectThreshold;

    /// <summary>The alarms.</summary>
    public AlarmSummary Alarms => _desk.Alarms.Summary;

    /// <summary>Whether the maintenance key is turned.</summary>
    public bool IsMaintenance => _desk.Inputs.IsMaintenance;

    /// <summary>The challenge tests.</summary>
    public ChallengeStanding Challenges => _desk.Challenges.Standing;

    /// <summary>
    /// Sets the defect threshold of the recipe in force, from the next decision on. Null when done, else why not.
    /// </summary>
    public string? ChangeThreshold(double threshold)
    {
        lock (_recipeGate)
        {
            var recipe = _desk.Recipe;
            if (!recipe.Allows(threshold))
            {
                return recipe.LowestThreshold is null
                    ? $"recipe '{recipe.Name}' gives no LowestThreshold and HighestThreshold, so no command may change its threshold"
                    : FormattableString.Invariant(
                        $"recipe '{recipe.Name}' allows {recipe.LowestThreshold} to {recipe.HighestThreshold}");
            }

            var changed = recipe.With(threshold);
            _recipes[Array.FindIndex(_recipes, one => one.Name == recipe.Name)] = changed;
            Use(changed);
            return null;
        }
    }

    /// <summary>Whether every thread of the station turns; see <see cref="Health.IsResponding"/>.</summary>
    public bool IsResponding(Instant now) => _desk.Health.IsResponding(now);

    /// <summary>Raises an alarm about something that the stations share; any thread.</summary>
    public void Raise(AlarmCode code, string text) => _desk.Alarms.Raise(code, text, _time.GetInstant());

    /// <summary>The station seen from outside, now.</summary>
    public StationSnapshot Snapshot(string broker, string ledger, long ledgerLost, long publishingShed)
    {
        var camera = _capture.State;
        var fault =
            Completion.IsFaulted ? Completion.Exception!.GetBaseException().Message
            : camera is "connected" or "ended" or "stopped" ? null
            : $"camera: {camera}";
        var state =
            _stopped ? StationState.Halted
            : Completion.IsFaulted ? StationState.Error
            : _lockstep is not null ? StationState.ContinuousExecution
            : fault is not null && _figures.Frames > 0 ? StationState.Error
            : _desk.States.State;
        return new StationSnapshot
        {
            Station = Name,
            State = state,
            Fault = fault,
            Recipe = _desk.Recipe.Name,
            Model = _run.Model,
            Provider = _model.Provider,
            Fallback = ModelBuild?.Fault ?? ModelBuild?.Progress ?? _model.Fallback,
            ModelWork = ModelBuild?.Progress,
            Camera = camera,
            Broker = broker,
            Ledger = ledger,
            Uptime = _time.GetInstant() - _start,
            At = _time.GetUtcNow(),
            BeltSpeed = _belt.Speed / 1000,
            FramesPerSecond = _frameRate.PerSecond,
            Frames = _figures.Frames,
            FramesDropped = _capture.Dropped + _figures.FramesTooOld,
            PartsPerMinute = _partRate.PerSecond * 60,
            Counts = _book.Counts() is var counts && LostTrackOf == 0
                ? counts
                : counts with { Unaccounted = counts.Unaccounted + LostTrackOf },
            Decision = _figures.Decision,
            Actuation = _figures.Actuation,
            EvidenceShed = _evidence?.Shed ?? 0,
            PublishingShed = publishingShed,
            LedgerLost = ledgerLost,
            IsSimulated = _run.IsSimulated,
            IsHealthy = _lockstep is null ? _desk.IsHealthy : null,
            Alarms = _desk.Alarms.Summary.Standing,
        };
    }

    /// <summary>
    /// Stops capture, lets every part get its decision and its pulse, makes the outputs safe and closes the book.
    /// </summary>
    public async ValueTask DisposeAsync()
    {
        if (_stopped)
        {
            return;
        }

        _stopped = true;
        if (_lockstep is not null)
        {
            await Completion.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        _desk.Dispose(); // Line stop and Healthy first: what comes now is the end.
        var limit = _time.GetInstant() + EyeLimit;
        _entryEyes.Close(_time.GetInstant()); // What comes from now on nobody would decide.
        while (_lockstep is null && _sensors is not null && !Completion.IsFaulted && _time.GetInstant() < limit)
        {
            // At least once, for an edge that the sensor thread has not read yet.
            await Task.Delay(BookInterval, _time, CancellationToken.None).ConfigureAwait(false);
            if (!_entryEyes.IsBlocked)
            {
                break;
            }
        }

        _capture.Dispose();
        _inspect.Dispose();
        _slot.Dispose();
        limit = _time.GetInstant() + DrainLimit;
        while (_lockstep is null && !Completion.IsFaulted && _schedule.Count > 0 && _time.GetInstant() < limit)
        {
            await Task.Delay(BookInterval, _time, CancellationToken.None).ConfigureAwait(false);
        }

        if (_lockstep is null && _options.Sensors.ConfirmEyes.Count > 0 && !Completion.IsFaulted && _book.Counts().Open > 0)
        {
            await Task.Delay(_options.Reject.ConfirmDelay + _options.Reject.ConfirmTolerance, _time, CancellationToken.None)
                .ConfigureAwait(false);
        }

        _reject.Dispose();
        _sensors?.Dispose();
        _evidence?.Dispose();
        await _bookStop.CancelAsync().ConfigureAwait(false);
        await _bookKeeping.ConfigureAwait(false);
        DrainEvents();
        _book.Close();
        _bookStop.Dispose();
    }

    /// <summary>
    /// In a lockstep run: the inspect thread is busy for this long. Everything else goes on meanwhile, and the frames that
    /// come are dropped but for the newest. Called from within a stage.
    /// </summary>
    public void PassTime(TimeSpan work) => AdvanceTo(_lockstep!.Clock.Now + work, _lockstep);

    /// <summary>In a lockstep run: the line's time at which the frame in hand was exposed.</summary>
    public TimeSpan FrameTime => _lockstep!.FrameTime;

    private void RunLockstep(Lockstep lockstep, CancellationToken stopping)
    {
        var (clock, line, script) = (lockstep.Clock, lockstep.Line, lockstep.Script);
        using var pool = new FramePool(line.Options.FrameWidth, line.Options.FrameHeight, capacity: 1);
        var newest = clock.Now;
        for (long index = 0; !line.Finished(clock.Now - _start) && !stopping.IsCancellationRequested; index++)
        {
            while (line.FrameTime(index) > clock.Now - _start + InspectLoop.IdleAfter && !stopping.IsCancellationRequested)
            {
                // Nothing triggers the camera for a while.
                AdvanceTo(clock.Now + InspectLoop.IdleAfter, lockstep);
                _inspector.Idle();
                Settle(clock.Now);
                if (line.Finished(clock.Now - _start))
                {
                    break;
                }
            }

            if (line.FrameTime(index) == BeltMotion.Never)
            {
                break;
            }

            AdvanceTo(_start + line.FrameTime(index), lockstep);
            while (line.FrameTime(index + _options.Camera.MostWaiting) <= clock.Now - _start)
            {
                index++; // Of those that wait for too long the oldest go; of a free-running camera all but the newest.
            }

            script.BeforeFrame(index);
            if (script.Drops(index))
            {
                if (clock.Now - newest >= InspectLoop.IdleAfter)
                {
                    _inspector.Idle();
                }
            }
            else
            {
                pool.TryRent(out var frame);
                using (frame)
                {
                    lockstep.FrameTime = line.FrameTime(index);
                    if (script.Renders)
                    {
                        line.Render(lockstep.FrameTime, frame!.Picture);
                    }

                    newest = _start + lockstep.FrameTime;
                    frame!.CapturedAt = newest.Nanoseconds;
                    frame.Sequence = index;
                    _inspector.Inspect(frame);
                }
            }

            Settle(clock.Now);
        }

        _inspector.Finish();
        _reject.Step();

        void Settle(Instant now)
        {
            DrainEvents();
            _book.ExpireConfirmations(now);
            _desk.Step(now);
        }
    }

    /// <summary>Moves the clock from one thing that is due to the next: a pulse, an edge of an eye, a reading of the encoder.</summary>
    private void AdvanceTo(Instant target, Lockstep lockstep)
    {
        var clock = lockstep.Clock;
        while (true)
        {
            var next = _reject.Step();
            if (lockstep.Line.NextEdgeAt is { } edge && _start + edge < next)
            {
                next = _start + edge;
            }

            var latest = clock.Now + RejectLoop.LongestWait;
            next = next < latest ? next : latest;
            clock.Now = next < target ? (next > clock.Now ? next : clock.Now) : (target > clock.Now ? target : clock.Now);
            while (_sensors?.Step(TimeSpan.Zero) == true)
            {
                // Everything the sensors have said up to now.
            }

            if (clock.Now >= target)
            {
                _reject.Step();
                return;
            }
        }
    }

    /// <summary>What an operator's commands come down to.</summary>
    private StationWork Work(StationDesk desk) =>
        new()
        {
            PartsUnderWay = () => (int)_book.Counts().Open + _inspector.UnderWay,
            RefuseRecipe = name =>
                Array.Exists(_recipes, recipe => recipe.Name == name)
                    ? null
                    : $"there is no recipe '{name}'; there is {string.Join(", ", _recipes.Select(recipe => recipe.Name))}",
            Swap = (name, _) =>
            {
                lock (_recipeGate)
                {
                    Use(Array.Find(_recipes, recipe => recipe.Name == name)!);
                }

                _books.RecipeChanged(name);
                return Task.CompletedTask;
            },
            StartChallenge = (who, defect, pieces, now) => desk.Challenges.Start(who, defect, pieces, _book.LastNumber, now),
            FireEjector = lane => _reject.FireByHand(lane),
            HoldOutput = desk.Hold,
        };

    /// <summary>Puts a recipe in force. The belt is empty: no part is judged by one and rejected by the other.</summary>
    private void Use(Recipe recipe)
    {
        lock (_changing)
        {
            _inspector.Use(new DecisionRules(recipe, _model.DefectThreshold, _model.GoodLabel));
            _desk.Use(recipe);
        }

        _schedule.OnLate = recipe.OnLate;
        _book.Recipe = recipe.Name;
    }

    private IEnumerable<Loopback> Loopbacks() =>
        _options
            .Reject.Ejectors.Select((ejector, lane) => (ejector, lane))
            .Where(fitted => fitted.ejector.LoopbackPin is not null)
            .Select(fitted => new Loopback(
                $"Reject:Ejectors:{fitted.lane}:Pin",
                fitted.ejector.Pin,
                fitted.ejector.ActiveHigh,
                fitted.ejector.LoopbackPin!.Value,
                fitted.ejector.LoopbackInverted
            ));

    private async Task WatchAsync()
    {
        List<Task> threads = [_capture.Completion, _inspect.Completion, _reject.Completion, _bookKeeping];
        if (_evidence is not null)
        {
            threads.Add(_evidence.Completion);
        }

        if (_sensors is not null)
        {
            threads.Add(_sensors.Completion);
        }

        threads.Add(_desk.Completion);

        // A recording that is over ends capture, then inspect, and with it the station; any other thread that ends is a fault
        // or a stop under way.
        while (true)
        {
            var first = await Task.WhenAny(threads).ConfigureAwait(false);
            await first.ConfigureAwait(false);
            if (first != _capture.Completion)
            {
                return;
            }

            threads.Remove(first);
        }
    }

    private async Task KeepBookAsync(CancellationToken stopping)
    {
        using var timer = new PeriodicTimer(BookInterval, _time);
        var last = _time.GetInstant();
        var patientUntil = last;
        while (!stopping.IsCancellationRequested)
        {
            DrainEvents();
            var now = _time.GetInstant();
            if (now - last > StoodStill)
            {
                patientUntil = now + StoodStill;
            }

            last = now;
            if (now >= patientUntil)
            {
                _book.ExpireConfirmations(now);
            }

            _desk.Step(now);
            var uptime = _time.GetInstant() - _start;
            _frameRate.Sample(uptime, _figures.Frames);
            _partRate.Sample(uptime, _book.Counts().Parts);
            try
            {
                await timer.WaitForNextTickAsync(stopping).ConfigureAwait(false);
            }
            catch (OperationCanceledException)
            {
                return;
            }
        }
    }

    private void DrainEvents()
    {
        while (_events.Reader.TryRead(out var happened))
        {
            _book.Enter(happened);
        }
    }

    /// <summary>A lockstep run under way.</summary>
    private sealed record Lockstep(LockstepClock Clock, VirtualLine Line, LockstepScript Script)
    {
        public TimeSpan FrameTime { get; set; }
    }
}
