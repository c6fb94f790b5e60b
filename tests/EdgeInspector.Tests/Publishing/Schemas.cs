using System.Text;
using EdgeInspector.Publishing;
using NJsonSchema;

namespace EdgeInspector.Tests.Publishing;

/// <summary>
/// Holds messages against the contract's schemas, as a reader's own tools would: with a validator that others wrote.
/// </summary>
internal static class Schemas
{
    private static readonly Lazy<IReadOnlyDictionary<MessageKind, JsonSchema>> Known = new(() =>
        Contract
            .All.Where(kind => kind.Payload is not null)
            .ToDictionary(
                kind => kind,
                kind =>
                {
                    var schema = ContractDocuments.SchemaOf(kind);
                    // This validator follows an older dialect's name for the same keywords, and looks references up by $id.
                    schema.Remove("$schema");
                    schema.Remove("$id");
                    Close(schema);
                    return JsonSchema.FromJsonAsync(schema.ToJsonString()).GetAwaiter().GetResult();
                }
            )
    );

    /// <summary>What is wrong with a message of ours, one line each; nothing for topics that are not ours.</summary>
    public static IReadOnlyList<string> Faults(string topic, byte[] payload)
    {
        if (Topics.SuffixOf(topic) is not { } suffix)
        {
            return [];
        }

        if (Contract.Match(suffix) is not { } match)
        {
            return [$"{topic} is not in the contract"];
        }

        var (kind, _) = match;
        if (kind.Payload is null)
        {
            return [];
        }

        // An alarm that no longer stands.
        if (payload.Length == 0 && kind == Contract.Alarm)
        {
            return [];
        }

        return [.. Known.Value[kind].Validate(Encoding.UTF8.GetString(payload)).Select(error => $"{topic}: {error}")];
    }

    // Readers must take what they do not know; our own messages must hold nothing that the contract does not name.
    private static void Close(System.Text.Json.Nodes.JsonObject schema)
    {
        if (schema["properties"] is System.Text.Json.Nodes.JsonObject properties)
        {
            schema["additionalProperties"] = false;
            foreach (var (_, property) in properties)
            {
                if (property is System.Text.Json.Nodes.JsonObject inner)
                {
                    Close(inner);
                }
            }
        }
    }
}
