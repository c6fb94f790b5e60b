using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Schema;
using EdgeInspector.Line;

namespace EdgeInspector.Publishing;

/// <summary>
/// What others read of the contract, made from the types and the table that the program itself uses: a JSON Schema
/// (2020-12) for each payload, an AsyncAPI 3 document, the access list of a mosquitto, the table for people.
/// </summary>
internal static class ContractDocuments
{
    private const string Dialect = "https://json-schema.org/draft/2020-12/schema";
    private const string MqttBinding = "0.2.0";

    private static readonly JsonSerializerOptions Layout = new()
    {
        WriteIndented = true,
        // The files are read by people and by tools, not put into web pages.
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        NewLine = "\n",
    };

    private static readonly JsonSchemaExporterOptions Exporter = new() { TransformSchemaNode = Refine };

    /// <summary>Every file of the contract by its name within the folder, in a settled order.</summary>
    public static IReadOnlyList<(string Name, string Text)> Files() =>
        [
            .. Schemas().Select(schema => ($"{schema.Name}.schema.json", Write(schema.Schema))),
            ("asyncapi.json", Write(AsyncApi())),
        ];

    /// <summary>The schema of each payload, by the name of its shape without the version: <c>ei.state/1</c> is ei.state.</summary>
    public static IEnumerable<(string Name, JsonObject Schema)> Schemas() =>
        from kind in Contract.All
        where kind.Payload is not null
        group kind by ShapeOf(kind) into alike
        select (alike.Key, SchemaOf(alike.First()));

    /// <summary>The schema of a kind's payload.</summary>
    public static JsonObject SchemaOf(MessageKind kind)
    {
        var schema = kind.Payload!.GetJsonSchemaAsNode(Exporter).AsObject();
        var whole = new JsonObject
        {
            ["$schema"] = Dialect,
            ["$id"] = $"urn:edge-inspector:{kind.Schema.Replace('/', ':')}",
            ["title"] = kind.Schema,
            ["description"] = kind.Summary,
        };
        foreach (var (name, value) in schema)
        {
            whole[name] = value?.DeepClone();
        }

        return whole;
    }

    /// <summary>The AsyncAPI 3 document.</summary>
    public static JsonObject AsyncApi()
    {
        var channels = new JsonObject();
        var operations = new JsonObject();
        var messages = new JsonObject();
        var schemas = new JsonObject();
        foreach (var kind in Contract.All)
        {
            var channel = new JsonObject
            {
                ["address"] = $"ei/{Contract.Version}/{{enterprise}}/{{site}}/{{area}}/{{line}}/{{station}}/{kind.Suffix}",
                ["description"] = kind.Summary,
                ["messages"] = new JsonObject { [kind.Name] = Reference($"#/components/messages/{kind.Name}") },
                ["parameters"] = Parameters(kind),
            };
            channels[kind.Name] = channel;
            var binding = new JsonObject { ["qos"] = (int)kind.Qos, ["retain"] = kind.Retain };
            if (kind.Expiry is { } expiry)
            {
                binding["messageExpiryInterval"] = (long)expiry.TotalSeconds;
            }

            binding["bindingVersion"] = MqttBinding;
            operations[kind.Name] = new JsonObject
            {
                // Seen from the station: it sends what others subscribe to.
                ["action"] = kind.IsInbound ? "receive" : "send",
                ["channel"] = Reference($"#/channels/{kind.Name}"),
                ["summary"] = kind.Summary,
                ["bindings"] = new JsonObject { ["mqtt"] = binding },
            };
            var message = new JsonObject
            {
                ["name"] = kind.Name,
                ["title"] = kind.Schema,
                ["summary"] = kind.Summary,
                ["contentType"] = kind.ContentType,
                ["headers"] = Headers(kind),
            };
            if (kind.Payload is not null)
            {
                message["payload"] = Reference($"#/components/schemas/{ShapeOf(kind)}");
                var schema = SchemaOf(kind);
                // The document has one dialect for all; an identifier of its own would move what references inside mean.
                schema.Remove("$schema");
                schema.Remove("$id");
                schemas[ShapeOf(kind)] = schema;
            }

            message["bindings"] = new JsonObject
            {
                ["mqtt"] = kind == Contract.Command
                    ? new JsonObject
                    {
                        ["contentType"] = kind.ContentType,
                        ["responseTopic"] = new JsonObject
                        {
                            ["type"] = "string",
                            ["description"] = "Where the reply goes: {root}/reply/ and one level of your own.",
                        },
                        ["correlationData"] = new JsonObject
                        {
                            ["type"] = "string",
                            ["description"] = "Comes back with the reply.",
                        },
                        ["bindingVersion"] = MqttBinding,
                    }
                    : new JsonObject
                    {
                        ["contentType"] = kind.ContentType,
                        ["bindingVersion"] = MqttBinding,
                    },
            };
            messages[kind.Name] = message;
        }

        return new JsonObject
        {
            ["asyncapi"] = "3.0.0",
            ["id"] = "urn:edge-inspector:contract:v1",
            ["info"] = new JsonObject
            {
                ["title"] = "EdgeInspector over MQTT 5",
                ["version"] = "1.0.0",
                ["description"] =
                    "What a station says and takes. Readers must ignore properties they do not know: new ones are added "
                    + $"without notice, none is removed or changed under {Contract.Version}.",
                ["license"] = new JsonObject { ["name"] = "Apache-2.0" },
            },
            ["defaultContentType"] = Contract.Json,
            ["channels"] = channels,
            ["operations"] = operations,
            ["components"] = new JsonObject { ["messages"] = messages, ["schemas"] = schemas },
        };
    }

    /// <summary>
    /// The access list of a mosquitto 2: a block for devices and one for an account of each role.
    /// </summary>
    /// <param name="area">Enterprise, site and area, or wildcards, such as <c>acme/lund/packing</c>.</param>
    public static string AccessList(string area)
    {
        var text = new StringBuilder();
        text.Append(
            """
            # Who may say and hear what; made by: edge-inspector contract acl
            # Topics: ei/v1/{enterprise}/{site}/{area}/{line}/{station}/... What is not granted here is refused.

            # A device has an account of its line's name (%u), speaks for that line alone and hears what the line is asked.

            """
        );
        var root = $"ei/{Contract.Version}/{area}/";
        foreach (var kind in Contract.All)
        {
            text.Append(CultureInfo.InvariantCulture, $"pattern {(kind.IsInbound ? "read" : "write")} {root}%u/+/{kind.Filter}\n");
        }

        text.Append("\n# An account for each role. Give a person one of their own by repeating the role's block under their name.\n");
        foreach (var role in Enum.GetValues<Role>())
        {
            text.Append(CultureInfo.InvariantCulture, $"\nuser {role.ToString().ToLowerInvariant()}\n");
            foreach (var kind in Contract.All.Where(kind => !kind.IsInbound))
            {
                text.Append(CultureInfo.InvariantCulture, $"topic read {root}+/+/{kind.Filter}\n");
            }

            foreach (var suffix in InboundSuffixes().Where(suffix => Contract.MayPublish(role, suffix)))
            {
                text.Append(CultureInfo.InvariantCulture, $"topic write {root}+/+/{suffix}\n");
            }
        }

        return text.ToString();
    }

    /// <summary>The table for people, as Markdown.</summary>
    public static string Table()
    {
        var text = new StringBuilder();
        text.Append("| Topic below the station | From | QoS | Retained | Expires | Payload | Waits in | What |\n");
        text.Append("|---|---|---|---|---|---|---|---|\n");
        foreach (var kind in Contract.All)
        {
            text.Append(
                CultureInfo.InvariantCulture,
                $"| `{kind.Suffix}` | {(kind.IsInbound ? "others" : "station")} | {(int)kind.Qos} | {(kind.Retain ? "yes" : "no")} "
                    + $"| {Duration(kind.Expiry)} | {(kind.Payload is null ? "JPEG" : $"`{kind.Schema}`")} "
                    + $"| {Waits(kind.Keeping)} | {kind.Summary} |\n"
            );
        }

        text.Append("\n| Command | Least role | What |\n|---|---|---|\n");
        foreach (var verb in Contract.Verbs)
        {
            text.Append(CultureInfo.InvariantCulture, $"| `cmd/{verb.Name}` | {verb.Role.ToString().ToLowerInvariant()} | {verb.Summary} |\n");
        }

        return text.ToString();

        static string Waits(Keeping keeping) =>
            keeping switch
            {
                Keeping.Ledger => "ledger",
                Keeping.Record => "outbox, record",
                Keeping.Picture => "outbox, picture",
                Keeping.Latest => "memory, latest",
                _ => "nowhere",
            };

        static string Duration(TimeSpan? time) =>
            time switch
            {
                null => "-",
                { TotalDays: >= 2 } days => string.Create(CultureInfo.InvariantCulture, $"{days.TotalDays:0} d"),
                { TotalHours: >= 1 } hours => string.Create(CultureInfo.InvariantCulture, $"{hours.TotalHours:0} h"),
                { } short_ => string.Create(CultureInfo.InvariantCulture, $"{short_.TotalSeconds:0} s"),
            };
    }

    /// <summary>The shape's name without its version.</summary>
    public static string ShapeOf(MessageKind kind) => kind.Schema[..kind.Schema.IndexOf('/')];

    private static IEnumerable<string> InboundSuffixes() =>
        Contract
            .All.Where(kind => kind.IsInbound)
            .SelectMany(kind =>
                kind == Contract.Command ? Contract.Verbs.Select(verb => kind.SuffixOf(verb.Name)) : [kind.Filter]
            );

    private static JsonObject Reference(string to) => new() { ["$ref"] = to };

    private static JsonObject Parameters(MessageKind kind)
    {
        var parameters = new JsonObject
        {
            ["enterprise"] = Described("Company."),
            ["site"] = Described("Plant."),
            ["area"] = Described("Hall or department."),
            ["line"] = Described("Production line."),
            ["station"] = Described("The station's name."),
        };
        if (kind.Parameter is { } own)
        {
            var parameter = Described(
                kind == Contract.Command ? "What is asked."
                : kind == Contract.Alarm ? "The alarm's name."
                : kind == Contract.Reply ? "Whoever asked, as they call themselves; all without a response topic."
                : "The part's: its resultId without the station, each slash a hyphen."
            );
            if (kind == Contract.Command)
            {
                parameter["enum"] = new JsonArray([.. Contract.Verbs.Select(verb => (JsonNode)verb.Name)]);
            }
            else if (kind == Contract.Alarm)
            {
                parameter["enum"] = new JsonArray([.. AlarmKind.All.Select(alarm => (JsonNode)alarm.Name)]);
            }

            parameters[own] = parameter;
        }

        return parameters;

        static JsonObject Described(string text) => new() { ["description"] = text };
    }

    /// <summary>The MQTT 5 user properties.</summary>
    private static JsonObject Headers(MessageKind kind)
    {
        var properties = new JsonObject { ["schema"] = new JsonObject { ["const"] = kind.Schema } };
        if (kind.Keeping is Keeping.Ledger or Keeping.Record or Keeping.Picture)
        {
            properties["id"] = Text("The same for a repeated message.");
        }

        if (kind == Contract.Inspection || kind.Payload is null)
        {
            properties["model"] = Text("The model package that judged the part, name and version.");
        }

        if (kind.Payload is null)
        {
            properties["resultId"] = Text("The part's, as in event/inspection.");
            properties["verdict"] = Text("What is known about the part.");
            properties["label"] = Text("The classifier's winning label.");
        }

        return new JsonObject { ["type"] = "object", ["properties"] = properties };

        static JsonObject Text(string description) => new() { ["type"] = "string", ["description"] = description };
    }

    /// <summary>
    /// What the exporter cannot know: nothing is written for null, so no property is null and none that may be is required; and
    /// what the attributes say.
    /// </summary>
    private static JsonNode Refine(JsonSchemaExporterContext context, JsonNode node)
    {
        if (node is not JsonObject schema)
        {
            return node;
        }

        if (context.TypeInfo.Kind == System.Text.Json.Serialization.Metadata.JsonTypeInfoKind.Object)
        {
            if (schema["properties"] is JsonObject properties && schema["required"] is JsonArray required)
            {
                var kept = required.Where(name => !IsNullable(properties[name!.GetValue<string>()])).ToArray();
                schema["required"] = new JsonArray([.. kept.Select(name => name!.DeepClone())]);
            }

            foreach (var (_, property) in schema["properties"] as JsonObject ?? [])
            {
                (property as JsonObject)?.Remove(Nullable);
            }
        }

        if (schema["type"] is JsonArray types && types.Any(IsNull))
        {
            var left = types.Where(type => !IsNull(type)).Select(type => type!.DeepClone()).ToArray();
            schema["type"] = left.Length == 1 ? left[0] : new JsonArray(left);
            schema[Nullable] = true;
        }

        if (schema["enum"] is JsonArray values)
        {
            if (values.Any(value => value is null))
            {
                schema["enum"] = new JsonArray([.. values.Where(value => value is not null).Select(value => value!.DeepClone())]);
                schema[Nullable] = true;
            }

            schema["type"] = "string";
        }

        var attributes = context.PropertyInfo?.AttributeProvider;
        foreach (var attribute in attributes?.GetCustomAttributes(inherit: true) ?? [])
        {
            switch (attribute)
            {
                case DescriptionAttribute description:
                    schema["description"] = description.Description;
                    break;
                case StringLengthAttribute length:
                    schema["minLength"] = length.MinimumLength;
                    schema["maxLength"] = length.MaximumLength;
                    break;
                case RegularExpressionAttribute pattern:
                    schema["pattern"] = pattern.Pattern;
                    break;
                default:
                    break;
            }
        }

        if (context.PropertyInfo is null)
        {
            // The payload as a whole is never null.
            schema.Remove(Nullable);
        }

        return schema;

        static bool IsNull(JsonNode? type) => type?.GetValue<string>() == "null";
        static bool IsNullable(JsonNode? property) => (property as JsonObject)?[Nullable] is not null;
    }

    /// <summary>A note from a property's schema to that of the object around it; never written.</summary>
    private const string Nullable = "x-nullable";

    private static string Write(JsonNode node) => node.ToJsonString(Layout) + "\n";
}
