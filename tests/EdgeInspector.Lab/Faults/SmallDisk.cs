using System.Diagnostics;

namespace EdgeInspector.Lab.Faults;

/// <summary>A file system in memory that can be filled. Needs the right to mount.</summary>
internal sealed class SmallDisk : IDisposable
{
    private SmallDisk(string path) => Path = path;

    /// <summary>Where it is mounted.</summary>
    public string Path { get; }

    private string Filler => System.IO.Path.Combine(Path, "filler");

    /// <summary>Mounts one; null where that is not allowed.</summary>
    public static SmallDisk? TryMount(string path, string size)
    {
        Directory.CreateDirectory(path);
        return Environment.IsPrivilegedProcess && TryRun("mount", "-t", "tmpfs", "-o", $"size={size}", "tmpfs", path)
            ? new SmallDisk(path)
            : null;
    }

    /// <summary>Takes every free byte.</summary>
    public void Fill()
    {
        using var filler = new FileStream(Filler, FileMode.Append, FileAccess.Write, FileShare.None, bufferSize: 0);
        var block = new byte[4_096];
        try
        {
            while (true)
            {
                filler.Write(block);
            }
        }
        catch (IOException)
        {
            // Full, as was wanted.
        }
    }

    /// <summary>Gives the space back.</summary>
    public void Free() => File.Delete(Filler);

    /// <inheritdoc/>
    public void Dispose() => TryRun("umount", "-l", Path);

    private static bool TryRun(string program, params string[] arguments)
    {
        using var process = Process.Start(
            new ProcessStartInfo(program, arguments) { RedirectStandardError = true, RedirectStandardOutput = true }
        )!;
        return process.WaitForExit(Until.Limit) && process.ExitCode == 0;
    }
}
