namespace EdgeInspector.Line;

/// <summary>
/// One kind of alarm and its habits when nothing else is configured. <see cref="All"/> is the whole list;
/// <c>docs/alarms.md</c> repeats it for operators and a test holds the two together.
/// </summary>
/// <param name="Code">Its number.</param>
/// <param name="Name">Its name in topics, settings and records; stable like the number.</param>
/// <param name="Severity">How much it matters. Stop and nothing else asks for a line stop.</param>
/// <param name="IsLatched">Whether it stands until somebody acknowledges it, even when its cause is over.</param>
/// <param name="IsMomentary">
/// Whether it tells of something that happened rather than of something that is so: then no cause can persist, and
/// acknowledging it ends it.
/// </param>
internal sealed record AlarmKind(
    AlarmCode Code,
    string Name,
    AlarmSeverity Severity,
    bool IsLatched,
    bool IsMomentary = false
)
{
    /// <summary>Every kind, by number.</summary>
    public static readonly IReadOnlyList<AlarmKind> All =
    [
        // A reject that was not seen to fall may be an escape: retailers' codes ask for a stop until somebody has looked.
        new(AlarmCode.RejectNotConfirmed, "reject-not-confirmed", AlarmSeverity.Stop, IsLatched: true, IsMomentary: true),
        new(AlarmCode.UnexpectedBinEntry, "unexpected-bin-entry", AlarmSeverity.Warning, IsLatched: true, IsMomentary: true),
        new(AlarmCode.BinFull, "bin-full", AlarmSeverity.Stop, IsLatched: true),
        new(AlarmCode.AirLow, "air-low", AlarmSeverity.Stop, IsLatched: true),
        // Not latched: a camera that comes back by itself at night must not cost the shift.
        new(AlarmCode.CameraLost, "camera-lost", AlarmSeverity.Stop, IsLatched: false),
        new(AlarmCode.RunawayRejects, "runaway-rejects", AlarmSeverity.Stop, IsLatched: true, IsMomentary: true),
        new(AlarmCode.RejectRate, "reject-rate", AlarmSeverity.Stop, IsLatched: true, IsMomentary: true),
        new(AlarmCode.OutputFault, "output-fault", AlarmSeverity.Stop, IsLatched: true, IsMomentary: true),
        // The next two are warnings although they may stop the line: the schedule of the tests says when, since a test that
        // repairs them needs a moving belt.
        new(AlarmCode.ChallengeOverdue, "challenge-overdue", AlarmSeverity.Warning, IsLatched: false),
        new(AlarmCode.ChallengeFailed, "challenge-failed", AlarmSeverity.Warning, IsLatched: true),
        new(AlarmCode.LedgerFault, "ledger-fault", AlarmSeverity.Stop, IsLatched: false),
        new(AlarmCode.EdgesLost, "edges-lost", AlarmSeverity.Warning, IsLatched: true, IsMomentary: true),
        new(AlarmCode.LateParts, "late-parts", AlarmSeverity.Stop, IsLatched: true, IsMomentary: true),
        new(AlarmCode.NotInspectedInARow, "not-inspected-in-a-row", AlarmSeverity.Stop, IsLatched: true, IsMomentary: true),
        new(AlarmCode.DoorOpen, "door-open", AlarmSeverity.Stop, IsLatched: true),
        new(AlarmCode.EmergencyStop, "emergency-stop", AlarmSeverity.Stop, IsLatched: true),
        new(AlarmCode.Maintenance, "maintenance", AlarmSeverity.Warning, IsLatched: false),
        new(AlarmCode.SelfTestFailed, "self-test-failed", AlarmSeverity.Stop, IsLatched: false),
        new(AlarmCode.DiskLow, "disk-low", AlarmSeverity.Warning, IsLatched: false),
        new(AlarmCode.NotResponding, "not-responding", AlarmSeverity.Stop, IsLatched: false),
        new(AlarmCode.UnsureInARow, "unsure-in-a-row", AlarmSeverity.Stop, IsLatched: true, IsMomentary: true),
        new(AlarmCode.ChangeoverFailed, "changeover-failed", AlarmSeverity.Warning, IsLatched: true, IsMomentary: true),
        new(AlarmCode.CountsMismatch, "counts-mismatch", AlarmSeverity.Warning, IsLatched: true),
        new(AlarmCode.OutboxDamaged, "outbox-damaged", AlarmSeverity.Warning, IsLatched: true, IsMomentary: true),
    ];

    /// <summary>The kind with this number.</summary>
    /// <exception cref="ArgumentOutOfRangeException">There is none.</exception>
    public static AlarmKind Of(AlarmCode code) =>
        All.FirstOrDefault(kind => kind.Code == code)
        ?? throw new ArgumentOutOfRangeException(nameof(code), code, "is no alarm");

    /// <summary>The kind with this name or number, as an operator would write it: <c>bin-full</c> or <c>103</c>; null when there is none.</summary>
    public static AlarmKind? Find(string nameOrNumber) =>
        All.FirstOrDefault(kind =>
            kind.Name.Equals(nameOrNumber, StringComparison.OrdinalIgnoreCase)
            || (int.TryParse(nameOrNumber, out var number) && number == (int)kind.Code)
        );
}
