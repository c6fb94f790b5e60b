namespace EdgeInspector.Line;

/// <summary>What a <see cref="PartEvent"/> tells.</summary>
internal enum PartEventKind : byte
{
    /// <summary>The inspect thread decided: <see cref="PartEvent.Decision"/> is set.</summary>
    Decided,

    /// <summary>The ejector fired for the part at <see cref="PartEvent.At"/>.</summary>
    Fired,

    /// <summary>The part's reject could not be fired in its window.</summary>
    Missed,

    /// <summary>The output refused the pulse.</summary>
    OutputFault,

    /// <summary>
    /// The ejector fired at <see cref="PartEvent.At"/> for something the entry eye saw and nobody has decided yet; no part is
    /// named. When its decision comes, <see cref="Fired"/> follows with the same <see cref="PartEvent.At"/>.
    /// </summary>
    FiredUndecided,

    /// <summary>The confirm eye was blocked at <see cref="PartEvent.At"/>; no part is named.</summary>
    ConfirmEye,

    /// <summary>The entry eye saw something pass, ending at <see cref="PartEvent.At"/>; no part is named.</summary>
    EntryEye,
}

/// <summary>
/// One thing that happened to a part. Written by the inspect, reject and sensor threads into the part book's channel;
/// a value, so that writing one allocates nothing.
/// </summary>
/// <param name="Kind">What happened.</param>
/// <param name="PartId">To which part; 0 for the eyes, which see parts without names.</param>
/// <param name="At">When.</param>
/// <param name="Lateness">Fired only: actual minus planned time of the ejector's edge.</param>
/// <param name="Decision">Decided only.</param>
/// <param name="Lane">The eyes: which lane's, from 0. An eye across the whole belt is lane 0's.</param>
internal readonly record struct PartEvent(
    PartEventKind Kind,
    long PartId,
    Instant At,
    TimeSpan Lateness = default,
    Decision Decision = default,
    byte Lane = 0
);
