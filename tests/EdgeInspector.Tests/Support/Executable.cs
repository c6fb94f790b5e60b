using System.Diagnostics;

namespace EdgeInspector.Tests.Support;

/// <summary>The program as a user runs it: its own process, its output and exit code.</summary>
internal static class Executable
{
    public static async Task<(int Code, string Output, string Errors)> RunAsync(
        CancellationToken cancellationToken,
        params string[] arguments)
    {
        var assembly = typeof(EdgeInspector.Line.Verdict).Assembly.Location;
        var start = new ProcessStartInfo("dotnet", [assembly, .. arguments])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync(cancellationToken);
        var errors = process.StandardError.ReadToEndAsync(cancellationToken);
        await process.WaitForExitAsync(cancellationToken);
        return (process.ExitCode, await output, await errors);
    }
}
