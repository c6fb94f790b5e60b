using System.Globalization;

namespace EdgeInspector.Simulation;

/// <summary>
/// What goes wrong on the line, as shares of all edges, counts, frames or parts. Nothing by default. What happens to
/// which follows from the line's seed, and <see cref="PartTruth.Troubles"/> tells it.
/// </summary>
public sealed record Disturbances
{
    /// <summary>Share of entry-eye edges that are never told; the sequence number shows the gap. 0-1.</summary>
    public double EntryEdgesLost { get; init; }

    /// <summary>
    /// Share of entry-eye edges after which the eye flickers: one or two more pairs of edges within 2 ms, and within
    /// a millimetre of belt. 0-1.
    /// </summary>
    public double EntryEdgesBounced { get; init; }

    /// <summary>Share of confirm-eye edges that are never told; the sequence number shows the gap. 0-1.</summary>
    public double ConfirmEdgesLost { get; init; }

    /// <summary>
    /// Share of encoder counts that are missing: about every quarter of a metre the encoder is dead for a moment. What
    /// is lost stays lost. Only on the way forward. 0-0.4.
    /// </summary>
    public double EncoderCountsLost { get; init; }

    /// <summary>As <see cref="EncoderCountsLost"/>, but for a moment every count is told twice. 0-0.4.</summary>
    public double EncoderCountsDoubled { get; init; }

    /// <summary>Share of frames that do not arrive, see <see cref="VirtualLine.IsFrameDropped"/>. 0-1.</summary>
    public double FramesDropped { get; init; }

    /// <summary>Share of parts that no blast takes, as if the valve did not open for them. 0-1.</summary>
    public double ValveStuck { get; init; }

    /// <summary>
    /// Share of parts that slide on the belt after the entry eye and before they leave the view; fewer where parts lie
    /// too close. 0-1.
    /// </summary>
    public double PartsSliding { get; init; }

    /// <summary>
    /// Parts slide by up to this, either way, and by up to half of the clear belt to a neighbour. 0.5-50 mm.
    /// </summary>
    public double LongestSlide { get; init; } = 10;

    /// <summary>
    /// No slide goes on beyond this position of the part's centre in millimetres; null: where it begins to leave the
    /// view.
    /// </summary>
    public double? SlideUntil { get; init; }

    /// <summary>
    /// Share of plain rectangles that turn on the belt where parts slide, as room allows; their boxes show it, pictures
    /// do not. 0-1.
    /// </summary>
    public double PartsTurning { get; init; }

    /// <summary>Share of parts that a hand takes away between camera and ejector. 0-1.</summary>
    public double PartsRemoved { get; init; }

    /// <summary>Share of parts that a hand puts on the belt after the entry eye, which never sees them. 0-1.</summary>
    public double PartsAdded { get; init; }

    /// <summary>Whether any part can be troubled.</summary>
    internal bool Touch =>
        ValveStuck > 0 || PartsSliding > 0 || PartsTurning > 0 || PartsRemoved > 0 || PartsAdded > 0;

    /// <summary>Every fault, one line each, empty when the shares can be used.</summary>
    internal IEnumerable<string> Validate()
    {
        (string Name, double Value, double Low, double High)[] values =
        [
            (nameof(EntryEdgesLost), EntryEdgesLost, 0, 1),
            (nameof(EntryEdgesBounced), EntryEdgesBounced, 0, 1),
            (nameof(ConfirmEdgesLost), ConfirmEdgesLost, 0, 1),
            (nameof(EncoderCountsLost), EncoderCountsLost, 0, 0.4),
            (nameof(EncoderCountsDoubled), EncoderCountsDoubled, 0, 0.4),
            (nameof(FramesDropped), FramesDropped, 0, 1),
            (nameof(ValveStuck), ValveStuck, 0, 1),
            (nameof(PartsSliding), PartsSliding, 0, 1),
            (nameof(LongestSlide), LongestSlide, 0.5, 50),
            (nameof(PartsTurning), PartsTurning, 0, 1),
            (nameof(PartsRemoved), PartsRemoved, 0, 1),
            (nameof(PartsAdded), PartsAdded, 0, 1),
        ];
        return values
            .Where(v => !(v.Value >= v.Low && v.Value <= v.High))
            .Select(v =>
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"Disturbances.{v.Name}: {v.Value} is outside {v.Low} to {v.High}"
                )
            );
    }
}
