namespace EdgeInspector.Lab.Worlds;

/// <summary>
/// What can be taken out of the station to see whether the worlds notice: a laboratory that finds nothing must be able to
/// find something.
/// </summary>
internal enum Safeguard
{
    /// <summary>All are in place.</summary>
    None,

    /// <summary>The ejector's latency is taken for zero.</summary>
    LatencyCompensation,

    /// <summary>Nothing is done about verdicts that do not come, or come too late.</summary>
    Deadline,

    /// <summary>An output that is one no more is written all the same.</summary>
    ModeCheck,

    /// <summary>Nobody is told that edges were lost.</summary>
    EdgeGaps,
}
