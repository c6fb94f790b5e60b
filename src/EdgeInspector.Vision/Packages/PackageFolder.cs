namespace EdgeInspector.Vision.Packages;

/// <summary>A package's folder: names in the manifest lead to files inside it and nowhere else.</summary>
internal sealed class PackageFolder(string path)
{
    public string Path { get; } = System.IO.Path.TrimEndingDirectorySeparator(path);

    public string Manifest => System.IO.Path.Combine(Path, ModelManifest.FileName);

    /// <summary>The full path of a file the manifest names.</summary>
    /// <exception cref="ModelPackageException">The name leaves the folder, by itself or through a link.</exception>
    public string Resolve(string key, string name)
    {
        var steps = name.Split('/');
        if (steps.Any(step => step is "" or "." or "..") || name.AsSpan().IndexOfAny('\\', ':', '\0') >= 0)
        {
            throw new ModelPackageException(
                $"{Manifest}: {key} is '{name}', which is not a name inside the package; use a plain relative name.");
        }

        var path = Path;
        foreach (var step in steps)
        {
            path = System.IO.Path.Combine(path, step);
            if (new FileInfo(path).LinkTarget is not null)
            {
                throw new ModelPackageException($"{path}: this is a link; put the file itself into the package.");
            }
        }

        return path;
    }
}
