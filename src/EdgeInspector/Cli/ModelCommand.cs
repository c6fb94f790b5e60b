using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using EdgeInspector.Vision;
using OpenCvSharp;
using Spectre.Console;

namespace EdgeInspector.Cli;

/// <summary>`model`: check a model package, make one of a bare detector, score arrays.</summary>
internal static class ModelCommand
{
    private static readonly JsonSerializerOptions Indented = new()
    {
        WriteIndented = true,
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    public static Command Create() => new("model", "Check, make and score models.")
    {
        CreateCheck(),
        CreateInspect(),
        CreateNew(),
        CreateScore(),
        ModelQuantizeCommand.Create(),
        ModelPruneCommand.Create(),
    };

    private static Option<ProviderChoice> ProviderOption() => new("--provider")
    {
        Description = "What runs the network: auto, tensorrt, cuda or cpu. Auto takes the first that works.",
        DefaultValueFactory = _ => ProviderChoice.Auto,
    };

    private static Option<int> ThreadsOption() => new("--threads")
    {
        Description = "Processor threads per network, 0 chooses.",
    };

    private static Command CreateCheck()
    {
        var package = new Argument<string>("PACKAGE") { Description = "The model package's folder." };
        var provider = ProviderOption();
        var threads = ThreadsOption();
        var json = new Option<bool>("--json") { Description = "Print one JSON object." };
        var command = new Command("check", "Load a package as the line does and compare its golden pictures.")
        {
            package, provider, threads, json,
        };
        command.SetAction(parsed => Guard(parsed, output =>
        {
            using var loaded = ModelPackage.Load(
                parsed.GetRequiredValue(package),
                new InferenceOptions { Provider = parsed.GetValue(provider), Threads = parsed.GetValue(threads) });
            var timings = Time(loaded);
            if (parsed.GetValue(json))
            {
                output.WriteLine(JsonSerializer.Serialize(Describe(loaded, timings), Indented));
            }
            else
            {
                Show(output, loaded, timings);
            }
        }));
        return command;
    }

    private static Option<string?> FormatOption()
    {
        var option = new Option<string?>("--format")
        {
            Description = "How its outputs are read; found from the model when absent. " + ModelNames.Formats + ".",
        };
        return option;
    }

    private static Option<string?> BoxesOption() => new("--boxes")
    {
        Description = "How boxes are written, where the model does not tell: " + ModelNames.Boxes + ".",
    };

    private static DetectorFormat? FormatOf(string? name) => name is null ? null
        : ModelNames.Format(name) ?? throw new VisionException(
            $"--format: '{name}' is no format; use one of {ModelNames.Formats}, or leave it out.");

    private static BoxForm? BoxesOf(string? name) => name is null ? null
        : ModelNames.BoxForm(name) ?? throw new VisionException(
            $"--boxes: '{name}' is no way to write boxes; use one of {ModelNames.Boxes}.");

    private static Command CreateInspect()
    {
        var model = new Argument<string>("MODEL") { Description = "An ONNX file." };
        var labels = new Option<int?>("--labels") { Description = "How many labels it has, if it does not tell." };
        var size = new Option<string?>("--size") { Description = "Its input's size, 640x640, if it does not tell." };
        var boxes = BoxesOption();
        var json = new Option<bool>("--json") { Description = "Print one JSON object." };
        var command = new Command("inspect", "Tell what a bare detector's outputs are, and why; nothing is run.")
        {
            model, labels, size, boxes, json,
        };
        command.SetAction(parsed => Guard(parsed, output =>
        {
            var inspection = ModelInspection.Of(
                parsed.GetRequiredValue(model),
                parsed.GetValue(labels),
                parsed.GetValue(size) is { } text ? ParseSize(text) : null,
                BoxesOf(parsed.GetValue(boxes)));
            if (parsed.GetValue(json))
            {
                output.WriteLine(JsonSerializer.Serialize(inspection, Indented));
            }
            else
            {
                Show(output, inspection);
            }
        }));
        return command;
    }

    private static void Show(TextWriter output, ModelInspection inspection)
    {
        var console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(output) });
        var labels = inspection.Labels is { } known ? $"{known.Count} labels" : "labels not told";
        var weights = (inspection.Parameters / 1e6).ToString("0.00", CultureInfo.InvariantCulture);
        var facts = $"{inspection.Producer}, operator set {inspection.OperatorSet}, {weights} million weights, {labels}";
        console.MarkupLineInterpolated($"[bold]{inspection.Model}[/]: {facts}");
        console.MarkupLineInterpolated($"in   {string.Join(", ", inspection.Inputs)}");
        console.MarkupLineInterpolated($"out  {string.Join(", ", inspection.Outputs)}");
        var table = new Table().AddColumns("format", "answer", "why");
        foreach (var one in inspection.Formats)
        {
            table.AddRow(Markup.Escape(one.Format), one.Answer, Markup.Escape(one.Why));
        }

        console.Write(table);
        var remark = inspection.Remark is { } said ? $" ({said})" : "";
        console.MarkupLineInterpolated(
            $"Detector format: [bold]{inspection.Format ?? "not certain; state it"}[/]{remark}");
    }

    private static Command CreateNew()
    {
        var detector = new Option<string>("--detector") { Description = "The detector's ONNX file.", Required = true };
        var format = FormatOption();
        var boxes = BoxesOption();
        var firstLabel = new Option<int?>("--first-label")
        {
            Description = "0 or 1: the number of the first label, where the model chooses labels and does not tell.",
        };
        var labels = new Option<string?>("--labels")
        {
            Description = "Text file, one label per line; not needed when the model tells its labels.",
        };
        var target = new Option<string>("--out") { Description = "Folder to make.", Required = true };
        var name = new Option<string?>("--name") { Description = "Package name, a-z 0-9 . _ -" };
        var size = new Option<string?>("--size")
        {
            Description = "Input size, 640x640; not needed when the model tells it.",
        };
        var score = new Option<float>("--score")
        {
            Description = "Lowest score that is a part, 0 to 1.",
            DefaultValueFactory = _ => 0.5f,
        };
        var resample = new Option<ResampleMode>("--resample")
        {
            Description = "How pictures are resized: bilinear, or bicubic for one that skips nothing and is slower.",
        };
        var pictures = new Option<string[]>("--picture")
        {
            Description = "Picture to keep as golden picture with what is found in it now; may be repeated.",
            DefaultValueFactory = _ => [],
        };
        var provider = ProviderOption();
        var command = new Command("new", "Make a package of a bare detector.")
        {
            detector, format, boxes, firstLabel, labels, target, name, size, score, resample, pictures, provider,
        };
        command.SetAction(parsed => Guard(parsed, output =>
        {
            var folder = parsed.GetRequiredValue(target);
            var manifest = new BareDetector
            {
                Model = parsed.GetRequiredValue(detector),
                Format = FormatOf(parsed.GetValue(format)),
                Boxes = BoxesOf(parsed.GetValue(boxes)),
                FirstLabel = parsed.GetValue(firstLabel),
                LabelsFile = parsed.GetValue(labels),
                Name = parsed.GetValue(name),
                Size = parsed.GetValue(size) is { } text ? ParseSize(text) : null,
                ScoreThreshold = parsed.GetValue(score),
                Resample = parsed.GetValue(resample),
                Pictures = parsed.GetValue(pictures) ?? [],
            }.WriteTo(folder, new InferenceOptions { Provider = parsed.GetValue(provider) });
            output.WriteLine($"{folder}: {manifest.Name} {manifest.Version}, format "
                + $"{ModelNames.Of(manifest.Detector!.Format!.Value)}, {manifest.Detector.Labels.Count} labels, "
                + $"{manifest.Golden.Count} golden pictures. {manifest.Description}");
        }));
        return command;
    }

    private static Command CreateScore()
    {
        var model = new Argument<string>("MODEL") { Description = "An ONNX file with one input and one output." };
        var input = new Option<string>("--input")
        {
            Description = "Numbers to feed, .npy, 32-bit floats.",
            Required = true,
        };
        var target = new Option<string>("--output") { Description = "Where the result goes, .npy.", Required = true };
        var provider = ProviderOption();
        var threads = ThreadsOption();
        var command = new Command("score", "Run a model over an array, as the line's runtime computes it.")
        {
            model, input, target, provider, threads,
        };
        command.SetAction(parsed => Guard(parsed, output =>
        {
            var numbers = FloatTensor.ReadNpy(parsed.GetRequiredValue(input));
            using var opened = OnnxModel.Open(
                parsed.GetRequiredValue(model),
                new InferenceOptions { Provider = parsed.GetValue(provider), Threads = parsed.GetValue(threads) });
            var result = opened.Run(numbers);
            var path = parsed.GetRequiredValue(target);
            result.WriteNpy(path);
            output.WriteLine($"{path}: [{string.Join(',', result.Shape)}] on {opened.Provider}.");
        }));
        return command;
    }

    /// <summary>What the user can put right is one line.</summary>
    private static int Guard(ParseResult parsed, Action<TextWriter> action)
    {
        try
        {
            action(parsed.InvocationConfiguration.Output);
            return 0;
        }
        catch (VisionException fault)
        {
            parsed.InvocationConfiguration.Error.WriteLine($"edge-inspector: {fault.Message}");
            return CommandLine.UserFault;
        }
    }

    internal static (int Width, int Height) ParseSize(string text)
    {
        var sides = text.Split('x', 'X');
        return sides.Length == 2
            && int.TryParse(sides[0], NumberStyles.None, CultureInfo.InvariantCulture, out var width)
            && int.TryParse(sides[1], NumberStyles.None, CultureInfo.InvariantCulture, out var height)
            ? (width, height)
            : throw new VisionException($"--size: '{text}' is no size; write 640x480.");
    }

    /// <summary>Median of 20 runs each, on the first golden picture or else a grey one.</summary>
    private static List<StageTiming> Time(ModelPackage package)
    {
        using var picture = package.Manifest.Golden is [var golden, ..]
            ? Cv2.ImRead(Path.Combine(package.Folder, golden.Picture), ImreadModes.Color)
            : new Mat(480, 640, MatType.CV_8UC3, new Scalar(114, 114, 114));
        var detections = new Detection[package.Manifest.Detector?.MaxDetections ?? 1];
        var results = new Classification[8];
        var parts = Enumerable.Repeat(new Box(0, 0, picture.Width, picture.Height), 8).ToArray();
        var timings = new List<StageTiming>();
        if (package.Manifest.Detector is not null)
        {
            timings.Add(new("detect", Median(() => package.Detector.Detect(picture, detections))));
        }

        if (package.Classifier is { } classifier)
        {
            timings.Add(new("classify 1", Median(() => classifier.Classify(picture, parts.AsSpan(0, 1), results))));
            timings.Add(new("classify 8", Median(() => classifier.Classify(picture, parts, results))));
        }

        return timings;

        static double Median(Action run)
        {
            var times = new double[20];
            foreach (ref var time in times.AsSpan())
            {
                var start = Stopwatch.GetTimestamp();
                run();
                time = Stopwatch.GetElapsedTime(start).TotalMilliseconds;
            }

            times.Sort();
            return Math.Round(times[10], 3);
        }
    }

    private static object Describe(ModelPackage package, List<StageTiming> timings) => new
    {
        Accepted = true,
        package.Name,
        package.Version,
        package.Provider,
        Detector = package.Manifest.Detector is { } detector
            ? Stage(ModelNames.Of(detector.Format!.Value), detector.Input, detector.Labels)
            : null,
        Classifier = package.Manifest.Classifier is { } classifier
            ? Stage(ModelNames.Of(classifier.Format!.Value), classifier.Input, classifier.Labels)
            : null,
        Golden = package.Golden.Select(outcome => new
        {
            outcome.Picture,
            outcome.Label,
            outcome.Score,
            ExpectedScore = outcome.Expected.Score,
            outcome.DefectScore,
            ExpectedDefectScore = outcome.Expected.DefectScore,
        }),
        Milliseconds = timings.ToDictionary(timing => timing.Stage, timing => timing.Milliseconds),
    };

    private static object Stage(string format, NetworkInput input, IReadOnlyList<string> labels) =>
        new { Format = format, input.Width, input.Height, Labels = labels };

    private static void Show(TextWriter output, ModelPackage package, List<StageTiming> timings)
    {
        var console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(output) });
        var manifest = package.Manifest;
        console.MarkupLineInterpolated($"[bold]{package.Name} {package.Version}[/] on {package.Provider}: accepted");
        var stages = new Table().AddColumns("stage", "input", "format", "labels", "ms");
        if (manifest.Detector is { } detector)
        {
            stages.AddRow(
                "detector",
                Size(detector.Input),
                ModelNames.Of(detector.Format!.Value),
                Labels(detector.Labels),
                Ms("detect"));
        }
        else
        {
            stages.AddRow("detector", "whole picture", "", "", "");
        }

        if (manifest.Classifier is { } classifier)
        {
            stages.AddRow(
                "classifier",
                Size(classifier.Input),
                ModelNames.Of(classifier.Format!.Value),
                Labels(classifier.Labels),
                $"{Ms("classify 1")} (8 parts: {Ms("classify 8")})");
        }

        console.Write(stages);
        if (package.Golden.Count == 0)
        {
            console.MarkupLine("[yellow]No golden pictures: nothing was compared.[/]");
            return;
        }

        var golden = new Table().AddColumns("golden picture", "label", "score", "expected", "defect score", "expected");
        foreach (var outcome in package.Golden)
        {
            golden.AddRow(
                Markup.Escape(outcome.Picture),
                Markup.Escape(outcome.Label),
                Number(outcome.Score),
                Number(outcome.Expected.Score),
                Number(outcome.DefectScore),
                Number(outcome.Expected.DefectScore));
        }

        console.Write(golden);

        string Ms(string stage) => Number((float)timings.First(timing => timing.Stage == stage).Milliseconds);
        static string Size(NetworkInput input) => $"{input.Width} × {input.Height}";
        static string Labels(IReadOnlyList<string> labels) => Markup.Escape(
            labels.Count > 6 ? $"{labels.Count}" : string.Join(", ", labels));
        static string Number(float? value) => value?.ToString("0.000", CultureInfo.InvariantCulture) ?? "";
    }

    private sealed record StageTiming(string Stage, double Milliseconds);
}
