using System.Globalization;

namespace EdgeInspector.Benchmarks.Rounds;

/// <summary>What the processors did over a stretch of time, from /proc/stat: a figure taken on a busy machine says so.</summary>
internal sealed class MachineLoad
{
    private readonly long[] _before = Read();

    private MachineLoad() { }

    public static MachineLoad Begin() => new();

    /// <summary>The shares since the beginning.</summary>
    public Share End()
    {
        var now = Read();
        var spent = now.Zip(_before, (late, early) => late - early).ToArray();
        double total = Math.Max(1, spent.Sum());
        return new Share((spent[3] + spent[4]) / total, spent[7] / total);
    }

    /// <summary>user, nice, system, idle, iowait, irq, softirq, steal; in ticks.</summary>
    private static long[] Read() =>
        [
            .. File.ReadLines("/proc/stat")
                .First()
                .Split(' ', StringSplitOptions.RemoveEmptyEntries)
                .Skip(1)
                .Take(8)
                .Select(ticks => long.Parse(ticks, CultureInfo.InvariantCulture)),
        ];

    /// <summary>Shares of all processors' time, 0 to 1: idle, and taken by other virtual machines.</summary>
    internal readonly record struct Share(double Idle, double Steal);
}
