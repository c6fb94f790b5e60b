using System.Diagnostics;
using Xunit;

namespace EdgeInspector.Tests.Support;

/// <summary>
/// A file system in memory that can be filled or turned read-only. Needs the right to mount; skips without.
/// </summary>
internal sealed class SmallDisk : IDisposable
{
    private readonly string _path;

    private SmallDisk(string path) => _path = path;

    public static SmallDisk Mount(string path, string size)
    {
        Directory.CreateDirectory(path);
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "only root can mount a small disk");
        Assert.SkipUnless(TryRun("mount", "-t", "tmpfs", "-o", $"size={size}", "tmpfs", path), "mounting is not allowed here");
        return new SmallDisk(path);
    }

    /// <summary>Takes every free byte.</summary>
    public void Fill()
    {
        using var filler = File.Create(Path.Combine(_path, "filler"), bufferSize: 0);
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

    public void Grow(string size) => Assert.True(TryRun("mount", "-o", $"remount,size={size}", _path));

    /// <summary>Only while no file on it is open.</summary>
    public void MakeReadOnly() => Assert.True(TryRun("mount", "-o", "remount,ro", _path));

    public void Dispose() => TryRun("umount", "-l", _path);

    private static bool TryRun(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments)
        {
            RedirectStandardError = true,
            RedirectStandardOutput = true,
        });
        process!.WaitForExit();
        return process.ExitCode == 0;
    }
}
