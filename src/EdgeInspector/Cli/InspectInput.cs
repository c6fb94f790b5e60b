using EdgeInspector.Capture;
using EdgeInspector.Line;

namespace EdgeInspector.Cli;

/// <summary>A picture or video to inspect, and where its annotated copy goes.</summary>
/// <param name="Path">The file.</param>
/// <param name="Name">Its path below the folder that was given, for the output folder.</param>
/// <param name="IsPicture">Otherwise it is a video.</param>
internal sealed record InspectInput(string Path, string Name, bool IsPicture)
{
    private static readonly string[] VideoExtensions =
        [".mp4", ".m4v", ".mov", ".avi", ".mkv", ".webm", ".mpg", ".mpeg", ".ts"];

    /// <summary>Everything under the paths: files as they are given, folders with their sub-folders.</summary>
    /// <exception cref="SettingException">A path is missing, or holds nothing to inspect.</exception>
    public static IReadOnlyList<InspectInput> Find(IReadOnlyList<string> paths)
    {
        var inputs = new List<InspectInput>();
        foreach (var path in paths)
        {
            if (File.Exists(path))
            {
                inputs.Add(new InspectInput(path, System.IO.Path.GetFileName(path), PictureFile.IsPicture(path)));
            }
            else if (Directory.Exists(path))
            {
                inputs.AddRange(InFolder(path));
            }
            else
            {
                throw new SettingException($"{path}: there is no such file or folder; check the path.");
            }
        }

        // Two files of one name from two folders must not overwrite each other.
        return [.. inputs.GroupBy(input => input.Name, StringComparer.OrdinalIgnoreCase).SelectMany(Distinct)];
    }

    private static InspectInput[] InFolder(string folder)
    {
        try
        {
            var files = NaturalOrder.Sort(Directory.GetFiles(folder, "*", SearchOption.AllDirectories));
            InspectInput[] found =
            [
                .. files.Where(file => PictureFile.IsPicture(file) || IsVideo(file)).Select(file =>
                    new InspectInput(file, System.IO.Path.GetRelativePath(folder, file), PictureFile.IsPicture(file))),
            ];
            return found.Length > 0
                ? found
                : throw new SettingException($"{folder}: holds neither pictures nor videos; name a folder that does.");
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new SettingException($"{folder}: cannot be read ({error.Message.TrimEnd('.')}); let this user read it.");
        }
    }

    private static bool IsVideo(string path) =>
        VideoExtensions.Contains(System.IO.Path.GetExtension(path), StringComparer.OrdinalIgnoreCase);

    private static IEnumerable<InspectInput> Distinct(IEnumerable<InspectInput> sameName) => sameName.Select(
        (input, index) => index == 0
            ? input
            : input with
            {
                Name = System.IO.Path.ChangeExtension(input.Name, null)
                    + $"-{index + 1}"
                    + System.IO.Path.GetExtension(input.Name),
            });
}
