using EdgeInspector.Line;
using MQTTnet.Protocol;

namespace EdgeInspector.Publishing;

/// <summary>One row of the contract: how a kind of message travels.</summary>
/// <param name="Suffix">Last part of the topic; <c>{id}</c> stands for <see cref="Topics.IdSegment"/>.</param>
/// <param name="Qos">Quality of service: 1 is delivered at least once, 0 at most once.</param>
/// <param name="Retain">Whether the broker keeps the last one for whoever subscribes later.</param>
/// <param name="Expiry">How long it is worth delivering; null for as long as it is the latest.</param>
/// <param name="ContentType">MIME type of the payload, also sent as MQTT 5 content type.</param>
/// <param name="Schema">Name and version of the payload's shape, also sent as user property <c>schema</c>.</param>
internal sealed record TopicRow(
    string Suffix,
    MqttQualityOfServiceLevel Qos,
    bool Retain,
    TimeSpan? Expiry,
    string ContentType,
    string Schema
);

/// <summary>
/// Every message a station publishes, in one table, and the topic names of one station:
/// <c>ei/v1/{enterprise}/{site}/{area}/{line}/{station}/…</c> in ISA-95 order.
/// </summary>
internal sealed class Topics(PlantOptions plant, string station)
{
    private const string Json = "application/json";
    private const string Jpeg = "image/jpeg";

    /// <summary>State and whether the station is there; also its last will.</summary>
    public static readonly TopicRow State =
        new("state", MqttQualityOfServiceLevel.AtLeastOnce, Retain: true, Expiry: null, Json, "ei.state/1");

    /// <summary>Counts, rates and latencies.</summary>
    public static readonly TopicRow Metrics =
        new("metrics", MqttQualityOfServiceLevel.AtLeastOnce, Retain: true, Expiry: null, Json, "ei.metrics/1");

    /// <summary>One part's end. Delivered at least once: a repeated one has the same <c>resultId</c>.</summary>
    public static readonly TopicRow Inspection = new(
        "event/inspection",
        MqttQualityOfServiceLevel.AtLeastOnce,
        Retain: false,
        TimeSpan.FromHours(24),
        Json,
        "ei.inspection/1"
    );

    /// <summary>The crop of one part.</summary>
    public static readonly TopicRow Image =
        new("image/{id}", MqttQualityOfServiceLevel.AtMostOnce, false, TimeSpan.FromHours(1), Jpeg, "ei.image/1");

    /// <summary>The crop of the last rejected part.</summary>
    public static readonly TopicRow LastImage =
        new("image/last", MqttQualityOfServiceLevel.AtMostOnce, Retain: true, Expiry: null, Jpeg, "ei.image/1");

    /// <summary>The whole contract.</summary>
    public static readonly IReadOnlyList<TopicRow> All = [State, Metrics, Inspection, Image, LastImage];

    private readonly string _root =
        $"ei/v1/{plant.Enterprise}/{plant.Site}/{plant.Area}/{plant.Line}/{Segment(station)}/";

    /// <summary>The topic of a row without an id.</summary>
    public string Of(TopicRow row) => _root + row.Suffix;

    /// <summary>The topic of a row that belongs to one part.</summary>
    public string Of(TopicRow row, string partId) =>
        _root + row.Suffix.Replace("{id}", IdSegment(partId), StringComparison.Ordinal);

    /// <summary>
    /// A part's id as one topic level: <c>biscuit-1/20261123T144800Z/42</c> becomes <c>20261123T144800Z-42</c>, since
    /// the station stands in the topic already and one level lets <c>image/+</c> match.
    /// </summary>
    public string IdSegment(string partId) =>
        Segment(partId.StartsWith(station + "/", StringComparison.Ordinal) ? partId[(station.Length + 1)..] : partId);

    private static string Segment(string text) =>
        string.Create(
            text.Length,
            text,
            static (span, from) =>
            {
                for (var i = 0; i < from.Length; i++)
                {
                    span[i] = char.IsAsciiLetterOrDigit(from[i]) || from[i] is '_' or '.' ? from[i] : '-';
                }
            }
        );
}
