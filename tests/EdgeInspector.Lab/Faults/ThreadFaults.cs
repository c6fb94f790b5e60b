using EdgeInspector.Line;
using EdgeInspector.Simulation;

namespace EdgeInspector.Lab.Faults;

/// <summary>Threads of a station that hang, in this process: the others go on and act by policy.</summary>
internal static class ThreadFaults
{
    /// <summary>How long the camera hangs: long enough for twenty parts.</summary>
    private static readonly TimeSpan CameraHangs = TimeSpan.FromSeconds(2);

    /// <summary>How long the model takes for one frame.</summary>
    private static readonly TimeSpan ModelTakes = TimeSpan.FromSeconds(10);

    /// <summary>A camera whose read never returns.</summary>
    public static void HungCamera(FaultRun run) =>
        Hang(
            run,
            "hung camera",
            AlarmCode.CameraLost,
            CameraHangs,
            station =>
            {
                station.Camera.Hang();
                Until.Later(50); // A read under way may still bring its frame.
                return station.Camera.LastFrame;
            },
            station => station.Camera.Release()
        ).GetAwaiter().GetResult();

    /// <summary>A network that takes ten seconds for one frame.</summary>
    public static void SlowModel(FaultRun run) =>
        Hang(
            run,
            "model that takes 10 s",
            AlarmCode.NotResponding,
            ModelTakes,
            station =>
            {
                station.Detector.Hang();
                Until.Later(100);
                return station.Detector.CalledAt;
            },
            station => station.Detector.Release()
        ).GetAwaiter().GetResult();

    private static async Task Hang(
        FaultRun run,
        string name,
        AlarmCode alarm,
        TimeSpan howLong,
        Func<LiveStation, Instant> hang,
        Action<LiveStation> release
    )
    {
        var files = new FaultStation(run.Folder, run.Seed);
        await using var station = new LiveStation(files);
        station.Run();
        Until.Later(500);

        var fault = hang(station);
        var off = station.Pins.Seen(FaultStation.Healthy, high: false, fault, "Healthy did not drop");
        var left = howLong - (TimeProvider.System.GetInstant() - fault);
        Until.Later(left.TotalMilliseconds);
        var beats = station.Pins.Edges(FaultStation.Heartbeat, fault);
        release(station);
        var released = TimeProvider.System.GetInstant();
        var on = station.Pins.Seen(FaultStation.Healthy, high: true, released, "the station did not recover");
        Until.Later(1_500);
        var asked = TimeProvider.System.GetInstant();
        var (truth, records, counts) = await station.StopAsync();

        run.Figures.Time($"{name}: Healthy off after, ms", off.MillisecondsSince(fault), FaultLab.Shown);
        run.Figures.Time(
            $"{name}: last edge of the heartbeat after, ms",
            beats.Length == 0 ? 0 : beats[^1].At.MillisecondsSince(fault),
            FaultLab.Shown
        );
        run.Figures.Time($"{name}: Healthy on again after it is over, ms", on.MillisecondsSince(released), 1_000);
        var changes = station.Alarms(alarm);
        run.Figures.None(
            $"{name}: alarm {alarm} not raised once and cleared",
            changes.Length > 0 && changes[0].IsStanding && !changes[^1].IsStanding ? 0 : 1
        );
        bool StoodStill(double offset) =>
            station.Pins.BlinkedAround(LineTruth.Passes(station.Options, offset, station.Options.Reject.Position, station.Start));
        var judged = LineJudgement.Of(truth, records, station.Pins.FirstHealthy - station.Start, asked - station.Start, stoodStill: StoodStill);
        run.Figures.None($"{name}: wrong parts hit, or meant and missed", [.. judged.WrongHits, .. judged.Escapes, .. judged.Noticed]);
        run.Figures.None($"{name}: parts unaccounted", judged.Unaccounted);
        run.Figures.None($"{name}: undecidable parts handled against the recipe", judged.AgainstPolicy);
        run.Figures.None(
            $"{name}: counts that contradict the records",
            counts.Unaccounted + Math.Abs(counts.Parts - records.Count) + Math.Abs(counts.Pulses - records.Count(record => record.Fired))
        );

        // Parts that nobody saw: they came into the picture and to the ejector while it hung.
        var half = InView(station.Options);
        var unseen = truth.Where(part =>
            LineTruth.Passes(station.Options, part, -half - part.Length, station.Start) > fault
            && LineTruth.Passes(station.Options, part, station.Options.Reject.Position, station.Start) < released
        ).ToList();
        run.Figures.None($"{name}: parts that nobody saw and that stayed on the belt", unseen.Count(part => part.Fate != PartFate.Ejected && !StoodStill(part.Offset)));
        run.Figures.None($"{name}: no part came while it lasted", unseen.Count > 0 ? 0 : 1);
        run.Figures.None($"{name}: outputs not safe after the stop", files.UnsafeOutputs(station.Pins));
        LabReport.Tell($"  {name}: {unseen.Count} parts that nobody saw, {counts.Parts} in all, {counts.Pulses} pulses; {unseen.Count(part => StoodStill(part.Offset))} of them while the machine stood still, at most {station.Pins.LongestBlink.TotalMilliseconds:F0} ms");
    }

    private static double InView(Configuration.StationOptions options) =>
        (options.Camera.Width ?? 640) * options.Inspection.MillimetresPerPixel / 2;
}
