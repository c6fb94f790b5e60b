using System.Diagnostics;
using EdgeInspector.Benchmarks.Contenders;
using EdgeInspector.Benchmarks.Models;
using EdgeInspector.Benchmarks.Report;
using EdgeInspector.Benchmarks.Rounds;
using EdgeInspector.Lab;
using EdgeInspector.Line;
using EdgeInspector.Timing;
using EdgeInspector.Vision;
using OpenCvSharp;

namespace EdgeInspector.Benchmarks.Works;

/// <summary>W2 in throughput mode, and W5: frames a second when there are more frames than can be judged.</summary>
internal static class ThroughputWork
{
    private const int Size = 320;

    /// <summary>Frames a second of one camera, beside what a thread per processor would give if none disturbed the other.</summary>
    public static Section Bound(Bench bench)
    {
        var section = new Section("W2T", "as W2, one camera in throughput mode, more frames than can be judged");
        var workers = Environment.ProcessorCount;
        var package = bench.Yolo(Size, ClassifierKind.Int8);
        using var picture = Scene.Picture(bench.Seed);
        using var stations = new Stations(1, package.Folder, picture);
        var raws = Enumerable.Range(0, workers).Select(_ => new RawRun("raw", package.Detector, package.Classifier, [Scene.Parts], RawThreads.One)).ToArray();
        var time = TimeSpan.FromSeconds(bench.IsFull ? 2 : 1);
        List<double> alone = [], together = [], mine = [];
        var load = MachineLoad.Begin();
        for (var round = 0; round < (bench.IsFull ? 20 : 4); round++)
        {
            alone.Add(1000 / Series.Quantile(Repeat(raws[0], time), 0.5));
            together.Add(Together(raws, time));
            mine.Add(stations.FramesPerSecond(time));
        }

        foreach (var raw in raws)
        {
            raw.Dispose();
        }

        var share = load.End();
        var bound = new Series("bound", [.. alone.Select(rate => rate * workers)]);
        var (own, floor) = (new Series("ours", [.. mine]), new Series("raw", [.. together]));
        section.Table(
            ["frames/s", "p50", "ratio to the bound", "quartiles"],
            new[] { ("bound: processors / one-thread raw run", bound), ("raw C#, a thread a processor", floor), ("EdgeInspector, one camera", own) }
                .Select(row => new[]
                {
                    row.Item1, Section.N(row.Item2.Median), Section.R(row.Item2.RatioTo(bound).Median),
                    $"{Section.R(row.Item2.RatioTo(bound).Lower)} to {Section.R(row.Item2.RatioTo(bound).Upper)}",
                })
        );
        section.Say($"{mine.Count} rounds of {time.TotalSeconds:F0} s each; processors {share.Idle:P0} idle, {share.Steal:P1} stolen. Beside raw threads at the same time: {own.RatioTo(floor).Median:F3}.");
        section.Checks.Add(LabCheck.AtLeast("W2 frames/s at saturation, ratio to the bound", own.RatioTo(bound).Median, 0.97, LabCheck.Timing));
        return section;
    }

    /// <summary>The same with 1, 2, 4 and 8 cameras.</summary>
    public static Section Cameras(Bench bench)
    {
        var section = new Section("W5", "1, 2, 4 and 8 cameras at saturation, frames a second of all together");
        int[] counts = [1, 2, 4, 8];
        var package = bench.Yolo(Size, ClassifierKind.Int8);
        using var picture = Scene.Picture(bench.Seed);
        var time = TimeSpan.FromSeconds(bench.IsFull ? 2 : 1);
        var all = counts.Select(count => new Stations(count, package.Folder, picture)).ToArray();
        var rates = counts.Select(_ => new List<double>()).ToArray();
        var load = MachineLoad.Begin();
        for (var round = 0; round < (bench.IsFull ? 20 : 3); round++)
        {
            for (var i = 0; i < counts.Length; i++)
            {
                var at = (round + i) % counts.Length;
                rates[at].Add(all[at].FramesPerSecond(time));
            }
        }

        foreach (var stations in all)
        {
            stations.Dispose();
        }

        var share = load.End();
        var series = counts.Select((count, i) => new Series($"{count}", [.. rates[i]])).ToArray();
        var most = series.MaxBy(s => s.Median)!;
        section.Table(
            ["cameras", "frames/s, p50", "ratio to the best", "quartiles"],
            series.Select(s => new[]
            {
                s.Name, Section.N(s.Median), Section.R(s.RatioTo(most).Median), $"{Section.R(s.RatioTo(most).Lower)} to {Section.R(s.RatioTo(most).Upper)}",
            })
        );
        section.Say($"{rates[0].Count} rounds of {time.TotalSeconds:F0} s each; processors {share.Idle:P0} idle, {share.Steal:P1} stolen.");
        var least = series.Min(s => s.RatioTo(most).Median);
        section.Checks.Add(LabCheck.AtMost("W5 frames/s of 1 to 8 cameras, furthest below the best, share", 1 - least, 0.03, LabCheck.Timing));
        return section;
    }

    private static List<double> Repeat(RawRun raw, TimeSpan time)
    {
        List<double> times = [];
        for (var watch = Stopwatch.StartNew(); watch.Elapsed < time; )
        {
            times.Add(raw.Run());
        }

        return times;
    }

    private static double Together(RawRun[] raws, TimeSpan time)
    {
        var counts = new int[raws.Length];
        var watch = Stopwatch.StartNew();
        var threads = raws.Select((raw, i) => new Thread(() => counts[i] = Repeat(raw, time).Count)).ToArray();
        Array.ForEach(threads, thread => thread.Start());
        Array.ForEach(threads, thread => thread.Join());
        return counts.Sum() / watch.Elapsed.TotalSeconds;
    }

    /// <summary>Stations that share nothing but the machine, each fed more frames than its share.</summary>
    private sealed class Stations : IDisposable
    {
        /// <summary>Frames a second over all cameras: twice what two processors judge.</summary>
        private const double Offered = 60;

        private readonly List<ModelPackage> _packages = [];
        private readonly List<OwnStation> _stations = [];

        public Stations(int count, string folder, Mat picture)
        {
            for (var i = 0; i < count; i++)
            {
                _packages.Add(ModelPackage.Load(folder, Own.Throughput(count)));
                _stations.Add(new OwnStation(_packages[i], picture, $"bench-{i}"));
            }
        }

        /// <summary>Feeds all for so long.</summary>
        public double FramesPerSecond(TimeSpan time)
        {
            var interval = TimeSpan.FromSeconds(1 / (Offered * Environment.ProcessorCount));
            var before = _stations.Sum(station => station.Figures.Frames);
            var timer = new PreciseTimer(TimeSpan.Zero);
            var start = TimeProvider.System.GetInstant();
            var watch = Stopwatch.StartNew();
            for (var frame = 0; watch.Elapsed < time; frame++)
            {
                _stations[frame % _stations.Count].TryPut();
                timer.WaitUntil(start + ((frame + 1) * interval), spin: false);
            }

            return (_stations.Sum(station => station.Figures.Frames) - before) / watch.Elapsed.TotalSeconds;
        }

        public void Dispose()
        {
            _stations.ForEach(station => station.Dispose());
            _packages.ForEach(package => package.Dispose());
        }
    }
}
