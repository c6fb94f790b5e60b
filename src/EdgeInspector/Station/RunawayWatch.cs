using EdgeInspector.Line;

namespace EdgeInspector.Station;

/// <summary>How much of one kind is too much. Zero turns a limit off.</summary>
/// <param name="RejectsInARow">Rejects in a row.</param>
/// <param name="RejectRate">Share of rejects among the last <paramref name="RejectRateParts"/>, 0 to 1.</param>
/// <param name="RejectRateParts">Over how many parts the share is taken.</param>
/// <param name="NotInspectedInARow">Parts in a row that could not be judged.</param>
/// <param name="LateInARow">Parts in a row that were judged too late.</param>
/// <param name="UnsureInARow">Parts in a row in the unsure band.</param>
internal readonly record struct RunawayLimits(
    int RejectsInARow,
    double RejectRate,
    int RejectRateParts,
    int NotInspectedInARow,
    int LateInARow,
    int UnsureInARow
);

/// <summary>
/// Watches what parts come to and raises the alarm when the same thing happens too often: a fouled lens rejects
/// everything, a lamp that has failed judges nothing. Whether the line then stops is up to the alarm. Once raised, it
/// counts anew, so that an acknowledged line is not stopped again by what was there before. Called by one thread at a time.
/// </summary>
internal sealed class RunawayWatch
{
    private readonly AlarmTable _alarms;
    private RunawayLimits _limits;
    private bool[] _rejected = [];
    private int _next;
    private int _filled;
    private int _rejectedCount;
    private int _rejects;
    private int _notInspected;
    private int _late;
    private int _unsure;

    /// <summary>Makes a watch that has seen nothing.</summary>
    public RunawayWatch(AlarmTable alarms, RunawayLimits limits)
    {
        _alarms = alarms;
        Use(limits);
    }

    /// <summary>Forgets what was, for another recipe.</summary>
    public void Use(RunawayLimits limits)
    {
        _limits = limits;
        _rejected = limits.RejectRate > 0 ? new bool[Math.Max(1, limits.RejectRateParts)] : [];
        (_next, _filled, _rejectedCount) = (0, 0, 0);
        (_rejects, _notInspected, _late, _unsure) = (0, 0, 0, 0);
    }

    /// <summary>Takes what one part came to. Test pieces do not belong here.</summary>
    public void Enter(Verdict verdict, Reason reason, Disposition disposition, Instant now)
    {
        var isReject = disposition == Disposition.Reject;
        InARow(ref _rejects, isReject, _limits.RejectsInARow, AlarmCode.RunawayRejects, "rejected", now);
        InARow(ref _notInspected, verdict == Verdict.NotInspected, _limits.NotInspectedInARow, AlarmCode.NotInspectedInARow, "not inspected", now);
        InARow(ref _late, verdict == Verdict.Late, _limits.LateInARow, AlarmCode.LateParts, "late", now);
        InARow(ref _unsure, reason == Reason.Unsure, _limits.UnsureInARow, AlarmCode.UnsureInARow, "unsure", now);
        if (_rejected.Length > 0)
        {
            Rate(isReject, now);
        }
    }

    private void InARow(ref int count, bool isOne, int limit, AlarmCode alarm, string what, Instant now)
    {
        count = isOne ? count + 1 : 0;
        if (limit > 0 && count >= limit)
        {
            _alarms.Raise(alarm, $"{count} parts in a row {what}", now);
            count = 0;
        }
    }

    private void Rate(bool isReject, Instant now)
    {
        _rejectedCount += (isReject ? 1 : 0) - (_rejected[_next] ? 1 : 0);
        _rejected[_next] = isReject;
        _next = (_next + 1) % _rejected.Length;
        _filled = Math.Min(_filled + 1, _rejected.Length);

        // Not before the window is full: two rejects among the first three parts of a shift mean nothing.
        if (_filled == _rejected.Length && _rejectedCount > _limits.RejectRate * _rejected.Length)
        {
            _alarms.Raise(
                AlarmCode.RejectRate,
                FormattableString.Invariant(
                    $"{_rejectedCount} of the last {_rejected.Length} parts rejected, more than {_limits.RejectRate:P1}"
                ),
                now
            );
            Array.Clear(_rejected);
            (_next, _filled, _rejectedCount) = (0, 0, 0);
        }
    }
}
