using System.Diagnostics;
using EdgeInspector.Quantization.Graph;
using Microsoft.ML.OnnxRuntime;

namespace EdgeInspector.Quantization.Packages;

/// <summary>
/// Two models timed in turns, round by round: what else the machine does hits both alike, and the ratio of a round means
/// something where milliseconds do not.
/// </summary>
internal static class PairedTiming
{
    private const int FewestRounds = 25;
    private const int MostRounds = 600;
    private static readonly TimeSpan Budget = TimeSpan.FromSeconds(4);

    public static SpeedReport Measure(OnnxGraph before, OnnxGraph after, InputTensor input, int threads)
    {
        using var first = new Contender(before, input, threads);
        using var second = new Contender(after, input, threads);
        for (var i = 0; i < 10; i++)
        {
            first.Run();
            second.Run();
        }

        var (one, two, ratios) = (new List<double>(), new List<double>(), new List<double>());
        var start = Stopwatch.GetTimestamp();
        while (ratios.Count < FewestRounds
            || (ratios.Count < MostRounds && Stopwatch.GetElapsedTime(start) < Budget))
        {
            // Who begins changes, so that neither always finds the caches the other left.
            var swapped = ratios.Count % 2 == 1;
            var (a, b) = swapped ? (second.Run(), first.Run()) : (first.Run(), second.Run());
            one.Add(swapped ? b : a);
            two.Add(swapped ? a : b);
            ratios.Add(one[^1] / two[^1]);
        }

        return new SpeedReport(
            Middle(one), Middle(two), Middle(ratios), At(ratios, 0.25), At(ratios, 0.75), ratios.Count, threads);
    }

    private static double Middle(List<double> values) => At(values, 0.5);

    private static double At(List<double> values, double share)
    {
        var sorted = values.Order().ToArray();
        return Math.Round(sorted[(int)Math.Min(sorted.Length * share, sorted.Length - 1)], 4);
    }

    private sealed class Contender : IDisposable
    {
        private readonly InferenceSession _session;
        private readonly RunOptions _run = new();
        private readonly OrtValue _input;
        private readonly OrtIoBinding _binding;

        public Contender(OnnxGraph graph, InputTensor input, int threads)
        {
            _session = Sessions.Open(graph, GraphOptimizationLevel.ORT_ENABLE_ALL, threads);
            _input = Sessions.Feed(_session, input);
            _binding = _session.CreateIoBinding();
            _binding.BindInput(_session.InputNames[0], _input);
            foreach (var output in _session.OutputNames)
            {
                _binding.BindOutputToDevice(output, OrtMemoryInfo.DefaultInstance);
            }
        }

        public double Run()
        {
            var start = Stopwatch.GetTimestamp();
            _session.RunWithBinding(_run, _binding);
            return Stopwatch.GetElapsedTime(start).TotalMilliseconds;
        }

        public void Dispose()
        {
            _binding.Dispose();
            _input.Dispose();
            _run.Dispose();
            _session.Dispose();
        }
    }
}
