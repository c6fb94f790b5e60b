using EdgeInspector.Benchmarks.Contenders;
using EdgeInspector.Benchmarks.Models;
using EdgeInspector.Benchmarks.Report;
using EdgeInspector.Benchmarks.Works;
using EdgeInspector.Lab;
using EdgeInspector.Vision;

namespace EdgeInspector.Benchmarks;

/// <summary>Every work, one after the other, and what came of them.</summary>
internal static class BenchLab
{
    /// <summary>In the order in which they are run.</summary>
    private static readonly (string Key, Func<Bench, Peers, Section> Run)[] Works =
    [
        ("W1", DetectorWork.Run),
        ("W2", TwoStageWork.Latency),
        ("W2T", (bench, _) => ThroughputWork.Bound(bench)),
        ("W3", TwoStageWork.Floats),
        ("W4", (bench, _) => CropWork.Slope(bench)),
        ("W5", (bench, _) => ThroughputWork.Cameras(bench)),
        ("W6", (bench, _) => OverloadWork.Run(bench)),
        ("W7", ColdStartWork.Run),
        ("W8", (bench, _) => SoakWork.Run(bench)),
        ("int8", (bench, _) => QuantisedWork.Run(bench)),
    ];

    /// <summary>Their names.</summary>
    public static IEnumerable<string> Keys => Works.Select(work => work.Key);

    /// <summary>Runs it and returns the exit code.</summary>
    /// <param name="seed">Everything random follows from it.</param>
    /// <param name="scale">How much is run.</param>
    /// <param name="only">These works; all when empty.</param>
    /// <param name="peersToo">Whether the others run beside ours.</param>
    /// <param name="page">Where the figures are written; null for nowhere.</param>
    public static int Run(int seed, LabScale scale, IReadOnlyCollection<string> only, bool peersToo, string? page)
    {
        using var bench = new Bench { Seed = seed, Scale = scale };

        // The product starts the runtime; raw sessions live in the process that it made.
        ModelPackage.Load(bench.Stub(32, 40).Folder, Own.Latency).Dispose();
        var peers = new Peers(bench, peersToo);
        List<Section> sections = [];
        foreach (var (key, run) in Works.Where(work => only.Count == 0 || only.Contains(work.Key)))
        {
            LabReport.Tell($"{key}");
            sections.Add(run(bench, peers));
            if (page is not null)
            {
                BenchmarkPage.Write(page, [sections[^1]], seed, scale);
            }
        }

        if (peers.Missing.Count > 0)
        {
            var missing = new Section("missing", "peers that could not run");
            foreach (var (name, reason) in peers.Missing)
            {
                missing.Say($"{name}: {reason}");
            }

            if (page is not null)
            {
                BenchmarkPage.Write(page, [missing], seed, scale);
            }
        }

        return LabReport.End("bench", seed, scale, [.. sections.SelectMany(section => section.Checks)]);
    }
}
