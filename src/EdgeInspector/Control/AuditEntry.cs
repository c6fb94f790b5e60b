using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using EdgeInspector.Line;

namespace EdgeInspector.Control;

/// <summary>What an entry of the audit log is about. Names are stored: never change one.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<AuditKind>))]
internal enum AuditKind
{
    /// <summary>The first entry: which device this log belongs to.</summary>
    [JsonStringEnumMemberName("genesis")]
    Genesis,

    /// <summary>The first entry of a further file: the hash it goes on from.</summary>
    [JsonStringEnumMemberName("segment")]
    Segment,

    /// <summary>The service started.</summary>
    [JsonStringEnumMemberName("start")]
    Start,

    /// <summary>The service stopped.</summary>
    [JsonStringEnumMemberName("stop")]
    Stop,

    /// <summary>A command that was let in, before it is executed.</summary>
    [JsonStringEnumMemberName("command")]
    Command,

    /// <summary>What came of it.</summary>
    [JsonStringEnumMemberName("reply")]
    Reply,

    /// <summary>A command that was not let in.</summary>
    [JsonStringEnumMemberName("refused")]
    Refused,

    /// <summary>How many more were not let in, where there were too many to book each.</summary>
    [JsonStringEnumMemberName("refusals")]
    Refusals,

    /// <summary>A file of the log made room for newer ones.</summary>
    [JsonStringEnumMemberName("removed")]
    Removed,

    /// <summary>The end of the log was unfinished or damaged when the service started.</summary>
    [JsonStringEnumMemberName("recovered")]
    Recovered,
}

/// <summary>One entry of the audit log. What does not belong to its kind is null and not written.</summary>
internal sealed record AuditEntry
{
    /// <summary>Counts up from 1, without gaps. Given by the log.</summary>
    public long N { get; init; }

    /// <summary>When, by the device's clock.</summary>
    public DateTimeOffset At { get; init; }

    /// <summary>What it is about.</summary>
    public required AuditKind Kind { get; init; }

    /// <summary>Genesis: the device.</summary>
    public string? Device { get; init; }

    /// <summary>Genesis and start: the program's version.</summary>
    public string? Version { get; init; }

    /// <summary>Segment: hash of the entry before. Removed: hash of the last entry that went.</summary>
    public string? Hash { get; init; }

    /// <summary>Removed: number of the last entry that went.</summary>
    public long? Through { get; init; }

    /// <summary>The station.</summary>
    public string? Station { get; init; }

    /// <summary>The command.</summary>
    public string? Verb { get; init; }

    /// <summary>The command's id.</summary>
    public string? Id { get; init; }

    /// <summary>Who, as proven.</summary>
    public string? Who { get; init; }

    /// <summary>What they may.</summary>
    public Role? Role { get; init; }

    /// <summary>mqtt or http.</summary>
    public string? Via { get; init; }

    /// <summary>Who, as they say themselves.</summary>
    public string? Issuer { get; init; }

    /// <summary>When the command expires.</summary>
    public DateTimeOffset? ExpiresAt { get; init; }

    /// <summary>What the command says.</summary>
    public CommandArguments? Arguments { get; init; }

    /// <summary>SHA-256 of station, verb and arguments: what a repeated id must repeat.</summary>
    public string? Fingerprint { get; init; }

    /// <summary>What came of it.</summary>
    public CommandOutcome? Outcome { get; init; }

    /// <summary>The reason in one word.</summary>
    public string? Code { get; init; }

    /// <summary>The reason in one line.</summary>
    public string? Text { get; init; }

    /// <summary>What the command was for.</summary>
    public IReadOnlyDictionary<string, string>? Result { get; init; }

    /// <summary>Refusals: how many for each reason.</summary>
    public IReadOnlyDictionary<string, long>? Counts { get; init; }
}

/// <summary>A place in the log: an entry's number and its hash, which stands for everything up to it.</summary>
/// <param name="N">Number of the entry; 0 before the first.</param>
/// <param name="Hash">64 hexadecimal digits.</param>
internal readonly record struct AuditHead(long N, string Hash)
{
    /// <summary>As a person writes it down: <c>17:9f3c…</c>.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{N}:{Hash}");

    /// <summary>Reads what <see cref="ToString"/> wrote.</summary>
    public static bool TryParse(string text, out AuditHead head)
    {
        head = default;
        var parts = text.Trim().Split(':');
        if (
            parts is not [var number, { Length: 64 } hash]
            || !long.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out var n)
            || !hash.All(char.IsAsciiHexDigit)
        )
        {
            return false;
        }

        head = new AuditHead(n, hash.ToLowerInvariant());
        return true;
    }
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    UseStringEnumConverter = true
)]
[JsonSerializable(typeof(AuditEntry))]
internal sealed partial class AuditJson : JsonSerializerContext;
