using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace EdgeInspector.Vision.Inference;

/// <summary>
/// One ONNX graph that takes a picture, ready to run: buffers pinned and bound once for each batch size, warmed up, and
/// nothing allocated per run. Owned by a detector or classifier; one thread at a time.
/// </summary>
internal sealed class Network : IDisposable
{
    /// <summary>256 MiB of floats, read out for every picture, are no detector's output.</summary>
    private const long LargestOutput = 1L << 26;

    private readonly RunOptions _run = new();
    private readonly InferenceSession _session;
    private readonly bool _ownsSession;
    private readonly ProviderChoice _provider;
    private readonly NetworkInputs _inputs;
    private readonly TimeSpan _longestFirstRun;
    private readonly string _inputName;
    private readonly string[] _outputNames;
    private readonly bool _onProcessor;
    private readonly byte[] _input;
    private readonly Bucket[] _buckets;

    private Network(
        InferenceSession session,
        bool ownsSession,
        string path,
        ProviderChoice provider,
        NetworkInputs inputs,
        string[] outputNames,
        int[] batches,
        TimeSpan longestFirstRun)
    {
        _session = session;
        _ownsSession = ownsSession;
        _provider = provider;
        _inputs = inputs;
        _longestFirstRun = longestFirstRun;
        _inputName = inputs.Picture;
        _outputNames = outputNames;
        _onProcessor = provider is ProviderChoice.Cpu;
        Path = path;
        Provider = Providers.Name(provider);
        Batches = batches;
        SlotBytes = inputs.SlotBytes;
        _input = GC.AllocateArray<byte>(checked(SlotBytes * batches[^1]), pinned: true);
        _buckets = new Bucket[batches.Length];
        try
        {
            for (var i = 0; i < batches.Length; i++)
            {
                _buckets[i] = Bind(batches[i], inputs, longestFirstRun);
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

    /// <summary>Bytes per picture: channels × height × width × those of one number.</summary>
    public int SlotBytes { get; }

    /// <summary>The batch sizes that are bound, ascending.</summary>
    public int[] Batches { get; }

    public int LargestBatch => Batches[^1];

    /// <summary>
    /// Opens the model and runs each batch size twice: an accelerator searches its kernels in the first run.
    /// </summary>
    /// <param name="model">Its bytes and what they say.</param>
    /// <param name="input">How a picture is fed, as the manifest says.</param>
    /// <param name="provider">What runs it.</param>
    /// <param name="options">Of this machine.</param>
    /// <param name="batches">Batch sizes wanted, ascending; a graph whose batch is fixed has that one alone.</param>
    /// <param name="outputs">Names of the outputs that are read, in that order; the others are not fetched.</param>
    /// <exception cref="ModelPackageException">The model cannot be read or is not what the manifest says.</exception>
    /// <exception cref="OnnxRuntimeException">The provider failed (<see cref="Providers.IsFailure"/>).</exception>
    public static Network Open(
        ModelFile model,
        NetworkInput input,
        ProviderChoice provider,
        InferenceOptions options,
        int[] batches,
        IReadOnlyList<string> outputs)
    {
        OrtRuntime.Start();
        var channels = input.Channels is ChannelOrder.Grey ? 1 : 3;

        // An accelerator's profile needs the input's name.
        var shape = new NetworkShape(
            model.Sha256,
            model.IsQuantized,
            model.Outline.Inputs.FirstOrDefault(one => !NetworkInputs.IsSide(one.Name))?.Name ?? "input",
            input.Layout is InputLayout.Nhwc
                ? [input.Height, input.Width, channels]
                : [channels, input.Height, input.Width],
            input.Height * input.Width,
            model.Outline.Parameters,
            batches);
        var sessionOptions = Providers.Configure(provider, options, shape);
        var session = OpenSession(model, sessionOptions, provider);
        try
        {
            var inputs = NetworkInputs.Require(session, model.Path, input);
            foreach (var output in outputs)
            {
                var node = session.OutputMetadata[output];
                if (!node.IsTensor || NetworkOutput.SizeOf(node.ElementDataType) == 0)
                {
                    var type = node.IsTensor ? node.ElementDataType.ToString() : node.OnnxValueType.ToString();
                    throw new ModelPackageException(
                        $"{model.Path}: its output {output} is {type}; export it with 32-bit floats.");
                }
            }

            return new Network(
                session,
                ownsSession: true,
                model.Path,
                provider,
                inputs,
                [.. outputs],
                inputs.FixedBatch is { } one ? [one] : batches,
                options.LongestFirstRun);
        }
        catch
        {
            session.Dispose();
            throw;
        }
    }

    /// <summary>
    /// The same network once more, with buffers of its own, for another thread: both run at the same time, and the weights
    /// are in memory once. This one must outlive it.
    /// </summary>
    public Network Beside() =>
        new(_session, ownsSession: false, Path, _provider, _inputs, _outputNames, Batches, _longestFirstRun);

    /// <summary>The memory of picture number <paramref name="slot"/> of the next run, whatever its numbers are.</summary>
    public Span<byte> InputBytes(int slot) => _input.AsSpan(slot * SlotBytes, SlotBytes);

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

    /// <summary>What <see cref="Run"/> returns for this batch; for looking at shapes before the first run.</summary>
    public NetworkOutputs Outputs(int batch) => Find(batch).Outputs;

    /// <summary>Runs the first <paramref name="batch"/> slots; the result holds until the next run.</summary>
    public NetworkOutputs Run(int batch)
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

        bucket.Outputs.Convert();
        return bucket.Outputs;
    }

    public void Dispose()
    {
        Release();
        if (_ownsSession)
        {
            _session.Dispose();
        }
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

    private Bucket Bind(int batch, NetworkInputs inputs, TimeSpan longest)
    {
        var input = OrtValue.CreateTensorValueWithData(
            OrtMemoryInfo.DefaultInstance,
            inputs.Element,
            inputs.Shape(batch),
            Marshal.UnsafeAddrOfPinnedArrayElement(_input, 0),
            (long)batch * SlotBytes);
        var sides = new List<(string Name, OrtValue Value, byte[] Memory)>();
        NetworkOutputs? outputs = null;
        OrtIoBinding? binding = null;

        // A graph may hold a loop that never ends. An accelerator may rightly need minutes to build its engine.
        using var patience = new Timer(
            _ => _run.Terminate = true, null, _onProcessor ? longest : Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        try
        {
            sides = inputs.Sides(_session, batch);
            outputs = FirstRun(batch, input, sides);
            binding = _session.CreateIoBinding();
            binding.BindInput(_inputName, input);
            foreach (var side in sides)
            {
                binding.BindInput(side.Name, side.Value);
            }

            outputs.BindTo(binding);

            // Another picture than the first run's: an output that changes its size with what it sees fails here.
            new Random(1).NextBytes(_input.AsSpan(0, batch * SlotBytes));
            if (inputs.Element is not TensorElementType.UInt8)
            {
                // Bits at random are numbers of any size, and no numbers; keep the sign and a small exponent.
                Soften(batch, inputs.Element);
            }

            _session.RunWithBinding(_run, binding);
            Array.Clear(_input);
            return new Bucket(batch, binding, input, sides, outputs);
        }
        catch (Exception exception)
        {
            binding?.Dispose();
            outputs?.Dispose();
            input.Dispose();
            sides.ForEach(side => side.Value.Dispose());
            if (_onProcessor && exception is OnnxRuntimeException)
            {
                throw new ModelPackageException(
                    _run.Terminate
                        ? $"{Path}: the model does not finish a picture within {longest.TotalSeconds:0} s; export it "
                            + "without loops."
                    : exception.Message.Contains("shape verification failed", StringComparison.Ordinal)
                        ? $"{Path}: an output changes its size with the picture ({exception.Message}); export it with "
                            + "outputs of one size, without non-maximum suppression."
                        : $"{Path}: the model fails on a batch of {batch} ({exception.Message}); export it again.",
                    exception);
            }

            throw;
        }
    }

    /// <summary>Makes random bits numbers between −2 and 2.</summary>
    private void Soften(int batch, TensorElementType element)
    {
        var bytes = _input.AsSpan(0, batch * SlotBytes);
        if (element is TensorElementType.Float16)
        {
            foreach (ref var bits in MemoryMarshal.Cast<byte, ushort>(bytes))
            {
                bits = (ushort)((bits & 0x83FF) | 0x3C00);
            }
        }
        else
        {
            foreach (ref var bits in MemoryMarshal.Cast<byte, uint>(bytes))
            {
                bits = (bits & 0x807FFFFF) | 0x3F800000;
            }
        }
    }

    /// <summary>A run that lets the runtime say what shapes come out; buffers for them.</summary>
    private NetworkOutputs FirstRun(
        int batch, OrtValue input, List<(string Name, OrtValue Value, byte[] Memory)> sides)
    {
        using var results = _session.Run(
            _run,
            [_inputName, .. sides.Select(side => side.Name)],
            [input, .. sides.Select(side => side.Value)],
            _outputNames);
        var made = new List<NetworkOutput>();
        try
        {
            for (var i = 0; i < results.Count; i++)
            {
                var info = results[i].GetTensorTypeAndShape();
                if (info.ElementCount > LargestOutput)
                {
                    throw new ModelPackageException(
                        $"{Path}: its output {_outputNames[i]} has {info.ElementCount} numbers for a batch of {batch}, "
                        + $"{LargestOutput} is the most; export a smaller model.");
                }

                made.Add(NetworkOutput.Bound(
                    _outputNames[i], info.Shape, (int)info.ElementCount, info.ElementDataType));
            }

            return new NetworkOutputs(made);
        }
        catch
        {
            made.ForEach(output => output.Dispose());
            throw;
        }
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
        int size,
        OrtIoBinding binding,
        OrtValue input,
        List<(string Name, OrtValue Value, byte[] Memory)> sides,
        NetworkOutputs outputs)
        : IDisposable
    {
        public int Size { get; } = size;

        public OrtIoBinding Binding { get; } = binding;

        public OrtValue Input { get; } = input;

        public NetworkOutputs Outputs { get; } = outputs;

        public void Dispose()
        {
            Binding.Dispose();
            Input.Dispose();
            Outputs.Dispose();
            sides.ForEach(side => side.Value.Dispose());
        }
    }
}
