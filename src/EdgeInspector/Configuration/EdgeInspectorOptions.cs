using System.ComponentModel.DataAnnotations;
using EdgeInspector.Capture;
using EdgeInspector.Control;
using EdgeInspector.Inspection;
using EdgeInspector.Ledger;
using EdgeInspector.Line;
using EdgeInspector.Publishing;
using EdgeInspector.Reject;
using EdgeInspector.Samples;
using EdgeInspector.Station;
using EdgeInspector.Telemetry;
using EdgeInspector.Vision;
using EdgeInspector.Web;

namespace EdgeInspector.Configuration;

/// <summary>Everything that can be set, as one tree: what configuration files, environment and command line are read into.</summary>
internal sealed class EdgeInspectorOptions : IValidatableObject
{
    /// <summary>Where ledger and samples are kept. Systemd's StateDirectory by default.</summary>
    [Required(AllowEmptyStrings = false)]
    public string DataFolder { get; set; } = "/var/lib/edge-inspector";

    /// <summary>Where this device stands in the plant.</summary>
    public PlantOptions Plant { get; set; } = new();

    /// <summary>The stations, at least one: a camera, a belt segment, a recipe and its ejectors each.</summary>
    [MinLength(1, ErrorMessage = "needs at least one station")]
    public IList<StationOptions> Stations { get; set; } = [];

    /// <summary>The record of every part.</summary>
    public LedgerOptions Ledger { get; set; } = new();

    /// <summary>Pictures kept on disk.</summary>
    public SamplesOptions Samples { get; set; } = new();

    /// <summary>Publishing over MQTT.</summary>
    public MqttOptions Mqtt { get; set; } = new();

    /// <summary>What waits for the broker.</summary>
    public OutboxOptions Outbox { get; set; } = new();

    /// <summary>The broker in this process.</summary>
    public BrokerOptions Broker { get; set; } = new();

    /// <summary>Commands and the audit log.</summary>
    public ControlOptions Control { get; set; } = new();

    /// <summary>The page and the endpoints.</summary>
    public WebOptions Web { get; set; } = new();

    /// <summary>Who is sent the instruments.</summary>
    public MetricsOptions Metrics { get; set; } = new();

    /// <summary>Device discovery of Home Assistant.</summary>
    public HomeAssistantOptions HomeAssistant { get; set; } = new();

    /// <summary>The Sparkplug B edge node.</summary>
    public SparkplugOptions Sparkplug { get; set; } = new();

    /// <inheritdoc/>
    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        foreach (var twice in Stations.GroupBy(station => station.Name).Where(group => group.Count() > 1))
        {
            yield return new($"two stations are named '{twice.Key}'; every topic and record carries the name", [nameof(Stations)]);
        }

        foreach (var twice in Stations.GroupBy(station => station.Virtual.PinFile).Where(group => group.Key is not null && group.Count() > 1))
        {
            yield return new($"two stations have the Virtual:PinFile '{twice.Key}'; each needs its own", [nameof(Stations)]);
        }
    }
}

/// <summary>The networks of a station.</summary>
internal sealed class ModelOptions
{
    /// <summary>Folder of the model package; the factory's, beside the program, by default.</summary>
    [Required(AllowEmptyStrings = false)]
    public string Package { get; set; } = Path.Combine(AppContext.BaseDirectory, "models", "biscuit");

    /// <summary>Execution provider; Auto takes the first of TensorRt, Cuda and Cpu that completes a warm-up inference.</summary>
    public ProviderChoice Provider { get; set; } = ProviderChoice.Auto;

    /// <summary>
    /// Refuses to start where an accelerator is wanted and the processor would run a network, or a part of one.
    /// </summary>
    public bool ForbidFallback { get; set; }

    /// <summary>
    /// What the processors are spent on: Latency puts them all on one frame, Throughput gives each frame a thread. Auto is
    /// Latency for one station and Throughput for several.
    /// </summary>
    public ThreadMode Mode { get; set; } = ThreadMode.Auto;

    /// <summary>Processor threads for each network in latency mode, 0 to 64; 0 chooses by the size of the input.</summary>
    [Range(0, 64)]
    public int Threads { get; set; }

    /// <summary>Frames in work at a time in throughput mode, 0 to 64; 0 shares the processors among the stations.</summary>
    [Range(0, 64)]
    public int Workers { get; set; }

    /// <summary>Folder for TensorRT's engines, below the data folder; an engine takes minutes to build and is kept.</summary>
    [Required(AllowEmptyStrings = false)]
    public string EngineCache { get; set; } = "engines";

    /// <summary>With what numbers TensorRT computes: Model keeps the model's, Half uses 16-bit floats where they are faster.</summary>
    public EnginePrecision Precision { get; set; } = EnginePrecision.Model;

    /// <summary>Most memory, MiB, that TensorRT may use to try its kernels, 16 to 65,536; a Jetson shares its memory.</summary>
    [Range(16, 65_536)]
    public int WorkspaceMegabytes { get; set; } = 1024;

    /// <summary>How the package is run.</summary>
    /// <param name="dataFolder">Where the service keeps what it makes.</param>
    /// <param name="stations">How many share the processors.</param>
    internal InferenceOptions Inference(string dataFolder, int stations) =>
        new()
        {
            Provider = Provider,
            ForbidFallback = ForbidFallback,
            Mode = Mode,
            Cameras = Math.Clamp(stations, 1, 64),
            Threads = Threads,
            Workers = Workers,
            EngineCache = Path.Combine(dataFolder, EngineCache),
            Precision = Precision,
            WorkspaceMegabytes = WorkspaceMegabytes,
        };
}

/// <summary>What the virtual line carries, where a station's camera is <c>virtual:</c>.</summary>
internal sealed class VirtualOptions
{
    /// <summary>Everything random follows from it, 0 to 2,147,483,647.</summary>
    [Range(0, int.MaxValue)]
    public int Seed { get; set; } = 1;

    /// <summary>Mean feed, 0.01 to 200 parts a second.</summary>
    [Range(0.01, 200.0)]
    public double PartsPerSecond { get; set; } = 10;

    /// <summary>Share of parts with a defect, 0 to 1.</summary>
    [Range(0.0, 1.0)]
    public double DefectRate { get; set; } = 0.1;

    /// <summary>Parts to carry, 0 to 1,000,000,000; 0 is endless, or each photograph once.</summary>
    [Range(0, 1_000_000_000)]
    public int PartCount { get; set; }

    /// <summary>Carry the photographs in this folder, one sub-folder per class, in place of biscuits.</summary>
    public string? Photographs { get; set; }

    /// <summary>
    /// A file to make, of one byte a pin, 1 while it is high: another program that maps it watches the outputs, also after
    /// this one has died. Null: none.
    /// </summary>
    public string? PinFile { get; set; }
}

/// <summary>One station.</summary>
internal sealed class StationOptions : IValidatableObject
{
    /// <summary>Unique name, one lower-case segment; part of every topic.</summary>
    [RegularExpression(PlantOptions.SegmentPattern, ErrorMessage = "must be 1 to 32 of a-z, 0-9, '-' and '_'")]
    public string Name { get; set; } = "station-1";

    /// <summary>Where pictures come from.</summary>
    public CameraOptions Camera { get; set; } = new();

    /// <summary>How the picture lies on the belt.</summary>
    public InspectionOptions Inspection { get; set; } = new();

    /// <summary>How the belt moves.</summary>
    public BeltOptions Belt { get; set; } = new();

    /// <summary>The photo-eyes.</summary>
    public SensorOptions Sensors { get; set; } = new();

    /// <summary>The ejectors.</summary>
    public RejectOptions Reject { get; set; } = new();

    /// <summary>What is made and how strictly it is judged.</summary>
    public Recipe Recipe { get; set; } = new();

    /// <summary>Further recipes that an operator may change to, each under a name of its own.</summary>
    public IList<Recipe> Recipes { get; set; } = [];

    /// <summary>
    /// Whether the line may run as soon as the station is ready. True: a station that comes back from a power cut goes on by
    /// itself. False: somebody has to arm it.
    /// </summary>
    public bool ArmOnStart { get; set; } = true;

    /// <summary>Stack light, buzzer, line stop, Healthy and heartbeat.</summary>
    public PanelOptions Panel { get; set; } = new();

    /// <summary>How alarms behave here, by their names; what is left out is as <c>docs/alarms.md</c> has it.</summary>
    public IDictionary<string, AlarmOptions> Alarms { get; set; } = new Dictionary<string, AlarmOptions>();

    /// <summary>How long each thread may be silent before Healthy drops.</summary>
    public HealthOptions Health { get; set; } = new();

    /// <summary>Challenge tests with known defects.</summary>
    public ChallengeOptions Challenges { get; set; } = new();

    /// <summary>Time limits of a changeover.</summary>
    public ChangeoverOptions Changeover { get; set; } = new();

    /// <summary>The networks.</summary>
    public ModelOptions Model { get; set; } = new();

    /// <summary>The virtual line, where the camera's source is <c>virtual:</c>.</summary>
    public VirtualOptions Virtual { get; set; } = new();

    /// <summary>Whether the virtual line stands in for camera, belt, sensors and ejector.</summary>
    internal bool IsVirtual => Camera.Source == "virtual:";

    /// <inheritdoc/>
    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        foreach (var fault in AlarmOptions.Validate(Alarms.Keys).Concat(PinFaults()).Concat(GeometryFaults()).Concat(TriggerFaults()))
        {
            yield return fault;
        }

        if (Virtual.PinFile is { } pinFile)
        {
            if (!IsVirtual)
            {
                yield return new("is of the virtual line, and the camera is not virtual:; leave it out", ["Virtual:PinFile"]);
            }
            else if (!Directory.Exists(Path.GetDirectoryName(Path.GetFullPath(pinFile.Length > 0 ? pinFile : "/"))))
            {
                yield return new($"'{pinFile}' is in no folder that is there; name a file in one that is", ["Virtual:PinFile"]);
            }
        }

        foreach (var twice in Recipes.Append(Recipe).GroupBy(recipe => recipe.Name).Where(group => group.Count() > 1))
        {
            yield return new($"two recipes are named '{twice.Key}'; give each a name of its own", [nameof(Recipes)]);
        }
    }

    private IEnumerable<ValidationResult> PinFaults()
    {
        List<(string Pin, string Key)> pins =
        [
            .. Reject.Ejectors.Select((ejector, lane) => ($"{ejector.Pin}", $"Reject:Ejectors:{lane}:Pin")),
            .. Sensors.Signals(Belt.Encoder),
            .. Panel.Pins(),
        ];
        foreach (var shared in pins.GroupBy(pin => pin.Pin).Where(group => group.Count() > 1))
        {
            yield return new($"line {shared.Key} is also used by {shared.First().Key}; every signal needs its own", [shared.Last().Key]);
        }

        var lanes = Reject.Ejectors.Count;
        if (lanes > 8)
        {
            yield return new($"has {lanes} lanes; a station has at most 8", ["Reject:Ejectors"]);
        }

        foreach (var (key, count) in new[] { ("Sensors:EntryEyes", Sensors.EntryEyes.Count), ("Sensors:ConfirmEyes", Sensors.ConfirmEyes.Count) })
        {
            if (count > 1 && count != lanes)
            {
                yield return new($"has {count} eyes for {lanes} lanes; fit one for all lanes or one a lane", [key]);
            }
        }
    }

    private IEnumerable<ValidationResult> TriggerFaults()
    {
        if (Camera.Trigger is not { } trigger)
        {
            yield break;
        }

        if (trigger.Eye >= Sensors.EntryEyes.Count)
        {
            yield return new(
                $"entry eye {trigger.Eye} is not there, Sensors:EntryEyes has {Sensors.EntryEyes.Count}; name the eye whose wire goes to the camera",
                ["Camera:Trigger:Eye"]
            );
        }

        if (IsVirtual && trigger.Eye != 0)
        {
            yield return new("the virtual line's camera is triggered by eye 0", ["Camera:Trigger:Eye"]);
        }

        foreach (var recipe in Recipes.Prepend(Recipe).Where(recipe => recipe.Views != 1))
        {
            yield return new(
                $"recipe '{recipe.Name}' wants {recipe.Views} views of a part, and a triggered camera shows it once; set Views to 1",
                ["Recipe:Views"]
            );
        }
    }

    /// <summary>What cannot be so on any belt: an ejector in the picture, a blast that is longer than the gap.</summary>
    private IEnumerable<ValidationResult> GeometryFaults()
    {
        var view = (Inspection.IsAlongWidth ? Camera.Width ?? 640 : Camera.Height ?? 480) * Inspection.MillimetresPerPixel;
        if (Reject.Position <= view / 2)
        {
            yield return new(
                $"{Reject.Position:F0} mm is before the end of the picture, {view / 2:F0} mm from its centre: a part would be at the ejector before it is judged; move the ejector downstream or correct the measure",
                ["Reject:Position"]
            );
        }

        for (var i = 0; i < Sensors.EntryEyes.Count; i++)
        {
            if (Sensors.EntryEyes[i].Position >= -view / 2)
            {
                yield return new(
                    $"{Sensors.EntryEyes[i].Position:F0} mm is not upstream of the picture, which begins at {-view / 2:F0} mm; an entry eye announces parts before the camera sees them",
                    [$"Sensors:EntryEyes:{i}:Position"]
                );
            }
        }

        var (pitch, blast) = (Recipe.Pitch, Belt.Speed * Reject.Dwell.TotalMilliseconds);
        if (blast >= pitch)
        {
            yield return new(
                $"{Reject.Dwell.TotalMilliseconds:F0} ms is {blast:F0} mm of belt at {Belt.Speed} m/s, longer than the pitch of {pitch:F0} mm (Recipe:Pitch): it would take the neighbours; shorten it",
                ["Reject:Dwell"]
            );
        }
        else if (blast + Reject.Window > pitch)
        {
            yield return new(
                $"{Reject.Window:F0} mm and the {blast:F0} mm that the belt runs during a blast do not fit into the pitch of {pitch:F0} mm (Recipe:Pitch); shorten Reject:Dwell or narrow the nozzle",
                ["Reject:Window"]
            );
        }

        if (Reject.ShortestPulse > Reject.Dwell)
        {
            yield return new($"is longer than Reject:Dwell ({Reject.Dwell.TotalMilliseconds:F0} ms)", ["Reject:ShortestPulse"]);
        }
    }
}
