using System.Threading.Channels;
using EdgeInspector.Hosting;
using EdgeInspector.Ledger;
using EdgeInspector.Line;
using EdgeInspector.Simulation;
using EdgeInspector.Telemetry;
using Microsoft.Extensions.Logging.Abstractions;

namespace EdgeInspector.Lab.Worlds;

/// <summary>
/// One world, run in lockstep through the very station that runs in a factory: tracker, entry eyes, rules, schedule, reject
/// loop and part book. Only the pictures are left out.
/// </summary>
internal static class WorldRun
{
    /// <summary>Runs a world to its end and judges it.</summary>
    public static async Task<WorldResult> RunAsync(World world)
    {
        var clock = new LockstepClock();
        var start = clock.Now;
        using var line = new VirtualLine(world.Line);
        using var stages = new TrueStages(line, world.Stages, world.StageSeed);
        using var hardware = StationHardware.Virtual(world.Options, line, start, clock);
        List<PartRecord> records = [];
        var run = new RunFacts("lab", "run", "lab", "truth", stages.Labels, IsSimulated: true);
        var model = new StationModel("truth", "1", stages.Provider, stages, stages, stages.Labels, GoodLabel: 0, DefectThreshold: 0.5);
        await using var station = new InspectionStation(
            world.Options,
            run,
            model,
            hardware,
            start,
            new StationBooks { Ended = records.Add },
            clock,
            NullLogger.Instance
        );
        stages.FrameTime = () => station.FrameTime;
        stages.Work = station.PassTime;
        station.StartLockstep(clock, line, new LockstepScript { Renders = false, Drops = Dropper(world) }, CancellationToken.None);
        await station.Completion;
        var snapshot = station.Snapshot("", "", 0, 0);
        var truth = line.Truth(clock.Now - start);
        await station.DisposeAsync();
        return WorldResult.Judge(world, truth, records, station.Snapshot("", "", 0, 0).Counts, clock.Now - start);
    }

    private static Func<long, bool> Dropper(World world)
    {
        var random = new Random(world.StageSeed + 1);
        long blindUntil = -1;
        return index =>
        {
            if (random.NextDouble() < world.OutageShare)
            {
                blindUntil = index + (long)(random.NextDouble() * 5 * world.FramesPerSecond);
            }

            return random.NextDouble() < world.DroppedShare || index < blindUntil;
        };
    }
}
