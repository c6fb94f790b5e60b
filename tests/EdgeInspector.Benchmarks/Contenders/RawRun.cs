using EdgeInspector.Benchmarks.Models;
using EdgeInspector.Benchmarks.Rounds;
using Microsoft.ML.OnnxRuntime;

namespace EdgeInspector.Benchmarks.Contenders;

/// <summary>How a raw session computes.</summary>
internal enum RawThreads
{
    /// <summary>A pool of its own with a thread a processor, which stops spinning when a run ends.</summary>
    Own,

    /// <summary>The process's one pool, where the process has one.</summary>
    Shared,

    /// <summary>The calling thread alone.</summary>
    One,
}

/// <summary>
/// The floor: ONNX Runtime's own run of the same models in C#, with buffers bound once, and nothing around it. One thread.
/// </summary>
internal sealed class RawRun : Contender
{
    private readonly RunOptions _options = new();
    private readonly Bound? _detector;
    private readonly InferenceSession? _classifier;
    private readonly Dictionary<int, Bound> _buckets = [];
    private readonly int[] _batches;

    /// <summary>Opens the models.</summary>
    /// <param name="name">As in the tables.</param>
    /// <param name="detector">Null for none.</param>
    /// <param name="classifier">Null for none.</param>
    /// <param name="batches">What the classifier runs, one after the other: 8, 8, 1 are 17 crops.</param>
    /// <param name="threads">How both compute.</param>
    public RawRun(string name, string? detector, string? classifier, int[] batches, RawThreads threads)
        : base(name)
    {
        _batches = classifier is null ? [] : batches;
        if (detector is not null)
        {
            _detector = new Bound(Open(detector, threads), _options, batch: 1, ownsSession: true);
        }

        if (classifier is not null)
        {
            _classifier = Open(classifier, threads);
            foreach (var batch in batches.Distinct())
            {
                _buckets[batch] = new Bound(_classifier, _options, batch, ownsSession: false);
            }
        }
    }

    /// <summary>The batches that a processor's classifier splits so many crops into.</summary>
    public static int[] Split(int crops)
    {
        List<int> batches = [];
        foreach (var size in new[] { 8, 4, 2, 1 })
        {
            for (; crops >= size; crops -= size)
            {
                batches.Add(size);
            }
        }

        return [.. batches];
    }

    /// <summary>The detector's input, to be written before a run.</summary>
    public Span<float> Input => _detector!.Input;

    /// <summary>The detector's output of the last run.</summary>
    public ReadOnlySpan<float> Output => _detector!.Output;

    /// <summary>Its shape.</summary>
    public ReadOnlySpan<long> OutputShape => _detector!.OutputShape;

    /// <inheritdoc/>
    public override double Run()
    {
        var began = TimeProvider.System.GetTimestamp();
        _detector?.Run(_options);
        foreach (var batch in _batches)
        {
            _buckets[batch].Run(_options);
        }

        return TimeProvider.System.GetElapsedTime(began).TotalMilliseconds;
    }

    /// <inheritdoc/>
    protected override void Close()
    {
        foreach (var bucket in _buckets.Values)
        {
            bucket.Dispose();
        }

        _detector?.Dispose();
        _classifier?.Dispose();
        _options.Dispose();
    }

    private static InferenceSession Open(string path, RawThreads threads)
    {
        using var options = new SessionOptions { GraphOptimizationLevel = GraphOptimizationLevel.ORT_ENABLE_ALL };
        switch (threads)
        {
            case RawThreads.Shared:
                options.DisablePerSessionThreads();
                break;
            case RawThreads.One:
                options.IntraOpNumThreads = 1;
                break;
            default:
                options.IntraOpNumThreads = Environment.ProcessorCount;
                options.AddSessionConfigEntry("session.force_spinning_stop", "1");
                break;
        }

        return new InferenceSession(path, options);
    }

    /// <summary>A session with its buffers for one batch.</summary>
    private sealed class Bound : IDisposable
    {
        private readonly InferenceSession _session;
        private readonly bool _ownsSession;
        private readonly float[] _input;
        private readonly float[] _output;
        private readonly OrtValue _inputValue;
        private readonly OrtValue _outputValue;
        private readonly OrtIoBinding _binding;

        public Bound(InferenceSession session, RunOptions options, int batch, bool ownsSession)
        {
            _session = session;
            _ownsSession = ownsSession;
            var (input, output) = (session.InputNames[0], session.OutputNames[0]);
            long[] shape = [batch, .. session.InputMetadata[input].Dimensions.Skip(1)];
            OutputShape = [batch, .. session.OutputMetadata[output].Dimensions.Skip(1)];
            _input = GC.AllocateArray<float>((int)shape.Aggregate((a, b) => a * b), pinned: true);
            _output = GC.AllocateArray<float>((int)OutputShape.Aggregate((a, b) => a * b), pinned: true);
            _input.AsSpan().Fill(0.5f);
            _inputValue = OrtValue.CreateTensorValueFromMemory(OrtMemoryInfo.DefaultInstance, _input.AsMemory(), shape);
            _outputValue = OrtValue.CreateTensorValueFromMemory(OrtMemoryInfo.DefaultInstance, _output.AsMemory(), OutputShape);
            _binding = session.CreateIoBinding();
            _binding.BindInput(input, _inputValue);
            _binding.BindOutput(output, _outputValue);
            session.RunWithBinding(options, _binding);
        }

        public Span<float> Input => _input;

        public ReadOnlySpan<float> Output => _output;

        public long[] OutputShape { get; }

        public void Run(RunOptions options) => _session.RunWithBinding(options, _binding);

        public void Dispose()
        {
            _binding.Dispose();
            _inputValue.Dispose();
            _outputValue.Dispose();
            if (_ownsSession)
            {
                _session.Dispose();
            }
        }
    }
}
