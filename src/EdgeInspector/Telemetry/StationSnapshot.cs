using EdgeInspector.Line;

namespace EdgeInspector.Telemetry;

/// <summary>
/// States of OPC 40100-1 (machine vision), by name; the last four are the states within its Operational, in automatic mode.
/// </summary>
internal enum StationState
{
    /// <summary>Starting: no camera or model yet.</summary>
    Preoperational,

    /// <summary>Stopped on purpose.</summary>
    Halted,

    /// <summary>A fault keeps it from inspecting; see <see cref="StationSnapshot.Fault"/>.</summary>
    Error,

    /// <summary>Operational, no recipe is prepared.</summary>
    Initialized,

    /// <summary>Operational, a recipe is prepared, nothing runs.</summary>
    Ready,

    /// <summary>Operational, inspecting one part and then <see cref="Ready"/> again.</summary>
    SingleExecution,

    /// <summary>Operational, inspecting one part after another.</summary>
    ContinuousExecution,
}

/// <summary>Counts of parts since the run began. Sums reconcile: Parts = Passed + Rejected + NotInspected + Late + Open.</summary>
internal sealed record PartCounts
{
    /// <summary>Parts that got a number.</summary>
    public long Parts { get; init; }

    /// <summary>Verdict pass.</summary>
    public long Passed { get; init; }

    /// <summary>Verdict reject.</summary>
    public long Rejected { get; init; }

    /// <summary>Never judged.</summary>
    public long NotInspected { get; init; }

    /// <summary>Judged too late.</summary>
    public long Late { get; init; }

    /// <summary>Decided, their end (pulse, confirmation) still outstanding.</summary>
    public long Open { get; init; }

    /// <summary>Ended without a state, or two of them: must stay 0.</summary>
    public long Unaccounted { get; init; }

    /// <summary>Ejector pulses written.</summary>
    public long Pulses { get; init; }

    /// <summary>Pulses the confirm eye answered.</summary>
    public long Confirmed { get; init; }

    /// <summary>Pulses it did not answer in time.</summary>
    public long Unconfirmed { get; init; }

    /// <summary>Falls into the bin that nothing had asked for.</summary>
    public long UnexpectedBinEntries { get; init; }

    /// <summary>
    /// Pulses over belt where the entry eye had lost edges and nothing lay, after all: no part claimed them, nothing fell.
    /// </summary>
    public long EmptyPulses { get; init; }

    /// <summary>Blockages of the entry eye (touching parts are one).</summary>
    public long EntryEye { get; init; }

    /// <summary>Parts of challenge tests; none of the other part counts has them, the entry eye's has.</summary>
    public long ChallengeParts { get; init; }

    /// <summary>Rejected parts by label.</summary>
    public IReadOnlyDictionary<string, long> Defects { get; init; } = new Dictionary<string, long>();
}

/// <summary>A set of durations boiled down, in milliseconds. Zero when nothing was measured.</summary>
internal readonly record struct LatencyFigures(double P50, double P99, double P999, double Max, long Count);

/// <summary>
/// One station seen from outside at one moment: what the state topic, the metrics, the live view and the web page show.
/// Taken about once a second; immutable.
/// </summary>
internal sealed record StationSnapshot
{
    /// <summary>The station's name.</summary>
    public required string Station { get; init; }

    /// <summary>Its state.</summary>
    public required StationState State { get; init; }

    /// <summary>Why it is in <see cref="StationState.Error"/>, in one line; null otherwise.</summary>
    public string? Fault { get; init; }

    /// <summary>The recipe in force.</summary>
    public required string Recipe { get; init; }

    /// <summary>Model package, name and version.</summary>
    public required string Model { get; init; }

    /// <summary>Execution provider in use, proven by a warm-up inference: TensorRT, CUDA or CPU.</summary>
    public required string Provider { get; init; }

    /// <summary>Which stages run on something slower than was wanted, and why, in one line; null when none does.</summary>
    public string? Fallback { get; init; }

    /// <summary>What is made ready beside the model in force, such as "building TensorRT engine, 42 s"; null when nothing is.</summary>
    public string? ModelWork { get; init; }

    /// <summary>"connected", or what is wrong with the camera.</summary>
    public required string Camera { get; init; }

    /// <summary>"connected", "off", or what is wrong with the broker.</summary>
    public required string Broker { get; init; }

    /// <summary>"ok", or what is wrong with the ledger's disk.</summary>
    public required string Ledger { get; init; }

    /// <summary>Time since the station started.</summary>
    public required TimeSpan Uptime { get; init; }

    /// <summary>Wall-clock label.</summary>
    public required DateTimeOffset At { get; init; }

    /// <summary>Belt speed, m/s.</summary>
    public required double BeltSpeed { get; init; }

    /// <summary>Frames inspected per second, over about the last two seconds.</summary>
    public required double FramesPerSecond { get; init; }

    /// <summary>Frames inspected since start.</summary>
    public required long Frames { get; init; }

    /// <summary>Frames captured and not inspected (a newer one came first, or no buffer was free).</summary>
    public required long FramesDropped { get; init; }

    /// <summary>Parts per minute over about the last ten seconds.</summary>
    public required double PartsPerMinute { get; init; }

    /// <summary>Part counts.</summary>
    public required PartCounts Counts { get; init; }

    /// <summary>Frame capture to decision.</summary>
    public required LatencyFigures Decision { get; init; }

    /// <summary>Planned to actual ejector edge, ms.</summary>
    public required LatencyFigures Actuation { get; init; }

    /// <summary>Evidence pictures not taken because the evidence worker was behind.</summary>
    public long EvidenceShed { get; init; }

    /// <summary>Records and pictures dropped by publishing, because the queue was full.</summary>
    public long PublishingShed { get; init; }

    /// <summary>Ledger rows that could not be written.</summary>
    public long LedgerLost { get; init; }

    /// <summary>What the Healthy output says; null before anything keeps it.</summary>
    public bool? IsHealthy { get; init; }

    /// <summary>The alarms that stand, the gravest first.</summary>
    public IReadOnlyList<AlarmRecord> Alarms { get; init; } = [];

    /// <summary>True on the virtual line.</summary>
    public bool IsSimulated { get; init; }
}
