namespace EdgeInspector.Tests.Publishing;

/// <summary>A folder that is gone after the test.</summary>
internal sealed class TemporaryFolder : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("edge-inspector-").FullName;

    public string Write(string name, string text, UnixFileMode? mode = null)
    {
        var path = System.IO.Path.Combine(Path, name);
        File.WriteAllText(path, text);
        if (mode is { } m && !OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(path, m);
        }

        return path;
    }

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
