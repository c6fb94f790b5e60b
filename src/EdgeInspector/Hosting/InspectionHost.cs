using System.Globalization;
using System.Reflection;
using System.Security.Cryptography;
using System.Text;
using EdgeInspector.Capture;
using EdgeInspector.Configuration;
using EdgeInspector.Control;
using EdgeInspector.Ledger;
using EdgeInspector.Line;
using EdgeInspector.Publishing;
using EdgeInspector.Publishing.Sparkplug;
using EdgeInspector.Samples;
using EdgeInspector.Simulation;
using EdgeInspector.Telemetry;
using EdgeInspector.Vision;
using EdgeInspector.Web;

namespace EdgeInspector.Hosting;

/// <summary>
/// The whole service: stations, ledger, samples, broker, publisher and page, wired on one screen. Started once, disposed
/// once; <see cref="Completion"/> ends when the last station does and is faulted as soon as anything is.
/// </summary>
internal sealed class InspectionHost : IAsyncDisposable
{
    /// <summary>A virtual belt stands until every thread is up, as an operator would have it.</summary>
    private static readonly TimeSpan Readiness = TimeSpan.FromMilliseconds(500);

    private readonly EdgeInspectorOptions _options;
    private readonly TimeProvider _time;
    private readonly LockstepClock? _lockstep;
    private readonly ILogger _log;
    private readonly LedgerStore _ledger;
    private readonly SampleStore _samples;
    private readonly EmbeddedBroker? _broker;
    private readonly LedgerFeed _feed;
    private readonly Outbox _outbox;
    private readonly Publisher _publisher;
    private readonly RecentPictures _recent = new();
    private readonly Instruments _instruments;
    private readonly MetricsText _metricsText;
    private readonly HomeAssistantDiscovery? _homeAssistant;
    private readonly SparkplugLink? _sparkplug;
    private readonly WebServer? _web;
    private readonly CommandDesk _commands;
    private readonly CommandHands _hands;
    private readonly StandingOrders _orders;
    private readonly RecentLog? _recentLog;
    private readonly List<VirtualLine> _lines = [];
    private readonly List<IDisposable> _owned = [];
    private readonly List<string> _runs = [];
    private readonly CancellationTokenSource _stop = new();
    private readonly CancellationTokenSource _stopPublishing = new();
    private readonly CancellationTokenSource _stopOutbox = new();
    private readonly CancellationTokenSource _stopLockstep = new();
    private volatile InspectionStation[] _stations = []; // Replaced whole: the page asks while stations are added.
    private Task _writing = Task.CompletedTask;
    private Task _keeping = Task.CompletedTask;
    private Task _publishing = Task.CompletedTask;
    private Task _outgoing = Task.CompletedTask;
    private Task _introducing = Task.CompletedTask;
    private Task _sparkling = Task.CompletedTask;
    private MetricsExport? _export;
    private SystemdWatchdog? _watchdog;
    private volatile bool _disposed;

    /// <summary>Wires the rooms that stations share.</summary>
    /// <param name="options">Sound options.</param>
    /// <param name="logs">Where state changes are told.</param>
    /// <param name="time">
    /// The machine's clock, or a <see cref="LockstepClock"/>: then virtual stations run as fast as the machine goes.
    /// </param>
    /// <param name="recentLog">The last lines of <paramref name="logs"/>, for diagnostic bundles; null keeps none.</param>
    public InspectionHost(EdgeInspectorOptions options, ILoggerFactory logs, TimeProvider time, RecentLog? recentLog = null)
    {
        _options = options;
        _time = time;
        _lockstep = time as LockstepClock;
        _log = logs.CreateLogger<InspectionHost>();
        _ledger = new LedgerStore(options.Ledger, options.DataFolder, TimeProvider.System, logs.CreateLogger<LedgerStore>());
        options.Samples.Folder = Path.Combine(options.DataFolder, options.Samples.Folder);
        _samples = new SampleStore(options.Samples, TimeProvider.System, logs.CreateLogger<SampleStore>());
        _broker = options.Broker.Enabled ? new EmbeddedBroker(options.Broker, logs.CreateLogger<EmbeddedBroker>()) : null;
        _feed = new LedgerFeed(_ledger);
        _outbox = new Outbox(options.Outbox, options.DataFolder, TimeProvider.System, logs.CreateLogger<Outbox>())
        {
            Damaged = text => Array.ForEach(_stations, station => station.Raise(AlarmCode.OutboxDamaged, text)),
        };
        _publisher = new Publisher(
            options.Mqtt,
            options.Plant,
            Snapshots,
            _feed,
            _outbox,
            ShiftOf,
            TimeProvider.System,
            logs.CreateLogger<Publisher>()
        );
        _ledger.Wrote = _publisher.PartsWritten;
        _recentLog = recentLog;
        _orders = StandingOrders.Read(options.DataFolder);
        _hands = new CommandHands(
            name => Array.Find(_stations, station => station.Name == name),
            _orders,
            new LabelBook(options.DataFolder),
            _ledger.Reader,
            (station, part) => _recent.Newest().FirstOrDefault(picture => picture.Station == station && (part is null || picture.PartId == part)),
            _publisher.Offer,
            Pack,
            time
        )
        {
            Labelled = label => _publisher.Offer(Publication(label)),
        };
        _commands = new CommandDesk(
            options.Control,
            options.DataFolder,
            name => options.Stations.Any(station => station.Name == name),
            _hands.ExecuteAsync,
            TimeProvider.System,
            logs.CreateLogger<CommandDesk>()
        );
        _publisher.Handle(Contract.Command, CommandedAsync);
        _instruments = new Instruments(Snapshots, ServiceFigures, Version, TimeProvider.System);
        _metricsText = new MetricsText(_instruments);
        _homeAssistant = options.HomeAssistant.Enabled && options.Mqtt.Enabled
            ? new HomeAssistantDiscovery(
                options.HomeAssistant,
                options.Mqtt,
                options.Plant,
                [.. options.Stations.Select(station => new HomeAssistantStation(station.Name, RecipesOf(station)))],
                Version,
                TimeProvider.System,
                logs.CreateLogger<HomeAssistantDiscovery>()
            )
            : null;
        _sparkplug = options.Sparkplug.Enabled && options.Mqtt.Enabled
            ? new SparkplugLink(
                options.Sparkplug,
                options.Mqtt,
                options.Plant,
                Snapshots,
                Version,
                TimeProvider.System,
                logs.CreateLogger<SparkplugLink>()
            )
            : null;
        _web = options.Web.Enabled
            ? new WebServer(options.Web, _recent, Snapshots, logs, Services())
            {
                Mqtt = _broker is not null && options.Broker.WebSocket ? _broker.ServeAsync : null,
                Metrics = (_metricsText.Read, MetricsText.ContentType),
            }
            : null;
    }

    /// <summary>Ends when every station has; faulted as soon as any thread or task has failed.</summary>
    public Task Completion { get; private set; } = Task.CompletedTask;

    /// <summary>The virtual lines behind virtual stations, in the order of the stations, with when their time was zero.</summary>
    public IReadOnlyList<VirtualLine> Lines => _lines;

    /// <summary>When the stations' belts began to be counted.</summary>
    public Instant Start { get; private set; }

    /// <summary>Where the page is; null when it is off.</summary>
    public string? PageUrl => _web?.Url;

    /// <summary>The embedded broker's port; null when it is off.</summary>
    public int? BrokerPort => _broker?.Port;

    /// <summary>What the ledger holds.</summary>
    public LedgerReader Ledger => _ledger.Reader;

    /// <summary>The last pictures of parts that did not pass.</summary>
    public RecentPictures Recent => _recent;

    /// <summary>Parts offered to the ledger and not written yet.</summary>
    public int LedgerWaiting => _ledger.Waiting;

    /// <summary>Where commands come in.</summary>
    public CommandDesk Commands => _commands;

    /// <summary>Adds a user to the embedded broker; before <see cref="StartAsync"/>.</summary>
    public void AddBrokerUser(string name, string password, Role role = Role.Viewer, bool isStation = false) =>
        _broker?.AddUser(name, password, role, isStation);

    /// <summary>Every station seen from outside, now.</summary>
    public IReadOnlyList<StationSnapshot> Snapshots() =>
        [.. _stations.Select(station => station.Snapshot(_publisher.BrokerState, _ledger.State, _ledger.Lost, _publisher.Shed))];

    /// <summary>Opens everything and starts inspecting. What was opened before a failure is closed by disposing.</summary>
    /// <exception cref="SettingException">Something set cannot be used; one line.</exception>
    /// <exception cref="LedgerException">The data folder cannot be written.</exception>
    /// <exception cref="ModelPackageException">A model package was refused.</exception>
    /// <exception cref="CameraException">A camera is not there.</exception>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        if (_lockstep is not null && _options.Stations is not [{ IsVirtual: true }])
        {
            throw new SettingException("Stations: a lockstep run moves one clock, so it takes exactly one station, with the camera virtual:.");
        }

        _ledger.Open();
        _commands.Open(Version);
        if (_orders.Fault is { } unknown)
        {
            _log.OrdersAmiss(unknown);
        }

        if (_broker is not null)
        {
            await _broker.StartAsync(cancellationToken).ConfigureAwait(false);
            if (_options.Mqtt.Port == 0)
            {
                _options.Mqtt.Port = _broker.Port;
            }
        }

        var models = _options.Stations.Select(station => Own(Load(station.Model))).ToArray();
        if (_web is not null)
        {
            await _web.StartAsync(cancellationToken).ConfigureAwait(false);
        }

        foreach (var station in _options.Stations)
        {
            _publisher.Follow(station.Name);
        }

        Start = _time.GetInstant() + (_lockstep is null ? Readiness : TimeSpan.Zero);
        for (var i = 0; i < models.Length; i++)
        {
            _stations = [.. _stations, Build(_options.Stations[i], models[i])];
        }

        ReportSettings();
        _writing = _ledger.RunAsync(_stop.Token);
        _keeping = _samples.RunAsync(_stop.Token);
        for (var i = 0; i < _stations.Length; i++)
        {
            if (_lockstep is not null)
            {
                _stations[i].StartLockstep(_lockstep, _lines[i], new LockstepScript(), _stopLockstep.Token);
            }
            else
            {
                _stations[i].Start();
                var model = _options.Stations[i].Model;
                if (IsBuiltBeside(model, model.Inference(_options.DataFolder, _options.Stations.Count)))
                {
                    BuildBeside(_stations[i], model, models[i]);
                }
            }
        }

        // Only now: a virtual belt moves half a second after it was built, and nothing is to make its threads late.
        _publishing = _publisher.RunAsync(_stopPublishing.Token);
        _introducing = _homeAssistant?.RunAsync(_stopPublishing.Token) ?? Task.CompletedTask;
        _sparkling = _sparkplug?.RunAsync(_stopPublishing.Token) ?? Task.CompletedTask;
        _export = _options.Metrics.OtlpEndpoint is null
            ? null
            : new MetricsExport(_options.Metrics, $"{_options.Plant.Enterprise}-{_options.Plant.Site}-{_options.Plant.Area}-{_options.Plant.Line}", Version);
        _outgoing = _options.Mqtt.Enabled ? _outbox.RunAsync(_stopOutbox.Token) : Task.CompletedTask;
        _watchdog = SystemdWatchdog.FromEnvironment();
        _watchdog?.Start(now => Array.TrueForAll(_stations, station => station.IsResponding(now)), _time);
        Completion = WatchAsync();
        _log.StationsStarted(_stations.Length, string.Join(", ", models.Select(model => $"{model.Name} {model.Version}: {string.Join(", ", model.Stages)}")));
    }

    /// <summary>Stops the stations, then sends and writes what they said last.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_disposed)
        {
            return;
        }

        _disposed = true;
        await _stopLockstep.CancelAsync().ConfigureAwait(false);
        if (_web is not null)
        {
            await _web.StopAsync().ConfigureAwait(false); // No command meets a station that is going down.
        }

        foreach (var station in _stations)
        {
            await station.DisposeAsync().ConfigureAwait(false);
        }

        foreach (var run in _runs)
        {
            _ledger.EndRun(run);
        }

        await _stop.CancelAsync().ConfigureAwait(false);
        await Task.WhenAll(_writing, _keeping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);

        // Only now are the last parts where publishing finds them; and what it gets rid of, the outbox removes.
        await _stopPublishing.CancelAsync().ConfigureAwait(false);
        await Task.WhenAll(_publishing, _introducing, _sparkling).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await _stopOutbox.CancelAsync().ConfigureAwait(false);
        await _outgoing.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (_broker is not null)
        {
            await _broker.DisposeAsync().ConfigureAwait(false);
        }

        for (var i = _owned.Count - 1; i >= 0; i--)
        {
            _owned[i].Dispose();
        }

        _export?.Dispose();
        _metricsText.Dispose();
        _instruments.Dispose();
        _watchdog?.Dispose();
        _commands.Dispose();
        _outbox.Dispose();
        _feed.Dispose();
        _ledger.Dispose();
        _stop.Dispose();
        _stopPublishing.Dispose();
        _stopOutbox.Dispose();
        _stopLockstep.Dispose();
    }

    /// <summary>
    /// The station's model; on the processor, for as long as it takes to build an engine, where there is none yet.
    /// </summary>
    private ModelPackage Load(ModelOptions model)
    {
        var inference = model.Inference(_options.DataFolder, _options.Stations.Count);
        return ModelPackage.Load(
            model.Package,
            IsBuiltBeside(model, inference) ? inference with { Provider = ProviderChoice.Cpu } : inference
        );
    }

    private bool IsBuiltBeside(ModelOptions model, InferenceOptions inference) =>
        _lockstep is null && !model.ForbidFallback && ModelPackage.NeedsEngine(model.Package, inference);

    /// <summary>Builds what the station's model wants to run on, and swaps it in.</summary>
    private void BuildBeside(InspectionStation station, ModelOptions model, ModelPackage first)
    {
        var workers = first.Detectors.Count;
        var inference = model.Inference(_options.DataFolder, _options.Stations.Count) with
        {
            Workers = workers,
            Mode = workers > 1 ? ThreadMode.Throughput : ThreadMode.Latency,
        };
        var build = new ModelBuild(
            "TensorRT engine",
            () => ModelPackage.Load(model.Package, inference),
            async package =>
            {
                if (_disposed)
                {
                    package.Dispose();
                    return;
                }

                Own(package);
                await station.ReplaceAsync(StationModel.Of(package)).ConfigureAwait(false);
                _log.ModelReplaced(station.Name, package.Name, package.Version, package.Provider);
            },
            _time
        );
        station.ModelBuild = build;
        build.Start();
    }

    private InspectionStation Build(StationOptions options, ModelPackage model)
    {
        var started = _time.GetUtcNow();
        var orders = _orders.Of(options.Name);
        var recipe = options.Recipe;
        if (StandingOrders.Apply(orders, ref recipe, options.Recipes) is { } passed)
        {
            _log.OrdersAmiss($"{options.Name}: {passed}; the settings hold, and it has to be armed");
            orders = orders with { Paused = true };
        }

        options.Recipe = recipe;
        var hardware = Own(options.IsVirtual ? Virtual(options) : StationHardware.Real(options, _time));
        var run = new RunFacts(
            options.Name,
            started.UtcDateTime.ToString("yyyyMMdd'T'HHmmssfff'Z'", CultureInfo.InvariantCulture),
            options.Recipe.Name,
            $"{model.Name} {model.Version}",
            model.Manifest.Classifier?.Labels ?? [],
            hardware.IsSimulated
        );
        _ledger.BeginRun(new LedgerRun(run.Id, options.Name, started, run.Model, run.Recipe, Version));
        _runs.Add(run.Id);
        var station = new InspectionStation(options, run, StationModel.Of(model), hardware, Start, BooksOf(options.Name, orders), _time, _log);
        _ledger.Follow(run.Id, station.Totals);
        return station;
    }

    private StationBooks BooksOf(string station, StationOrders orders) =>
        new()
        {
            Ended = _ledger.Offer,
            Pictured = Pictured,
            AlarmChanged = alarm => _ledger.Offer(station, alarm),
            Challenged = _ledger.Offer,
            Challenges = _ledger.Reader.ChallengeHistory(station),
            Alarms = _ledger.Reader.StandingAlarms(station),
            IsPaused = orders.Paused,
            RecipeChanged = recipe => KeepRecipe(station, recipe),
            Ledger = _ledger.Alive,
        };

    private void KeepRecipe(string station, string recipe)
    {
        try
        {
            _orders.Change(station, known => known with { Recipe = recipe });
        }
        catch (IOException e)
        {
            _log.OrdersAmiss($"{station}: recipe '{recipe}' holds until a restart and no longer: {e.Message}");
        }
    }

    private WebServices Services() =>
        new()
        {
            TakeCommand = _commands.TakeAsync,
            RefuseCommand = _commands.Refuse,
            Unresponsive = Unresponsive,
            FindBundle = name => DiagnosticBundle.Find(BundleFolder, name),
            AuditHead = () => _commands.AuditHead,
            ModelPackage = _options.Stations.FirstOrDefault()?.Model.Package,
        };

    private static OutgoingMessage Publication(PartLabel label) =>
        OutgoingMessage.Of(
            Contract.Label,
            label.Station,
            new LabelPayload
            {
                Id = label.Id,
                Station = label.Station,
                ResultId = label.ResultId,
                Label = label.Label,
                By = label.By,
                At = label.At,
                Note = label.Note,
            },
            id: label.Id
        );

    private void ReportSettings()
    {
        var settings = SettingsView.Of(_options);
        var revision = Convert.ToHexStringLower(
            SHA256.HashData(Encoding.UTF8.GetBytes(string.Join('\n', settings.Select(pair => $"{pair.Key}={pair.Value}"))))
        );
        foreach (var station in _options.Stations)
        {
            _publisher.Report(
                OutgoingMessage.Of(
                    Contract.Configuration,
                    station.Name,
                    new ConfigurationPayload
                    {
                        Station = station.Name,
                        At = TimeProvider.System.GetUtcNow(),
                        Revision = revision,
                        Version = Version,
                        Settings = settings,
                    }
                )
            );
        }
    }

    /// <summary>
    /// A command from a broker. The embedded one says who sent it, in properties that nobody else can set there; behind a plant's
    /// broker there is only the topic, which its access list holds to the roles that may use it.
    /// </summary>
    private async Task CommandedAsync(IncomingMessage message, CancellationToken cancellationToken)
    {
        var verb = message.Parameter ?? "";
        var least = CommandVerb.Find(verb)?.Role ?? Role.Viewer;
        var origin =
            !IsOwnBroker ? new CommandOrigin("broker", least, "mqtt")
            : message.Properties.TryGetValue("user", out var user)
            && message.Properties.TryGetValue("role", out var name)
            && Enum.TryParse<Role>(name, out var role)
                ? new CommandOrigin(user, role, "mqtt")
            : new CommandOrigin("nobody", Role.Viewer, "mqtt");
        var arrival = new CommandArrival(message.Station, verb, message.Payload, origin);
        var reply = !IsOwnBroker && !_options.Control.TrustBrokerRoles
            ? _commands.Refuse(arrival, "", RefusalCode.Closed, "commands are not taken from this broker; see Control:TrustBrokerRoles")
            : await _commands.TakeAsync(arrival).ConfigureAwait(false);
        _publisher.Reply(message, reply);
    }

    private bool IsOwnBroker =>
        _broker is not null && _options.Mqtt.Port == _broker.Port && _options.Mqtt.Host is ("localhost" or "127.0.0.1" or "::1");

    private string BundleFolder => Path.Combine(_options.DataFolder, "diagnostics");

    private PackedBundle Pack()
    {
        var now = TimeProvider.System.GetUtcNow();
        return DiagnosticBundle.PackInto(
            BundleFolder,
            StationDiagnostics.Of(_options, Snapshots, _ledger.Reader, _commands, _recentLog, Version, now),
            now
        );
    }

    private string[] Unresponsive()
    {
        var now = _time.GetInstant();
        return
        [
            .. _stations.Where(station => !station.IsResponding(now) || station.Completion.IsFaulted)
                .Select(station => $"{station.Name} does not respond"),
        ];
    }

    private StationHardware Virtual(StationOptions options)
    {
        var line = Own(new VirtualLine(VirtualLineOf(options)));
        _lines.Add(line);
        return StationHardware.Virtual(options, line, Start, _time);
    }

    /// <summary>The virtual line that stands where the station says its parts are.</summary>
    internal static VirtualLineOptions VirtualLineOf(StationOptions options) =>
        new()
        {
            Seed = options.Virtual.Seed,
            PartsPerSecond = options.Virtual.PartsPerSecond,
            DefectRate = options.Virtual.DefectRate,
            PartCount = options.Virtual.PartCount,
            PhotographsFolder = options.Virtual.Photographs,
            BeltSpeed = options.Belt.Speed,
            EncoderCountsPerMillimetre = options.Belt.Encoder?.CountsPerMillimetre ?? 1,
            FramesPerSecond = options.Camera.FramesPerSecond ?? 60,
            TriggerDistance = options.Camera.Trigger?.Distance,
            FrameWidth = options.Camera.Width ?? 640,
            FrameHeight = options.Camera.Height ?? 480,
            MillimetresPerPixel = options.Inspection.MillimetresPerPixel,
            EntryEyePosition = options.Sensors.EntryEyes.FirstOrDefault()?.Position ?? -260,
            EjectorPosition = options.Reject.Position,
            EjectorWindow = options.Reject.Window,
            EjectorLatency = options.Reject.Latency,
            Lanes = options.Reject.Ejectors.Count,
        };

    private ServiceFigures ServiceFigures()
    {
        var outbox = _outbox.Figures;
        return new ServiceFigures
        {
            RecordsWaiting = outbox.Records,
            RecordBytes = outbox.RecordBytes,
            PicturesWaiting = outbox.Pictures,
            PictureBytes = outbox.PictureBytes,
            Shed = _publisher.Shed,
            Acknowledged = _publisher.Acknowledged,
            RequestsRefused = _publisher.RequestsRefused,
            LedgerWaiting = _ledger.Waiting,
            LedgerLost = _ledger.Lost,
        };
    }

    private static IReadOnlyList<string> RecipesOf(StationOptions station) =>
        [.. new[] { station.Recipe }.Concat(station.Recipes).Select(recipe => recipe.Name)];

    private static string Version =>
        typeof(InspectionHost).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion
        ?? "unknown";

    private ShiftFigures ShiftOf(string station, DateTimeOffset from, DateTimeOffset to)
    {
        IReadOnlyList<LedgerTally> tallies;
        try
        {
            tallies = _ledger.Reader.Tallies(new LedgerQuery { Station = station, From = from, To = to });
        }
        catch (LedgerException e)
        {
            throw new IOException(e.Message, e);
        }

        var production = tallies.Where(tally => !tally.OfChallenge).ToList();
        long Of(Verdict verdict) => production.Where(tally => tally.Verdict == verdict).Sum(tally => tally.Parts);
        return new ShiftFigures(
            Of(Verdict.Pass),
            Of(Verdict.Reject),
            Of(Verdict.NotInspected),
            Of(Verdict.Late),
            tallies.Where(tally => tally.OfChallenge).Sum(tally => tally.Parts),
            production
                .Where(tally => tally.Verdict == Verdict.Reject)
                .GroupBy(tally => tally.Label ?? "unknown")
                .ToDictionary(group => group.Key, group => group.Sum(tally => tally.Parts))
        );
    }

    private void Pictured(EvidencePicture picture)
    {
        _recent.Offer(picture);
        _samples.Offer(picture);
        _publisher.Offer(picture);
    }

    private T Own<T>(T thing)
        where T : IDisposable
    {
        _owned.Add(thing);
        return thing;
    }

    private async Task WatchAsync()
    {
        List<Task> services = [_writing];
        if (_options.Samples.Enabled)
        {
            services.Add(_keeping);
        }

        if (_options.Mqtt.Enabled)
        {
            services.Add(_publishing);
            services.Add(_outgoing);
        }

        if (_homeAssistant is not null)
        {
            services.Add(_introducing);
        }

        if (_sparkplug is not null)
        {
            services.Add(_sparkling);
        }

        var stations = Task.WhenAll(_stations.Select(station => station.Completion));
        var builds = _stations.Select(station => station.ModelBuild?.Completion).OfType<Task>();
        List<Task> all = [.. services, .. _stations.Select(station => station.Completion), .. builds];
        while (!stations.IsCompleted)
        {
            var first = await Task.WhenAny(all).ConfigureAwait(false);
            await first.ConfigureAwait(false);
            if (services.Contains(first) && !_stop.IsCancellationRequested)
            {
                throw new InvalidOperationException("A background task of the service ended by itself.");
            }

            all.Remove(first);
        }
    }
}
