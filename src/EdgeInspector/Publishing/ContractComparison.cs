using System.Globalization;
using System.Text.Json.Nodes;

namespace EdgeInspector.Publishing;

/// <summary>
/// Finds what in a newer contract would break someone who was written against an older one. Both are AsyncAPI documents as
/// <see cref="ContractDocuments"/> makes them. Readers ignore what they do not know, so additions are no break.
/// </summary>
internal static class ContractComparison
{
    /// <summary>Each break in one line; none when the newer one serves everybody.</summary>
    public static IReadOnlyList<string> Breaks(JsonObject older, JsonObject newer)
    {
        var breaks = new List<string>();
        foreach (var (name, channel) in Members(older, "channels"))
        {
            if (newer["channels"]?[name] is not { } now)
            {
                breaks.Add($"{name}: removed");
                continue;
            }

            Same(breaks, $"{name}: topic", channel?["address"], now["address"]);
            var isInbound = Text(older["operations"]?[name]?["action"]) == "receive";
            Operation(breaks, name, older["operations"]?[name], newer["operations"]?[name]);
            var (before, after) = (older["components"]?["messages"]?[name], newer["components"]?["messages"]?[name]);
            Same(breaks, $"{name}: content type", before?["contentType"], after?["contentType"]);
            foreach (var (header, _) in Members(before?["headers"], "properties"))
            {
                if (after?["headers"]?["properties"]?[header] is null)
                {
                    breaks.Add($"{name}: user property '{header}' removed");
                }
            }

            foreach (var value in Values(channel?["parameters"], "verb"))
            {
                if (!Values(now["parameters"], "verb").Contains(value))
                {
                    breaks.Add($"{name}: '{value}' removed");
                }
            }

            if (before?["payload"] is { } payload)
            {
                Compare(breaks, name, Follow(older, payload), Follow(newer, after?["payload"]), isInbound);
            }
        }

        return breaks;
    }

    private static void Operation(List<string> breaks, string name, JsonNode? before, JsonNode? after)
    {
        Same(breaks, $"{name}: direction", before?["action"], after?["action"]);
        var (old, now) = (before?["bindings"]?["mqtt"], after?["bindings"]?["mqtt"]);
        Same(breaks, $"{name}: QoS", old?["qos"], now?["qos"]);
        Same(breaks, $"{name}: retain", old?["retain"], now?["retain"]);
        var (was, isNow) = (Number(old?["messageExpiryInterval"]), Number(now?["messageExpiryInterval"]));
        if (isNow < was)
        {
            breaks.Add($"{name}: expires after {isNow} s, before after {(double.IsPositiveInfinity(was) ? "none" : $"{was} s")}");
        }
    }

    /// <param name="breaks">Gets what is found.</param>
    /// <param name="path">Where we are.</param>
    /// <param name="before">The older schema.</param>
    /// <param name="after">The newer one.</param>
    /// <param name="isInbound">
    /// Whether others write it: then a new demand breaks them. Otherwise they read it: then a promise taken back does.
    /// </param>
    private static void Compare(List<string> breaks, string path, JsonNode? before, JsonNode? after, bool isInbound)
    {
        if (after is null)
        {
            breaks.Add($"{path}: removed");
            return;
        }

        Same(breaks, $"{path}: type", before?["type"], after["type"]);
        Same(breaks, $"{path}: format", before?["format"], after["format"]);
        var (required, requiredNow) = (Strings(before?["required"]), Strings(after["required"]));
        breaks.AddRange(
            isInbound
                ? requiredNow.Except(required).Select(name => $"{path}/{name}: required now")
                : required.Except(requiredNow).Select(name => $"{path}/{name}: no longer always there")
        );
        var (values, valuesNow) = (Strings(before?["enum"]), Strings(after["enum"]));
        if (isInbound)
        {
            breaks.AddRange(values.Except(valuesNow).Select(value => $"{path}: '{value}' no longer taken"));
            if (values.Count == 0 && valuesNow.Count > 0)
            {
                breaks.Add($"{path}: only some values are taken now");
            }

            foreach (var limit in (string[])["minLength", "maxLength", "pattern"])
            {
                Same(breaks, $"{path}: {limit}", before?[limit], after[limit]);
            }
        }
        else
        {
            // A reader that switches over the values meets one that it does not know, or waits for one that never comes.
            breaks.AddRange(values.Except(valuesNow).Select(value => $"{path}: '{value}' removed"));
            breaks.AddRange(valuesNow.Except(values).Where(_ => values.Count > 0).Select(value => $"{path}: '{value}' is new"));
        }

        foreach (var (name, property) in Members(before, "properties"))
        {
            Compare(breaks, $"{path}/{name}", property, after["properties"]?[name], isInbound);
        }

        foreach (var inner in (string[])["items", "additionalProperties"])
        {
            if (before?[inner] is JsonObject old)
            {
                Compare(breaks, $"{path}/{inner}", old, after[inner], isInbound);
            }
        }
    }

    private static void Same(List<string> breaks, string what, JsonNode? before, JsonNode? after)
    {
        if (!JsonNode.DeepEquals(before, after))
        {
            breaks.Add($"{what}: was {before?.ToJsonString() ?? "none"}, is {after?.ToJsonString() ?? "none"}");
        }
    }

    private static JsonNode? Follow(JsonObject document, JsonNode? reference)
    {
        JsonNode? at = document;
        foreach (var step in Text(reference?["$ref"])?.Split('/').Skip(1) ?? [])
        {
            at = at?[step];
        }

        return at;
    }

    private static IEnumerable<KeyValuePair<string, JsonNode?>> Members(JsonNode? node, string name) =>
        node?[name] as JsonObject ?? [];

    private static IReadOnlyList<string> Values(JsonNode? parameters, string name) => Strings(parameters?[name]?["enum"]);

    private static IReadOnlyList<string> Strings(JsonNode? array) =>
        [.. (array as JsonArray ?? []).Select(value => value?.ToString() ?? "null")];

    private static string? Text(JsonNode? node) => node?.GetValue<string>();

    // From a file or made just now, a number is of another type.
    private static double Number(JsonNode? node) =>
        node is null ? double.PositiveInfinity : double.Parse(node.ToJsonString(), CultureInfo.InvariantCulture);
}
