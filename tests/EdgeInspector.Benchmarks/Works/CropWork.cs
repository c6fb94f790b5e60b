using EdgeInspector.Benchmarks.Contenders;
using EdgeInspector.Benchmarks.Models;
using EdgeInspector.Benchmarks.Report;
using EdgeInspector.Benchmarks.Rounds;
using EdgeInspector.Lab;
using EdgeInspector.Vision;

namespace EdgeInspector.Benchmarks.Works;

/// <summary>W4: what a crop more costs.</summary>
internal static class CropWork
{
    private static readonly int[] Counts = [1, 2, 4, 8, 16, 32];

    /// <summary>The slope from 0 to 32 crops.</summary>
    public static Section Slope(Bench bench)
    {
        var section = new Section("W4", "0 to 32 crops of the int8 classifier out of 1280 × 1024, cost per crop");
        var file = bench.Yolo(320, ClassifierKind.Int8);
        using var picture = Scene.Picture(bench.Seed);
        using var package = ModelPackage.Load(file.Folder, Own.Latency);
        List<Contender> contenders = [];
        foreach (var count in Counts)
        {
            contenders.Add(new RawRun($"raw, {count}", null, file.Classifier, RawRun.Split(count), RawThreads.Own));
            contenders.Add(new OwnClassifier($"ours, {count}", package, picture, Scene.Boxes(count)));
        }

        var table = RoundRunner.Run(contenders, bench.IsFull ? 200 : 20, TimeSpan.FromMilliseconds(2), "W4");
        contenders.ForEach(contender => contender.Dispose());
        var raw = Slopes(table, "raw");
        var ours = Slopes(table, "ours");
        section.Table(
            ["crops", "F, ms", "EdgeInspector, ms", "ratio"],
            Counts.Select(count => new[]
            {
                $"{count}", Section.R(table[$"raw, {count}"].Median), Section.R(table[$"ours, {count}"].Median),
                Section.R(table[$"ours, {count}"].RatioTo(table[$"raw, {count}"]).Median),
            })
        );
        var ratio = ours.RatioTo(raw);
        section.Say($"Slope {ours.Median:F3} ms a crop, raw {raw.Median:F3}; ratio {ratio.Median:F3} ({ratio.Lower:F3} to {ratio.Upper:F3}). {table.Kept} of {table.Rounds} rounds kept; processors {table.Load.Idle:P0} idle, {table.Load.Steal:P1} stolen.");
        section.Checks.Add(LabCheck.AtMost("W4 cost per crop, ratio to raw", ratio.Median, 1.03, LabCheck.Timing));
        return section;
    }

    /// <summary>The straight line through each round's times.</summary>
    private static Series Slopes(RoundTable table, string who)
    {
        var mean = Counts.Average();
        var square = Counts.Sum(count => (count - mean) * (count - mean));
        return new Series(
            who,
            [
                .. Enumerable.Range(0, table.Kept).Select(round => Counts.Sum(count => (count - mean) * table[$"{who}, {count}"].Values[round]) / square),
            ]
        );
    }
}
