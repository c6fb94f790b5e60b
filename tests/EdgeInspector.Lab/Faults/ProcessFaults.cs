using System.Text.Json;
using EdgeInspector.Ledger;
using EdgeInspector.Line;
using EdgeInspector.Simulation;

namespace EdgeInspector.Lab.Faults;

/// <summary>Faults of the program as a whole, done to the real one and seen from outside.</summary>
internal static class ProcessFaults
{
    /// <summary>Between two edges of the heartbeat.</summary>
    private static readonly TimeSpan Beat = TimeSpan.FromMilliseconds(500);

    /// <summary>Most that an outside observer allows for one turn of the panel and for a busy machine.</summary>
    private static readonly TimeSpan Turn = TimeSpan.FromMilliseconds(50);

    /// <summary>From execution to the first verdict, s.</summary>
    private const double FirstVerdict = 3;

    /// <summary>Killed, then started again.</summary>
    public static void Killed(FaultRun run)
    {
        const string Name = "kill -9";
        var files = new FaultStation(run.Folder, run.Seed);
        var random = new Random(run.Seed);
        using (var service = ServiceProcess.Run(files, 0))
        using (var pins = new PinWatch(files.PinFile(0), FaultStation.Pins))
        {
            Inspecting(pins, service);
            Until.Later(1_500 + random.Next(500));
            var killed = service.Signal(ServiceProcess.SigKill);
            _ = service.Ended();
            Until.Later(2 * Beat.TotalMilliseconds);
            Silence(run, Name, pins, killed);
        }

        using (var service = ServiceProcess.Run(files, 1))
        using (var pins = new PinWatch(files.PinFile(1), FaultStation.Pins))
        {
            Inspecting(pins, service);
            var reader = new LedgerReader(Path.Combine(files.DataFolder, "ledger.db"));
            PartRecord? first = null;
            Until.True(
                () => (first = reader.Read(new LedgerQuery { From = service.ExecutedOn, Limit = 1 }).FirstOrDefault()) is not null,
                "no part was judged after the restart"
            );
            run.Figures.Time($"{Name}: restart to first verdict, s", (first!.DecidedAt - service.ExecutedOn).TotalSeconds, FirstVerdict);
            run.Figures.Time($"{Name}: restart to Healthy, s", (pins.FirstHealthy - service.ExecutedAt).TotalSeconds, FirstVerdict);
            Terminate(run, files, service, pins);
        }

        // As an operator would ask.
        using var runs = JsonDocument.Parse(ServiceProcess.Ask("ledger", "runs", "--json", "--data", files.DataFolder));
        var states = runs.RootElement.EnumerateArray().ToList();
        var marked = states.Count == 2
            && states[0].GetProperty("state").GetString() == "crashed"
            && states[0].GetProperty("gapFrom").ValueKind == JsonValueKind.String
            && states[0].GetProperty("gapTo").ValueKind == JsonValueKind.String
            && states[1].GetProperty("state").GetString() == "ended";
        run.Figures.None($"{Name}: gaps not marked in the ledger", marked ? 0 : 1);
    }

    /// <summary>Stopped with its ejector at rest, then with it energised, and let go on each time.</summary>
    public static void Stopped(FaultRun run)
    {
        const string Name = "SIGSTOP";
        var files = new FaultStation(run.Folder, run.Seed);
        var options = files.Options().Stations[0];
        using var service = ServiceProcess.Run(files, 0);
        using var pins = new PinWatch(files.PinFile(0), FaultStation.Pins);
        Inspecting(pins, service);
        Until.Later(2_000);
        Until.True(() => !pins.IsHigh(FaultStation.Ejector), "the ejector did not come to rest");
        var stopped = service.Signal(ServiceProcess.SigStop);
        Until.Later(1_500);
        Silence(run, Name, pins, stopped);
        var resumed = service.Signal(ServiceProcess.SigCont);
        var beats = pins.Seen(FaultStation.Heartbeat, high: true, resumed, "the heartbeat did not return");
        Until.Later(1_500);

        // The worst moment: nothing in the process can switch the ejector off.
        var caught = default(Instant);
        pins.OnRise(FaultStation.Ejector, () => caught = service.Signal(ServiceProcess.SigStop));
        Until.True(() => caught != default, "no part was thrown out");
        Until.Later(700);
        var released = service.Signal(ServiceProcess.SigCont);
        var rested = pins.Seen(FaultStation.Ejector, high: false, caught, "the ejector stayed energised");
        Until.Later(1_500);
        var asked = Terminate(run, files, service, pins);

        run.Figures.Time($"{Name}: heartbeat back after SIGCONT, ms", beats.MillisecondsSince(resumed), 2_000);
        run.Figures.Time($"{Name}: ejector at rest after SIGCONT, unless there is more to throw out, ms", Math.Max(0, rested.MillisecondsSince(released)), FaultLab.Shown);
        var records = Records(files);
        var edges = pins.Edges(FaultStation.Ejector);
        var start = LineTruth.Start(options, edges, records) ?? throw new FaultNotShownException("no part was thrown out");
        var truth = LineTruth.Replay(options, edges, start, TimeProvider.System.GetInstant());

        // What passed an ejector that was held open went out, whatever the process meant: nobody is to blame in here.
        bool WentOutMeanwhile(PartTruth part) =>
            part.EjectedAt is { } at && start + at >= caught && start + at <= rested + options.Reject.Latency;
        // Nor can the eye in the chute tell their falls from one that a pulse at the last moment right after it should have
        // brought: that pulse counts as confirmed, and the falls that are left over as unexpected.
        bool MissedBeside(PartTruth part) =>
            part.Fate == PartFate.Passed
            && LineTruth.Passes(options, part, options.Reject.Position, start) is var passes
            && passes > released - (2 * options.Reject.ConfirmTolerance)
            && passes < released + (2 * options.Reject.ConfirmTolerance);

        var judged = LineJudgement.Of(
            truth,
            records,
            pins.FirstHealthy - start,
            asked - start,
            part => WentOutMeanwhile(part) || MissedBeside(part)
        );
        run.Figures.None($"{Name}: wrong parts hit after SIGCONT", judged.WrongHits);
        run.Figures.None($"{Name}: parts fired at that stayed, and nobody noticed", judged.Escapes);
        run.Figures.None($"{Name}: parts unaccounted", judged.Unaccounted);
        run.Figures.None($"{Name}: parts unaccounted by its own count", OwnUnaccounted(files));
        var unseen = truth.Where(part => IsUnseen(options, part, start, stopped, resumed)).ToList();
        var match = Cli.DemoReport.Match(truth, records);
        run.Figures.None(
            $"{Name}: parts that nobody saw and that are neither late nor not inspected",
            unseen.Count(part => match.GetValueOrDefault(part.Index) is { } of && of.Exists(record => record.Verdict is Verdict.Pass or Verdict.Reject))
        );
        LabReport.Tell(
            $"  {Name}: {judged.Noticed.Count} parts missed at the last moment and noticed, {unseen.Count} parts passed the camera unseen, {truth.Count(WentOutMeanwhile)} went out while it was stopped with the ejector energised"
        );
    }

    /// <summary>A disk that fills up, and is emptied again.</summary>
    public static void FullDisk(FaultRun run)
    {
        const string Name = "full disk";
        using var disk = SmallDisk.TryMount(Path.Combine(run.Folder, "disk"), "8m");
        if (disk is null)
        {
            LabReport.Tell($"{Name}: left out, since mounting a small disk is not allowed here");
            return;
        }

        var files = new FaultStation(run.Folder, run.Seed, Path.Combine(disk.Path, "data"));
        var options = files.Options().Stations[0];
        using var service = ServiceProcess.Run(files, 0);
        using var pins = new PinWatch(files.PinFile(0), FaultStation.Pins);
        Inspecting(pins, service);
        Until.Later(1_500);
        disk.Fill();
        var full = TimeProvider.System.GetInstant();
        var off = pins.Seen(FaultStation.Healthy, high: false, full, "Healthy did not drop");
        var offOn = DateTimeOffset.UtcNow - (TimeProvider.System.GetInstant() - off);
        var written = Records(files).Select(record => record.Id).ToHashSet();
        Until.Later(2_000);
        var freed = TimeProvider.System.GetInstant();
        disk.Free();
        var on = pins.Seen(FaultStation.Healthy, high: true, freed, "the ledger did not recover");
        Until.Later(1_500);
        var asked = Terminate(run, files, service, pins);

        // What passed was offered to the ledger as it was decided; what was thrown out, when the chute's eye had seen it.
        var records = Records(files);
        var waited = records.Where(record => !written.Contains(record.Id) && record.Disposition == Disposition.Pass).MinBy(record => record.DecidedAt);
        run.Figures.Time(
            $"{Name}: Healthy off after the first record that could not be written, ms",
            waited is null ? 0 : Math.Max(0, (offOn - waited.DecidedAt).TotalMilliseconds),
            FaultLab.Shown
        );
        run.Figures.Time($"{Name}: Healthy on again after there is space, s", (on - freed).TotalSeconds, 31);
        var edges = pins.Edges(FaultStation.Ejector);
        run.Figures.None($"{Name}: no part was thrown out while it lasted", edges.Any(edge => edge.High && edge.At > off && edge.At < freed) ? 0 : 1);
        var numbers = records.Select(record => record.Number).Order().ToList();
        run.Figures.None($"{Name}: records lost", numbers.Where((number, i) => number != i + 1).Count());
        var alarm = new LedgerReader(Path.Combine(files.DataFolder, "ledger.db")).Alarms(new LedgerQuery()).Where(raised => raised.Alarm.Code == AlarmCode.LedgerFault).ToList();
        run.Figures.None($"{Name}: alarm LedgerFault not raised and cleared", alarm is [{ Alarm.ClearedAt: not null }, ..] ? 0 : 1);
        var start = LineTruth.Start(options, edges, records) ?? throw new FaultNotShownException("no part was thrown out");
        var truth = LineTruth.Replay(options, edges, start, TimeProvider.System.GetInstant());
        var judged = LineJudgement.Of(
            truth,
            records,
            pins.FirstHealthy - start,
            asked - start,
            stoodStill: offset => pins.BlinkedAround(LineTruth.Passes(options, offset, options.Reject.Position, start))
        );
        run.Figures.None($"{Name}: wrong parts hit, or meant and missed", [.. judged.WrongHits, .. judged.Escapes, .. judged.Noticed]);
        run.Figures.None($"{Name}: parts unaccounted", judged.Unaccounted);
        run.Figures.None($"{Name}: parts unaccounted by its own count", OwnUnaccounted(files));
        run.Figures.None($"{Name}: undecidable parts handled against the recipe", judged.AgainstPolicy);
    }

    /// <summary>A thread that throws, an exit, a loop that fails: each while an ejector is energised.</summary>
    public static void Ends(FaultRun run)
    {
        (string How, bool StopLine, string Name)[] ways =
        [
            (DyingProgram.Exception, true, "unhandled exception"),
            (DyingProgram.Exit, false, "exit of the process"),
            (DyingProgram.Loop, true, "failed thread of the station"),
        ];
        List<(ServiceProcess Program, FaultStation Files, PinWatch Pins, string Name)> dying = [];
        try
        {
            foreach (var (how, stopLine, name) in ways)
            {
                var files = new FaultStation(Path.Combine(run.Folder, how), run.Seed, stopLineWhenDown: stopLine);
                var program = ServiceProcess.Dying(files, how);
                dying.Add((program, files, new PinWatch(files.PinFile(0), FaultStation.Pins), name));
            }

            foreach (var (program, files, pins, name) in dying)
            {
                var code = program.Ended();
                Until.Later(20);
                var worked = pins.Edges(FaultStation.Healthy).Any(edge => edge.High) && pins.Edges(FaultStation.Ejector).Any(edge => edge.High);
                run.Figures.None($"{name}: never healthy, or no ejector energised", worked ? 0 : 1);
                run.Figures.None($"{name}: exit code that would not restart the service", code == 0 ? 1 : 0);
                run.Figures.None($"{name}: outputs not safe", files.UnsafeOutputs(pins));
            }
        }
        finally
        {
            foreach (var (program, _, pins, _) in dying)
            {
                program.Dispose();
                pins.Dispose();
            }
        }
    }

    /// <summary>Waits until the program inspects and says so.</summary>
    private static void Inspecting(PinWatch pins, ServiceProcess service)
    {
        try
        {
            Until.True(() => pins.IsHigh(FaultStation.Healthy), "Healthy did not come on");
        }
        catch (FaultNotShownException fault)
        {
            throw new FaultNotShownException($"{fault.Message}:\n{service.Said}");
        }
    }

    /// <summary>
    /// What an observer sees of a process that cannot act any more: Healthy may stay at its last level, since chips keep it;
    /// the heartbeat stops.
    /// </summary>
    private static void Silence(FaultRun run, string name, PinWatch pins, Instant fault)
    {
        var before = pins.Edges(FaultStation.Heartbeat).Last(edge => edge.At <= fault + Turn).At;
        var after = pins.Edges(FaultStation.Heartbeat, fault);
        run.Figures.Time($"{name}: last edge of the heartbeat after, ms", after.Length == 0 ? 0 : after[^1].At.MillisecondsSince(fault), FaultLab.Shown);
        run.Figures.Time($"{name}: an edge is overdue after, ms", (before + Beat).MillisecondsSince(fault), FaultLab.Shown);
        run.Figures.None($"{name}: edges of the heartbeat later than one turn", after.Count(edge => edge.At > fault + Turn));
    }

    /// <summary>Ends the program as systemd does, and looks at its outputs. Returns when it was asked to.</summary>
    private static Instant Terminate(FaultRun run, FaultStation files, ServiceProcess service, PinWatch pins)
    {
        const string Name = "SIGTERM";
        var recovered = pins.IsHigh(FaultStation.Healthy);

        // After a standstill a pulse may come at the very last moment and miss: then the eye in the chute has said so, and the
        // line is held until somebody has looked. Anything else that is not healthy has not recovered.
        var held = new LedgerReader(Path.Combine(files.DataFolder, "ledger.db")).Alarms(new LedgerQuery())
            .Any(alarm => alarm.Alarm is { Code: AlarmCode.RejectNotConfirmed, IsStanding: true });
        run.Figures.None($"{Name}: neither healthy before it nor held by an alarm", recovered || held ? [] : [service.Said]);
        var asked = service.Signal(ServiceProcess.SigTerm);
        if (recovered)
        {
            var off = pins.Seen(FaultStation.Healthy, high: false, asked, "Healthy did not drop");
            run.Figures.Time($"{Name}: Healthy off after, ms", off.MillisecondsSince(asked), FaultLab.Shown);
        }

        var code = service.Ended();
        Until.Later(20);
        run.Figures.None($"{Name}: exit code other than 0", code == 0 ? 0 : 1);
        run.Figures.None($"{Name}: outputs not safe", files.UnsafeOutputs(pins));
        return asked;
    }

    private static List<PartRecord> Records(FaultStation files) =>
        [.. new LedgerReader(Path.Combine(files.DataFolder, "ledger.db")).Read(new LedgerQuery())];

    private static long OwnUnaccounted(FaultStation files) =>
        new LedgerReader(Path.Combine(files.DataFolder, "ledger.db")).Runs().Sum(of => of.Totals?.Unaccounted ?? 0);

    /// <summary>Whether a part went from one end of the picture to the other between two moments.</summary>
    private static bool IsUnseen(Configuration.StationOptions options, PartTruth part, Instant start, Instant from, Instant to)
    {
        var half = ((options.Camera.Width ?? 640) * options.Inspection.MillimetresPerPixel / 2) + part.Length;
        return LineTruth.Passes(options, part, -half, start) > from && LineTruth.Passes(options, part, half, start) < to;
    }
}
