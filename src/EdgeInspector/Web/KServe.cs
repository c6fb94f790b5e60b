using System.Text.Json;
using System.Text.Json.Nodes;

namespace EdgeInspector.Web;

/// <summary>
/// The JSON of the Open Inference Protocol (KServe V2), as far as one picture needs it: one input of datatype BYTES in base
/// 64; outputs with name, datatype, shape and data in one row.
/// </summary>
internal static class KServe
{
    /// <summary>The picture of a request, and the id that the answer repeats; null when it is no such request.</summary>
    public static byte[]? PictureOf(byte[] body, out string? id)
    {
        id = null;
        try
        {
            using var json = JsonDocument.Parse(body, new JsonDocumentOptions { MaxDepth = 8, AllowDuplicateProperties = false });
            var root = json.RootElement;
            if (
                root.ValueKind != JsonValueKind.Object
                || !root.TryGetProperty("inputs", out var inputs)
                || inputs.ValueKind != JsonValueKind.Array
                || inputs.GetArrayLength() != 1
                || inputs[0] is not { ValueKind: JsonValueKind.Object } input
                || !input.TryGetProperty("datatype", out var type)
                || type.ValueKind != JsonValueKind.String
                || type.GetString() != "BYTES"
                || !input.TryGetProperty("data", out var data)
                || data.ValueKind != JsonValueKind.Array
                || data.GetArrayLength() != 1
                || data[0].ValueKind != JsonValueKind.String
                || !data[0].TryGetBytesFromBase64(out var picture)
            )
            {
                return null;
            }

            if (root.TryGetProperty("id", out var name))
            {
                if (name.ValueKind != JsonValueKind.String || name.GetString() is not { Length: <= 64 } given)
                {
                    return null;
                }

                id = given;
            }

            return picture;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            return null;
        }
    }

    /// <summary>The answer about a picture.</summary>
    public static JsonObject Answer(Inspected inspected, string? id)
    {
        var parts = inspected.Parts;
        var answer = new JsonObject { ["model_name"] = inspected.Model, ["model_version"] = inspected.Version };
        if (id is not null)
        {
            answer["id"] = id;
        }

        answer["parameters"] = new JsonObject
        {
            ["verdict"] = inspected.Verdict,
            ["parts"] = parts.Count,
            ["width"] = inspected.Width,
            ["height"] = inspected.Height,
        };
        answer["outputs"] = new JsonArray(
            Output(
                "boxes",
                "FP32",
                [parts.Count, 4],
                parts.SelectMany(part => (float[])[part.Box.X1, part.Box.Y1, part.Box.X2, part.Box.Y2]).Select(Number)
            ),
            Output("scores", "FP32", [parts.Count], parts.Select(part => Number(part.Score))),
            Output("labels", "BYTES", [parts.Count], parts.Select(part => (JsonNode?)(part.Label ?? part.Detected))),
            Output("defect_scores", "FP32", [parts.Count], parts.Select(part => part.DefectScore is { } score ? Number(score) : null)),
            Output("verdicts", "BYTES", [parts.Count], parts.Select(part => (JsonNode?)part.Verdict))
        );
        return answer;
    }

    private static JsonNode? Number(float value) => float.IsFinite(value) ? JsonValue.Create(value) : null;

    private static JsonObject Output(string name, string type, int[] shape, IEnumerable<JsonNode?> data) =>
        new()
        {
            ["name"] = name,
            ["datatype"] = type,
            ["shape"] = new JsonArray([.. shape.Select(length => (JsonNode)length)]),
            ["data"] = new JsonArray([.. data]),
        };
}
