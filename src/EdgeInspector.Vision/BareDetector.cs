using System.Globalization;
using System.Text.RegularExpressions;
using EdgeInspector.Vision.Inference;
using EdgeInspector.Vision.Packages;

namespace EdgeInspector.Vision;

/// <summary>
/// A detector that somebody has as an ONNX file alone, and what must be said beside it to make a package of it. What
/// the file itself tells (Ultralytics writes its labels and input size) need not be said.
/// </summary>
public sealed partial record BareDetector
{
    public required string Model { get; init; }

    public required DetectorFormat Format { get; init; }

    /// <summary>Text file with one label per line; null takes the labels from the model.</summary>
    public string? LabelsFile { get; init; }

    /// <summary>Package name; null makes one from the model's file name.</summary>
    public string? Name { get; init; }

    public string Version { get; init; } = "1.0.0";

    /// <summary>Input size; null takes it from the model.</summary>
    public (int Width, int Height)? Size { get; init; }

    public ResampleMode Resample { get; init; } = ResampleMode.Bilinear;

    public float ScoreThreshold { get; init; } = 0.5f;

    public float NmsThreshold { get; init; } = 0.5f;

    /// <summary>
    /// Pictures to become golden pictures: what the detector finds in them on this machine is what every other
    /// machine must find.
    /// </summary>
    public IReadOnlyList<string> Pictures { get; init; } = [];

    /// <summary>Writes the package to a folder that does not exist yet; nothing stays behind on failure.</summary>
    /// <exception cref="VisionException">The model, a label, a picture or the folder will not do.</exception>
    public ModelManifest WriteTo(string folder, InferenceOptions options)
    {
        folder = Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder));
        if (Directory.Exists(folder) || File.Exists(folder))
        {
            throw new VisionException($"{folder}: exists already; name a folder that does not.");
        }

        var temporary = $"{folder}.{Environment.ProcessId}.part";
        try
        {
            Directory.CreateDirectory(temporary);
            var manifest = Describe();
            File.WriteAllBytes(Path.Combine(temporary, manifest.Detector!.File), ModelFile.Read(Model).Bytes);
            Write(temporary, manifest);
            manifest = manifest with { Golden = Record(temporary, options) };
            Write(temporary, manifest);
            using (ModelPackage.Load(temporary, options))
            {
                // Accepted, golden pictures and all.
            }

            Directory.Move(temporary, folder);
            return manifest;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new VisionException(
                $"{folder}: cannot be written ({exception.Message}); name another folder.", exception);
        }
        catch (ModelPackageException exception)
        {
            // Say the names the user knows.
            throw new VisionException(
                exception.Message
                    .Replace(Path.Combine(temporary, "detector.onnx"), Model, StringComparison.Ordinal)
                    .Replace(temporary, folder, StringComparison.Ordinal),
                exception);
        }
        finally
        {
            if (Directory.Exists(temporary))
            {
                Directory.Delete(temporary, true);
            }
        }
    }

    private static void Write(string folder, ModelManifest manifest)
    {
        var path = Path.Combine(folder, ModelManifest.FileName);
        ManifestRules.Check(manifest, path);
        File.WriteAllBytes(path, ManifestFile.Write(manifest));
    }

    private ModelManifest Describe()
    {
        using var model = OnnxModel.Open(Model, new InferenceOptions { Provider = ProviderChoice.Cpu });
        if (model.Metadata.TryGetValue("task", out var task) && task != "detect")
        {
            throw new VisionException($"{Model}: this model's task is '{task}'; export one that detects.");
        }

        var (width, height) = Size ?? SizeOf(model);
        var input = new NetworkInput { Width = width, Height = height, Resample = Resample };
        return new ModelManifest
        {
            Schema = ModelManifest.CurrentSchema,
            Name = Name ?? NameOf(Model),
            Version = Version,
            Description = $"{Path.GetFileName(Model)}, detection only.",
            Detector = new DetectorManifest
            {
                File = "detector.onnx",
                Sha256 = ModelFile.Read(Model).Sha256,
                Format = Format,

                // YOLOX was trained on plain grey levels in OpenCV's order.
                Input = Format is DetectorFormat.YoloX
                    ? input with { Channels = ChannelOrder.Bgr, Mean = [0, 0, 0], Std = [1, 1, 1] }
                    : input,
                Labels = LabelsFile is { } file ? LabelsIn(file) : LabelsOf(model),
                ScoreThreshold = ScoreThreshold,
                NmsThreshold = NmsThreshold,
            },
        };
    }

    private List<GoldenPicture> Record(string folder, InferenceOptions options)
    {
        var golden = new List<GoldenPicture>();
        if (Pictures.Count == 0)
        {
            return golden;
        }

        Directory.CreateDirectory(Path.Combine(folder, "golden"));
        using var package = ModelPackage.Load(folder, options);
        foreach (var path in Pictures)
        {
            using var picture = GoldenCheck.Read(path);
            var extension = Path.GetExtension(path).ToLowerInvariant();
            var name = string.Create(CultureInfo.InvariantCulture, $"golden/{golden.Count + 1:00}{extension}");
            File.Copy(path, Path.Combine(folder, name));
            var detections = new Detection[package.Manifest.Detector!.MaxDetections];
            var found = package.Detector.Detect(picture, detections);
            golden.Add(new GoldenPicture
            {
                Picture = name,
                Parts =
                [
                    .. detections[..found].Select(detection => new GoldenPart
                    {
                        Box = [.. new[] { detection.Box.X1, detection.Box.Y1, detection.Box.X2, detection.Box.Y2 }
                            .Select(edge => MathF.Round(edge, 2))],
                        Score = MathF.Round(detection.Score, 4),
                        Label = package.Detector.Labels[detection.Label],
                    }),
                ],
            });
        }

        return golden;
    }

    private (int Width, int Height) SizeOf(OnnxModel model)
    {
        if (model.InputShape is [_, _, > 0 and var height, > 0 and var width])
        {
            return (width, height);
        }

        // Ultralytics writes [height, width].
        var match = Pair().Match(model.Metadata.GetValueOrDefault("imgsz", ""));
        return match.Success
            ? (Number(match.Groups[2]), Number(match.Groups[1]))
            : throw new VisionException($"{Model}: does not tell its input size; say it with --size WIDTHxHEIGHT.");
    }

    private List<string> LabelsOf(OnnxModel model)
    {
        var labels = new SortedDictionary<int, string>();
        foreach (Match match in Label().Matches(model.Metadata.GetValueOrDefault("names", "")))
        {
            var text = match.Groups[2].Success ? match.Groups[2].Value : match.Groups[3].Value;
            labels[Number(match.Groups[1])] = Regex.Unescape(text);
        }

        return labels.Count > 0 && labels.Keys.Last() == labels.Count - 1
            ? [.. labels.Values]
            : throw new VisionException($"{Model}: does not tell its labels; say them with --labels FILE.");
    }

    private static List<string> LabelsIn(string path)
    {
        try
        {
            return [.. File.ReadLines(path).Select(line => line.Trim()).Where(line => line.Length > 0)];
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new VisionException(
                $"{path}: cannot be read ({exception.Message}); name a text file with one label per line.", exception);
        }
    }

    private static string NameOf(string model)
    {
        var plain = Path.GetFileNameWithoutExtension(model).ToLowerInvariant();
        var name = Unnamed().Replace(plain, "-").Trim('-', '.', '_');
        return name.Length == 0 ? "model" : name[..Math.Min(name.Length, 64)];
    }

    private static int Number(Group group) => int.Parse(group.ValueSpan, CultureInfo.InvariantCulture);

    [GeneratedRegex(@"^\s*\[\s*(\d{1,5})\s*,\s*(\d{1,5})\s*\]\s*$")]
    private static partial Regex Pair();

    [GeneratedRegex("""(\d{1,5})\s*:\s*(?:'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)")""")]
    private static partial Regex Label();

    [GeneratedRegex("[^a-z0-9._-]+")]
    private static partial Regex Unnamed();
}
