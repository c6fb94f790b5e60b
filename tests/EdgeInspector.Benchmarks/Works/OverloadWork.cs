using EdgeInspector.Benchmarks.Contenders;
using EdgeInspector.Benchmarks.Models;
using EdgeInspector.Benchmarks.Report;
using EdgeInspector.Benchmarks.Rounds;
using EdgeInspector.Capture;
using EdgeInspector.Lab;
using EdgeInspector.Line;
using EdgeInspector.Timing;
using EdgeInspector.Vision;
using Microsoft.Extensions.Logging.Abstractions;

namespace EdgeInspector.Benchmarks.Works;

/// <summary>W6: half as many frames again as can be judged, through the product's capture thread.</summary>
internal static class OverloadWork
{
    private const double Overload = 1.5;

    /// <summary>Runs it.</summary>
    public static Section Run(Bench bench)
    {
        var section = new Section("W6", "overload: a camera 1.5 times as fast as the networks");
        var file = bench.Yolo(320, ClassifierKind.Int8);
        using var picture = Scene.Picture(bench.Seed);
        using var package = ModelPackage.Load(file.Folder, Own.Latency);
        var time = TimeProvider.System;
        List<double> ages = [], services = [];
        var stale = 0;
        var newest = default(Instant);
        var begun = time.GetInstant();
        var captured = default(Instant);
        PacedCamera? camera = null;
        using var station = new OwnStation(package, picture, "overload", Taking, Taken);
        var service = Enumerable.Range(0, 9).Select(_ => station.Inspect(out var _)).Order().ElementAt(4);
        var interval = TimeSpan.FromMilliseconds(service / Overload);
        camera = new PacedCamera(picture, interval);
        captured = default;
        using var capture = new CaptureLoop("overload", new CameraOptions { FramePoolSize = 3 }, () => camera, station.Slot, time, NullLogger.Instance);
        var before = station.Figures.Frames;
        capture.Start();
        new PreciseTimer(TimeSpan.Zero).WaitUntil(time.GetInstant() + TimeSpan.FromSeconds(bench.IsFull ? 60 : 4), spin: false);
        capture.Dispose();
        station.Dispose();
        var inspected = station.Figures.Frames - before;

        var (age, longest) = (ages.Max(), camera.LongestInterval.TotalMilliseconds + services.Max());
        var unrented = capture.Dropped - station.Slot.Dropped;
        section.Table(
            ["", "p50", "p99", "longest"],
            [
                ["age at the verdict, ms", .. Shares(ages)],
                ["service, ms", .. Shares(services)],
                ["interval, ms", Section.N(interval.TotalMilliseconds), "", Section.N(camera.LongestInterval.TotalMilliseconds)],
            ]
        );
        section.Say($"{capture.Frames} frames captured, {inspected} judged, {station.Slot.Dropped} displaced by a newer one, {unrented} found no buffer of three.");
        section.Checks.Add(LabCheck.AtLeast("W6 frames displaced", station.Slot.Dropped, 1));
        section.Checks.Add(LabCheck.AtMost("W6 frames judged though a newer one had come", stale, 0));
        section.Checks.Add(LabCheck.AtMost("W6 frames that found no buffer of three", unrented, 0));

        // One may lie in the slot when all ends.
        section.Checks.Add(LabCheck.AtMost("W6 frames that were neither judged nor counted as dropped", Math.Abs(capture.Frames - inspected - capture.Dropped), 1));
        section.Checks.Add(LabCheck.AtMost("W6 oldest verdict, ms (longest interval + longest service)", age, longest));
        section.Checks.Add(
            LabCheck.AtMost("W6 age p99, ms (interval + service p99)", Series.Quantile(ages, 0.99), interval.TotalMilliseconds + Series.Quantile(services, 0.99), LabCheck.Timing)
        );
        return section;

        // Both on the inspect thread.
        void Taking()
        {
            var now = time.GetInstant();
            if (captured != default && camera is not null)
            {
                ages.Add(now.MillisecondsSince(captured));
                services.Add(now.MillisecondsSince(begun));
                captured = default;
            }

            newest = camera?.HandedOver ?? default;
            begun = now;
        }

        void Taken(Frame frame)
        {
            captured = new Instant(frame.CapturedAt);
            stale += captured < newest ? 1 : 0;
        }
    }

    private static string[] Shares(List<double> all) =>
        [Section.N(Series.Quantile(all, 0.5)), Section.N(Series.Quantile(all, 0.99)), Section.N(all.Max())];
}
