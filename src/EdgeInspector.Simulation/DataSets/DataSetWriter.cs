using System.Globalization;
using System.Text.Json;
using OpenCvSharp;

namespace EdgeInspector.Simulation.DataSets;

/// <summary>
/// Runs virtual lines and writes what their cameras see with what is true of it:
/// <list type="bullet">
/// <item><c>frames/images</c> and <c>frames/annotations.json</c> (COCO; a category per class, boxes tight around what
/// is visible; parts less than 40 % visible carry <c>"ignore": 1</c>; <c>attributes</c> name the part, its visible
/// share and its source);</item>
/// <item><c>crops/CLASS</c>: squares of 1.5 times the box's longer side around fully visible parts, beyond the frame's
/// edge its last pixels repeated; the name starts with the part's number, so that views of one part can be kept
/// together;</item>
/// <item><c>dataset.json</c>: seed, options and counts.</item>
/// </list>
/// Everything is written beside the folder first and renamed at the end: the folder is whole or not there.
/// </summary>
public sealed class DataSetWriter
{
    /// <summary>Side of a crop over the longer side of the part's box.</summary>
    public const double CropSide = 1.5;

    private const double LeastVisible = 0.4;
    private const double FullyVisible = 0.999;

    // A run has one lamp, one belt and one kind of biscuit; more runs mean more variety.
    private const int PartsPerRun = 150;

    private const string Schema = "edge-inspector.dataset/1";

    private readonly DataSetOptions _options;
    private readonly string _ending;
    private readonly ImageEncodingParam[] _encoding;
    private readonly List<Dictionary<string, object?>> _images = [];
    private readonly List<Dictionary<string, object?>> _annotations = [];
    private readonly SortedDictionary<string, int> _crops = new(StringComparer.Ordinal);
    private readonly SortedDictionary<string, int> _classes = new(StringComparer.Ordinal);
    private int _parts;
    private int _truncated;

    /// <exception cref="InvalidDataException">An option is out of range.</exception>
    public DataSetWriter(DataSetOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        if (string.IsNullOrWhiteSpace(options.Folder))
        {
            throw new InvalidDataException("out: no folder given; name one to make");
        }

        if (options.Count is < 0 or > 10_000_000 || (options.Count == 0 && options.PhotographsFolder is null))
        {
            throw new InvalidDataException($"count: {options.Count} parts; give a number from 1 to 10,000,000");
        }

        if (!(options.DefectRate is >= 0 and <= 1))
        {
            throw new InvalidDataException(
                string.Create(CultureInfo.InvariantCulture, $"defect rate: {options.DefectRate} is outside 0 to 1")
            );
        }

        _options = options;
        _ending = options.Lossless ? ".png" : ".jpg";
        _encoding = options.Lossless
            ? [new ImageEncodingParam(ImwriteFlags.PngCompression, 3)]
            : [new ImageEncodingParam(ImwriteFlags.JpegQuality, 92)];
    }

    /// <summary>Writes the data set. Takes about 10 ms a part.</summary>
    /// <param name="progress">Told the parts done and the parts in all, on the calling thread.</param>
    /// <exception cref="IOException">The folder is there and not empty, or cannot be written.</exception>
    /// <exception cref="InvalidDataException">A photograph cannot be used.</exception>
    /// <exception cref="DirectoryNotFoundException">The folder of photographs is not there.</exception>
    public DataSetSummary Write(Action<int, int>? progress = null, CancellationToken cancellationToken = default)
    {
        var folder = Path.TrimEndingDirectorySeparator(Path.GetFullPath(_options.Folder));
        if (File.Exists(folder) || (Directory.Exists(folder) && Directory.EnumerateFileSystemEntries(folder).Any()))
        {
            throw new IOException(
                $"{_options.Folder}: already exists and is not empty; choose a new folder or remove it"
            );
        }

        var parent =
            Path.GetDirectoryName(folder) ?? throw new IOException($"{_options.Folder}: not a folder that can be made");
        var partial = Path.Combine(parent, $".{Path.GetFileName(folder)}.{Environment.ProcessId}.partial");
        try
        {
            Directory.CreateDirectory(Path.Combine(partial, "frames", "images"));
            Directory.CreateDirectory(Path.Combine(partial, "crops"));
            Run(partial, progress, cancellationToken);
            var summary = new DataSetSummary(
                folder,
                _options.Seed,
                _parts,
                _images.Count,
                _annotations.Count,
                _truncated,
                new Dictionary<string, int>(_crops)
            );
            WriteAnnotations(Path.Combine(partial, "frames", "annotations.json"));
            WriteDescription(Path.Combine(partial, "dataset.json"), summary);
            if (Directory.Exists(folder))
            {
                Directory.Delete(folder);
            }

            Directory.Move(partial, folder);
            return summary;
        }
        catch (Exception e) when (e is UnauthorizedAccessException || (e is IOException && !Directory.Exists(partial)))
        {
            throw new IOException($"{_options.Folder}: the folder cannot be made; choose one you may write to", e);
        }
        finally
        {
            if (Directory.Exists(partial))
            {
                Directory.Delete(partial, recursive: true);
            }
        }
    }

    private void Run(string folder, Action<int, int>? progress, CancellationToken cancellationToken)
    {
        using var frame = new Mat();
        var total = _options.Count;
        for (var run = 0; run == 0 || _parts < total; run++)
        {
            using var line = new VirtualLine(LineOptions(run));
            total = Math.Max(total, (int)line.PartCount!.Value);
            RunLine(line, run, folder, frame, done => progress?.Invoke(done, total), cancellationToken);
        }
    }

    private VirtualLineOptions LineOptions(int run)
    {
        if (_options.PhotographsFolder is not null)
        {
            return new VirtualLineOptions
            {
                Seed = _options.Seed,
                PhotographsFolder = _options.PhotographsFolder,
                PhotographSize = _options.PhotographSize,
                PartCount = _options.Count,
                Lanes = Math.Max(1, _options.Lanes),
            };
        }

        var random = SeededRandom.For((ulong)_options.Seed, 60, run);
        var lanes = _options.Lanes > 0 ? _options.Lanes : 1 + (run % 3);
        return new VirtualLineOptions
        {
            Seed = (int)(random.NextUInt64() & int.MaxValue),
            DefectRate = _options.DefectRate,
            PartCount = Math.Min(PartsPerRun, _options.Count - _parts),
            Lanes = lanes,
            PartsPerSecond = random.Range(8.5, 11.5) * lanes,
            TouchingShare = random.Range(0.1, 0.35),
            BeltSpeed = random.Range(0.6, 1.0),
            SidewaysJitter = lanes == 1 ? random.Range(10, 70) : 15,
        };
    }

    private void RunLine(
        VirtualLine line,
        int run,
        string folder,
        Mat frame,
        Action<int> progress,
        CancellationToken cancellationToken
    )
    {
        var options = line.Options;
        var random = SeededRandom.For((ulong)_options.Seed, 61, run);
        var view = options.FrameWidth * options.MillimetresPerPixel;
        var before = _parts;
        var travel = view;
        while (!line.Finished(line.Motion.TimeAt(travel)))
        {
            cancellationToken.ThrowIfCancellationRequested();
            var t = line.Motion.TimeAt(travel);
            var parts = line.PartsInView(t);
            var longest = 60.0;
            if (parts.Length > 0)
            {
                line.Render(t, frame);
                WriteFrame(line, t, parts, before, frame, folder);
                longest = Math.Max(longest, parts.Max(p => p.Right - p.Left) * options.MillimetresPerPixel);
                progress(before + (int)parts[0].Index);
            }

            // Two whole views of each part on average, at places that differ from part to part.
            travel += Math.Max(20, view - longest) / 2 * random.Range(0.7, 1.3);
        }

        foreach (var truth in line.Truth(line.Motion.TimeAt(travel)))
        {
            _classes[truth.Class] = _classes.GetValueOrDefault(truth.Class) + 1;
            _parts++;
        }

        progress(_parts);
    }

    private void WriteFrame(VirtualLine line, TimeSpan t, VisiblePart[] parts, int before, Mat frame, string folder)
    {
        var id = _images.Count + 1;
        var name = id.ToString("D6", CultureInfo.InvariantCulture) + _ending;
        Save(frame, Path.Combine(folder, "frames", "images", name));
        _images.Add(
            new()
            {
                ["id"] = id,
                ["file_name"] = name,
                ["width"] = frame.Width,
                ["height"] = frame.Height,
            }
        );
        var sources = line.Options.PhotographsFolder is null
            ? null
            : line.Truth(t).ToDictionary(p => p.Index, p => p.Source);
        foreach (var part in parts)
        {
            // A sliver at the edge cannot be boxed to any purpose.
            if (part.Visible < 0.02)
            {
                continue;
            }

            Annotate(id, part, before, sources?.GetValueOrDefault(part.Index));
            if (part.Visible >= FullyVisible)
            {
                SaveCrop(frame, part, before, id, folder);
            }
        }
    }

    private void Annotate(int image, VisiblePart part, int before, string? source)
    {
        var ignore = part.Visible < LeastVisible;
        _truncated += ignore ? 1 : 0;
        var attributes = new Dictionary<string, object?>
        {
            ["part"] = before + part.Index,
            ["class"] = part.Class,
            ["defect"] = part.IsDefect,
            ["visible"] = Math.Round(part.Visible, 3),
        };
        if (source is not null)
        {
            attributes["source"] = Path.GetRelativePath(_options.PhotographsFolder!, source);
        }

        double[] box = [part.Left, part.Top, part.Right - part.Left, part.Bottom - part.Top];
        _annotations.Add(
            new()
            {
                ["id"] = _annotations.Count + 1,
                ["image_id"] = image,
                ["class"] = part.Class,
                ["bbox"] = box.Select(v => Math.Round(v, 2)).ToArray(),
                ["area"] = Math.Round(box[2] * box[3], 1),
                ["iscrowd"] = 0,
                ["ignore"] = ignore ? 1 : 0,
                ["attributes"] = attributes,
            }
        );
    }

    private void SaveCrop(Mat frame, VisiblePart part, int before, int image, string folder)
    {
        var classFolder = Path.Combine(folder, "crops", part.Class);
        Directory.CreateDirectory(classFolder);
        var side = (int)Math.Round(CropSide * Math.Max(part.Right - part.Left, part.Bottom - part.Top));
        var left = (int)Math.Round(((part.Left + part.Right) / 2) - (side / 2.0));
        var top = (int)Math.Round(((part.Top + part.Bottom) / 2) - (side / 2.0));
        var inside = new Rect(left, top, side, side) & new Rect(0, 0, frame.Width, frame.Height);
        using var seen = new Mat(frame, inside);
        using var crop = new Mat();

        // Isolated: the border repeats the last pixels of the frame, and where the window is inside it adds none.
        Cv2.CopyMakeBorder(
            seen,
            crop,
            inside.Top - top,
            top + side - inside.Bottom,
            inside.Left - left,
            left + side - inside.Right,
            BorderTypes.Replicate | BorderTypes.Isolated
        );
        var name = string.Create(CultureInfo.InvariantCulture, $"{before + part.Index:D6}-{image:D6}{_ending}");
        Save(crop, Path.Combine(classFolder, name));
        _crops[part.Class] = _crops.GetValueOrDefault(part.Class) + 1;
    }

    private void Save(Mat picture, string file)
    {
        if (!Cv2.ImWrite(file, picture, _encoding))
        {
            throw new IOException($"{_options.Folder}: a picture could not be written; is the disk full?");
        }
    }

    private void WriteAnnotations(string file)
    {
        // Categories are numbered from 1 by name, so that the same classes always get the same numbers.
        string[] names = _options.PhotographsFolder is null
            ? ["broken", "burnt", "foreign", "good", "hole", "misshapen"]
            : [.. _classes.Keys];
        foreach (var annotation in _annotations)
        {
            annotation["category_id"] = Array.IndexOf(names, (string)annotation["class"]!) + 1;
            annotation.Remove("class");
        }

        WriteJson(
            file,
            new Dictionary<string, object?>
            {
                ["info"] = new Dictionary<string, object?>
                {
                    ["description"] = "EdgeInspector virtual line",
                    ["version"] = "1.0",
                },
                ["categories"] = names.Select(
                    (n, i) =>
                        new Dictionary<string, object?>
                        {
                            ["id"] = i + 1,
                            ["name"] = n,
                            ["supercategory"] = "part",
                        }
                ),
                ["images"] = _images,
                ["annotations"] = _annotations,
            }
        );
    }

    private void WriteDescription(string file, DataSetSummary summary)
    {
        WriteJson(
            file,
            new Dictionary<string, object?>
            {
                ["schema"] = Schema,
                ["seed"] = _options.Seed,
                ["options"] = new Dictionary<string, object?>
                {
                    ["count"] = _options.Count,
                    ["defectRate"] = _options.PhotographsFolder is null ? _options.DefectRate : null,
                    ["photographs"] = _options.PhotographsFolder,
                    ["photographSize"] = _options.PhotographSize,
                    ["lanes"] = _options.Lanes,
                    ["lossless"] = _options.Lossless,
                    ["cropSide"] = CropSide,
                },
                ["parts"] = summary.Parts,
                ["partsByClass"] = _classes,
                ["frames"] = summary.Frames,
                ["annotations"] = summary.Annotations,
                ["ignoredAnnotations"] = summary.Truncated,
                ["cropsByClass"] = _crops,
            }
        );
    }

    private static void WriteJson(string file, Dictionary<string, object?> content)
    {
        using var stream = File.Create(file);
        JsonSerializer.Serialize(stream, content);
    }
}
