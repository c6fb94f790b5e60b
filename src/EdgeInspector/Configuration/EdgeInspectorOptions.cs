using System.ComponentModel.DataAnnotations;
using EdgeInspector.Capture;
using EdgeInspector.Inspection;
using EdgeInspector.Ledger;
using EdgeInspector.Line;
using EdgeInspector.Publishing;
using EdgeInspector.Reject;
using EdgeInspector.Samples;
using EdgeInspector.Station;
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

    /// <summary>The broker in this process.</summary>
    public BrokerOptions Broker { get; set; } = new();

    /// <summary>The page and the endpoints.</summary>
    public WebOptions Web { get; set; } = new();

    /// <inheritdoc/>
    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        foreach (var twice in Stations.GroupBy(station => station.Name).Where(group => group.Count() > 1))
        {
            yield return new($"two stations are named '{twice.Key}'; every topic and record carries the name", [nameof(Stations)]);
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

    /// <summary>Processor threads for each network, 0 to 64; 0 chooses by the size of the input.</summary>
    [Range(0, 64)]
    public int Threads { get; set; }
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

    /// <summary>The networks.</summary>
    public ModelOptions Model { get; set; } = new();

    /// <summary>The virtual line, where the camera's source is <c>virtual:</c>.</summary>
    public VirtualOptions Virtual { get; set; } = new();

    /// <summary>Whether the virtual line stands in for camera, belt, sensors and ejector.</summary>
    internal bool IsVirtual => Camera.Source == "virtual:";

    /// <inheritdoc/>
    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        List<(string Pin, string Key)> pins =
        [
            .. Reject.Ejectors.Select((ejector, lane) => ($"{ejector.Pin}", $"Reject:Ejectors:{lane}:Pin")),
            .. Sensors.Signals(Belt.Encoder),
        ];
        foreach (var shared in pins.GroupBy(pin => pin.Pin).Where(group => group.Count() > 1))
        {
            yield return new($"line {shared.Key} is also used by {shared.First().Key}; every signal needs its own", [shared.Last().Key]);
        }

        var blast = Belt.Speed * Reject.Dwell.TotalMilliseconds;
        if (blast > 10 * Reject.Window)
        {
            yield return new(
                $"{Reject.Dwell.TotalMilliseconds:F0} ms is {blast:F0} mm of belt at {Belt.Speed} m/s, which takes the neighbours; shorten it",
                ["Reject:Dwell"]
            );
        }
    }
}
