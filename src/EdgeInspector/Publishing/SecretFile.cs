using System.Text;

namespace EdgeInspector.Publishing;

/// <summary>Reads a password, a password hash or a key from a file that only its owner can read.</summary>
internal static class SecretFile
{
    private const UnixFileMode Others =
        UnixFileMode.OtherRead | UnixFileMode.OtherWrite | UnixFileMode.GroupRead | UnixFileMode.GroupWrite;

    /// <summary>A longer file is not a key but a mistake: RSA of 16,384 bits is 13 KB in PEM.</summary>
    public const int LargestKey = 64 * 1024;

    /// <summary>A longer file is not a password but a mistake.</summary>
    private const int MaxBytes = 4096;

    /// <summary>What is wrong with the file, one line beginning with <paramref name="key"/>; null if nothing.</summary>
    public static string? Fault(string path, string key, int largest = MaxBytes)
    {
        try
        {
            var file = new FileInfo(path);
            if (!file.Exists)
            {
                return $"{key}: {path} does not exist; create it with the password as its first line and mode 600";
            }

            // The link's target is what gets read, so its mode is what counts.
            var target = file.ResolveLinkTarget(returnFinalTarget: true) as FileInfo ?? file;
            var mode = OperatingSystem.IsWindows() ? UnixFileMode.None : File.GetUnixFileMode(target.FullName);
            if ((mode & Others) != 0)
            {
                return $"{key}: {path} can be read or changed by others (mode {Convert.ToString((int)mode, 8)}); "
                    + $"run: chmod 600 {path}";
            }

            return target.Length > largest ? $"{key}: {path} is larger than {largest} bytes; is it the right file?" : null;
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
