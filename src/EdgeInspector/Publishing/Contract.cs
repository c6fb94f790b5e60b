using System.Text.Json.Serialization.Metadata;
using EdgeInspector.Line;
using MQTTnet.Protocol;

namespace EdgeInspector.Publishing;

/// <summary>Where a message waits for the broker, from the one shed last to the one shed first.</summary>
internal enum Keeping
{
    /// <summary>Read from the ledger; a mark beside the parts says how far the broker has them.</summary>
    Ledger,

    /// <summary>In the outbox, as a record.</summary>
    Record,

    /// <summary>In the outbox, as a picture: goes when no record waits, and is shed before any record.</summary>
    Picture,

    /// <summary>In memory, and only the latest of each topic: sent again at each connection.</summary>
    Latest,

    /// <summary>Nowhere: worth something at once or not at all.</summary>
    Passing,
}

/// <summary>One row of the contract: how a kind of message travels.</summary>
internal sealed record MessageKind
{
    /// <summary>Its name in the contract, stable.</summary>
    public required string Name { get; init; }

    /// <summary>Last levels of the topic; one of them may be a parameter in braces.</summary>
    public required string Suffix { get; init; }

    /// <summary>What it says, for the contract.</summary>
    public required string Summary { get; init; }

    /// <summary>True when others send it to the station.</summary>
    public bool IsInbound { get; init; }

    /// <summary>1 is delivered at least once, 0 at most once.</summary>
    public MqttQualityOfServiceLevel Qos { get; init; } = MqttQualityOfServiceLevel.AtLeastOnce;

    /// <summary>Whether the broker keeps the last one for whoever subscribes later.</summary>
    public bool Retain { get; init; }

    /// <summary>How long it is worth delivering; null for as long as it is the latest.</summary>
    public TimeSpan? Expiry { get; init; }

    /// <summary>MIME type of the payload, also sent as MQTT 5 content type.</summary>
    public string ContentType { get; init; } = Contract.Json;

    /// <summary>Name and version of the payload's shape, also sent as user property <c>schema</c>.</summary>
    public required string Schema { get; init; }

    /// <summary>Where it waits.</summary>
    public required Keeping Keeping { get; init; }

    /// <summary>The payload's type; null for a picture.</summary>
    public JsonTypeInfo? Payload { get; init; }

    /// <summary>Who may send it, for inbound ones; commands each have their own, see <see cref="Contract.Verbs"/>.</summary>
    public Role Sender { get; init; } = Role.Admin;

    /// <summary>What stands in braces in the suffix, without them; null when nothing does.</summary>
    public string? Parameter =>
        Suffix.IndexOf('{') is >= 0 and var at ? Suffix[(at + 1)..Suffix.IndexOf('}')] : null;

    /// <summary>The suffix with the parameter filled in.</summary>
    public string SuffixOf(string? value) =>
        Parameter is { } name ? Suffix.Replace($"{{{name}}}", value, StringComparison.Ordinal) : Suffix;

    /// <summary>The suffix that matches all of its messages.</summary>
    public string Filter => SuffixOf("+");
}

/// <summary>
/// The whole contract in one table: every kind of message that a station sends or takes. Schemas, the AsyncAPI document, the
/// access lists and the table in <c>docs/mqtt.md</c> are made from it.
/// </summary>
internal static class Contract
{
    /// <summary>The version in every topic. A change that breaks a reader needs another.</summary>
    public const string Version = "v1";

    public const string Json = "application/json";
    public const string Jpeg = "image/jpeg";

    private const MqttQualityOfServiceLevel AtMostOnce = MqttQualityOfServiceLevel.AtMostOnce;

    /// <summary>State and whether the station is there; also its last will.</summary>
    public static readonly MessageKind State = new()
    {
        Name = "state",
        Suffix = "state",
        Summary = "The station's state: at each change, every 30 s, and from the broker when the station vanishes.",
        Retain = true,
        Schema = "ei.state/1",
        Keeping = Keeping.Latest,
        Payload = PayloadJson.Default.StatePayload,
    };

    /// <summary>Counts, rates and latencies.</summary>
    public static readonly MessageKind Metrics = new()
    {
        Name = "metrics",
        Suffix = "metrics",
        Summary = "Counts since the run began, rates and latencies, every few seconds.",
        Retain = true,
        Schema = "ei.metrics/1",
        Keeping = Keeping.Latest,
        Payload = PayloadJson.Default.MetricsPayload,
    };

    /// <summary>The figures of the shift that goes on.</summary>
    public static readonly MessageKind Shift = new()
    {
        Name = "shift",
        Suffix = "kpi/shift",
        Summary = "What the ledger holds of the shift that goes on, every few minutes.",
        Retain = true,
        Schema = "ei.shift/1",
        Keeping = Keeping.Latest,
        Payload = PayloadJson.Default.ShiftPayload,
    };

    /// <summary>The figures of a shift that is over.</summary>
    public static readonly MessageKind ShiftEnd = new()
    {
        Name = "shiftEnd",
        Suffix = "event/shift",
        Summary = "What the ledger holds of a shift that is over. A repeated id is a duplicate.",
        Expiry = TimeSpan.FromDays(7),
        Schema = "ei.shift/1",
        Keeping = Keeping.Record,
        Payload = PayloadJson.Default.ShiftPayload,
    };

    /// <summary>One part's end. Delivered at least once: a repeated one has the same <c>resultId</c>.</summary>
    public static readonly MessageKind Inspection = new()
    {
        Name = "inspection",
        Suffix = "event/inspection",
        Summary = "One part's end, in the order of the ledger. A repeated resultId is a duplicate to be dropped.",
        Expiry = TimeSpan.FromHours(24),
        Schema = "ei.inspection/1",
        Keeping = Keeping.Ledger,
        Payload = PayloadJson.Default.InspectionPayload,
    };

    /// <summary>Something that will never come.</summary>
    public static readonly MessageKind Gap = new()
    {
        Name = "gap",
        Suffix = "event/gap",
        Summary = "What was given up and will never come: how much of what, and why.",
        Expiry = TimeSpan.FromDays(7),
        Schema = "ei.gap/1",
        Keeping = Keeping.Record,
        Payload = PayloadJson.Default.GapPayload,
    };

    /// <summary>The crop of one part.</summary>
    public static readonly MessageKind Image = new()
    {
        Name = "image",
        Suffix = "image/{id}",
        Summary = "The crop of one part that did not pass, as JPEG; {id} is the end of its resultId.",
        Expiry = TimeSpan.FromHours(1),
        ContentType = Jpeg,
        Schema = "ei.image/1",
        Keeping = Keeping.Picture,
    };

    /// <summary>The crop of the last rejected part.</summary>
    public static readonly MessageKind LastImage = new()
    {
        Name = "lastImage",
        Suffix = "image/last",
        Summary = "The crop of the last rejected part, as JPEG.",
        Qos = AtMostOnce,
        Retain = true,
        ContentType = Jpeg,
        Schema = "ei.image/1",
        Keeping = Keeping.Latest,
    };

    /// <summary>One alarm while it stands; an empty payload when it no longer does.</summary>
    public static readonly MessageKind Alarm = new()
    {
        Name = "alarm",
        Suffix = "alarm/{name}",
        Summary = "One alarm while anything about it is to be seen or done; an empty payload clears it.",
        Retain = true,
        Schema = "ei.alarm/1",
        Keeping = Keeping.Latest,
        Payload = PayloadJson.Default.AlarmPayload,
    };

    /// <summary>Asks the station to do something. Never retained: a command is for now.</summary>
    public static readonly MessageKind Command = new()
    {
        Name = "command",
        Suffix = "cmd/{verb}",
        Summary = "Asks the station to do something. With an MQTT 5 response topic under reply/, the answer goes there.",
        IsInbound = true,
        Expiry = TimeSpan.FromSeconds(5),
        Schema = "ei.command/1",
        Keeping = Keeping.Passing,
        Payload = PayloadJson.Default.CommandPayload,
        Sender = Role.Operator,
    };

    /// <summary>What became of a command.</summary>
    public static readonly MessageKind Reply = new()
    {
        Name = "reply",
        Suffix = "reply/{to}",
        Summary = "What became of a command: to its response topic, with its correlation data; reply/all without one.",
        Expiry = TimeSpan.FromMinutes(1),
        Schema = "ei.reply/1",
        Keeping = Keeping.Passing,
        Payload = PayloadJson.Default.CommandReply,
    };

    /// <summary>What a person says a part is.</summary>
    public static readonly MessageKind Label = new()
    {
        Name = "label",
        Suffix = "review/label",
        Summary = "What a person says a part is. A repeated id is a duplicate; a later one on the same part replaces it.",
        Expiry = TimeSpan.FromDays(7),
        Schema = "ei.label/1",
        Keeping = Keeping.Record,
        Payload = PayloadJson.Default.LabelPayload,
    };

    /// <summary>What the station is set to.</summary>
    public static readonly MessageKind Configuration = new()
    {
        Name = "configuration",
        Suffix = "config/reported",
        Summary = "What the station is set to, without its secrets.",
        Retain = true,
        Schema = "ei.config/1",
        Keeping = Keeping.Latest,
        Payload = PayloadJson.Default.ConfigurationPayload,
    };

    /// <summary>The model a station is to have.</summary>
    public static readonly MessageKind ModelDesired = new()
    {
        Name = "modelDesired",
        Suffix = "model/desired",
        Summary = "The model package that the station is to have.",
        IsInbound = true,
        Retain = true,
        Schema = "ei.model-desired/1",
        Keeping = Keeping.Passing,
        Payload = PayloadJson.Default.ModelDesiredPayload,
        Sender = Role.Engineer,
    };

    /// <summary>The model a station has.</summary>
    public static readonly MessageKind ModelReported = new()
    {
        Name = "modelReported",
        Suffix = "model/reported",
        Summary = "The model package in force, and how far a wanted one has come.",
        Retain = true,
        Schema = "ei.model-reported/1",
        Keeping = Keeping.Latest,
        Payload = PayloadJson.Default.ModelReportedPayload,
    };

    /// <summary>Every kind of message.</summary>
    public static readonly IReadOnlyList<MessageKind> All =
    [
        State, Metrics, Shift, ShiftEnd, Inspection, Gap, Image, LastImage, Alarm, Command, Reply, Label, Configuration, ModelDesired,
        ModelReported,
    ];

    /// <summary>Every command.</summary>
    public static IReadOnlyList<CommandVerb> Verbs => CommandVerb.All;

    /// <summary>The kind with this name.</summary>
    /// <exception cref="KeyNotFoundException">There is none: a message from another version of the program.</exception>
    public static MessageKind Named(string name) =>
        All.FirstOrDefault(kind => kind.Name == name) ?? throw new KeyNotFoundException($"no message is called '{name}'");

    /// <summary>
    /// The kind that a topic belongs to, with its parameter, from the levels after the station's name; null when no kind has it.
    /// </summary>
    public static (MessageKind Kind, string? Parameter)? Match(string suffix)
    {
        // image/last is both image/{id} and a kind of its own: the one without a parameter is meant.
        foreach (var kind in All)
        {
            if (kind.Parameter is null && kind.Suffix == suffix)
            {
                return (kind, null);
            }
        }

        foreach (var kind in All)
        {
            if (kind.Parameter is { } name)
            {
                var before = kind.Suffix[..kind.Suffix.IndexOf('{')];
                if (suffix.StartsWith(before, StringComparison.Ordinal) && suffix.Length > before.Length)
                {
                    var value = suffix[before.Length..];
                    if (!value.Contains('/', StringComparison.Ordinal))
                    {
                        return (kind, value);
                    }
                }
            }
        }

        return null;
    }

    /// <summary>
    /// Whether someone of a role may publish to these last levels of a station's topics: commands by verb, wanted models. What a
    /// station says, nobody else may.
    /// </summary>
    public static bool MayPublish(Role role, string suffix) =>
        Match(suffix) is ({ IsInbound: true } kind, var parameter)
        && (kind == Command
            ? Verbs.FirstOrDefault(verb => verb.Name == parameter) is { } verb && role >= verb.Role
            : role >= kind.Sender);
}
