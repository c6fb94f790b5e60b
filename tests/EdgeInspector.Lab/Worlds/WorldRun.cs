using System.Device.Gpio;
using System.Globalization;
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
    public static async Task<WorldResult> RunAsync(World world, Safeguard without = Safeguard.None, long? look = null)
    {
        var clock = new LockstepClock();
        var start = clock.Now;
        using var line = new VirtualLine(world.Line);
        using var stages = new TrueStages(line, world.Stages, world.StageSeed);
        if (without == Safeguard.LatencyCompensation)
        {
            world.Options.Reject.Latency = TimeSpan.Zero; // The line was built with the true one.
        }

        using var hardware = StationHardware.Virtual(
            world.Options,
            line,
            start,
            clock,
            without == Safeguard.EdgeGaps ? reader => new DeafReader(reader) : reader => reader
        );
        List<PartRecord> records = [];
        List<string> mismatches = [];
        var run = new RunFacts("lab", "run", "lab", "truth", stages.Labels, IsSimulated: true);
        var model = new StationModel("truth", "1", stages.Provider, stages, stages, stages.Labels, GoodLabel: 0, DefectThreshold: 0.5);
        await using var station = new InspectionStation(
            world.Options,
            run,
            model,
            hardware,
            start,
            new StationBooks
            {
                Ended = records.Add,
                AlarmChanged = alarm =>
                {
                    if (alarm is { Code: AlarmCode.CountsMismatch, State: AlarmState.ActiveUnacknowledged } && mismatches.Count < 3)
                    {
                        mismatches.Add(alarm.Text);
                    }
                },
            },
            clock,
            NullLogger.Instance
        );
        stages.FrameTime = () => station.FrameTime;
        stages.Work = station.PassTime;
        station.StartLockstep(clock, line, new LockstepScript
            {
                Renders = false,
                Drops = Dropper(world, line),
                BeforeFrame = PinThief(world, line, hardware),
                KeepsDeadlines = without != Safeguard.Deadline,
                ChecksMode = without != Safeguard.ModeCheck,
            }, CancellationToken.None);
        await station.Completion;
        var snapshot = station.Snapshot("", "", 0, 0);
        var truth = line.Truth(clock.Now - start);
        if (look is { } index && truth.FirstOrDefault(part => part.Index == index) is { } wanted)
        {
            Tell(wanted, world, line, hardware);
        }

        await station.DisposeAsync();
        var result = WorldResult.Judge(world, line, truth, records, station.Snapshot("", "", 0, 0).Counts, clock.Now - start, stages.LastSeen);
        result.Faults.AddRange(result.IsClean ? [] : mismatches);
        return result;
    }

    /// <summary>Somebody else takes an ejector's pin for an input, and gives it back some frames later.</summary>
    private static Action<long> PinThief(World world, VirtualLine line, StationHardware hardware)
    {
        var random = new Random(world.StageSeed + 2);
        var pin = -1;
        long until = 0;
        return index =>
        {
            if (pin >= 0 && index >= until)
            {
                hardware.Controller.SetPinMode(pin, PinMode.Output);
                pin = -1;
            }
            else if (pin < 0 && random.NextDouble() < world.PinTheftShare)
            {
                // From a valve at rest on a belt that runs: what is taken away while it blows, or waits to go on, no program can help.
                var wanted = world.Options.Reject.Ejectors[random.Next(world.Lanes)].Pin;
                if (hardware.Controller.Read(wanted) == PinValue.High || line.Motion.SpeedAt(line.FrameTime(index)) <= 0)
                {
                    return;
                }

                pin = wanted;
                until = index + random.Next(1, 200);
                hardware.Controller.SetPinMode(pin, PinMode.Input);
            }
        };
    }

    /// <summary>What the ejectors did while a part went by, with how far its centre was past the nozzle.</summary>
    private static void Tell(PartTruth part, World world, VirtualLine line, StationHardware hardware)
    {
        var nozzle = part.Offset + world.Options.Reject.Position;
        LabReport.Tell($"{part}");
        foreach (var write in hardware.VirtualBoard!.Journal)
        {
            var past = line.TravelAt(write.At) - nozzle;
            if (Math.Abs(past) < 100 && (part.Lanes & (1 << write.Lane)) != 0)
            {
                LabReport.Tell(
                    string.Create(
                        CultureInfo.InvariantCulture,
                        $"  {write.At:hh\\:mm\\:ss\\.ffff}  lane {write.Lane} {(write.Active ? "on " : "off")}  centre {past:+0.0;-0.0} mm past the nozzle, belt {line.Motion.SpeedAt(write.At):F0} mm/s"
                    )
                );
            }
        }
    }

    private static Func<long, bool> Dropper(World world, VirtualLine line)
    {
        var random = new Random(world.StageSeed + 1);
        long blindUntil = -1;
        return index =>
        {
            if (random.NextDouble() < world.OutageShare)
            {
                blindUntil = index + (long)(random.NextDouble() * 5 * world.FramesPerSecond);
            }

            return random.NextDouble() < world.DroppedShare || index < blindUntil || line.IsFrameDropped(index);
        };
    }
}
