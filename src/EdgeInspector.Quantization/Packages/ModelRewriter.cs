using System.Globalization;
using System.IO.Compression;
using System.Security.Cryptography;
using System.Text.Json;
using EdgeInspector.Quantization.Graph;
using EdgeInspector.Vision;
using EdgeInspector.Vision.Packages;
using OpenCvSharp;

namespace EdgeInspector.Quantization.Packages;

/// <summary>What to do to one stage's graph, given typical inputs of it.</summary>
/// <param name="Graph">The new graph.</param>
/// <param name="Changed">Nodes that were changed, by operator.</param>
/// <param name="Kept">Nodes left as they were, with the reason.</param>
public sealed record RewrittenGraph(
    OnnxGraph Graph, IReadOnlyDictionary<string, int> Changed, IReadOnlyList<KeptNode> Kept);

/// <summary>Rewrites a graph; null inputs where the rewriting asks for none.</summary>
public delegate RewrittenGraph GraphRewrite(
    OnnxGraph graph,
    IReadOnlyList<Func<InputTensor>> inputs,
    Action<int, int>? progress,
    CancellationToken cancellationToken);

/// <summary>How a model is rewritten.</summary>
public sealed record RewriteOptions
{
    /// <summary>A package's folder.</summary>
    public required string Model { get; init; }

    /// <summary>Folder for the new package.</summary>
    public required string Out { get; init; }

    /// <summary>Appended to the package's version: "int8" makes 1.0.0 into 1.0.0+int8.</summary>
    public required string VersionMark { get; init; }

    /// <summary>For the report, in words.</summary>
    public required string Method { get; init; }

    public required GraphRewrite Rewrite { get; init; }

    /// <summary>Null where the rewriting needs none.</summary>
    public PictureSet? Calibration { get; init; }

    public required PictureSet Holdout { get; init; }

    public bool Detector { get; init; } = true;

    public bool Classifier { get; init; } = true;

    public IReadOnlyList<string> Notes { get; init; } = [];
}

/// <summary>
/// Makes a new package of a package: rewrites the stages' graphs, records the golden pictures' results anew, loads what
/// came of it as a device would, and compares both on pictures it has not looked at.
/// </summary>
public static class ModelRewriter
{
    private static readonly InferenceOptions OnProcessor = new() { Provider = ProviderChoice.Cpu };

    private static readonly JsonSerializerOptions Json = new()
    {
        WriteIndented = true,
        NewLine = "\n",
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        NumberHandling = System.Text.Json.Serialization.JsonNumberHandling.AllowNamedFloatingPointLiterals,
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    /// <summary>Writes the new package whole or not at all.</summary>
    /// <param name="options">What and how.</param>
    /// <param name="progress">Told what is being done, how much is done and how much there is to do.</param>
    /// <exception cref="VisionException">The model, a picture or a folder will not do.</exception>
    public static RewriteReport Run(
        RewriteOptions options, Action<string, int, int>? progress = null, CancellationToken cancellationToken = default)
    {
        var target = Path.TrimEndingDirectorySeparator(Path.GetFullPath(options.Out));
        if (File.Exists(target) || (Directory.Exists(target) && Directory.EnumerateFileSystemEntries(target).Any()))
        {
            throw new OnnxException($"{options.Out}: is there already; remove it or name another with --out.");
        }

        using var before = ModelPackage.Load(options.Model, OnProcessor);
        var temporary = $"{target}.{Environment.ProcessId}.part";
        try
        {
            Copy(before, temporary);
            var (manifest, stages) = Rewrite(options, before, temporary, progress, cancellationToken);
            manifest = Record(temporary, manifest, cancellationToken);
            RewriteReport report;
            using (var after = ModelPackage.Load(temporary, OnProcessor))
            {
                report = new RewriteReport(
                    options.Model,
                    options.Out,
                    options.Method,
                    Processor.Name,
                    stages,
                    options.Holdout.Frames.Count > 0
                        ? new Comparison(before, after).Frames(
                            options.Holdout.Frames, Told("compare frames", options.Holdout.Frames.Count), cancellationToken)
                        : null,
                    options.Holdout.Parts.Count > 0 && before.Classifier is not null
                        ? new Comparison(before, after).Parts(
                            options.Holdout.Parts,
                            options.Holdout.PartContext,
                            Told("compare parts", options.Holdout.Parts.Count),
                            cancellationToken)
                        : null,
                    options.Notes);
            }

            WriteReport(report, temporary);
            if (Directory.Exists(target))
            {
                Directory.Delete(target);
            }

            Directory.Move(temporary, target);
            return report;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new OnnxException(
                $"{options.Out}: cannot be written ({exception.Message}); name another with --out.", exception);
        }
        catch (ModelPackageException exception)
        {
            // Say the names the user knows.
            throw new OnnxException(
                exception.Message.Replace(temporary, options.Out, StringComparison.Ordinal), exception);
        }
        finally
        {
            if (Directory.Exists(temporary))
            {
                Directory.Delete(temporary, recursive: true);
            }
        }

        Action<int>? Told(string what, int of) => progress is null ? null : done => progress(what, done, of);
    }

    /// <summary>The report as JSON, as it stands beside the model and as `--json` prints it.</summary>
    public static string ToJson(RewriteReport report) => JsonSerializer.Serialize(report, Json);

    internal static void WriteReport(RewriteReport report, string folder, string name = "report")
    {
        File.WriteAllText(Path.Combine(folder, $"{name}.json"), ToJson(report) + "\n");
        File.WriteAllText(Path.Combine(folder, $"{name}.md"), ReportPage.Write(report));
    }

    internal static StageRewrite Measure(
        string stage, OnnxGraph graph, RewrittenGraph rewritten, int pictures, InputTensor input)
    {
        var (old, now) = (graph.ToBytes(), rewritten.Graph.ToBytes());
        var pixels = input.Shape.Aggregate(1L, (count, size) => count * size) / input.Shape[0];

        // As the product chooses: a thread of its own for small inputs, else one per processor up to four.
        var threads = pixels <= 3 * 256 * 256 ? 1 : Math.Min(4, Environment.ProcessorCount);
        return new StageRewrite(
            stage,
            old.Length,
            now.Length,
            Compressed(old),
            Compressed(now),
            rewritten.Changed,
            rewritten.Kept,
            pictures,
            PairedTiming.Measure(graph, rewritten.Graph, input, threads));
    }

    private static (ModelManifest Manifest, List<StageRewrite> Stages) Rewrite(
        RewriteOptions options,
        ModelPackage before,
        string folder,
        Action<string, int, int>? progress,
        CancellationToken cancellationToken)
    {
        var manifest = before.Manifest with
        {
            Version = $"{before.Manifest.Version}{(before.Manifest.Version.Contains('+', StringComparison.Ordinal) ? '.' : '+')}"
                + options.VersionMark,
        };
        var stages = new List<StageRewrite>();
        var pictures = options.Calibration ?? options.Holdout;
        if (options.Detector && manifest.Detector is { } detector)
        {
            var path = Path.Combine(folder, detector.File);
            var graph = OnnxGraph.Load(path);
            var input = new StageInput(graph, detector.Input);
            var inputs = pictures.Frames.Select(one => (Func<InputTensor>)(() => input.Whole(one.Path))).ToList();
            manifest = manifest with
            {
                Detector = detector with { Sha256 = Stage("detector", path, graph, inputs) },
            };
        }

        if (options.Classifier && manifest.Classifier is { } classifier)
        {
            var path = Path.Combine(folder, classifier.File);
            var graph = OnnxGraph.Load(path);
            var input = new StageInput(graph, classifier.Input);
            var inputs = PartInputs(before, pictures, input, classifier.CropMargin);
            manifest = manifest with
            {
                Classifier = classifier with { Sha256 = Stage("classifier", path, graph, inputs) },
            };
        }

        return stages.Count > 0
            ? (manifest, stages)
            : throw new OnnxException($"{options.Model}: has no such stage; choose another with --stage.");

        string Stage(string name, string path, OnnxGraph graph, List<Func<InputTensor>> inputs)
        {
            if (inputs.Count == 0)
            {
                throw new OnnxException(name == "detector"
                    ? $"{options.Model}: the pictures show single parts, the detector needs whole frames; name a folder of "
                        + "frames, or take the classifier alone with --stage classifier."
                    : $"{options.Model}: the detector finds no part in the pictures; name others.");
            }

            // Calibration alone looks at them all; what comes without needs one to be timed with.
            var shown = options.Calibration is null ? [] : inputs;
            var rewritten = options.Rewrite(
                graph, shown, (done, of) => progress?.Invoke($"calibrate {name}", done, of), cancellationToken);
            rewritten.Graph.Save(path);
            progress?.Invoke($"time {name}", 0, 1);
            stages.Add(Measure(name, graph, rewritten, shown.Count, inputs[0]()));
            progress?.Invoke($"time {name}", 1, 1);
            return Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(path)));
        }
    }

    /// <summary>Pictures of parts where there are any; else the parts that the original detector finds in frames.</summary>
    private static List<Func<InputTensor>> PartInputs(
        ModelPackage package, PictureSet pictures, StageInput input, double margin)
    {
        if (pictures.Parts.Count > 0)
        {
            return [.. pictures.Parts.Select(one =>
                (Func<InputTensor>)(() => input.Part(one.Path, null, pictures.PartContext, margin)))];
        }

        var inputs = new List<Func<InputTensor>>();
        var detections = new Detection[package.Manifest.Detector?.MaxDetections ?? 1];
        foreach (var one in pictures.Frames)
        {
            using var picture = GoldenCheck.Read(one.Path);
            var found = package.Detector.Detect(picture, detections);
            inputs.AddRange(detections.Take(found).Select(detection =>
                (Func<InputTensor>)(() => input.Part(one.Path, detection.Box, 1, margin))));
        }

        return inputs;
    }

    /// <summary>What the manifest names, and nothing that lies beside it.</summary>
    private static void Copy(ModelPackage package, string folder)
    {
        Directory.CreateDirectory(folder);
        var place = new PackageFolder(package.Folder);
        var names = package.Manifest.Golden.Select(golden => golden.Picture)
            .Append(package.Manifest.Detector?.File)
            .Append(package.Manifest.Classifier?.File)
            .OfType<string>()
            .Distinct(StringComparer.Ordinal);
        foreach (var name in names)
        {
            var path = Path.Combine(folder, name);
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            File.Copy(place.Resolve("file", name), path);
        }
    }

    /// <summary>The golden pictures' results as the new stages give them, at the digits a manifest holds.</summary>
    private static ModelManifest Record(string folder, ModelManifest manifest, CancellationToken cancellationToken)
    {
        Write(folder, manifest with { Golden = [] });
        var golden = new List<GoldenPicture>();
        using (var package = ModelPackage.Load(folder, OnProcessor))
        {
            var detections = new Detection[manifest.Detector?.MaxDetections ?? 1];
            foreach (var old in manifest.Golden)
            {
                cancellationToken.ThrowIfCancellationRequested();
                using var picture = GoldenCheck.Read(Path.Combine(folder, old.Picture));
                var found = package.Detector.Detect(picture, detections);
                golden.Add(old with
                {
                    Parts =
                    [
                        .. detections.Take(found)
                            .Select(detection => Part(package, picture, detection))
                            .OrderBy(part => part.Box[0])
                            .ThenBy(part => part.Box[1]),
                    ],
                });
            }
        }

        manifest = manifest with { Golden = golden };
        Write(folder, manifest);
        return manifest;
    }

    private static GoldenPart Part(ModelPackage package, Mat picture, Detection detection)
    {
        var box = detection.Box;
        float[] edges = [Round(box.X1, 2), Round(box.Y1, 2), Round(box.X2, 2), Round(box.Y2, 2)];
        var part = new GoldenPart
        {
            Box = edges,
            Score = Round(detection.Score, 4),
            Label = package.Detector.Labels[detection.Label],
        };
        if (package.Classifier is not { } classifier)
        {
            return part;
        }

        Span<Classification> result = stackalloc Classification[1];
        classifier.Classify(picture, [new Box(edges[0], edges[1], edges[2], edges[3])], result);
        return result[0].IsUnsure
            ? throw new OnnxException("the new classifier gives no number on a golden picture; exclude more, or calibrate "
                + "with other pictures.")
            : part with
            {
                Label = classifier.Labels[result[0].Label],
                DefectScore = Round(result[0].DefectScore, 4),
            };

        static float Round(float value, int digits) => MathF.Round(value, digits);
    }

    private static void Write(string folder, ModelManifest manifest)
    {
        var path = Path.Combine(folder, ModelManifest.FileName);
        ManifestRules.Check(manifest, path);
        File.WriteAllBytes(path, ManifestFile.Write(manifest));
    }

    private static long Compressed(byte[] bytes)
    {
        using var counted = new MemoryStream();
        using (var gzip = new GZipStream(counted, CompressionLevel.Optimal, leaveOpen: true))
        {
            gzip.Write(bytes);
        }

        return counted.Length;
    }
}
