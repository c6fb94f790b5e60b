using System.Diagnostics.CodeAnalysis;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace EdgeInspector.Vision.Inference;

/// <summary>
/// One ONNX graph with one picture input and one output, ready to run: buffers pinned and bound once for each batch
/// size, warmed up, and nothing allocated per run. Owned by a detector or classifier; one thread at a time.
/// </summary>
internal sealed class Network : IDisposable
{
    private readonly RunOptions _run = new();
    private readonly InferenceSession _session;
    private readonly string _inputName;
    private readonly string _outputName;
    private readonly bool _onProcessor;
    private readonly float[] _input;
    private readonly Bucket[] _buckets;

    private Network(
        InferenceSession session, ModelFile model, ProviderChoice provider, GraphInput graph, int[] batches)
    {
        _session = session;
        _inputName = graph.Name;
        _outputName = session.OutputNames[0];
        _onProcessor = provider is ProviderChoice.Cpu;
        Path = model.Path;
        Provider = Providers.Name(provider);
        Batches = batches;
        SlotLength = graph.Channels * graph.Height * graph.Width;
        _input = GC.AllocateArray<float>(SlotLength * batches[^1], pinned: true);
        _buckets = new Bucket[batches.Length];
        try
        {
            for (var i = 0; i < batches.Length; i++)
            {
                _buckets[i] = Bind(batches[i], graph);
            }
        }
        catch
        {
            Release();
            throw;
        }
    }

    /// <summary>The model's file, for messages.</summary>
    public string Path { get; }

    public string Provider { get; }

    /// <summary>Numbers per picture: channels × height × width.</summary>
    public int SlotLength { get; }

    /// <summary>The batch sizes that are bound, ascending.</summary>
    public int[] Batches { get; }

    public int LargestBatch => Batches[^1];

    /// <summary>
    /// Opens the model and runs each batch size twice: an accelerator searches its kernels in the first run.
    /// </summary>
    /// <param name="batches">Batch sizes wanted, ascending; a graph whose batch is fixed has that one alone.</param>
    /// <exception cref="ModelPackageException">The model cannot be read or is not what the manifest says.</exception>
    /// <exception cref="OnnxRuntimeException">The provider failed (<see cref="Providers.IsFailure"/>).</exception>
    public static Network Open(
        ModelFile model, NetworkInput input, ProviderChoice provider, InferenceOptions options, int[] batches)
    {
        OrtRuntime.Start();
        var channels = input.Channels is ChannelOrder.Grey ? 1 : 3;

        // An accelerator's profile needs the input's name, which only an opened model tells.
        var name = "input";
        if (provider is ProviderChoice.TensorRt && batches.Length > 1)
        {
            using var probe = OpenSession(model, Providers.Common(options, 1), ProviderChoice.Cpu);
            name = probe.InputNames[0];
        }

        var sessionOptions =
            Providers.Configure(provider, options, name, [channels, input.Height, input.Width], batches[^1]);
        var session = OpenSession(model, sessionOptions, provider);
        try
        {
            var graph = GraphInput.Require(session, model.Path, input, channels);
            return new Network(session, model, provider, graph, graph.FixedBatch is { } one ? [one] : batches);
        }
        catch
        {
            session.Dispose();
            throw;
        }
    }

    /// <summary>The numbers of picture number <paramref name="slot"/> of the next run, planes first.</summary>
    public Span<float> Input(int slot) => _input.AsSpan(slot * SlotLength, SlotLength);

    /// <summary>
    /// The batch to run when so many pictures are left. On a processor a batch gains nothing, so unused slots are
    /// avoided (the largest batch that is filled); an accelerator takes the smallest that holds them all.
    /// </summary>
    public int BatchFor(int pictures)
    {
        if (!_onProcessor)
        {
            foreach (var bucket in _buckets)
            {
                if (bucket.Size >= pictures)
                {
                    return bucket.Size;
                }
            }

            return LargestBatch;
        }

        for (var i = _buckets.Length - 1; i > 0; i--)
        {
            if (_buckets[i].Size <= pictures)
            {
                return _buckets[i].Size;
            }
        }

        return _buckets[0].Size;
    }

    /// <summary>Shape of what <see cref="Run"/> returns for this batch.</summary>
    public ReadOnlySpan<long> OutputShape(int batch) => Find(batch).Shape;

    /// <summary>Runs the first <paramref name="batch"/> slots; the result holds until the next run.</summary>
    public ReadOnlySpan<float> Run(int batch)
    {
        var bucket = Find(batch);
        if (_onProcessor)
        {
            _session.RunWithBinding(_run, bucket.Binding);
        }
        else
        {
            // Binding copies the input to the accelerator, so it is done anew for each run.
            bucket.Binding.BindInput(_inputName, bucket.Input);
            bucket.Binding.SynchronizeBoundInputs();
            _session.RunWithBinding(_run, bucket.Binding);
            bucket.Binding.SynchronizeBoundOutputs();
        }

        return bucket.Output;
    }

    public void Dispose()
    {
        Release();
        _session.Dispose();
    }

    /// <summary>Opens a session and turns what the runtime says about a bad file into one line.</summary>
    [SuppressMessage("Reliability", "CA2000", Justification = "The caller disposes the session.")]
    internal static InferenceSession OpenSession(ModelFile model, SessionOptions options, ProviderChoice provider)
    {
        using (options)
        {
            try
            {
                return new InferenceSession(SignedActivations.ForThisProcessor(model.Bytes), options);
            }
            catch (OnnxRuntimeException exception) when (provider is ProviderChoice.Cpu)
            {
                throw new ModelPackageException(
                    exception.Message.Contains("InvalidProtobuf", StringComparison.Ordinal)
                        ? $"{model.Path}: not an ONNX model, damaged or cut short; copy it again."
                        : $"{model.Path}: ONNX Runtime refuses this model ({exception.Message}); export it again.",
                    exception);
            }
        }
    }

    private Bucket Find(int batch)
    {
        foreach (var bucket in _buckets)
        {
            if (bucket.Size == batch)
            {
                return bucket;
            }
        }

        throw new ArgumentOutOfRangeException(nameof(batch));
    }

    private Bucket Bind(int batch, GraphInput graph)
    {
        long[] shape = [batch, graph.Channels, graph.Height, graph.Width];
        var input = OrtValue.CreateTensorValueFromMemory(
            OrtMemoryInfo.DefaultInstance, _input.AsMemory(0, batch * SlotLength), shape);
        OrtValue? output = null;
        OrtIoBinding? binding = null;
        try
        {
            var (outputShape, length) = FirstRun(input);
            var buffer = GC.AllocateArray<float>(length, pinned: true);
            output = OrtValue.CreateTensorValueFromMemory(
                OrtMemoryInfo.DefaultInstance, buffer.AsMemory(), outputShape);
            binding = _session.CreateIoBinding();
            binding.BindInput(_inputName, input);
            binding.BindOutput(_outputName, output);
            _session.RunWithBinding(_run, binding);
            return new Bucket(batch, binding, input, output, buffer, outputShape);
        }
        catch (Exception exception)
        {
            binding?.Dispose();
            output?.Dispose();
            input.Dispose();
            if (_onProcessor && exception is OnnxRuntimeException)
            {
                throw new ModelPackageException(
                    $"{Path}: the model fails on a batch of {batch} ({exception.Message}); export it again.",
                    exception);
            }

            throw;
        }
    }

    /// <summary>A run that lets the runtime say what shape comes out.</summary>
    private (long[] Shape, int Length) FirstRun(OrtValue input)
    {
        using var outputs = _session.Run(_run, [_inputName], [input], [_outputName]);
        var info = outputs[0].GetTensorTypeAndShape();
        return (info.Shape, checked((int)info.ElementCount));
    }

    private void Release()
    {
        foreach (var bucket in _buckets)
        {
            bucket?.Dispose();
        }

        _run.Dispose();
    }

    /// <summary>One batch size with its bound buffers.</summary>
    private sealed class Bucket(
        int size, OrtIoBinding binding, OrtValue input, OrtValue outputValue, float[] output, long[] shape)
        : IDisposable
    {
        public int Size { get; } = size;

        public OrtIoBinding Binding { get; } = binding;

        public OrtValue Input { get; } = input;

        public float[] Output { get; } = output;

        public long[] Shape { get; } = shape;

        public void Dispose()
        {
            Binding.Dispose();
            Input.Dispose();
            outputValue.Dispose();
        }
    }

    /// <summary>What the graph wants to be fed.</summary>
    private sealed record GraphInput(string Name, int Channels, int Height, int Width, int? FixedBatch)
    {
        public static GraphInput Require(InferenceSession session, string path, NetworkInput wanted, int channels)
        {
            if (session.InputNames.Count != 1 || session.OutputNames.Count != 1)
            {
                throw new ModelPackageException($"{path}: the model has {session.InputNames.Count} inputs and "
                    + $"{session.OutputNames.Count} outputs, one of each is needed; export it with one output.");
            }

            RequireFloat(path, "input", session.InputMetadata[session.InputNames[0]]);
            RequireFloat(path, "output", session.OutputMetadata[session.OutputNames[0]]);
            var shape = session.InputMetadata[session.InputNames[0]].Dimensions;
            if (shape.Length != 4 || Differs(shape[1], channels) || Differs(shape[2], wanted.Height)
                || Differs(shape[3], wanted.Width))
            {
                throw new ModelPackageException($"{path}: the model's input is {Describe(shape)}, the manifest says "
                    + $"[batch,{channels},{wanted.Height},{wanted.Width}]; correct width, height and channels in "
                    + $"{ModelManifest.FileName}.");
            }

            return new GraphInput(
                session.InputNames[0], channels, wanted.Height, wanted.Width, shape[0] > 0 ? shape[0] : null);

            static bool Differs(int dimension, int wanted) => dimension > 0 && dimension != wanted;
        }

        private static void RequireFloat(string path, string what, NodeMetadata node)
        {
            if (!node.IsTensor || node.ElementDataType is not TensorElementType.Float)
            {
                var type = node.IsTensor ? node.ElementDataType.ToString() : node.OnnxValueType.ToString();
                throw new ModelPackageException(
                    $"{path}: the model's {what} is {type}, 32-bit floats are needed; export it with a float {what}.");
            }
        }

        private static string Describe(int[] shape) =>
            $"[{string.Join(',', shape.Select(dimension => dimension > 0 ? $"{dimension}" : "?"))}]";
    }
}
