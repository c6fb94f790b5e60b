using System.Diagnostics;
using System.Globalization;
using EdgeInspector.Lab.Faults;
using EdgeInspector.Lab.Lateness;
using EdgeInspector.Lab.Settings;
using EdgeInspector.Lab.Worlds;

namespace EdgeInspector.Lab;

/// <summary>The right part, at the right instant, whatever happens.</summary>
internal static class LineLab
{
    private const int PartsInAWorld = 2_000;
    private const int PartsInAControl = 500;

    /// <summary>Runs it and returns the exit code.</summary>
    public static int Run(int seed, LabScale scale, string? only, int? world, long? part)
    {
        List<LabCheck> checks = [];
        if (world is { } one)
        {
            return Replay(seed, one, part, isFast: only == "fast");
        }

        if (only is null or "worlds")
        {
            checks.AddRange(Worlds(seed, scale == LabScale.Full ? 1_000_000 : 40_000, isFast: false));
            checks.AddRange(Worlds(seed, scale == LabScale.Full ? 100_000 : 10_000, isFast: true));
        }

        if (only is null or "controls")
        {
            checks.AddRange(Controls(seed));
        }

        if (only is null or "lateness")
        {
            checks.AddRange(LatenessLab.Run(scale));
        }

        if (only is null or "settings")
        {
            checks.AddRange(SettingsLab.Run());
        }

        if (only is null or "faults" || only.StartsWith("faults:", StringComparison.Ordinal))
        {
            checks.AddRange(FaultLab.Run(seed, scale, only?[Math.Min(only.Length, "faults:".Length)..]));
        }

        if (checks.Count == 0)
        {
            LabReport.Tell($"--only: '{only}' is no part of this laboratory; there are worlds, controls, lateness, settings, faults.");
            return 2;
        }

        return LabReport.End("line", seed, scale, checks);
    }

    private static List<LabCheck> Worlds(int seed, int parts, bool isFast)
    {
        var watch = Stopwatch.StartNew();
        var count = ((parts + PartsInAWorld - 1) / PartsInAWorld) + 1; // The parts still on the belt at the end do not count.
        long carried = 0, ejected = 0, undecided = 0, wrong = 0, unaccounted = 0, policy = 0, books = 0, guessed = 0, unknowable = 0, slid = 0;
        var hours = 0.0;
        var gate = new Lock();
        var done = 0;
        Parallel.For(
            0,
            count,
            new ParallelOptions { MaxDegreeOfParallelism = Environment.ProcessorCount },
            number =>
            {
                var world = new World(seed, number, PartsInAWorld, isFast);
                var result = WorldRun.RunAsync(world).GetAwaiter().GetResult();
                lock (gate)
                {
                    carried += result.Parts;
                    ejected += result.Ejected;
                    undecided += result.Undecided;
                    wrong += result.WrongHits;
                    unaccounted += result.Unaccounted;
                    policy += result.AgainstPolicy;
                    books += result.Unreconciled;
                    unknowable += result.Unknowable;
                    guessed += result.Guessed;
                    slid += result.SlidUnseen;
                    hours += result.Time.TotalHours;
                    Report(seed, world, result);
                    if (++done % 25 == 0)
                    {
                        LabReport.Tell($"worlds {done} of {count}, {carried:N0} parts, {watch.Elapsed:mm\\:ss}");
                    }
                }
            }
        );
        LabReport.Tell(
            string.Create(
                CultureInfo.InvariantCulture,
                $"{carried:N0} parts in {count} worlds, {hours:F1} hours of belt in {watch.Elapsed:mm\\:ss}: {ejected:N0} thrown out, {undecided:N0} undecided, {guessed:N0} in rows that no frame showed, {slid:N0} that slid where no frame showed it, were missed, and said to be missing"
            )
        );
        var where = isFast ? " at 3 m/s, pitch 50 mm, window 20 mm" : "";
        return
        [
            LabCheck.AtLeast($"parts carried{where}", carried, parts),
            LabCheck.AtMost($"wrong parts hit, or meant and missed{where}", wrong, 0),
            LabCheck.AtMost($"parts unaccounted{where}", unaccounted, 0),
            LabCheck.AtMost($"undecidable parts handled against the recipe{where}", policy, 0),
            LabCheck.AtMost($"counts that contradict the records{where}", books, 0),
            LabCheck.AtMost($"share of parts that no frame showed and whose edges at the entry eye were lost{where}", unknowable / (double)Math.Max(1, carried), 0.003),
        ];
    }

    /// <summary>Takes one safeguard out at a time, in worlds that need it: what was clean must not be clean any more.</summary>
    private static List<LabCheck> Controls(int seed)
    {
        const int worlds = 20;
        List<LabCheck> checks = [];
        var missedInPlace = 0;
        foreach (var safeguard in Enum.GetValues<Safeguard>().Where(safeguard => safeguard != Safeguard.None))
        {
            var numbers = Enumerable.Range(0, 10_000).Where(number => Needs(new World(seed, number, PartsInAControl), safeguard)).Take(worlds);
            var caught = 0;
            Parallel.ForEach(
                numbers.ToArray(),
                new ParallelOptions { MaxDegreeOfParallelism = Environment.ProcessorCount },
                number =>
                {
                    WorldResult Run(Safeguard without) =>
                        WorldRun.RunAsync(new World(seed, number, PartsInAControl), without).GetAwaiter().GetResult();

                    var (with, without) = (Run(Safeguard.None), Run(safeguard));
                    if (!with.IsClean)
                    {
                        Interlocked.Increment(ref missedInPlace);
                    }

                    if (!without.IsClean || without.Unknowable > with.Unknowable)
                    {
                        Interlocked.Increment(ref caught);
                    }
                }
            );
            checks.Add(LabCheck.AtLeast($"worlds of {worlds} that miss the safeguard {safeguard}", caught, 1));
        }

        checks.Add(LabCheck.AtMost("the same worlds that miss anything with every safeguard in place", missedInPlace, 0));
        return checks;
    }

    private static bool Needs(World world, Safeguard safeguard) =>
        safeguard switch
        {
            Safeguard.ModeCheck => world.PinTheftShare > 0,
            Safeguard.EdgeGaps => world.Disturbances.EntryEdgesLost > 0,
            Safeguard.Deadline => world.Stages.HiccupShare > 0 && world.Stages.LongestHiccup > TimeSpan.FromSeconds(1),
            _ => true,
        };

    private static int Replay(int seed, int number, long? part, bool isFast)
    {
        var world = new World(seed, number, PartsInAWorld, isFast);
        LabReport.Tell(world.ToString());
        var result = WorldRun.RunAsync(world, look: part).GetAwaiter().GetResult();
        Report(seed, world, result);
        LabReport.Tell($"{result.Parts} parts, {result.Undecided} undecided, {result.WrongHits} wrong hits, {result.Unaccounted} unaccounted, {result.AgainstPolicy} against the recipe, {result.Unreconciled} unreconciled");
        return result.IsClean ? 0 : 1;
    }

    private static void Report(int seed, World world, WorldResult result)
    {
        if (!result.IsClean)
        {
            LabReport.Tell($"{world}\n  {string.Join("\n  ", result.Faults)}\n  replay: ./build.sh line-lab --seed={seed} --world={world.Number}{(world.TopSpeed == 3 ? " --only=fast" : "")}");
        }
    }
}
