using System.Numerics;

namespace EdgeInspector.Line;

/// <summary>
/// Everything the ledger keeps about one part, and what is published about it. Made by the part book when the part
/// has come to its end; never changed afterwards.
/// </summary>
internal sealed record PartRecord
{
    /// <summary>Globally unique and stable: station, run and number, such as <c>biscuit-1/20261123T144800Z/42</c>.</summary>
    public required string Id { get; init; }

    /// <summary>Counts up from 1 within the run.</summary>
    public required long Number { get; init; }

    /// <summary>The station's name.</summary>
    public required string Station { get; init; }

    /// <summary>What is known about the part.</summary>
    public required Verdict Verdict { get; init; }

    /// <summary>Why.</summary>
    public required Reason Reason { get; init; }

    /// <summary>What the line did, or meant to do, with it.</summary>
    public required Disposition Disposition { get; init; }

    /// <summary>The classifier's winning label; null when never classified.</summary>
    public required string? Label { get; init; }

    /// <summary>Consensus defect score, 0 to 1; null when never classified.</summary>
    public required double? Score { get; init; }

    /// <summary>Classified views behind the score.</summary>
    public required int Views { get; init; }

    /// <summary>Offset on the belt, mm (see <see cref="Decision.Offset"/>).</summary>
    public required double Offset { get; init; }

    /// <summary>Centre across the belt, mm from the picture's centre line.</summary>
    public required double Across { get; init; }

    /// <summary>Length along the belt, mm.</summary>
    public required double Length { get; init; }

    /// <summary>The lowest ejector lane it lies in, from 0.</summary>
    public int Lane => Lanes == 0 ? 0 : BitOperations.TrailingZeroCount(Lanes);

    /// <summary>Ejector lanes that take it, one bit a lane, lane 0 the lowest.</summary>
    public required int Lanes { get; init; }

    /// <summary>Whether the entry eye saw it.</summary>
    public required bool EntrySeen { get; init; }

    /// <summary>Capture of the deciding frame to decision, ms.</summary>
    public required double DecisionMilliseconds { get; init; }

    /// <summary>Wall-clock time of the decision: a label, never compared with another.</summary>
    public required DateTimeOffset DecidedAt { get; init; }

    /// <summary>Actual minus planned time of the ejector's edge, microseconds; null when it did not fire.</summary>
    public double? FiredLateMicroseconds { get; init; }

    /// <summary>Whether the ejector fired for this part.</summary>
    public bool Fired => FiredLateMicroseconds is not null;

    /// <summary>What the confirm eye said.</summary>
    public Confirmation Confirmation { get; init; }

    /// <summary>
    /// The challenge test under way when it was decided, see <see cref="ChallengeRecord.Id"/>: a test piece, or a part that
    /// passed between them. Leaves production counters alone. Null in production.
    /// </summary>
    public string? Challenge { get; init; }

    /// <summary>The recipe in force.</summary>
    public required string Recipe { get; init; }

    /// <summary>The model package that judged it: name and version.</summary>
    public required string Model { get; init; }

    /// <summary>True on the virtual line and in replay (OPC 40100-1 isSimulated): leaves production counters alone.</summary>
    public required bool IsSimulated { get; init; }
}
