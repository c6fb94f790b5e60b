using System.Device.Gpio;
using System.Globalization;
using System.Threading.Channels;
using EdgeInspector.Line;
using EdgeInspector.Reject;
using EdgeInspector.Telemetry;
using EdgeInspector.Timing;

namespace EdgeInspector.Lab.Lateness;

/// <summary>
/// How late the ejector's edge is, beside a C program that does the same on the same machine in the same minute: blocks of
/// pulses of one and the other take turns. Both wait for an absolute time under SCHED_FIFO, spin the last 100
/// microseconds, write, and note the time after the write; ours is the real schedule, thread and output, fed with decisions by
/// another thread.
/// </summary>
internal static class LatenessLab
{
    private const int BlockPulses = 500;
    private const int Lane0 = 7;

    /// <summary>Pulses at the beginning of each block that do not count, of either: caches and branch predictors are cold.</summary>
    private const int WarmUp = 10;

    /// <summary>From this pulse on nothing may be allocated: what is called has been compiled.</summary>
    private const int Steady = 100;

    /// <summary>Parts that are decided in one go.</summary>
    private const int Together = 10;

    /// <summary>How long before their pulse the last of them are.</summary>
    private static readonly TimeSpan Ahead = TimeSpan.FromMilliseconds(200);

    /// <summary>A part every 4 ms, so that a thousand take four seconds: the thread sleeps before each.</summary>
    private static readonly TimeSpan Period = TimeSpan.FromMilliseconds(4);

    private static readonly RejectOptions Options = new()
    {
        Ejectors = [new EjectorOptions { Pin = Lane0 }],
        Latency = TimeSpan.Zero,
        Dwell = TimeSpan.FromMilliseconds(1),
        ShortestPulse = TimeSpan.FromMilliseconds(1),
        MinimumGap = TimeSpan.FromMilliseconds(1),
        Window = 100, // So wide that hardly a pulse is given up for being late: what is late is measured.
        Position = 400,
    };

    /// <summary>Runs it.</summary>
    public static IReadOnlyList<LabCheck> Run(LabScale scale)
    {
        var pulses = scale == LabScale.Full ? 20_000 : 2_000;
        List<LabCheck> checks = [];
        using var control = ControlProgram.TryCompile();
        if (control is null)
        {
            LabReport.Tell("lateness: no gcc on this machine, so there is nothing to compare with: timing was not judged");
        }

        // The runtime compiles what is called often once more, in the background, and puts it in place: let it.
        for (var i = 0; i < 4; i++)
        {
            _ = Ours(out _, out _);
        }

        long allocated = 0, parts = 0;
        foreach (var busy in new[] { false, true })
        {
            if (busy && control is null)
            {
                break;
            }

            var load = busy ? Enumerable.Range(0, Environment.ProcessorCount).Select(_ => control!.Burn()).ToList() : [];
            List<long> ours = [];
            List<long> theirs = [];
            var isRealTime = true;
            try
            {
                while (ours.Count < pulses)
                {
                    ours.AddRange(Ours(out var bytes, out var realTime));
                    theirs.AddRange(control?.Run(BlockPulses, Period, Options.Spin).Skip(WarmUp) ?? []);
                    isRealTime &= realTime;
                    allocated += bytes;
                    parts += BlockPulses - 1 - Steady;
                }
            }
            finally
            {
                foreach (var process in load)
                {
                    process.Kill();
                    process.WaitForExit();
                    process.Dispose();
                }
            }

            var name = busy ? "every core busy" : "idle";
            Tell($"reject thread, {name}", ours, isRealTime);
            if (control is not null)
            {
                Tell($"C control,     {name}", theirs, control.IsRealTime);
                checks.Add(
                    LabCheck.AtMost(
                        $"pulse lateness p99, {name}, us (C control + 20)",
                        Percentile(ours, 0.99),
                        Percentile(theirs, 0.99) + 20,
                        LabCheck.Timing
                    )
                );
                checks.Add(
                    LabCheck.AtMost(
                        $"pulse lateness p99.9, {name}, us (1.5 x C control)",
                        Percentile(ours, 0.999),
                        Percentile(theirs, 0.999) * 1.5,
                        LabCheck.Timing
                    )
                );
            }
        }

        checks.Add(LabCheck.AtMost("managed bytes allocated per part on the reject path", (double)allocated / parts, 0));
        return checks;
    }

    /// <summary>One block of ours: by how many nanoseconds each pulse was late.</summary>
    /// <param name="allocated">Bytes that the reject thread allocated during it.</param>
    /// <param name="isRealTime">Whether the kernel gave it real-time priority.</param>
    private static List<long> Ours(out long allocated, out bool isRealTime)
    {
        var time = TimeProvider.System;
        var pins = new StampingPins(BlockPulses);
        using var controller = new GpioController(pins);
        var start = time.GetInstant();
        var belt = new ConstantBelt(start, 3000);
        var decisions = new DecisionQueue();
        var events = Channel.CreateBounded<PartEvent>(new BoundedChannelOptions(256) { SingleReader = true });
        Fill(events);
        using var loop = new RejectLoop(
            "lateness",
            decisions,
            new Ring<EntryMark>(16),
            new RejectSchedule(Options, belt),
            new EjectorOutput(controller, Options.Ejectors),
            events.Writer,
            new InspectionFigures(),
            Options.Spin,
            time
        );
        loop.Start();
        var late = Feed(decisions, events.Reader, belt, start);
        isRealTime = loop.IsRealTime;
        allocated = pins.Allocated[^1] - pins.Allocated[Steady];
        return late[WarmUp..];
    }

    /// <summary>
    /// Decides parts as the inspect thread would, 200 to 240 ms ahead of their pulse and several at a time, and reads what
    /// the reject thread tells as the part book would; gives by how many nanoseconds each pulse was late.
    /// </summary>
    private static List<long> Feed(DecisionQueue decisions, ChannelReader<PartEvent> events, ConstantBelt belt, Instant start)
    {
        var time = TimeProvider.System;
        var timer = new PreciseTimer(TimeSpan.Zero);
        var late = new List<long>(BlockPulses);
        for (var part = 0; late.Count < BlockPulses; )
        {
            timer.WaitUntil(start + (part * Period), spin: false);
            for (var i = 0; i < Together && part < BlockPulses; i++, part++)
            {
                var fires = Due(start, part);
                decisions.Write(
                    default(Decision) with
                    {
                        PartId = part + 1,
                        Verdict = Verdict.Reject,
                        Disposition = Disposition.Reject,
                        Offset = belt.TravelAt(fires) - Options.Position,
                        Length = 2,
                        Lanes = 1,
                        DecidedAt = time.GetInstant(),
                    }
                );
            }

            while (events.TryRead(out var happened))
            {
                // A pulse that was given up was at least so late.
                var lateness = happened.Kind == PartEventKind.Fired
                    ? happened.Lateness
                    : happened.At - Due(start, (int)happened.PartId - 1) + (Options.Dwell / 2);
                late.Add(lateness.Ticks * TimeSpan.NanosecondsPerTick);
            }

            if (part == BlockPulses)
            {
                timer.WaitUntil(time.GetInstant() + (Together * Period), spin: false);
            }
        }

        return late;
    }

    /// <summary>Lets the channel grow to all it may hold: a station's has, after its first busy moment.</summary>
    private static void Fill(Channel<PartEvent> events)
    {
        while (events.Writer.TryWrite(default))
        {
            // Until it is full.
        }

        while (events.Reader.TryRead(out _))
        {
            // And empty again.
        }
    }

    /// <summary>When a part is under the nozzle; some microseconds off the round, so that nothing else coincides.</summary>
    private static Instant Due(Instant start, int part) =>
        start + Ahead + (part * Period) + TimeSpan.FromMicroseconds(part * 7 % 1000);

    private static void Tell(string name, List<long> late, bool isRealTime) =>
        LabReport.Tell(
            string.Create(
                CultureInfo.InvariantCulture,
                $"{name}: {late.Count} pulses, late by p50 {Percentile(late, 0.5):F1}, p99 {Percentile(late, 0.99):F1}, p99.9 {Percentile(late, 0.999):F1}, max {Percentile(late, 1):F1} us{(isRealTime ? "" : ", WITHOUT real-time priority")}"
            )
        );

    /// <summary>In microseconds.</summary>
    private static double Percentile(List<long> late, double share)
    {
        var sorted = late.Order().ToList();
        return sorted[Math.Min(sorted.Count - 1, (int)(share * sorted.Count))] / 1000.0;
    }
}
