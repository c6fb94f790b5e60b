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
    /// <summary>The station's name.</summary>
    public required string Station { get; init; }

    /// <summary>Whether the station is there to change its state.</summary>
    public required bool Online { get; init; }

    /// <summary>A state of OPC 40100-1 by name, or Unknown when the station is gone without a word.</summary>
    public required string State { get; init; }

    /// <summary>What is wrong, in one line.</summary>
    public string? Fault { get; init; }

    /// <summary>OPC 40100-1 internalRecipeId: the recipe in force.</summary>
    public string? InternalRecipeId { get; init; }

    /// <summary>OPC 40100-1 internalConfigurationId: the model package, name and version.</summary>
    public string? InternalConfigurationId { get; init; }

    /// <summary>Execution provider in use.</summary>
    public string? Provider { get; init; }

    /// <summary>"connected", or what is wrong with the camera.</summary>
    public string? Camera { get; init; }

    /// <summary>"ok", or what is wrong with the ledger.</summary>
    public string? Ledger { get; init; }

    /// <summary>Whether it inspects a virtual line or a replay.</summary>
    public bool? IsSimulated { get; init; }

    /// <summary>When this was so; missing in the last will, which is written long before it is sent.</summary>
    public DateTimeOffset? At { get; init; }

    /// <summary>The state of a station that runs.</summary>
    public static StatePayload From(StationSnapshot snapshot) =>
        new()
        {
            Station = snapshot.Station,
            Online = true,
            State = snapshot.State.ToString(),
            Fault = snapshot.Fault,
            InternalRecipeId = snapshot.Recipe,
            InternalConfigurationId = snapshot.Model,
            Provider = snapshot.Provider,
            Camera = snapshot.Camera,
            Ledger = snapshot.Ledger,
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
internal sealed record DurationFigures(double? P50, double? P99, double? P999, double? Max, long Count)
{
    /// <summary>The figures, with null for what is not a number.</summary>
    public static DurationFigures From(LatencyFigures f) =>
        new(Finite.OrNull(f.P50), Finite.OrNull(f.P99), Finite.OrNull(f.P999), Finite.OrNull(f.Max), f.Count);
}

/// <summary><c>ei.metrics/1</c>: counts since the run began, rates over the last seconds.</summary>
internal sealed record MetricsPayload
{
    public required string Station { get; init; }
    public required DateTimeOffset At { get; init; }
    public required bool IsSimulated { get; init; }
    public required double UptimeSeconds { get; init; }

    /// <summary>m/s.</summary>
    public required double? BeltSpeed { get; init; }

    public required double? PartsPerMinute { get; init; }
    public required double? FramesPerSecond { get; init; }
    public required long Frames { get; init; }
    public required long FramesDropped { get; init; }
    public required long Parts { get; init; }
    public required long Passed { get; init; }
    public required long Rejected { get; init; }
    public required long NotInspected { get; init; }
    public required long Late { get; init; }
    public required long Open { get; init; }
    public required long Unaccounted { get; init; }
    public required long Pulses { get; init; }
    public required long Confirmed { get; init; }
    public required long Unconfirmed { get; init; }
    public required long UnexpectedBinEntries { get; init; }
    public required long EntryEye { get; init; }

    /// <summary>Rejected parts by label.</summary>
    public required IReadOnlyDictionary<string, long> Defects { get; init; }

    /// <summary>Frame capture to decision, ms.</summary>
    public required DurationFigures Decision { get; init; }

    /// <summary>Planned to actual ejector edge, ms.</summary>
    public required DurationFigures Actuation { get; init; }

    public required long EvidenceShed { get; init; }
    public required long PublishingShed { get; init; }
    public required long LedgerLost { get; init; }

    /// <summary>The metrics of one snapshot.</summary>
    public static MetricsPayload From(StationSnapshot s) =>
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
internal sealed record ProcessingTimes(double? ProcessingDuration);

/// <summary>
/// <c>ei.inspection/1</c>: one part's end. The upper fields are those of OPC 40100-1's result, under its names; the
/// lower ones are the station's own.
/// </summary>
internal sealed record InspectionPayload
{
    /// <summary>Globally unique; a message that repeats it is a duplicate.</summary>
    public required string ResultId { get; init; }

    /// <summary>The part's number within the run.</summary>
    public required long PartId { get; init; }

    /// <summary>Whether more will follow about this part: never.</summary>
    public required bool IsPartial { get; init; }

    public required bool IsSimulated { get; init; }

    /// <summary>1 judged, 3 given up, 4 not judged.</summary>
    public required int ResultState { get; init; }

    public required string InternalRecipeId { get; init; }
    public required string InternalConfigurationId { get; init; }
    public required DateTimeOffset CreationTime { get; init; }
    public required ProcessingTimes ProcessingTimes { get; init; }

    public required string Station { get; init; }
    public required Verdict Verdict { get; init; }
    public required Reason Reason { get; init; }
    public required Disposition Disposition { get; init; }
    public required string? Label { get; init; }

    /// <summary>Defect score, 0 to 1.</summary>
    public required double? Score { get; init; }

    public required int Views { get; init; }
    public required int Lane { get; init; }

    /// <summary>mm across the belt from the picture's centre line.</summary>
    public required double? Across { get; init; }

    /// <summary>mm along the belt.</summary>
    public required double? Length { get; init; }

    public required bool EntrySeen { get; init; }
    public required bool Fired { get; init; }
    public required double? FiredLateMicroseconds { get; init; }
    public required Confirmation Confirmation { get; init; }

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
        };

    private static ResultState StateOf(PartRecord record) =>
        (record.Verdict, record.Reason) switch
        {
            (Verdict.Pass or Verdict.Reject, _) => Publishing.ResultState.Completed,
            (Verdict.Late, _) or (_, Reason.Stopped) => Publishing.ResultState.Aborted,
            _ => Publishing.ResultState.Failed,
        };
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
internal sealed partial class PayloadJson : JsonSerializerContext;
