using EdgeInspector.Line;

namespace EdgeInspector.Ledger;

/// <summary>What the part book found amiss.</summary>
internal enum PartNoticeKind
{
    /// <summary>The ejector fired and the confirm eye saw nothing fall: the part may still be on the line.</summary>
    MissingConfirmation,

    /// <summary>Something fell into the bin that nothing had asked for.</summary>
    UnexpectedBinEntry,

    /// <summary>The output refused the pulse.</summary>
    OutputFault,

    /// <summary>A part could not be rejected in its window.</summary>
    Late,

    /// <summary>An event that fits no part, or a part without events: the books do not add up.</summary>
    Unaccounted,
}

/// <summary>One thing that alarms are made of, told once, with the part named where there is one.</summary>
/// <param name="Kind">What.</param>
/// <param name="Part">The part's number within the run; 0 when no part is known.</param>
/// <param name="PartId">The part's stable id; null when no part is known.</param>
/// <param name="Lane">The lane it is about, from 0; -1 when unknown.</param>
/// <param name="At">Wall-clock label of what happened.</param>
internal readonly record struct PartNotice(PartNoticeKind Kind, long Part, string? PartId, int Lane, DateTimeOffset At)
{
    /// <summary>One line for an operator.</summary>
    public string Text =>
        Kind switch
        {
            PartNoticeKind.MissingConfirmation => $"part {Part} was fired at {At:HH:mm:ss.fff} and not seen in the bin",
            PartNoticeKind.UnexpectedBinEntry =>
                $"something fell into the bin{Where} at {At:HH:mm:ss.fff} that was not rejected",
            PartNoticeKind.OutputFault when Part == 0 => $"the ejector's output of lane {Lane} refused at {At:HH:mm:ss.fff}",
            PartNoticeKind.OutputFault => $"the ejector's output refused the pulse for part {Part} at {At:HH:mm:ss.fff}",
            PartNoticeKind.Late => $"part {Part} could not be rejected in its window at {At:HH:mm:ss.fff}",
            _ when Part > 0 => $"the events of part {Part} do not add up at {At:HH:mm:ss.fff}",
            _ => $"an event at {At:HH:mm:ss.fff} fits no part",
        };

    private string Where => Lane < 0 ? "" : $" of lane {Lane}";
}
