using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using EdgeInspector.Line;
using EdgeInspector.Telemetry;

namespace EdgeInspector.Publishing;

/// <summary>What discovery says of a station that its snapshot does not.</summary>
/// <param name="Station">The station's name.</param>
/// <param name="Recipes">What an operator may choose from, by name.</param>
internal sealed record HomeAssistantStation(string Station, IReadOnlyList<string> Recipes);

/// <summary>
/// The one document by which Home Assistant knows a station as a device (MQTT device discovery): every entity reads topics of the
/// contract and asks for its commands, so Home Assistant needs nothing that other readers do not have.
/// </summary>
internal sealed class HomeAssistantDevice
{
    /// <summary>A click is worth nothing later than this, s; less than a station allows, and a clock may be a little off.</summary>
    private const int ClickLife = 20;

    // Templates are read by people: an apostrophe is one.
    private static readonly JsonSerializerOptions Readable = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private readonly HomeAssistantStation _station;
    private readonly PlantOptions _plant;
    private readonly Topics _topics;
    private readonly string _version;
    private readonly JsonObject _components = [];

    /// <summary>Writes the document.</summary>
    public HomeAssistantDevice(HomeAssistantOptions options, PlantOptions plant, HomeAssistantStation station, string version)
    {
        (_station, _plant, _version) = (station, plant, version);
        _topics = new Topics(plant, station.Station);
        Id = $"ei-{plant.Enterprise}-{plant.Site}-{plant.Area}-{plant.Line}-{station.Station}";
        Topic = $"{options.Prefix}/device/{Id}/config";
        AddStates();
        AddFigures();
        AddCommands();
    }

    /// <summary>Unique among devices.</summary>
    public string Id { get; }

    /// <summary>Where the document is retained; an empty payload there removes the device.</summary>
    public string Topic { get; }

    /// <summary>The document, UTF-8.</summary>
    public byte[] Document() =>
        JsonSerializer.SerializeToUtf8Bytes(
            new JsonObject
            {
                ["device"] = new JsonObject
                {
                    ["identifiers"] = new JsonArray(Id),
                    ["name"] = _station.Station,
                    ["manufacturer"] = "EdgeInspector",
                    ["model"] = "Inspection station",
                    ["sw_version"] = _version,
                    ["suggested_area"] = _plant.Area,
                },
                ["origin"] = new JsonObject { ["name"] = "EdgeInspector", ["sw_version"] = _version },
                ["availability"] = new JsonArray(
                    new JsonObject
                    {
                        ["topic"] = _topics.Of(Contract.State),
                        ["value_template"] = Value("online"),
                        ["payload_available"] = "True",
                        ["payload_not_available"] = "False",
                    }
                ),
                ["qos"] = 1,
                ["components"] = _components.DeepClone(),
            },
            Readable
        );

    private void AddStates()
    {
        var state = _topics.Of(Contract.State);
        var sensor = Add("state", "sensor", "State", state, Value("state"));
        sensor["device_class"] = "enum";
        sensor["options"] = new JsonArray([.. Enum.GetNames<StationState>().Append("Unknown").Select(name => (JsonNode)name)]);
        Add("fault", "sensor", "Fault", state, "{{ value_json.fault | default('none') }}")["entity_category"] = "diagnostic";
        Add("model", "sensor", "Model", state, Value("internalConfigurationId"))["entity_category"] = "diagnostic";
        Add("provider", "sensor", "Provider", state, Value("provider"))["entity_category"] = "diagnostic";
        AddProblem("healthy", "Health", "{{ 'ON' if value_json.healthy == false else 'OFF' }}");
        AddProblem("alarm", "Alarm", "{{ 'ON' if value_json.alarms else 'OFF' }}");
        AddProblem("camera", "Camera", "{{ 'OFF' if value_json.camera == 'connected' else 'ON' }}");
        AddProblem("ledger", "Ledger", "{{ 'OFF' if value_json.ledger == 'ok' else 'ON' }}");
        AddProblem("outbox", "Outbox", "{{ 'OFF' if value_json.outbox == 'ok' else 'ON' }}");

        var image = Add("last_reject", "image", "Last reject");
        image["image_topic"] = _topics.Of(Contract.LastImage);
        image["content_type"] = Contract.Jpeg;

        // What is wanted is retained on model/desired; who may wish for it is the broker's to say, so there is no button to install.
        var update = Add("model_update", "update", "Model package", state, Value("internalConfigurationId"));
        update["latest_version_topic"] = _topics.Of(Contract.ModelDesired);
        update["latest_version_template"] = "{{ value_json.name }} {{ value_json.version }}";
        update["entity_category"] = "diagnostic";

        void AddProblem(string key, string name, string template)
        {
            var problem = Add(key, "binary_sensor", name, state, template);
            problem["device_class"] = "problem";
            problem["payload_on"] = "ON";
            problem["payload_off"] = "OFF";
        }
    }

    private void AddFigures()
    {
        var metrics = _topics.Of(Contract.Metrics);
        Rate("parts_per_minute", "Parts per minute", "partsPerMinute", "1/min");
        Rate("frames_per_second", "Frames per second", "framesPerSecond", "1/s");
        Rate("belt_speed", "Belt speed", "beltSpeed", "m/s")["device_class"] = "speed";
        Rate("decision_p99", "Decision time (99 %)", "decision.p99", "ms")["device_class"] = "duration";
        Rate("lateness_p99", "Ejector lateness (99 %)", "actuation.p99", "ms")["device_class"] = "duration";
        Rate("outbox_waiting", "Waiting messages", "outboxWaiting", "messages");
        // They begin at 0 with each run, which total_increasing allows for.
        Count("parts", "Parts", "parts", "parts");
        Count("passed", "Passed", "passed", "parts");
        Count("rejected", "Rejected", "rejected", "parts");
        Count("not_inspected", "Not inspected", "notInspected", "parts");
        Count("late", "Late", "late", "parts");
        Count("unaccounted", "Unaccounted", "unaccounted", "parts");
        Count("pulses", "Ejector pulses", "pulses", "pulses");
        Count("unconfirmed", "Unconfirmed pulses", "unconfirmed", "pulses");
        Count("frames_dropped", "Dropped frames", "framesDropped", "frames");

        JsonObject Rate(string key, string name, string path, string unit) => Figure(key, name, path, unit, "measurement");
        void Count(string key, string name, string path, string unit) => Figure(key, name, path, unit, "total_increasing");
        JsonObject Figure(string key, string name, string path, string unit, string stateClass)
        {
            var figure = Add(key, "sensor", name, metrics, Value(path));
            figure["unit_of_measurement"] = unit;
            figure["state_class"] = stateClass;
            return figure;
        }
    }

    private void AddCommands()
    {
        AddButton("arm", "Arm");
        AddButton("pause", "Pause");
        AddButton("acknowledge", "Acknowledge alarms");
        AddButton("mute", "Mute");
        if (_station.Recipes.Count > 1)
        {
            var recipe = Add("recipe", "select", "Recipe", _topics.Of(Contract.State), Value("internalRecipeId"));
            recipe["command_topic"] = _topics.Of(Contract.Command, "recipe");
            recipe["command_template"] = Command(", \"arguments\": {\"recipe\": {{ value | tojson }}}");
            recipe["options"] = new JsonArray([.. _station.Recipes.Select(name => (JsonNode)name)]);
        }

        void AddButton(string verb, string name)
        {
            var button = Add(verb, "button", name);
            button["command_topic"] = _topics.Of(Contract.Command, verb);
            button["command_template"] = Command("");
        }
    }

    private JsonObject Add(string key, string platform, string name, string? topic = null, string? template = null)
    {
        var component = new JsonObject
        {
            ["platform"] = platform,
            ["name"] = name,
            ["unique_id"] = $"{Id}_{key}",
        };
        if (topic is not null)
        {
            component["state_topic"] = topic;
            component["value_template"] = template;
        }

        _components[key] = component;
        return component;
    }

    // A last will has few keys: what is missing is nothing, and no warning in a log.
    private static string Value(string path) => $"{{{{ value_json.{path} | default('') }}}}";

    /// <summary>
    /// A command made at the click: the id is the moment, so that a message that is delivered twice is done once.
    /// </summary>
    private static string Command(string more) =>
        string.Create(
            CultureInfo.InvariantCulture,
            $"{{\"id\": \"ha-{{{{ utcnow().timestamp() }}}}\", \"expiresAt\": \"{{{{ (utcnow() + timedelta(seconds={ClickLife})).isoformat() }}}}\"{more}}}"
        );
}
