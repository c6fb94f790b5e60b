using System.Text.RegularExpressions;

namespace EdgeInspector.Tests.Conventions;

/// <summary>The C# files of the repository that this test program was built from.</summary>
internal static partial class SourceTree
{
    /// <summary>The repository: the nearest folder above the test program that holds the solution.</summary>
    public static string Root { get; } = FindRoot();

    /// <summary>All C# files below a folder of the repository, without what the build makes.</summary>
    public static IEnumerable<SourceFile> Files(string folder) =>
        from path in Directory.EnumerateFiles(Path.Combine(Root, folder), "*.cs", SearchOption.AllDirectories)
        let relative = Path.GetRelativePath(Root, path).Replace('\\', '/')
        where !relative.Split('/').Any(part => part is "bin" or "obj" or "node_modules")
        orderby relative
        select new SourceFile(relative, File.ReadAllLines(path));

    /// <summary>Every line of code that matches, as "file:line: text"; comments do not count.</summary>
    public static IEnumerable<string> Lines(string folder, Regex pattern) =>
        from file in Files(folder)
        from line in file.Lines.Index()
        where pattern.IsMatch(Comment().Replace(line.Item, ""))
        select $"{file.Path}:{line.Index + 1}: {line.Item.Trim()}";

    private static string FindRoot()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "EdgeInspector.sln")))
        {
            folder = folder.Parent;
        }

        return folder?.FullName
            ?? throw new DirectoryNotFoundException($"no EdgeInspector.sln in or above {AppContext.BaseDirectory}");
    }

    // "://" is an address, not a comment.
    [GeneratedRegex(@"(?<!:)//.*$")]
    private static partial Regex Comment();
}
