using System.Globalization;
using Microsoft.ML.OnnxRuntime;

namespace EdgeInspector.Vision.Inference;

/// <summary>The execution providers: which are tried, what they are called and how a session asks for one.</summary>
internal static class Providers
{
    public static ReadOnlySpan<ProviderChoice> ToTry(ProviderChoice choice) => choice switch
    {
        ProviderChoice.Auto => [ProviderChoice.TensorRt, ProviderChoice.Cuda, ProviderChoice.Cpu],
        ProviderChoice.TensorRt => [ProviderChoice.TensorRt],
        ProviderChoice.Cuda => [ProviderChoice.Cuda],
        _ => [ProviderChoice.Cpu],
    };

    public static string Name(ProviderChoice provider) => provider switch
    {
        ProviderChoice.TensorRt => "TensorRT",
        ProviderChoice.Cuda => "CUDA",
        _ => "CPU",
    };

    /// <summary>
    /// True for what a missing accelerator throws: the option classes throw the runtime's exception on a build
    /// without it, the loader's when a library is not installed.
    /// </summary>
    public static bool IsFailure(Exception exception) =>
        exception is OnnxRuntimeException or EntryPointNotFoundException or DllNotFoundException;

    /// <param name="inputName">The graph's input.</param>
    /// <param name="shape">Its shape without the batch: channels, height, width; empty when that is open.</param>
    /// <param name="largestBatch">1 when the batch does not vary.</param>
    public static SessionOptions Configure(
        ProviderChoice provider, InferenceOptions options, string inputName, ReadOnlySpan<int> shape, int largestBatch)
    {
        var session = Common(options, Threads(options, shape));
        try
        {
            if (provider is ProviderChoice.TensorRt)
            {
                AddTensorRt(session, options, inputName, shape, largestBatch);
            }

            if (provider is ProviderChoice.TensorRt or ProviderChoice.Cuda)
            {
                using var cuda = new OrtCUDAProviderOptions();
                session.AppendExecutionProvider_CUDA(cuda);
                if (!options.AllowCpuNodes)
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

    /// <summary>A session on the processor that spins for nobody.</summary>
    public static SessionOptions Common(InferenceOptions options, int threads)
    {
        var session = new SessionOptions
        {
            IntraOpNumThreads = threads,
            LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_FATAL,
            GraphOptimizationLevel = GraphOptimizationLevel.ORT_ENABLE_ALL,
        };

        // Two sessions whose idle threads spin take each other's processors: twice the time per picture on two cores.
        // Stopping at the end of each run keeps the speed of spinning within a run.
        session.AddSessionConfigEntry("session.intra_op.allow_spinning", threads > 1 ? "1" : "0");
        session.AddSessionConfigEntry("session.force_spinning_stop", "1");
        return session;
    }

    private static int Threads(InferenceOptions options, ReadOnlySpan<int> shape)
    {
        const int SmallInput = 256 * 256;
        return options.Threads switch
        {
            > 0 => options.Threads,
            _ when shape.Length == 3 && shape[1] * shape[2] <= SmallInput => 1,
            _ => Math.Min(Environment.ProcessorCount, 4),
        };
    }

    private static void AddTensorRt(
        SessionOptions session, InferenceOptions options, string inputName, ReadOnlySpan<int> shape, int largestBatch)
    {
        var settings = new Dictionary<string, string>
        {
            // An auxiliary stream costs memory and gains nothing for networks this small.
            ["trt_auxiliary_streams"] = "0",
        };
        if (options.EngineCache is { } folder)
        {
            settings["trt_engine_cache_enable"] = "1";
            settings["trt_engine_cache_path"] = folder;
            settings["trt_timing_cache_enable"] = "1";
            settings["trt_timing_cache_path"] = folder;
        }

        if (largestBatch > 1)
        {
            // Without a profile each new batch size builds another engine, for tens of seconds.
            var size = string.Create(CultureInfo.InvariantCulture, $"{shape[0]}x{shape[1]}x{shape[2]}");
            settings["trt_profile_min_shapes"] = $"{inputName}:1x{size}";
            settings["trt_profile_opt_shapes"] = $"{inputName}:1x{size}";
            settings["trt_profile_max_shapes"] = $"{inputName}:{largestBatch}x{size}";
        }

        using var tensorRt = new OrtTensorRTProviderOptions();
        tensorRt.UpdateOptions(settings);
        session.AppendExecutionProvider_Tensorrt(tensorRt);
    }
}
