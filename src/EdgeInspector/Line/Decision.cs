using System.Numerics;

namespace EdgeInspector.Line;

/// <summary>
/// One part's verdict on its way to the reject schedule and the part book. Made by the inspect thread, once per part.
/// </summary>
/// <param name="PartId">Counts up from 1 within a run of a station.</param>
/// <param name="Verdict">What is known.</param>
/// <param name="Reason">Why.</param>
/// <param name="Disposition">What the recipe makes of it.</param>
/// <param name="Label">Index of the classifier's winning label; -1 when never classified.</param>
/// <param name="Score">Consensus defect score, 0 to 1; NaN when never classified.</param>
/// <param name="Views">How many classified views stand behind the score.</param>
/// <param name="Offset">Where the part lies on the belt, mm: its centre is at <c>travel - offset</c> along the line.</param>
/// <param name="Across">Its centre across the belt, mm from the picture's centre line.</param>
/// <param name="Length">Its length along the belt, mm.</param>
/// <param name="Lanes">Ejector lanes that take it, one bit a lane, lane 0 the lowest: a part that lies across a border has two.</param>
/// <param name="EntrySeen">Whether the entry eye saw it; true when no entry eye is fitted.</param>
/// <param name="CapturedAt">When the frame that completed the decision was exposed.</param>
/// <param name="DecidedAt">When the decision was made.</param>
/// <param name="Ahead">
/// How far ahead of the offset, mm, the part's centre may be: 0 where its place is known, more where only the entry eye saw
/// something, in one piece or in several. The blast covers it.
/// </param>
/// <param name="Behind">The same, behind the offset.</param>
/// <param name="IsCorrection">
/// Not a decision but news of one made before: the part has slid on the belt and lies at this offset now. For the reject
/// schedule alone.
/// </param>
internal readonly record struct Decision(
    long PartId,
    Verdict Verdict,
    Reason Reason,
    Disposition Disposition,
    short Label,
    float Score,
    byte Views,
    double Offset,
    double Across,
    double Length,
    byte Lanes,
    bool EntrySeen,
    Instant CapturedAt,
    Instant DecidedAt,
    double Ahead = 0,
    double Behind = 0,
    bool IsCorrection = false
)
{
    /// <summary>The lowest of its lanes, from 0.</summary>
    public int Lane => Lanes == 0 ? 0 : BitOperations.TrailingZeroCount(Lanes);
}
