using System.Text;
using MQTTnet;

namespace EdgeInspector.Publishing;

/// <summary>Something that somebody asks of a station, as the broker delivered it: to be distrusted.</summary>
/// <param name="Kind">Its row of the contract.</param>
/// <param name="Station">The station's name.</param>
/// <param name="Parameter">What stands in the topic for the kind's parameter: a command's verb.</param>
/// <param name="Payload">The payload, of any content.</param>
/// <param name="ReplyTo">The last level of the response topic, when that is one of the station's; null otherwise.</param>
/// <param name="CorrelationData">To be sent back with the reply.</param>
/// <param name="Properties">User properties; of several with one name, the last.</param>
internal sealed record IncomingMessage(
    MessageKind Kind,
    string Station,
    string? Parameter,
    ReadOnlyMemory<byte> Payload,
    string? ReplyTo,
    byte[]? CorrelationData,
    IReadOnlyDictionary<string, string> Properties
)
{
    /// <summary>
    /// What an MQTT message asks; null when it is nothing that the contract lets others send, or a command that a broker has
    /// retained, which would be done again at each connection.
    /// </summary>
    public static IncomingMessage? From(MqttApplicationMessage message, Topics topics, string station)
    {
        if (
            !message.Topic.StartsWith(topics.Root, StringComparison.Ordinal)
            || Contract.Match(message.Topic[topics.Root.Length..]) is not ({ IsInbound: true } kind, var parameter)
            || (message.Retain && !kind.Retain)
        )
        {
            return null;
        }

        var properties = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var property in message.UserProperties ?? [])
        {
            properties[property.Name] = Encoding.UTF8.GetString(property.ValueBuffer.Span);
        }

        return new IncomingMessage(
            kind,
            station,
            parameter,
            System.Buffers.BuffersExtensions.ToArray(message.Payload),
            ReplyToOf(message.ResponseTopic, topics),
            message.CorrelationData,
            properties
        );
    }

    // Anywhere else, and whoever may send commands could have the station speak where they may not.
    private static string? ReplyToOf(string? topic, Topics topics) =>
        topic is not null
        && topic.StartsWith(topics.Root, StringComparison.Ordinal)
        && Contract.Match(topic[topics.Root.Length..]) is ({ } kind, { Length: <= 64 } to)
        && kind == Contract.Reply
        && topics.IdSegment(to) == to
            ? to
            : null;
}
