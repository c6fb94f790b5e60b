using System.Globalization;
using Microsoft.ML.OnnxRuntime;

namespace EdgeInspector.Vision.Inference;

/// <summary>What a session has to know of the network it runs, before it is opened.</summary>
/// <param name="Sha256">Of the model; empty when no engine is to be kept.</param>
/// <param name="IsQuantized">Whether the graph has quantised stretches.</param>
/// <param name="InputName">Of the picture's input.</param>
/// <param name="Shape">Without the batch; empty when it is open.</param>
/// <param name="Pixels">Of the input; 0 when that is open.</param>
/// <param name="Weights">How many numbers the network has learnt.</param>
/// <param name="Batches">Sizes that will be run, ascending; one alone where the batch does not vary.</param>
internal readonly record struct NetworkShape(
    string Sha256, bool IsQuantized, string InputName, int[] Shape, int Pixels, long Weights, int[] Batches)
{
    /// <summary>Nothing is known but that one picture is run at a time.</summary>
    public static NetworkShape Unknown { get; } = new("", false, "input", [], 0, 0, [1]);
}

/// <summary>The execution providers: which are tried, what they are called and how a session asks for one.</summary>
internal static class Providers
{
    /// <summary>
    /// Threads without work stay awake for so long within a run, µs, before they sleep: as long as the gaps between a
    /// graph's operations. By default they stay awake for good, and take the processor from whoever has work.
    /// </summary>
    private const string SpinMicroseconds = "50";

    /// <summary>Best first.</summary>
    /// <param name="choice">As configured.</param>
    /// <param name="compiledIn">The runtime's names for what this build of it has.</param>
    /// <param name="forbidFallback">Whether Auto may end on the processor.</param>
    public static ProviderChoice[] ToTry(ProviderChoice choice, IReadOnlyCollection<string> compiledIn, bool forbidFallback)
    {
        if (choice is not ProviderChoice.Auto)
        {
            return [choice];
        }

        // What is not compiled in cannot fall back: it was never there.
        List<ProviderChoice> choices = [];
        foreach (var accelerator in (ProviderChoice[])[ProviderChoice.TensorRt, ProviderChoice.Cuda])
        {
            if (compiledIn.Contains(RuntimeName(accelerator)))
            {
                choices.Add(accelerator);
            }
        }

        if (!forbidFallback)
        {
            choices.Add(ProviderChoice.Cpu);
        }

        return [.. choices];
    }

    public static string Name(ProviderChoice provider) => provider switch
    {
        ProviderChoice.TensorRt => "TensorRT",
        ProviderChoice.Cuda => "CUDA",
        _ => "CPU",
    };

    /// <summary>The one that runs a stage.</summary>
    public static ProviderChoice Of(StageReport stage) => stage.Provider switch
    {
        "TensorRT" => ProviderChoice.TensorRt,
        "CUDA" => ProviderChoice.Cuda,
        _ => ProviderChoice.Cpu,
    };

    /// <summary>
    /// True for what a missing accelerator throws: the option classes throw the runtime's exception on a build
    /// without it, the loader's when a library is not installed.
    /// </summary>
    public static bool IsFailure(Exception exception) =>
        exception is OnnxRuntimeException or EntryPointNotFoundException or DllNotFoundException;

    public static SessionOptions Configure(ProviderChoice provider, InferenceOptions options, in NetworkShape network)
    {
        var plan = ThreadPlan.Of(options, provider is ProviderChoice.Cpu, Environment.ProcessorCount);
        var session = OnProcessor(plan.For(network.Pixels, network.Weights));
        try
        {
            if (provider is ProviderChoice.TensorRt)
            {
                var folder = EngineFolder(options, network, EngineVersions.OfThisMachine(OrtRuntime.Version));
                using var tensorRt = new OrtTensorRTProviderOptions();
                tensorRt.UpdateOptions(TensorRtOptions(options, network, folder));
                if (folder is not null)
                {
                    Directory.CreateDirectory(folder);
                }

                session.AppendExecutionProvider_Tensorrt(tensorRt);
            }

            if (provider is ProviderChoice.TensorRt or ProviderChoice.Cuda)
            {
                using var cuda = new OrtCUDAProviderOptions();
                cuda.UpdateOptions(CudaOptions());
                session.AppendExecutionProvider_CUDA(cuda);
                if (!options.AllowCpuNodes || options.ForbidFallback)
                {
                    session.AddSessionConfigEntry("session.disable_cpu_ep_fallback", "1");
                }
            }

            return session;
        }
        catch
        {
            session.Dispose();
            throw;
        }
    }

    /// <summary>What TensorRT is told.</summary>
    /// <param name="options">Of this machine.</param>
    /// <param name="network">What it is to run.</param>
    /// <param name="folder">Where its engine is kept; null: nowhere.</param>
    internal static Dictionary<string, string> TensorRtOptions(
        InferenceOptions options, in NetworkShape network, string? folder)
    {
        var settings = new Dictionary<string, string>
        {
            ["trt_max_workspace_size"] =
                (options.WorkspaceMegabytes * 1024L * 1024L).ToString(CultureInfo.InvariantCulture),
            ["trt_fp16_enable"] = options.Precision is EnginePrecision.Half ? "1" : "0",

            // The scales are in the graph; a calibration table beside them is refused.
            ["trt_int8_enable"] = network.IsQuantized ? "1" : "0",

            // An auxiliary stream costs memory and gains nothing for networks this small.
            ["trt_auxiliary_streams"] = "0",

            // From C#, a captured graph returns the first picture's result for ever (microsoft/onnxruntime#22583).
            ["trt_cuda_graph_enable"] = "0",
        };
        if (folder is not null)
        {
            settings["trt_engine_cache_enable"] = "1";
            settings["trt_engine_cache_path"] = folder;
            settings["trt_timing_cache_enable"] = "1";
            settings["trt_timing_cache_path"] = folder;
        }

        if (network.Batches.Length > 1)
        {
            // Without a profile each new batch size builds another engine, for tens of seconds. One profile spans all
            // sizes: of several, ONNX Runtime 1.31 runs the first alone (microsoft/onnxruntime#31624).
            settings["trt_profile_min_shapes"] = Profile(network, network.Batches[0]);
            settings["trt_profile_opt_shapes"] = Profile(network, Typical(network));
            settings["trt_profile_max_shapes"] = Profile(network, network.Batches[^1]);
        }

        return settings;
    }

    /// <summary>What CUDA is told.</summary>
    internal static Dictionary<string, string> CudaOptions() => new()
    {
        // See TensorRT's.
        ["enable_cuda_graph"] = "0",

        // Every batch size is run at loading, so the search for the fastest kernel is over before the first part.
        ["cudnn_conv_algo_search"] = "EXHAUSTIVE",
        ["cudnn_conv_use_max_workspace"] = "1",

        // Doubling, the default, takes memory that a Jetson shares with everything else.
        ["arena_extend_strategy"] = "kSameAsRequested",
    };

    /// <summary>Where a network's engine is kept; null where none is.</summary>
    internal static string? EngineFolder(InferenceOptions options, in NetworkShape network, EngineVersions versions)
    {
        if (options.EngineCache is not { } root || network.Sha256.Length == 0)
        {
            return null;
        }

        var batches = network.Batches.Length > 1
            ? $"{network.Batches[0]}-{Typical(network)}-{network.Batches[^1]}"
            : $"{network.Batches[0]}";
        return EngineCache.FolderOf(
            root, network.Sha256, options.Precision, $"{batches}x{string.Join('x', network.Shape)}", versions);
    }

    private static string RuntimeName(ProviderChoice provider) =>
        provider is ProviderChoice.TensorRt ? "TensorrtExecutionProvider" : "CUDAExecutionProvider";

    /// <summary>A session whose threads are awake while it runs and asleep between runs.</summary>
    private static SessionOptions OnProcessor(int threads)
    {
        var session = new SessionOptions
        {
            IntraOpNumThreads = threads,
            LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_FATAL,
            GraphOptimizationLevel = GraphOptimizationLevel.ORT_ENABLE_ALL,
        };

        // Two sessions whose idle threads spin take each other's processors: twice the time per picture on two cores.
        session.AddSessionConfigEntry("session.intra_op.allow_spinning", threads > 1 ? "1" : "0");
        session.AddSessionConfigEntry("session.intra_op.spin_duration_us", SpinMicroseconds);
        session.AddSessionConfigEntry("session.force_spinning_stop", "1");
        return session;
    }

    /// <summary>The batch that TensorRT chooses its kernels for: the middle one.</summary>
    private static int Typical(in NetworkShape network) => network.Batches[network.Batches.Length / 2];

    private static string Profile(in NetworkShape network, int batch) =>
        string.Create(CultureInfo.InvariantCulture, $"{network.InputName}:{batch}x{string.Join('x', network.Shape)}");
}
