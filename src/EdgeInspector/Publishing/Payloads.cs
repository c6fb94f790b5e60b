using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Text.Json.Serialization;
using EdgeInspector.Line;
using EdgeInspector.Telemetry;

namespace EdgeInspector.Publishing;

/// <summary>
/// <c>ei.state/1</c>: the station as a dashboard's headline shows it. When the station vanishes, the broker publishes
/// one with <c>online</c> false and state Unknown in its name.
/// </summary>
internal sealed record StatePayload
{
    [Description("The station's name.")]
    public required string Station { get; init; }

    [Description("Whether the station is there to change its state.")]
    public required bool Online { get; init; }

    [Description("A state of OPC 40100-1 by name, or Unknown when the station is gone without a word.")]
    public required string State { get; init; }

    [Description("What is wrong, in one line.")]
    public string? Fault { get; init; }

    [Description("OPC 40100-1 internalRecipeId: the recipe in force.")]
    public string? InternalRecipeId { get; init; }

    [Description("OPC 40100-1 internalConfigurationId: the model package, name and version.")]
    public string? InternalConfigurationId { get; init; }

    [Description("Execution provider in use.")]
    public string? Provider { get; init; }

    [Description("Which stages run on something slower than was wanted, and why, in one line.")]
    public string? Fallback { get; init; }

    [Description("What is made ready beside the model in force, such as \"building TensorRT engine, 42 s\".")]
    public string? ModelWork { get; init; }

    [Description("\"connected\", or what is wrong with the camera.")]
    public string? Camera { get; init; }

    [Description("\"ok\", or what is wrong with the ledger.")]
    public string? Ledger { get; init; }

    [Description("\"ok\", or what is wrong with the outbox, where what has not been published waits.")]
    public string? Outbox { get; init; }

    [Description("What the station's Healthy output says.")]
    public bool? Healthy { get; init; }

    [Description("How many alarms stand; each has a topic of its own.")]
    public int? Alarms { get; init; }

    [Description("Whether it inspects a virtual line or a replay.")]
    public bool? IsSimulated { get; init; }

    [Description("When this was so; missing in the last will, which is written long before it is sent.")]
    public DateTimeOffset? At { get; init; }

    /// <summary>The state of a station that runs.</summary>
    public static StatePayload From(StationSnapshot snapshot, string? outbox = null) =>
        new()
        {
            Station = snapshot.Station,
            Online = true,
            State = snapshot.State.ToString(),
            Fault = snapshot.Fault,
            InternalRecipeId = snapshot.Recipe,
            InternalConfigurationId = snapshot.Model,
            Provider = snapshot.Provider,
            Fallback = snapshot.Fallback,
            ModelWork = snapshot.ModelWork,
            Camera = snapshot.Camera,
            Ledger = snapshot.Ledger,
            Outbox = outbox,
            Healthy = snapshot.IsHealthy,
            Alarms = snapshot.Alarms.Count,
            IsSimulated = snapshot.IsSimulated,
            At = snapshot.At,
        };

    /// <summary>What the broker says for a station that no longer can.</summary>
    public static StatePayload Lost(string station) =>
        new() { Station = station, Online = false, State = "Unknown", Fault = "the station left without a word" };

    /// <summary>The last words of a station that was stopped on purpose.</summary>
    public static StatePayload Stopped(string station, DateTimeOffset at) =>
        new() { Station = station, Online = false, State = nameof(StationState.Halted), At = at };
}

/// <summary>Durations in milliseconds.</summary>
internal sealed record DurationFigures(
    [property: Description("Median, ms.")] double? P50,
    [property: Description("99th percentile, ms.")] double? P99,
    [property: Description("99.9th percentile, ms.")] double? P999,
    [property: Description("Worst, ms.")] double? Max,
    [property: Description("How many were measured.")] long Count
)
{
    /// <summary>The figures, with null for what is not a number.</summary>
    public static DurationFigures From(LatencyFigures f) =>
        new(Finite.OrNull(f.P50), Finite.OrNull(f.P99), Finite.OrNull(f.P999), Finite.OrNull(f.Max), f.Count);
}

/// <summary><c>ei.metrics/1</c>: counts since the run began, rates over the last seconds.</summary>
internal sealed record MetricsPayload
{
    [Description("The station's name.")]
    public required string Station { get; init; }

    [Description("When this was so.")]
    public required DateTimeOffset At { get; init; }

    [Description("Whether it inspects a virtual line or a replay.")]
    public required bool IsSimulated { get; init; }

    [Description("Time since the run began, s.")]
    public required double UptimeSeconds { get; init; }

    [Description("Belt speed, m/s.")]
    public required double? BeltSpeed { get; init; }

    [Description("Parts per minute, over about ten seconds.")]
    public required double? PartsPerMinute { get; init; }

    [Description("Frames inspected per second, over about two seconds.")]
    public required double? FramesPerSecond { get; init; }

    [Description("Frames inspected.")]
    public required long Frames { get; init; }

    [Description("Frames captured and not inspected.")]
    public required long FramesDropped { get; init; }

    [Description("Parts that got a number: passed + rejected + notInspected + late + open.")]
    public required long Parts { get; init; }

    [Description("Judged good.")]
    public required long Passed { get; init; }

    [Description("Judged defective.")]
    public required long Rejected { get; init; }

    [Description("Never judged.")]
    public required long NotInspected { get; init; }

    [Description("Judged too late.")]
    public required long Late { get; init; }

    [Description("Decided, their end still outstanding.")]
    public required long Open { get; init; }

    [Description("Ended without a state or with two: must stay 0.")]
    public required long Unaccounted { get; init; }

    [Description("Ejector pulses.")]
    public required long Pulses { get; init; }

    [Description("Pulses that the confirm eye answered.")]
    public required long Confirmed { get; init; }

    [Description("Pulses that it did not answer in time.")]
    public required long Unconfirmed { get; init; }

    [Description("Falls into the bin that nothing had asked for.")]
    public required long UnexpectedBinEntries { get; init; }

    [Description("Blockages of the entry eye.")]
    public required long EntryEye { get; init; }

    [Description("Rejected parts by label.")]
    public required IReadOnlyDictionary<string, long> Defects { get; init; }

    [Description("Frame capture to decision, ms.")]
    public required DurationFigures Decision { get; init; }

    [Description("Planned to actual ejector edge, ms.")]
    public required DurationFigures Actuation { get; init; }

    [Description("Pictures not taken because the evidence worker was behind.")]
    public required long EvidenceShed { get; init; }

    [Description("Records and pictures given up by publishing; event/gap tells which.")]
    public required long PublishingShed { get; init; }

    [Description("Ledger rows that could not be written.")]
    public required long LedgerLost { get; init; }

    [Description("Records and pictures that wait in the outbox.")]
    public long? OutboxWaiting { get; init; }

    [Description("What they take, bytes.")]
    public long? OutboxBytes { get; init; }

    /// <summary>The metrics of one snapshot.</summary>
    public static MetricsPayload From(StationSnapshot s, long? waiting = null, long? bytes = null) =>
        new()
        {
            Station = s.Station,
            At = s.At,
            IsSimulated = s.IsSimulated,
            UptimeSeconds = s.Uptime.TotalSeconds,
            BeltSpeed = Finite.OrNull(s.BeltSpeed),
            PartsPerMinute = Finite.OrNull(s.PartsPerMinute),
            FramesPerSecond = Finite.OrNull(s.FramesPerSecond),
            Frames = s.Frames,
            FramesDropped = s.FramesDropped,
            Parts = s.Counts.Parts,
            Passed = s.Counts.Passed,
            Rejected = s.Counts.Rejected,
            NotInspected = s.Counts.NotInspected,
            Late = s.Counts.Late,
            Open = s.Counts.Open,
            Unaccounted = s.Counts.Unaccounted,
            Pulses = s.Counts.Pulses,
            Confirmed = s.Counts.Confirmed,
            Unconfirmed = s.Counts.Unconfirmed,
            UnexpectedBinEntries = s.Counts.UnexpectedBinEntries,
            EntryEye = s.Counts.EntryEye,
            Defects = s.Counts.Defects,
            Decision = DurationFigures.From(s.Decision),
            Actuation = DurationFigures.From(s.Actuation),
            EvidenceShed = s.EvidenceShed,
            PublishingShed = s.PublishingShed,
            LedgerLost = s.LedgerLost,
            OutboxWaiting = waiting,
            OutboxBytes = bytes,
        };
}

/// <summary>OPC 40100-1 ResultStateDataType; its numbers go over the wire.</summary>
internal enum ResultState
{
    /// <summary>Judged.</summary>
    Completed = 1,

    /// <summary>Given up before the end: too late, or the service stopped.</summary>
    Aborted = 3,

    /// <summary>No judgement was possible.</summary>
    Failed = 4,
}

/// <summary>OPC 40100-1 processingTimes; durations in milliseconds, as OPC UA's Duration.</summary>
internal sealed record ProcessingTimes(
    [property: Description("Capture of the deciding frame to decision, ms.")] double? ProcessingDuration
);

/// <summary>
/// <c>ei.inspection/1</c>: one part's end. The upper fields are those of OPC 40100-1's result, under its names; the
/// lower ones are the station's own.
/// </summary>
internal sealed record InspectionPayload
{
    [Description("Globally unique; a message that repeats it is a duplicate.")]
    public required string ResultId { get; init; }

    [Description("The part's number within the run.")]
    public required long PartId { get; init; }

    [Description("Whether more will follow about this part: never.")]
    public required bool IsPartial { get; init; }

    [Description("True on the virtual line and in replay: leaves production counters alone.")]
    public required bool IsSimulated { get; init; }

    [Description("1 judged, 3 given up, 4 not judged.")]
    public required int ResultState { get; init; }

    [Description("The recipe in force.")]
    public required string InternalRecipeId { get; init; }

    [Description("The model package that judged it, name and version.")]
    public required string InternalConfigurationId { get; init; }

    [Description("When it was decided; a label, not to be compared with another.")]
    public required DateTimeOffset CreationTime { get; init; }

    [Description("How long it took.")]
    public required ProcessingTimes ProcessingTimes { get; init; }

    [Description("The station's name.")]
    public required string Station { get; init; }

    [Description("What is known about the part.")]
    public required Verdict Verdict { get; init; }

    [Description("Why.")]
    public required Reason Reason { get; init; }

    [Description("What the line did, or meant to do, with it.")]
    public required Disposition Disposition { get; init; }

    [Description("The classifier's winning label; missing when never classified.")]
    public required string? Label { get; init; }

    [Description("Defect score, 0 to 1.")]
    public required double? Score { get; init; }

    [Description("Classified views behind the score.")]
    public required int Views { get; init; }

    [Description("The lowest ejector lane it lies in, from 0.")]
    public required int Lane { get; init; }

    [Description("mm across the belt from the picture's centre line.")]
    public required double? Across { get; init; }

    [Description("mm along the belt.")]
    public required double? Length { get; init; }

    [Description("Whether the entry eye saw it.")]
    public required bool EntrySeen { get; init; }

    [Description("Whether the ejector fired for it.")]
    public required bool Fired { get; init; }

    [Description("Actual minus planned time of the ejector's edge, microseconds; missing when it did not fire.")]
    public required double? FiredLateMicroseconds { get; init; }

    [Description("What the confirm eye said.")]
    public required Confirmation Confirmation { get; init; }

    [Description("The challenge test that the part belongs to: leaves production counters alone. Missing in production.")]
    public string? Challenge { get; init; }

    /// <summary>The message about one record.</summary>
    public static InspectionPayload From(PartRecord record) =>
        new()
        {
            ResultId = record.Id,
            PartId = record.Number,
            IsPartial = false,
            IsSimulated = record.IsSimulated,
            ResultState = (int)StateOf(record),
            InternalRecipeId = record.Recipe,
            InternalConfigurationId = record.Model,
            CreationTime = record.DecidedAt,
            ProcessingTimes = new ProcessingTimes(Finite.OrNull(record.DecisionMilliseconds)),
            Station = record.Station,
            Verdict = record.Verdict,
            Reason = record.Reason,
            Disposition = record.Disposition,
            Label = record.Label,
            Score = Finite.OrNull(record.Score),
            Views = record.Views,
            Lane = record.Lane,
            Across = Finite.OrNull(record.Across),
            Length = Finite.OrNull(record.Length),
            EntrySeen = record.EntrySeen,
            Fired = record.Fired,
            FiredLateMicroseconds = Finite.OrNull(record.FiredLateMicroseconds),
            Confirmation = record.Confirmation,
            Challenge = record.Challenge,
        };

    private static ResultState StateOf(PartRecord record) =>
        (record.Verdict, record.Reason) switch
        {
            (Verdict.Pass or Verdict.Reject, _) => Publishing.ResultState.Completed,
            (Verdict.Late, _) or (_, Reason.Stopped) => Publishing.ResultState.Aborted,
            _ => Publishing.ResultState.Failed,
        };
}

/// <summary><c>ei.alarm/1</c>: one alarm at the moment its state changed.</summary>
internal sealed record AlarmPayload
{
    [Description("The station's name.")]
    public required string Station { get; init; }

    [Description("The alarm's number; never reused.")]
    public required int Code { get; init; }

    [Description("The alarm's name, as in its topic.")]
    public required string Name { get; init; }

    [Description("How much it matters here; Stop asks for a line stop.")]
    public required AlarmSeverity Severity { get; init; }

    [Description("Where it stands, after ISA-18.2.")]
    public required AlarmState State { get; init; }

    [Description("One line for an operator.")]
    public required string Text { get; init; }

    [Description("Whether it stands until somebody acknowledges it.")]
    public required bool IsLatched { get; init; }

    [Description("When it began to stand.")]
    public required DateTimeOffset RaisedAt { get; init; }

    [Description("When it was last raised.")]
    public required DateTimeOffset LastRaisedAt { get; init; }

    [Description("When its cause was over.")]
    public DateTimeOffset? ClearedAt { get; init; }

    [Description("When somebody acknowledged it.")]
    public DateTimeOffset? AcknowledgedAt { get; init; }

    [Description("Who acknowledged it.")]
    public string? AcknowledgedBy { get; init; }

    [Description("How often it was raised since it began to stand.")]
    public required long Count { get; init; }

    /// <summary>The message about an alarm.</summary>
    public static AlarmPayload From(string station, AlarmRecord alarm) =>
        new()
        {
            Station = station,
            Code = (int)alarm.Code,
            Name = alarm.Name,
            Severity = alarm.Severity,
            State = alarm.State,
            Text = alarm.Text,
            IsLatched = alarm.IsLatched,
            RaisedAt = alarm.RaisedAt,
            LastRaisedAt = alarm.LastRaisedAt,
            ClearedAt = alarm.ClearedAt,
            AcknowledgedAt = alarm.AcknowledgedAt,
            AcknowledgedBy = alarm.AcknowledgedBy,
            Count = alarm.Count,
        };
}

/// <summary><c>ei.shift/1</c>: the production of one shift, from the ledger.</summary>
internal sealed record ShiftPayload
{
    [Description("Station and start of the shift: a later message with the same id replaces this one.")]
    public required string Id { get; init; }

    [Description("The station's name.")]
    public required string Station { get; init; }

    [Description("When the shift began.")]
    public required DateTimeOffset From { get; init; }

    [Description("When it ended or will.")]
    public required DateTimeOffset To { get; init; }

    [Description("When these figures were so.")]
    public required DateTimeOffset At { get; init; }

    [Description("Whether the shift is over and this is the last word.")]
    public required bool IsFinal { get; init; }

    [Description("Production parts: passed + rejected + notInspected + late.")]
    public required long Parts { get; init; }

    [Description("Judged good.")]
    public required long Passed { get; init; }

    [Description("Judged defective.")]
    public required long Rejected { get; init; }

    [Description("Never judged.")]
    public required long NotInspected { get; init; }

    [Description("Judged too late.")]
    public required long Late { get; init; }

    [Description("Parts of challenge tests; none of the other counts has them.")]
    public required long ChallengeParts { get; init; }

    [Description("Rejected parts by label.")]
    public required IReadOnlyDictionary<string, long> Defects { get; init; }
}

/// <summary>What a gap is made of. Names of the contract.</summary>
internal enum GapKind
{
    /// <summary>Inspection events: parts that the ledger no longer held.</summary>
    Inspections,

    /// <summary>Other records.</summary>
    Records,

    /// <summary>Pictures.</summary>
    Pictures,
}

/// <summary><c>ei.gap/1</c>: what was given up and will never come.</summary>
internal sealed record GapPayload
{
    [Description("Unique; a message that repeats it is a duplicate.")]
    public required string Id { get; init; }

    [Description("The station's name; the outbox is shared, so its gaps are told for each station.")]
    public required string Station { get; init; }

    [Description("What is missing.")]
    public required GapKind Kind { get; init; }

    [Description("How many at most, of all stations; missing when nobody can know, as of a damaged file.")]
    public long? Count { get; init; }

    [Description("Why, in one line.")]
    public required string Why { get; init; }

    [Description("When it was noticed.")]
    public required DateTimeOffset At { get; init; }
}

/// <summary><c>ei.label/1</c>: what a person says a part is.</summary>
internal sealed record LabelPayload
{
    [Description("Unique; a message that repeats it is a duplicate.")]
    public required string Id { get; init; }

    [Description("The station's name.")]
    public required string Station { get; init; }

    [Description("The part's, as in event/inspection.")]
    public required string ResultId { get; init; }

    [Description("What it is, as the person says.")]
    public required string Label { get; init; }

    [Description("Who says so.")]
    public required string By { get; init; }

    [Description("When it was said.")]
    public required DateTimeOffset At { get; init; }

    [Description("A remark.")]
    public string? Note { get; init; }
}

/// <summary><c>ei.config/1</c>: what the station is set to, without its secrets.</summary>
internal sealed record ConfigurationPayload
{
    [Description("The station's name.")]
    public required string Station { get; init; }

    [Description("When this was so.")]
    public required DateTimeOffset At { get; init; }

    [Description("SHA-256 of the settings, hexadecimal: changes with them.")]
    public required string Revision { get; init; }

    [Description("The program's version.")]
    public required string Version { get; init; }

    [Description("Each setting by its key; secrets are left out.")]
    public required IReadOnlyDictionary<string, string> Settings { get; init; }
}

/// <summary><c>ei.model-desired/1</c>: the model package that a station is to have.</summary>
internal sealed record ModelDesiredPayload
{
    [Description("Unique for each wish.")]
    [StringLength(64, MinimumLength = 1)]
    public required string Id { get; init; }

    [Description("The package's name.")]
    public required string Name { get; init; }

    [Description("The package's version.")]
    public required string Version { get; init; }

    [Description("Where it is fetched from; missing when it is on the station already.")]
    public string? Url { get; init; }

    [Description("SHA-256 of the package, hexadecimal.")]
    [RegularExpression("^[0-9a-f]{64}$")]
    public string? Sha256 { get; init; }
}

/// <summary><c>ei.model-reported/1</c>: the model package that a station has.</summary>
internal sealed record ModelReportedPayload
{
    [Description("The station's name.")]
    public required string Station { get; init; }

    [Description("When this was so.")]
    public required DateTimeOffset At { get; init; }

    [Description("The package in force, name and version.")]
    public required string Model { get; init; }

    [Description("Execution provider in use.")]
    public required string Provider { get; init; }

    [Description("The id of the wish that was last taken up.")]
    public string? DesiredId { get; init; }

    [Description("How far it has come, or why it was refused.")]
    public string? Progress { get; init; }
}

/// <summary>JSON knows no NaN and no infinity.</summary>
internal static class Finite
{
    public static double? OrNull(double? value) => value is { } v && double.IsFinite(v) ? v : null;
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    UseStringEnumConverter = true
)]
[JsonSerializable(typeof(StatePayload))]
[JsonSerializable(typeof(MetricsPayload))]
[JsonSerializable(typeof(InspectionPayload))]
[JsonSerializable(typeof(AlarmPayload))]
[JsonSerializable(typeof(ShiftPayload))]
[JsonSerializable(typeof(GapPayload))]
[JsonSerializable(typeof(CommandPayload))]
[JsonSerializable(typeof(CommandReply))]
[JsonSerializable(typeof(LabelPayload))]
[JsonSerializable(typeof(ConfigurationPayload))]
[JsonSerializable(typeof(ModelDesiredPayload))]
[JsonSerializable(typeof(ModelReportedPayload))]
internal sealed partial class PayloadJson : JsonSerializerContext;
