using System.Globalization;
using System.Text.RegularExpressions;
using EdgeInspector.Vision.Detectors;
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

    /// <summary>Null finds it from the model.</summary>
    public DetectorFormat? Format { get; init; }

    /// <summary>How boxes are written; null leaves it to the format.</summary>
    public BoxForm? Boxes { get; init; }

    /// <summary>0 or 1: the number of the first label where the graph chooses them; null leaves it to the format.</summary>
    public int? FirstLabel { get; init; }

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
        var file = ModelFile.Read(Model);
        var notes = new ExportNotes(file.Outline.Notes);
        var (width, height) = Size ?? SizeIn(file.Outline)
            ?? throw new VisionException($"{Model}: does not tell its input size; say it with --size WIDTHxHEIGHT.");
        var labels = LabelsFile is { } labelsFile ? LabelsIn(labelsFile) : notes.Labels
            ?? throw new VisionException($"{Model}: does not tell its labels; say them with --labels FILE.");
        var question = new DetectorQuestion(file.Outline, labels.Count, width, height)
        {
            Boxes = Boxes,
            FirstLabel = FirstLabel,
        };
        var found = Format is null
            ? DetectorFormats.Find(Model, question, "say it with --format")
            : (Format.Value, null!);
        return new ModelManifest
        {
            Schema = ModelManifest.CurrentSchema,
            Name = Name ?? NameOf(Model),
            Version = Version,
            Description = $"{Path.GetFileName(Model)}, detection only"
                + (found.Fit?.Remark is { } remark ? $"; {remark}." : "."),
            Detector = new DetectorManifest
            {
                File = "detector.onnx",
                Sha256 = file.Sha256,
                Format = found.Format,
                Boxes = Boxes,
                FirstLabel = FirstLabel,
                Input = InputOf(file.Outline, found.Format, width, height),
                Labels = labels,
                ScoreThreshold = ScoreThreshold,
                NmsThreshold = NmsThreshold,
            },
        };
    }

    /// <summary>
    /// What the graph tells of its input, and for the rest how the authors of the format feed their own exports; a
    /// model trained otherwise needs its manifest corrected.
    /// </summary>
    private NetworkInput InputOf(ModelOutline model, DetectorFormat format, int width, int height)
    {
        var picture = PictureIn(model);
        var isLast = IsChannelsLast(picture);
        var input = new NetworkInput
        {
            Width = width,
            Height = height,
            Resample = Resample,
            Layout = isLast ? InputLayout.Nhwc : InputLayout.Nchw,
            Element = picture?.Type switch { 2 => InputElement.UInt8, 10 => InputElement.Float16, _ => InputElement.Float32 },
        };
        if (picture?.Size(isLast ? 3 : 1) == 1)
        {
            input = input with { Channels = ChannelOrder.Grey, Mean = [0], Std = [255] };
        }
        else if (format is DetectorFormat.YoloX)
        {
            // Plain grey levels in OpenCV's order.
            input = input with { Channels = ChannelOrder.Bgr, Std = [1, 1, 1] };
        }
        else if (format is DetectorFormat.NanoDet)
        {
            input = input with
            {
                Channels = ChannelOrder.Bgr,
                Mean = [103.53f, 116.28f, 123.675f],
                Std = [57.375f, 57.12f, 58.395f],
            };
        }

        if (format is DetectorFormat.Detr or DetectorFormat.Ssd or DetectorFormat.Paddle)
        {
            input = input with { Fit = FitMode.Stretch };
        }

        return input.Element is InputElement.UInt8
            ? input with { Mean = [.. input.Mean.Select(_ => 0f)], Std = [.. input.Std.Select(_ => 1f)] }
            : input;
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

    /// <summary>As the graph says, or else its notes; null when neither does.</summary>
    internal static (int Width, int Height)? SizeIn(ModelOutline model)
    {
        var picture = PictureIn(model);
        var (height, width) = IsChannelsLast(picture) ? (1, 2) : (2, 3);
        return picture is not null && picture.Size(height) is > 0 and <= 4096 && picture.Size(width) is > 0 and <= 4096
            ? ((int)picture.Size(width), (int)picture.Size(height))
            : new ExportNotes(model.Notes).Size;
    }

    private static TensorOutline? PictureIn(ModelOutline model) =>
        model.Inputs.FirstOrDefault(input => !NetworkInputs.IsSide(input.Name));

    private static bool IsChannelsLast(TensorOutline? picture) =>
        picture?.Rank == 4 && picture.Size(3) is (1 or 3) && picture.Size(1) is not (1 or 3);

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

    [GeneratedRegex("[^a-z0-9._-]+")]
    private static partial Regex Unnamed();
}
