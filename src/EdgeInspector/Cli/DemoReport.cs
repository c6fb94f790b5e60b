using System.Text.Json;
using System.Text.Json.Serialization;
using EdgeInspector.Line;
using EdgeInspector.Simulation;
using EdgeInspector.Telemetry;

namespace EdgeInspector.Cli;

/// <summary>Capture to decision, ms.</summary>
internal sealed record DemoLatency(double P50, double P99, double P999, double Max);

/// <summary>One class of parts and what became of it.</summary>
internal sealed record DemoClass(int Parts, int Rejected, int Passed, int Other);

/// <summary>
/// What a demonstration comes to: the service's own ledger held against the ground truth of the virtual line, part by part.
/// </summary>
internal sealed record DemoReport
{
    private static readonly JsonSerializerOptions Format = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        DictionaryKeyPolicy = null,
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
    };

    /// <summary>Parts that the belt carried past the ejector, by the line's own truth.</summary>
    public required int Parts { get; init; }

    /// <summary>Ledger: verdict pass.</summary>
    public required int Passed { get; init; }

    /// <summary>Ledger: verdict reject.</summary>
    public required int Rejected { get; init; }

    /// <summary>Ledger: never judged.</summary>
    public required int NotInspected { get; init; }

    /// <summary>Ledger: too late.</summary>
    public required int Late { get; init; }

    /// <summary>Parts without exactly one record, records without a part, and what the part book itself misses.</summary>
    public required int Unaccounted { get; init; }

    /// <summary>Defective parts that stayed on the belt.</summary>
    public required int Escapes { get; init; }

    /// <summary>Good parts that were thrown out.</summary>
    public required int FalseRejects { get; init; }

    /// <summary>Ejector pulses.</summary>
    public required long Pulses { get; init; }

    /// <summary>Pulses that the confirm eye answered.</summary>
    public required long Confirmed { get; init; }

    /// <summary>Parts thrown out that nothing had asked for, and parts fired at that stayed.</summary>
    public required int WrongHits { get; init; }

    /// <summary>Share of parts whose verdict equals the truth.</summary>
    public required double VerdictsRight { get; init; }

    /// <summary>Frames inspected.</summary>
    public required long Frames { get; init; }

    /// <summary>Frames captured and not inspected.</summary>
    public required long FramesDropped { get; init; }

    /// <summary>Capture to decision.</summary>
    public required DemoLatency Latency { get; init; }

    /// <summary>Planned to actual ejector edge, ms.</summary>
    public required DemoLatency Actuation { get; init; }

    /// <summary>Frames inspected per second over the whole run.</summary>
    public required double Fps { get; init; }

    /// <summary>Execution provider.</summary>
    public required string Provider { get; init; }

    /// <summary>Model package.</summary>
    public required string Model { get; init; }

    /// <summary>The line's seed.</summary>
    public required int Seed { get; init; }

    /// <summary>Length of the run, s.</summary>
    public required double Seconds { get; init; }

    /// <summary>Resident memory after the first tenth of the run and at its end, MB.</summary>
    public required double[] MemoryMb { get; init; }

    /// <summary>By class of the ground truth.</summary>
    public required IReadOnlyDictionary<string, DemoClass> Classes { get; init; }

    /// <summary>Half the length of the largest part, mm: further from its own no record can lie.</summary>
    private const double Neighbourhood = 250;

    /// <summary>The report as one line of JSON.</summary>
    public string ToJson() => JsonSerializer.Serialize(this, Format);

    /// <summary>Holds records against truth. Both sides are matched by their place on the belt, one to one.</summary>
    /// <param name="truth">Every part that reached the entry eye.</param>
    /// <param name="records">Every record of the run.</param>
    /// <param name="snapshot">The station at the end.</param>
    /// <param name="seed">The line's seed.</param>
    /// <param name="memoryMb">Resident memory early and late, MB.</param>
    public static DemoReport From(
        IReadOnlyList<PartTruth> truth,
        IReadOnlyList<PartRecord> records,
        StationSnapshot snapshot,
        int seed,
        double[] memoryMb
    )
    {
        var match = Match(truth, records);
        var settled = truth.Where(part => part.Fate != PartFate.OnBelt).ToList();
        var judged = settled
            .Select(part => (Part: part, Records: match.TryGetValue(part.Index, out var found) ? found : []))
            .ToList();
        var single = judged.Where(pair => pair.Records.Count == 1).Select(pair => (pair.Part, Record: pair.Records[0])).ToList();
        var matched = match.Values.Sum(found => found.Count);
        var ghosts = records.Count - matched;
        int Count(Verdict verdict) => single.Count(pair => pair.Record.Verdict == verdict);
        return new DemoReport
        {
            Parts = settled.Count,
            Passed = Count(Verdict.Pass),
            Rejected = Count(Verdict.Reject),
            NotInspected = Count(Verdict.NotInspected),
            Late = Count(Verdict.Late),
            Unaccounted = judged.Count(pair => pair.Records.Count != 1) + ghosts + (int)snapshot.Counts.Unaccounted,
            Escapes = settled.Count(part => part.IsDefect && part.Fate == PartFate.Passed),
            FalseRejects = settled.Count(part => !part.IsDefect && part.Fate == PartFate.Ejected),
            Pulses = snapshot.Counts.Pulses,
            Confirmed = snapshot.Counts.Confirmed,
            WrongHits = judged.Count(pair => pair.Part.Fate == PartFate.Ejected != pair.Records.Any(record => record.Fired)),
            VerdictsRight =
                settled.Count == 0
                    ? 1
                    : single.Count(pair => pair.Record.Verdict == (pair.Part.IsDefect ? Verdict.Reject : Verdict.Pass))
                        / (double)settled.Count,
            Frames = snapshot.Frames,
            FramesDropped = snapshot.FramesDropped,
            Latency = ToLatency(snapshot.Decision),
            Actuation = ToLatency(snapshot.Actuation),
            Fps = Math.Round(snapshot.Frames / Math.Max(0.001, snapshot.Uptime.TotalSeconds), 2),
            Provider = snapshot.Provider,
            Model = snapshot.Model,
            Seed = seed,
            Seconds = Math.Round(snapshot.Uptime.TotalSeconds, 1),
            MemoryMb = memoryMb,
            Classes = judged
                .GroupBy(pair => pair.Part.Class)
                .OrderBy(group => group.Key, StringComparer.Ordinal)
                .ToDictionary(
                    group => group.Key,
                    group => new DemoClass(
                        group.Count(),
                        group.Count(pair => pair.Records.Count == 1 && pair.Records[0].Verdict == Verdict.Reject),
                        group.Count(pair => pair.Records.Count == 1 && pair.Records[0].Verdict == Verdict.Pass),
                        group.Count(pair => pair.Records.Count != 1 || pair.Records[0].Verdict is Verdict.NotInspected or Verdict.Late)
                    )
                ),
        };
    }

    /// <summary>
    /// Gives each record to the nearest part, as long as its offset lies within the part's own half length. Two records of
    /// one part stay two: that is what unaccounted means.
    /// </summary>
    internal static Dictionary<long, List<PartRecord>> Match(IReadOnlyList<PartTruth> truth, IReadOnlyList<PartRecord> records)
    {
        var byOffset = truth.OrderBy(part => part.Offset).ToArray();
        var offsets = Array.ConvertAll(byOffset, part => part.Offset);
        Dictionary<long, List<PartRecord>> match = [];
        foreach (var record in records)
        {
            var at = Array.BinarySearch(offsets, record.Offset - Neighbourhood);
            PartTruth? nearest = null;
            for (var i = at < 0 ? ~at : at; i < byOffset.Length && offsets[i] < record.Offset + Neighbourhood; i++)
            {
                if ((byOffset[i].Lanes & record.Lanes) != 0 && (nearest is null || Distance(byOffset[i], record) < Distance(nearest, record)))
                {
                    nearest = byOffset[i];
                }
            }

            if (nearest is not null && Math.Abs(nearest.Offset - record.Offset) <= nearest.Length / 2)
            {
                if (!match.TryGetValue(nearest.Index, out var found))
                {
                    match[nearest.Index] = found = [];
                }

                found.Add(record);
            }
        }

        return match;
    }

    /// <summary>On several lanes two parts may share an offset; the place across tells them apart.</summary>
    private static double Distance(PartTruth part, PartRecord record) =>
        Math.Abs(part.Offset - record.Offset) + (record.Views > 0 ? 0.5 * Math.Abs(part.Across - record.Across) : 0);

    private static DemoLatency ToLatency(in LatencyFigures figures) =>
        new(Math.Round(figures.P50, 3), Math.Round(figures.P99, 3), Math.Round(figures.P999, 3), Math.Round(figures.Max, 3));
}
