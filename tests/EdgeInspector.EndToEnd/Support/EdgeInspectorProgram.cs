using System.Diagnostics;

namespace EdgeInspector.EndToEnd.Support;

/// <summary>What a run of the program came to.</summary>
internal sealed record ProgramResult(int ExitCode, string Output, string Errors)
{
    /// <summary>The lines on standard error.</summary>
    public string[] ErrorLines => Errors.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
}

/// <summary>The built program as a child process, the way a user starts it, but with an environment of its own.</summary>
internal static class EdgeInspectorProgram
{
    /// <summary>The program beside the tests.</summary>
    public static string Path { get; } = System.IO.Path.Combine(AppContext.BaseDirectory, "edge-inspector");

    /// <summary>The factory's model package beside the program.</summary>
    public static string FactoryPackage { get; } = System.IO.Path.Combine(AppContext.BaseDirectory, "models", "biscuit");

    /// <summary>Runs it to its end.</summary>
    public static async Task<ProgramResult> RunAsync(params string[] arguments)
    {
        using var process = Start(arguments);
        var output = process.StandardOutput.ReadToEndAsync();
        var errors = process.StandardError.ReadToEndAsync();
        process.StandardInput.Close();
        using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(5));
        await process.WaitForExitAsync(limit.Token);
        return new ProgramResult(process.ExitCode, await output, await errors);
    }

    /// <summary>Starts it, for the caller to end.</summary>
    public static Process Start(params string[] arguments)
    {
        var start = new ProcessStartInfo(Path, arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var key in start.Environment.Keys.Where(key => key.StartsWith("EDGEINSPECTOR_", StringComparison.Ordinal)).ToArray())
        {
            start.Environment.Remove(key);
        }

        return Process.Start(start) ?? throw new InvalidOperationException($"{Path} did not start.");
    }
}
