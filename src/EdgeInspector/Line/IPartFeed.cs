namespace EdgeInspector.Line;

/// <summary>A part and its place in the ledger.</summary>
/// <param name="Sequence">Counts up over all stations, from 1, with gaps; never given to another part of the same ledger.</param>
/// <param name="Part">What the ledger keeps about it.</param>
internal readonly record struct NumberedPart(long Sequence, PartRecord Part);

/// <summary>A stretch of a ledger.</summary>
/// <param name="Parts">One station's parts, in order.</param>
/// <param name="Through">Every part up to and including this sequence has been looked at: where the next stretch begins.</param>
/// <param name="Removed">Parts (of all stations) that retention had removed before they were read.</param>
/// <param name="MayGoOn">Whether another stretch may follow at once; where not, whoever writes the ledger says when.</param>
internal sealed record PartStretch(IReadOnlyList<NumberedPart> Parts, long Through, long Removed, bool MayGoOn);

/// <summary>
/// The ledger as whoever passes it on sees it: parts in order, and a mark for each station up to which others have them.
/// The mark lives with the parts, so that a power cut that takes the last parts takes the mark back too. Any thread, one
/// call at a time for each station.
/// </summary>
internal interface IPartFeed
{
    /// <summary>The mark of a station; a station without one begins behind the ledger's last part.</summary>
    /// <exception cref="IOException">The ledger cannot be read; one line.</exception>
    long Mark(string station);

    /// <summary>At most <paramref name="limit"/> parts of a station after <paramref name="after"/>.</summary>
    /// <exception cref="IOException">The ledger cannot be read; one line.</exception>
    PartStretch Read(string station, long after, int limit);

    /// <summary>Moves the mark of a station; written within a second, never throws.</summary>
    void Acknowledge(string station, long sequence);
}
