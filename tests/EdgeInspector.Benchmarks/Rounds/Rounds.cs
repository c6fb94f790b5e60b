using EdgeInspector.Line;
using EdgeInspector.Timing;

namespace EdgeInspector.Benchmarks.Rounds;

/// <summary>
/// Measures contenders side by side: each round runs all of them once, in an order of its own, with a pause before each, so
/// that what the machine does meanwhile happens to all alike and no one always follows the same other. A round in which the
/// first contender, the raw run, took over a quarter longer than in its best one is dropped: somebody else was at work.
/// </summary>
internal static class RoundRunner
{
    private const double Disturbed = 1.25;

    /// <summary>Runs them.</summary>
    /// <param name="contenders">The first is what the others are compared with.</param>
    /// <param name="rounds">How many.</param>
    /// <param name="gap">Before each run.</param>
    /// <param name="title">For the progress.</param>
    /// <param name="limit">Rounds end after so long, however many there were.</param>
    public static RoundTable Run(
        IReadOnlyList<Contender> contenders,
        int rounds,
        TimeSpan gap,
        string title,
        TimeSpan? limit = null
    )
    {
        foreach (var contender in contenders)
        {
            for (var i = 0; i < 3; i++)
            {
                contender.Run();
            }
        }

        var times = contenders.Select(_ => new List<double>(rounds)).ToArray();
        var timer = new PreciseTimer(TimeSpan.Zero);
        var machine = MachineLoad.Begin();
        var began = DateTime.UtcNow;
        var told = began;
        var round = 0;
        var order = Enumerable.Range(0, contenders.Count).ToArray();
        var random = new Random(1);

        // Without a limit of time, rounds that will be dropped are made up for, up to as many again.
        bool IsEnough() => round >= rounds && (limit is not null || round >= 2 * rounds || Kept(times[0]).Count() >= rounds);
        for (; !IsEnough() && !(round >= 5 && DateTime.UtcNow - began > limit); round++)
        {
            random.Shuffle(order);
            foreach (var at in order)
            {
                timer.WaitUntil(TimeProvider.System.GetInstant() + gap, spin: false);
                times[at].Add(contenders[at].Run());
            }

            if (DateTime.UtcNow - told > TimeSpan.FromSeconds(10))
            {
                told = DateTime.UtcNow;
                Lab.LabReport.Tell($"  {title}: round {round + 1} of {rounds}");
            }
        }

        var kept = Kept(times[0]).ToArray();
        return new RoundTable(
            title,
            round,
            [.. contenders.Zip(times, (contender, all) => new Series(contender.Name, [.. kept.Select(r => all[r])]))],
            machine.End()
        );
    }

    /// <summary>The rounds in which the floor was undisturbed.</summary>
    private static IEnumerable<int> Kept(List<double> floor)
    {
        var best = floor.Min();
        return Enumerable.Range(0, floor.Count).Where(round => floor[round] <= Disturbed * best);
    }
}
