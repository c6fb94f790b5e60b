using System.Diagnostics;
using System.Runtime.InteropServices;

namespace EdgeInspector.Vision.Tests.Inference;

public sealed class OrtRuntimeTests
{
    /// <summary>Told to, the runtime keeps its telemetry's device id and queue below the home folder.</summary>
    [Fact]
    public void RuntimeSendsNoTelemetry()
    {
        var home = Directory.CreateTempSubdirectory("edge-inspector-home-");
        try
        {
            // A process of its own: in this one the runtime has started long ago.
            var program = Path.Combine(AppContext.BaseDirectory, typeof(OrtRuntimeTests).Assembly.GetName().Name!);
            var start = new ProcessStartInfo(program)
            {
                ArgumentList = { "-method", $"*.{nameof(ProviderTests.AutoRunsWhatWorksHereAndSaysSo)}" },
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            };
            start.Environment.Remove("ORT_DISABLE_TELEMETRY");
            start.Environment.Remove("XDG_CACHE_HOME");
            start.Environment["HOME"] = home.FullName;
            start.Environment["DOTNET_ROOT"] =
                Path.GetFullPath(Path.Combine(RuntimeEnvironment.GetRuntimeDirectory(), "..", "..", ".."));
            using var child = Process.Start(start)!;
            var output = child.StandardOutput.ReadToEnd();
            child.WaitForExit();

            Assert.True(child.ExitCode == 0, output);
            Assert.Contains("Total: 1,", output, StringComparison.Ordinal);
            Assert.Empty(home.GetFileSystemInfos("*onnxruntime*", SearchOption.AllDirectories));
        }
        finally
        {
            home.Delete(true);
        }
    }
}
