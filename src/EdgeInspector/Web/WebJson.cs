using System.Text.Json;
using System.Text.Json.Serialization;
using EdgeInspector.Line;
using EdgeInspector.Telemetry;

namespace EdgeInspector.Web;

/// <summary>One picture in <c>GET /v1/rejects</c>; the two paths are relative to the server's root.</summary>
internal sealed record RejectEntry(
    string Id,
    string Station,
    long Number,
    Verdict Verdict,
    string? Label,
    double? Score,
    DateTimeOffset TakenAt,
    string Crop,
    string Context
);

/// <summary>What one server-sent event carries.</summary>
internal sealed record PageUpdate(IReadOnlyList<StationSnapshot> Stations, IReadOnlyList<RejectEntry> Rejects);

/// <summary>The answer of <c>GET /healthz</c> and <c>GET /readyz</c>.</summary>
internal sealed record Health(bool Healthy, IReadOnlyList<string> Reasons);

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    UseStringEnumConverter = true,
    Converters = [typeof(SecondsConverter), typeof(FiniteConverter)]
)]
[JsonSerializable(typeof(PageUpdate))]
[JsonSerializable(typeof(Health))]
[JsonSerializable(typeof(CommandReply))]
internal sealed partial class WebJson : JsonSerializerContext;

/// <summary>Durations travel as seconds.</summary>
internal sealed class SecondsConverter : JsonConverter<TimeSpan>
{
    public override TimeSpan Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        TimeSpan.FromSeconds(reader.GetDouble());

    public override void Write(Utf8JsonWriter writer, TimeSpan value, JsonSerializerOptions options) =>
        writer.WriteNumberValue(value.TotalSeconds);
}

/// <summary>JSON has no NaN and no infinity: both travel as null.</summary>
internal sealed class FiniteConverter : JsonConverter<double>
{
    public override double Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        reader.TokenType == JsonTokenType.Null ? double.NaN : reader.GetDouble();

    public override void Write(Utf8JsonWriter writer, double value, JsonSerializerOptions options)
    {
        if (double.IsFinite(value))
        {
            writer.WriteNumberValue(value);
        }
        else
        {
            writer.WriteNullValue();
        }
    }
}
