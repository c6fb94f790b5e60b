using EdgeInspector.Quantization.Graph;
using EdgeInspector.Quantization.Proto;
using Microsoft.ML.OnnxRuntime;

namespace EdgeInspector.Quantization.Calibration;

/// <summary>
/// Watches a graph at work on typical pictures and says between which numbers its values lie. A first pass takes lowest,
/// highest and count inside the graph, so nothing large leaves it; where a method needs the whole distribution, further
/// passes look at as many values at a time as the memory allows.
/// </summary>
public static class Calibrator
{
    /// <param name="graph">Not changed.</param>
    /// <param name="edges">The values to watch: 32-bit floats.</param>
    /// <param name="options">Method and memory.</param>
    /// <param name="inputs">What the graph is fed; walked through once for each pass.</param>
    /// <param name="progress">Told the inputs done and to be done, all passes together; null where nobody looks.</param>
    /// <exception cref="OnnxException">The graph cannot be run, or gives NaN or infinity.</exception>
    public static IReadOnlyDictionary<string, ActivationRange> Run(
        OnnxGraph graph,
        IReadOnlyList<string> edges,
        QuantizationOptions options,
        IReadOnlyList<Func<InputTensor>> inputs,
        Action<int, int>? progress = null,
        CancellationToken cancellationToken = default)
    {
        if (inputs.Count == 0)
        {
            throw new OnnxException($"{graph.Path}: no picture to calibrate with; name a folder that holds some.");
        }

        var passes = options.Method is CalibrationMethod.MinMax ? 1 : 2;
        var done = 0;
        var limits = Limits(graph, edges, Feed);
        if (options.Method is CalibrationMethod.MinMax)
        {
            return limits.ToDictionary(pair => pair.Key, pair => pair.Value.Range);
        }

        var groups = Groups(edges, limits, options.Memory);
        passes = 1 + groups.Count;
        var ranges = new Dictionary<string, ActivationRange>(StringComparer.Ordinal);
        foreach (var group in groups)
        {
            foreach (var (edge, histogram) in Count(graph, group, limits, Feed))
            {
                ranges[edge] = options.Method is CalibrationMethod.Entropy
                    ? histogram.Entropy()
                    : histogram.Percentile(options.Percentile);
            }
        }

        return ranges;

        IEnumerable<InputTensor> Feed()
        {
            foreach (var input in inputs)
            {
                cancellationToken.ThrowIfCancellationRequested();
                yield return input();
                progress?.Invoke(++done, passes * inputs.Count);
            }
        }
    }

    /// <summary>As many values together as fit the memory; one alone where it does not fit at all.</summary>
    private static List<List<string>> Groups(
        IReadOnlyList<string> edges, Dictionary<string, (ActivationRange Range, long Count)> limits, long memory)
    {
        var groups = new List<List<string>>();
        var left = 0L;
        foreach (var edge in edges)
        {
            var size = limits[edge].Count * sizeof(float);
            if (groups.Count == 0 || size > left)
            {
                groups.Add([]);
                left = memory;
            }

            groups[^1].Add(edge);
            left -= size;
        }

        return groups;
    }

    private static Dictionary<string, (ActivationRange Range, long Count)> Limits(
        OnnxGraph graph, IReadOnlyList<string> edges, Func<IEnumerable<InputTensor>> feed)
    {
        var watching = graph.Clone();
        watching.Graph.Output.Clear();
        foreach (var (edge, i) in edges.Select((edge, i) => (edge, i)))
        {
            foreach (var op in new[] { "ReduceMin", "ReduceMax", "Size" })
            {
                var result = watching.FreshName($"{op}/{i}");
                watching.Insert(Nodes.Create(
                    op, [edge], [result], op == "Size" ? [] : [Nodes.Of("keepdims", 0)]));
                watching.Graph.Output.Add(new ValueInfoProto { Name = result });
            }
        }

        var limits = new Dictionary<string, (ActivationRange Range, long Count)>(StringComparer.Ordinal);
        using var session = new WatchingSession(watching);
        foreach (var input in feed())
        {
            using var results = session.Run(input);
            for (var i = 0; i < edges.Count; i++)
            {
                var lowest = results[3 * i].GetTensorDataAsSpan<float>()[0];
                var highest = results[(3 * i) + 1].GetTensorDataAsSpan<float>()[0];
                var count = results[(3 * i) + 2].GetTensorDataAsSpan<long>()[0];
                if (!float.IsFinite(lowest) || !float.IsFinite(highest))
                {
                    throw new OnnxException(
                        $"{graph.Path}: '{edges[i]}' becomes NaN or infinite on a calibration picture; mend the model "
                        + "or leave that picture out.");
                }

                var range = ActivationRange.Including0(lowest, highest);
                limits[edges[i]] = limits.TryGetValue(edges[i], out var before)
                    ? (new ActivationRange(
                        Math.Min(before.Range.Lowest, range.Lowest),
                        Math.Max(before.Range.Highest, range.Highest)), Math.Max(before.Count, count))
                    : (range, count);
            }
        }

        return limits;
    }

    private static IEnumerable<(string Edge, Histogram Histogram)> Count(
        OnnxGraph graph,
        List<string> edges,
        Dictionary<string, (ActivationRange Range, long Count)> limits,
        Func<IEnumerable<InputTensor>> feed)
    {
        var watching = graph.Clone();
        watching.Graph.Output.Clear();
        foreach (var edge in edges)
        {
            // A graph's input cannot be its output.
            var result = watching.FreshName($"{edge}/seen");
            watching.Insert(Nodes.Create("Identity", [edge], [result]));
            watching.Graph.Output.Add(new ValueInfoProto { Name = result });
        }

        var histograms = edges.Select(edge => new Histogram(limits[edge].Range)).ToArray();
        using var session = new WatchingSession(watching);
        foreach (var input in feed())
        {
            using var results = session.Run(input);
            for (var i = 0; i < edges.Count; i++)
            {
                histograms[i].Add(results[i].GetTensorDataAsSpan<float>());
            }
        }

        return edges.Zip(histograms);
    }

    /// <summary>A session over a graph with outputs added.</summary>
    private sealed class WatchingSession : IDisposable
    {
        private readonly string _path;
        private readonly InferenceSession _session;
        private readonly RunOptions _run = new();

        public WatchingSession(OnnxGraph graph)
        {
            _path = graph.Path;
            graph.Sort();

            // Only what leads to the watched values is run; the values themselves must stay what the file says.
            _session = Sessions.Open(graph, GraphOptimizationLevel.ORT_ENABLE_BASIC);
            if (_session.InputNames.Count != 1)
            {
                _session.Dispose();
                throw new OnnxException($"{_path}: the model has {_session.InputNames.Count} inputs, one is needed; "
                    + "export it with one.");
            }
        }

        public IDisposableReadOnlyCollection<OrtValue> Run(InputTensor input)
        {
            try
            {
                using var value = Sessions.Feed(_session, input);
                return _session.Run(_run, _session.InputNames, [value], _session.OutputNames);
            }
            catch (OnnxRuntimeException exception)
            {
                throw new OnnxException($"{_path}: the model fails ({exception.Message}); export it again.", exception);
            }
        }

        public void Dispose()
        {
            _run.Dispose();
            _session.Dispose();
        }
    }
}
