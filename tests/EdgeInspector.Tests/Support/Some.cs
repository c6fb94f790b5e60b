using EdgeInspector.Line;

namespace EdgeInspector.Tests.Support;

/// <summary>Values whose particulars do not matter to the test at hand.</summary>
internal static class Some
{
    public static readonly Instant Start = new(1_000_000_000_000);

    public static Instant At(double milliseconds) => new(Start.Nanoseconds + (long)(milliseconds * 1e6));

    public static Decision Decision(
        long part,
        Verdict verdict = Verdict.Reject,
        Disposition? disposition = null,
        double offset = 0,
        double decidedAfter = 0,
        byte lane = 0
    ) =>
        new(
            part,
            verdict,
            verdict == Verdict.Pass ? Reason.None : Reason.Defect,
            disposition ?? (verdict == Verdict.Pass ? Disposition.Pass : Disposition.Reject),
            Label: 1,
            Score: 0.9f,
            Views: 3,
            offset,
            Across: 0,
            Length: 60,
            (byte)(1 << lane),
            EntrySeen: true,
            At(decidedAfter) - TimeSpan.FromMilliseconds(5),
            At(decidedAfter)
        );

    public static PartEvent Decided(Decision decision) =>
        new(PartEventKind.Decided, decision.PartId, decision.DecidedAt, Decision: decision);
}
