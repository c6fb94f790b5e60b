using System.Text.Json;

namespace EdgeInspector.Quantization.Packages;

/// <summary>A picture to calibrate or compare with; the label is the name of the sub-folder it lies in.</summary>
public sealed record LabelledPicture(string Path, string? Label);

/// <summary>Pictures of a folder, and how they show parts.</summary>
/// <param name="Frames">Pictures as the camera takes them, parts anywhere in them.</param>
/// <param name="Parts">Pictures of one part each, in the middle.</param>
/// <param name="PartContext">Side of such a picture in units of the part's longer side.</param>
public sealed record PictureSet(
    IReadOnlyList<LabelledPicture> Frames, IReadOnlyList<LabelledPicture> Parts, double PartContext)
{
    private static readonly string[] Endings = [".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff", ".webp"];

    /// <summary>
    /// Reads a folder: a data set of `edge-inspector simulate` has both kinds; any other one kind.
    /// </summary>
    /// <param name="folder">Searched with its sub-folders, whose names are labels.</param>
    /// <param name="partContext">Says that each picture shows one part; null: they are frames.</param>
    /// <exception cref="OnnxException">Not there, or without pictures.</exception>
    public static PictureSet Read(string folder, double? partContext)
    {
        if (!Directory.Exists(folder))
        {
            throw new OnnxException($"{folder}: there is no such folder; name one that holds pictures.");
        }

        var description = Path.Combine(folder, "dataset.json");
        var (images, crops) = (Path.Combine(folder, "frames", "images"), Path.Combine(folder, "crops"));
        var set = File.Exists(description) && Directory.Exists(images) && Directory.Exists(crops)
            ? new PictureSet(List(images), List(crops), CropSide(description))
            : partContext is { } context
                ? new PictureSet([], List(folder), context)
                : new PictureSet(List(folder), [], 1);
        return set.Frames.Count + set.Parts.Count > 0
            ? set
            : throw new OnnxException($"{folder}: holds no picture ({string.Join(' ', Endings)}); name another folder.");
    }

    /// <summary>
    /// Takes some for one purpose and leaves the rest for another, the same ones for the same seed. Pictures named
    /// PART-VIEW stay together by part: a view of a known part is no unknown picture.
    /// </summary>
    public (PictureSet Taken, PictureSet Left) Split(int count, int seed)
    {
        var frames = Split(Frames, count, seed);
        var parts = Split(Parts, count, seed);
        return (this with { Frames = frames.Taken, Parts = parts.Taken }, this with { Frames = frames.Left, Parts = parts.Left });
    }

    public PictureSet AtMost(int count, int seed) => Split(count, seed).Taken;

    private static (List<LabelledPicture> Taken, List<LabelledPicture> Left) Split(
        IReadOnlyList<LabelledPicture> pictures, int count, int seed)
    {
        var groups = pictures.GroupBy(Part).OrderBy(group => group.Key, StringComparer.Ordinal).ToArray();
        new Random(seed).Shuffle(groups);
        var (taken, left) = (new List<LabelledPicture>(), new List<LabelledPicture>());
        foreach (var group in groups)
        {
            (taken.Count < count ? taken : left).AddRange(group);
        }

        return (taken, left);
    }

    private static string Part(LabelledPicture picture)
    {
        var name = Path.GetFileNameWithoutExtension(picture.Path);
        var dash = name.IndexOf('-', StringComparison.Ordinal);
        var part = dash > 0 && name.AsSpan(0, dash).IndexOfAnyExceptInRange('0', '9') < 0 ? name[..dash] : name;
        return $"{picture.Label}/{part}";
    }

    private static List<LabelledPicture> List(string folder) =>
    [
        .. Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories)
            .Where(path => Endings.Contains(Path.GetExtension(path), StringComparer.OrdinalIgnoreCase))
            .Order(StringComparer.Ordinal)
            .Select(path => new LabelledPicture(path, Label(folder, path))),
    ];

    private static string? Label(string folder, string path)
    {
        var steps = Path.GetRelativePath(folder, path).Split(Path.DirectorySeparatorChar);
        return steps.Length > 1 ? steps[0] : null;
    }

    private static double CropSide(string description)
    {
        try
        {
            using var json = JsonDocument.Parse(File.ReadAllBytes(description));
            return json.RootElement.GetProperty("options").GetProperty("cropSide").GetDouble();
        }
        catch (Exception exception) when (exception is JsonException or KeyNotFoundException
            or InvalidOperationException or FormatException)
        {
            throw new OnnxException($"{description}: does not say options.cropSide; write the data set again.", exception);
        }
    }
}
