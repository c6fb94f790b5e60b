using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace EdgeInspector.Publishing;

/// <summary>Something a station has to say, ready to be sent or stored.</summary>
internal sealed record OutgoingMessage
{
    /// <summary>Its row of the contract.</summary>
    public required MessageKind Kind { get; init; }

    /// <summary>The station's name.</summary>
    public required string Station { get; init; }

    /// <summary>What stands in the topic for the kind's parameter; null where it has none.</summary>
    public string? Parameter { get; init; }

    /// <summary>The payload; empty clears what a broker retains. Not changed by anyone from here on.</summary>
    public required ReadOnlyMemory<byte> Payload { get; init; }

    /// <summary>The same for a repeated message; null where none is repeated.</summary>
    public string? Id { get; init; }

    /// <summary>Further user properties, by name, such as <c>model</c>.</summary>
    public IReadOnlyDictionary<string, string> Properties { get; init; } = new Dictionary<string, string>();

    /// <summary>MQTT 5 correlation data of the request that it answers.</summary>
    public byte[]? CorrelationData { get; init; }

    /// <summary>A message with a JSON payload.</summary>
    /// <exception cref="InvalidCastException">The payload is not of the kind's type.</exception>
    public static OutgoingMessage Of<T>(
        MessageKind kind,
        string station,
        T payload,
        string? id = null,
        string? parameter = null
    ) =>
        new()
        {
            Kind = kind,
            Station = station,
            Parameter = parameter,
            Id = id,
            Payload = JsonSerializer.SerializeToUtf8Bytes(payload, (JsonTypeInfo<T>)kind.Payload!),
        };
}

/// <summary>A message that waits in the outbox.</summary>
/// <param name="Sequence">Counts up over all stations and is never given twice.</param>
/// <param name="Message">What is to be sent.</param>
internal sealed record StoredMessage(long Sequence, OutgoingMessage Message);
