using EdgeInspector.Inspection;
using EdgeInspector.Vision;

namespace EdgeInspector.Cli;

/// <summary>
/// The book of one video's parts: which of those that are followed crossed the gate, and when. One thread.
/// </summary>
/// <param name="gate">Position of the gate along the belt, px.</param>
internal sealed class PartsInVideo(double gate)
{
    private readonly Dictionary<long, Seen> _seen = [];
    private readonly List<CountedPart> _counted = [];

    /// <summary>Parts that have crossed so far.</summary>
    public int Crossed { get; private set; }

    /// <summary>What was followed to its end and had not crossed.</summary>
    public int NotCounted { get; private set; }

    /// <summary>The ended parts that crossed, in the order of crossing.</summary>
    public IReadOnlyList<CountedPart> Counted => [.. _counted.OrderBy(part => part.Number)];

    /// <summary>A part's number, once it has crossed.</summary>
    public int? NumberOf(long track) => _seen.TryGetValue(track, out var seen) ? seen.Number : null;

    /// <summary>Takes what is followed in one picture.</summary>
    public void See(ReadOnlySpan<Track> tracks, ReadOnlySpan<Detection> detections, long frame)
    {
        foreach (ref readonly var track in tracks)
        {
            if (track.Detection < 0)
            {
                continue;
            }

            var detection = detections[track.Detection];
            var side = track.Position >= gate;
            if (!_seen.TryGetValue(track.Id, out var seen))
            {
                seen = new Seen(side, detection.Label, detection.Score, null, 0);
            }

            seen = seen with { Label = detection.Label, Score = Math.Max(seen.Score, detection.Score) };

            // Once: a part that wobbles on the gate crosses it as little as one that lies there.
            if (seen.Number is null && side != seen.BeganBeyond)
            {
                seen = seen with { Number = ++Crossed, CrossedFrame = frame };
            }

            _seen[track.Id] = seen;
        }
    }

    /// <summary>A part is followed no further.</summary>
    public void End(in Track track, IReadOnlyList<string> labels, string? label, float? defectScore, string? verdict)
    {
        if (!_seen.Remove(track.Id, out var seen) || seen.Number is not { } number)
        {
            NotCounted++;
            return;
        }

        _counted.Add(new CountedPart(
            number,
            seen.CrossedFrame,
            track.FirstFrame,
            track.LastFrame,
            track.Sightings,
            labels[seen.Label],
            seen.Score,
            label,
            defectScore,
            verdict));
    }

    private readonly record struct Seen(bool BeganBeyond, int Label, float Score, int? Number, long CrossedFrame);
}
