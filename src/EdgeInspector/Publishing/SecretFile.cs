using System.Text;

namespace EdgeInspector.Publishing;

/// <summary>Reads a password or a password hash from a file that only its owner (and group) can read.</summary>
internal static class SecretFile
{
    private const UnixFileMode World = UnixFileMode.OtherRead | UnixFileMode.OtherWrite | UnixFileMode.GroupWrite;

    /// <summary>A longer file is not a password but a mistake.</summary>
    private const int MaxBytes = 4096;

    /// <summary>What is wrong with the file, one line beginning with <paramref name="key"/>; null if nothing.</summary>
    public static string? Fault(string path, string key)
    {
        try
        {
            var file = new FileInfo(path);
            if (!file.Exists)
            {
                return $"{key}: {path} does not exist; create it with the password as its first line and mode 600";
            }

            // The link's target is what gets read, so its mode is what counts.
            var target = file.ResolveLinkTarget(returnFinalTarget: true) ?? file;
            var mode = OperatingSystem.IsWindows() ? UnixFileMode.None : File.GetUnixFileMode(target.FullName);
            if ((mode & World) != 0)
            {
                return $"{key}: {path} can be read or changed by others (mode {Convert.ToString((int)mode, 8)}); "
                    + $"run: chmod 600 {path}";
            }

            return file.Length > MaxBytes ? $"{key}: {path} is larger than {MaxBytes} bytes; expected one line" : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return $"{key}: {path} cannot be read: {e.Message}";
        }
    }

    /// <summary>The first line of the file.</summary>
    /// <exception cref="IOException">Missing, unreadable, empty or open to others; one line.</exception>
    public static string Read(string path, string key)
    {
        if (Fault(path, key) is { } fault)
        {
            throw new IOException(fault);
        }

        try
        {
            using var reader = new StreamReader(path, Encoding.UTF8);
            var line = reader.ReadLine();
            return string.IsNullOrEmpty(line)
                ? throw new IOException($"{key}: {path} is empty; write the password as its first line")
                : line;
        }
        catch (UnauthorizedAccessException e)
        {
            throw new IOException($"{key}: {path} cannot be read: {e.Message}", e);
        }
    }
}
