using System.ComponentModel;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace EdgeInspector.Control;

/// <summary>
/// Writes that are on the disk when the call returns. .NET's own flush returns normally when fsync fails (EIO, ENOSPC), so
/// fsync is called here and its answer looked at.
/// </summary>
internal static partial class DurableFile
{
    private const int ReadOnly = 0; // O_RDONLY, on every Linux. O_DIRECTORY, which differs, is not needed.

    /// <summary>Waits until a file's bytes are on the disk.</summary>
    /// <exception cref="IOException">They are not.</exception>
    public static void Sync(SafeFileHandle file)
    {
        if (!OperatingSystem.IsWindows() && FileSync(file) != 0)
        {
            throw Failure("fsync");
        }
    }

    /// <summary>Waits until a folder's entries are on the disk: a new file whose name is not may be gone after a power cut.</summary>
    /// <exception cref="IOException">They are not.</exception>
    public static void SyncFolder(string folder)
    {
        if (OperatingSystem.IsWindows())
        {
            return;
        }

        var descriptor = Open(folder, ReadOnly);
        if (descriptor < 0)
        {
            throw Failure(folder);
        }

        using var handle = new SafeFileHandle(descriptor, ownsHandle: true);
        Sync(handle);
    }

    /// <summary>Puts a file in the place of another, whole or not at all, also through a power cut.</summary>
    /// <exception cref="IOException">It could not be written; the old one is still there.</exception>
    /// <exception cref="UnauthorizedAccessException">Nor may it be.</exception>
    public static void Replace(string path, ReadOnlySpan<byte> content)
    {
        var next = path + ".new";
        using (var file = File.OpenHandle(next, FileMode.Create, FileAccess.Write))
        {
            RandomAccess.Write(file, content, 0);
            Sync(file);
        }

        File.Move(next, path, overwrite: true);
        SyncFolder(Path.GetDirectoryName(Path.GetFullPath(path))!);
    }

    private static IOException Failure(string what) => new($"{what}: {new Win32Exception(Marshal.GetLastPInvokeError()).Message}");

    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    private static partial int FileSync(SafeFileHandle file);

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags);
}
