using EdgeInspector.Benchmarks.Contenders;
using EdgeInspector.Benchmarks.Models;
using Microsoft.ML.OnnxRuntime;

namespace EdgeInspector.Benchmarks.Works;

/// <summary>The raw run to compare with: of the ways to run both models, the one that is fastest here.</summary>
internal static class Floor
{
    private const int Trials = 7;

    /// <summary>Tries them and keeps the best.</summary>
    /// <param name="package">The models.</param>
    /// <param name="crops">Pictures for the classifier.</param>
    public static RawRun Fastest(BenchPackage package, int crops)
    {
        RawRun? best = null;
        var bestTime = double.MaxValue;
        foreach (var threads in new[] { RawThreads.Own, RawThreads.Shared })
        {
            foreach (var batches in package.Classifier is null ? [[]] : new int[][] { [crops], [.. Enumerable.Repeat(1, crops)] })
            {
                RawRun? candidate = null;
                try
                {
                    candidate = new RawRun("F: raw C#", package.Detector, package.Classifier, batches, threads);
                    candidate.Run();
                }
                catch (OnnxRuntimeException)
                {
                    candidate?.Dispose(); // The process has no shared pool.
                    continue;
                }

                var times = Enumerable.Range(0, Trials).Select(_ => candidate.Run()).Order().ToArray();
                if (times[Trials / 2] < bestTime)
                {
                    (bestTime, candidate, best) = (times[Trials / 2], best, candidate);
                }

                candidate?.Dispose();
            }
        }

        return best!;
    }
}
