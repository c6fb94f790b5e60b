using EdgeInspector.Configuration;
using EdgeInspector.Hosting;
using EdgeInspector.Line;
using EdgeInspector.Simulation;

namespace EdgeInspector.Lab.Faults;

/// <summary>
/// What the ejector did to the parts of a line in another process: the same line once more, under the ejector's edges as
/// they were seen from outside.
/// </summary>
internal static class LineTruth
{
    /// <summary>How near to each other two estimates of the line's start are the same: 1.6 mm of belt.</summary>
    private static readonly TimeSpan Same = TimeSpan.FromMilliseconds(2);

    /// <summary>
    /// When the line's time was zero: what most pairs of a pulse and a record agree on, since a blast's middle meets the
    /// part's. Null where there is no pulse.
    /// </summary>
    public static Instant? Start(StationOptions options, IReadOnlyList<PinEdge> edges, IReadOnlyList<PartRecord> records)
    {
        var reject = options.Reject;
        List<long> guesses = [];
        foreach (var pulse in edges.Where(edge => edge.High))
        {
            foreach (var record in records.Where(record => record.Fired))
            {
                var arrival = TimeSpan.FromMilliseconds((reject.Position + record.Offset) / options.Belt.Speed);
                guesses.Add((pulse.At + reject.Latency + (reject.Dwell / 2) - arrival).Nanoseconds);
            }
        }

        guesses.Sort();
        var (best, at, from) = (0, 0L, 0);
        for (var to = 0; to < guesses.Count; to++)
        {
            while (guesses[to] - guesses[from] > Same.Ticks * 100)
            {
                from++;
            }

            if (to - from + 1 > best)
            {
                (best, at) = (to - from + 1, guesses[from + ((to - from) / 2)]);
            }
        }

        return best == 0 ? null : new Instant(at);
    }

    /// <summary>Every part and its fate.</summary>
    public static PartTruth[] Replay(StationOptions options, IReadOnlyList<PinEdge> edges, Instant start, Instant end)
    {
        using var line = new VirtualLine(InspectionHost.VirtualLineOf(options));
        foreach (var edge in edges)
        {
            line.SetEjector(0, edge.High, edge.At - start);
        }

        return line.Truth(end - start);
    }

    /// <summary>When a part's centre passes a place on the line.</summary>
    public static Instant Passes(StationOptions options, PartTruth part, double position, Instant start) =>
        Passes(options, part.Offset, position, start);

    /// <summary>When an offset on the belt passes a place on the line.</summary>
    public static Instant Passes(StationOptions options, double offset, double position, Instant start) =>
        start + TimeSpan.FromMilliseconds((position + offset) / options.Belt.Speed);
}
