using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Text.Json.Serialization;

namespace EdgeInspector.Line;

/// <summary>
/// <c>ei.command/1</c>: asks a station for something. Over MQTT the verb stands in the topic; over HTTP it stands beside this,
/// with the station. What is not listed here is refused.
/// </summary>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
internal sealed record CommandPayload
{
    [Description("Unique for each request: one that is repeated is done once and answered alike.")]
    [StringLength(64, MinimumLength = 1)]
    [RegularExpression("^[A-Za-z0-9._:+=/-]+$")]
    public required string Id { get; init; }

    [Description("With offset. Refused after it, and refused when it is further off than the station allows.")]
    public required DateTimeOffset ExpiresAt { get; init; }

    [Description("Who asks, as they say themselves: kept in the audit log beside the identity that was proven, never instead.")]
    [StringLength(64, MinimumLength = 1)]
    public string? Issuer { get; init; }

    [Description("What the verb needs.")]
    public CommandArguments? Arguments { get; init; }
}

/// <summary>Everything that a command may say. Each verb takes its own few; see <see cref="CommandVerb"/>.</summary>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
internal sealed record CommandArguments
{
    [Description("An alarm by name or number.")]
    [StringLength(64, MinimumLength = 1)]
    public string? Alarm { get; init; }

    [Description("A recipe by name.")]
    [StringLength(64, MinimumLength = 1)]
    public string? Recipe { get; init; }

    [Description("Defect score from which a part is rejected.")]
    [Range(0.0, 1.0)]
    public double? Threshold { get; init; }

    [Description("Test pieces.")]
    [MaxLength(20)]
    public IReadOnlyList<ChallengePiece>? Pieces { get; init; }

    [Description("A part, as in event/inspection.")]
    [StringLength(128, MinimumLength = 1)]
    public string? ResultId { get; init; }

    [Description("What the part is: a label of the model.")]
    [StringLength(64, MinimumLength = 1)]
    public string? Label { get; init; }

    [Description("A remark.")]
    [StringLength(500)]
    public string? Note { get; init; }

    [Description("An ejector, from 0.")]
    [Range(0, 7)]
    public int? Lane { get; init; }

    /// <summary>Which are there.</summary>
    [JsonIgnore]
    public CommandArgument Given =>
        (Alarm is null ? 0 : CommandArgument.Alarm)
        | (Recipe is null ? 0 : CommandArgument.Recipe)
        | (Threshold is null ? 0 : CommandArgument.Threshold)
        | (Pieces is null ? 0 : CommandArgument.Pieces)
        | (ResultId is null ? 0 : CommandArgument.ResultId)
        | (Label is null ? 0 : CommandArgument.Label)
        | (Note is null ? 0 : CommandArgument.Note)
        | (Lane is null ? 0 : CommandArgument.Lane);
}

/// <summary>What came of a command. Names of the contract.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<CommandOutcome>))]
internal enum CommandOutcome : byte
{
    /// <summary>Done, or begun where it takes its time: a changeover, a challenge test.</summary>
    [JsonStringEnumMemberName("accepted")]
    Accepted,

    /// <summary>Not done, and nothing has changed.</summary>
    [JsonStringEnumMemberName("refused")]
    Refused,

    /// <summary>It was begun and did not come to its end; the text says what is known.</summary>
    [JsonStringEnumMemberName("failed")]
    Failed,
}

/// <summary><c>ei.reply/1</c>: what came of a command.</summary>
internal sealed record CommandReply
{
    [Description("The command's id; empty when none could be read.")]
    public required string Id { get; init; }

    [Description("The station's name.")]
    public required string Station { get; init; }

    [Description("The command's verb.")]
    public required string Verb { get; init; }

    [Description("Accepted: done, or begun. Refused: nothing has changed. Failed: begun and not ended.")]
    public required CommandOutcome Outcome { get; init; }

    [Description("The reason in one word, stable: done, expired, role, state...")]
    public required string Code { get; init; }

    [Description("The reason in one line, for a person.")]
    public required string Text { get; init; }

    [Description("When it was decided; a repeated command gets the time of the first.")]
    public required DateTimeOffset At { get; init; }

    [Description("What the command was for, where that is something: a file, a picture's path, a test's id.")]
    public IReadOnlyDictionary<string, string>? Result { get; init; }

    [Description("The audit log's last entry at that moment, number and hash: kept elsewhere, it shows a log that was cut.")]
    public string? Audit { get; init; }
}

/// <summary>Who a command comes from, as proven by whoever let it in; nothing of it is taken from the payload.</summary>
/// <param name="Who">
/// The user that the embedded broker or a token knows. Where a plant's broker let it in, which tells nobody's name: the
/// broker's role.
/// </param>
/// <param name="Role">What they may. Behind a plant's broker, the role to which its access list grants the topic.</param>
/// <param name="Via">mqtt or http.</param>
internal sealed record CommandOrigin(string Who, Role Role, string Via);

/// <summary>A command on its way in.</summary>
/// <param name="Station">The station's name, from the topic.</param>
/// <param name="Verb">From the topic.</param>
/// <param name="Payload">A <see cref="CommandPayload"/> as JSON, unread.</param>
/// <param name="Origin">Who sent it.</param>
internal sealed record CommandArrival(string Station, string Verb, ReadOnlyMemory<byte> Payload, CommandOrigin Origin);

/// <summary>
/// Takes a command: checks, executes and books it, and says what came of it. Any thread. Never throws; waits for the disk
/// (the audit log is written first), so no real-time thread may await it. The payload must stay as it is until it returns.
/// </summary>
internal delegate ValueTask<CommandReply> TakeCommand(CommandArrival arrival);
