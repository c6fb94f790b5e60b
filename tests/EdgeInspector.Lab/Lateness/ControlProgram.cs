using System.Diagnostics;
using System.Globalization;

namespace EdgeInspector.Lab.Lateness;

/// <summary>The C program with the same duty, compiled on the spot into a folder of its own, which goes with it.</summary>
internal sealed class ControlProgram : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("edge-inspector-lateness-");
    private readonly string _program;

    private ControlProgram() => _program = Path.Combine(_folder.FullName, "control");

    /// <summary>Whether the kernel let it have real-time priority.</summary>
    public bool IsRealTime { get; private set; } = true;

    /// <summary>Compiles it; null where there is no gcc.</summary>
    public static ControlProgram? TryCompile()
    {
        var source = Path.Combine(AppContext.BaseDirectory, "Lateness", "control.c");
        var control = new ControlProgram();
        try
        {
            using var gcc = Process.Start(new ProcessStartInfo("gcc", ["-O2", "-Wall", "-Wextra", "-o", control._program, source]))!;
            gcc.WaitForExit();
            if (gcc.ExitCode == 0)
            {
                return control;
            }
        }
        catch (System.ComponentModel.Win32Exception)
        {
            // No gcc on this machine: the lab says that it had nothing to compare with.
        }

        control.Dispose();
        return null;
    }

    /// <summary>Fires so many pulses and gives by how many nanoseconds each was late.</summary>
    public List<long> Run(int count, TimeSpan period, TimeSpan spin)
    {
        using var process = Start("run", $"{count}", Nanoseconds(period), Nanoseconds(spin));
        IsRealTime &= process.StandardOutput.ReadLine() == "realtime";
        List<long> late = [];
        while (process.StandardOutput.ReadLine() is { } line)
        {
            late.Add(long.Parse(line, CultureInfo.InvariantCulture));
        }

        process.WaitForExit();
        return late;
    }

    /// <summary>Keeps one processor busy, at ordinary priority, until the process is killed.</summary>
    public Process Burn() => Start("burn");

    /// <inheritdoc/>
    public void Dispose() => _folder.Delete(recursive: true);

    private static string Nanoseconds(TimeSpan time) =>
        (time.Ticks * TimeSpan.NanosecondsPerTick).ToString(CultureInfo.InvariantCulture);

    private Process Start(params string[] arguments) =>
        Process.Start(new ProcessStartInfo(_program, arguments) { RedirectStandardOutput = true })!;
}
