using System.Diagnostics;
using System.Globalization;

namespace EdgeInspector.Lab.Faults;

/// <summary>
/// Everything that can go wrong around a station, done to it: killed, stopped, blind, without a disk, with a network that
/// hangs, ended in every way a process can see. A time is from the fault to the last thing that still looked healthy from
/// outside: an edge of the heartbeat, or Healthy being on.
/// </summary>
internal static class FaultLab
{
    /// <summary>Within which a fault must show, ms.</summary>
    public const double Shown = 500;

    /// <summary>Times each fault is done at the full scale.</summary>
    private const int Repetitions = 5;

    private static readonly (string Name, Action<FaultRun> Do)[] Cases =
    [
        ("kill -9", ProcessFaults.Killed),
        ("SIGSTOP", ProcessFaults.Stopped),
        ("full disk", ProcessFaults.FullDisk),
        ("hung camera", ThreadFaults.HungCamera),
        ("model that takes 10 s", ThreadFaults.SlowModel),
        ("ends", ProcessFaults.Ends),
    ];

    /// <summary>Does every fault, or one alone by the beginning of its name, and holds what was seen against its limits.</summary>
    public static IReadOnlyList<LabCheck> Run(int seed, LabScale scale, string? alone = null)
    {
        var figures = new FaultFigures();
        using var priority = new RaisedPriority();
        var root = Directory.CreateTempSubdirectory("edge-inspector-faults-").FullName;
        try
        {
            for (var i = 0; i < (scale == LabScale.Full ? Repetitions : 1); i++)
            {
                foreach (var (name, act) in Cases.Where(one => alone is null || one.Name.StartsWith(alone, StringComparison.Ordinal)))
                {
                    var watch = Stopwatch.StartNew();
                    var broken = 0;
                    try
                    {
                        act(new FaultRun(Path.Combine(root, $"{name.Replace(' ', '-')}-{i}"), seed + i, figures));
                    }
                    catch (Exception fault)
                    {
                        // Whatever it is: the other faults are shown all the same, and this one fails.
                        LabReport.Tell($"{name}: {fault.Message}");
                        broken = 1;
                    }

                    figures.None($"{name}: could not be shown", broken);
                    LabReport.Tell(string.Create(CultureInfo.InvariantCulture, $"faults: {name}, {watch.Elapsed.TotalSeconds:F1} s"));
                }
            }
        }
        finally
        {
            Directory.Delete(root, recursive: true);
        }

        return figures.Checks();
    }
}

/// <summary>One fault to do.</summary>
/// <param name="Folder">For whatever it needs; removed afterwards.</param>
/// <param name="Seed">What the line carries.</param>
/// <param name="Figures">What came of it.</param>
internal sealed record FaultRun(string Folder, int Seed, FaultFigures Figures);
