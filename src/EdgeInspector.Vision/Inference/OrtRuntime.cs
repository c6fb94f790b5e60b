using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Microsoft.ML.OnnxRuntime;

namespace EdgeInspector.Vision.Inference;

/// <summary>ONNX Runtime's process-wide state: quiet, and without telemetry.</summary>
internal static partial class OrtRuntime
{
    private static readonly Lock Gate = new();

    /// <summary>Must come before any other call into ONNX Runtime.</summary>
    public static void Start()
    {
        lock (Gate)
        {
            if (!OrtEnv.IsCreated)
            {
                // What goes wrong comes back as an exception; the runtime's own lines on stderr only repeat it.
                var options = new EnvironmentCreationOptions
                {
                    logId = "edge-inspector",
                    logLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_FATAL,
                };
                OrtEnv.CreateInstanceWithOptions(ref options);
            }
        }
    }

    /// <summary>The native library's, such as 1.31.1.</summary>
    public static string Version
    {
        get
        {
            Start();
            return OrtEnv.Instance().GetVersionString();
        }
    }

    /// <summary>
    /// The runtime's names for the providers it was built with. Whether one works here only a run tells.
    /// </summary>
    public static IReadOnlyCollection<string> CompiledIn
    {
        get
        {
            Start();
            return OrtEnv.Instance().GetAvailableProviders();
        }
    }

    /// <summary>
    /// The native library reads its own environment, which .NET's SetEnvironmentVariable does not touch on Unix. This
    /// happens when the assembly loads, early, because setenv beside threads that read the environment is unsafe.
    /// </summary>
    [ModuleInitializer]
    [SuppressMessage("Usage", "CA2255", Justification = "Must precede every use of the native runtime.")]
    internal static void SilenceTelemetry()
    {
        Environment.SetEnvironmentVariable("ORT_DISABLE_TELEMETRY", "1");
        if (!OperatingSystem.IsWindows())
        {
            _ = SetEnvironment("ORT_DISABLE_TELEMETRY", "1", 1);
        }
    }

    [LibraryImport("libc", EntryPoint = "setenv", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int SetEnvironment(string name, string value, int overwrite);
}
