using EdgeInspector.Line;

namespace EdgeInspector.Cli;

/// <summary>
/// A folder that appears under its name only when it is finished: until then it is a hidden one beside it, which goes
/// away when the work fails.
/// </summary>
internal sealed class UnfinishedFolder : IDisposable
{
    private readonly string _target;
    private bool _finished;

    /// <exception cref="SettingException">The target holds something, or its parent cannot be written.</exception>
    public UnfinishedFolder(string target)
    {
        _target = System.IO.Path.TrimEndingDirectorySeparator(System.IO.Path.GetFullPath(target));
        if (File.Exists(_target) || (Directory.Exists(_target) && Directory.EnumerateFileSystemEntries(_target).Any()))
        {
            throw new SettingException($"{target}: is there already; remove it or name another with --out.");
        }

        Path = System.IO.Path.Combine(
            System.IO.Path.GetDirectoryName(_target) ?? "/",
            $".{System.IO.Path.GetFileName(_target)}.unfinished-{Environment.ProcessId}");
        try
        {
            Directory.CreateDirectory(Path);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new SettingException(
                $"{target}: cannot be made ({error.Message.TrimEnd('.')}); name another with --out.");
        }
    }

    /// <summary>Where to write.</summary>
    public string Path { get; }

    /// <summary>Gives the folder its name.</summary>
    public void Finish()
    {
        if (Directory.Exists(_target))
        {
            Directory.Delete(_target);
        }

        Directory.Move(Path, _target);
        _finished = true;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (!_finished && Directory.Exists(Path))
        {
            Directory.Delete(Path, recursive: true);
        }
    }
}
