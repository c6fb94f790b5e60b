using System.CommandLine;
using System.Globalization;
using EdgeInspector.Quantization;
using EdgeInspector.Quantization.Packages;
using EdgeInspector.Vision;
using Spectre.Console;

namespace EdgeInspector.Cli;

/// <summary>
/// What `model quantize` and `model prune` share: which model, which pictures, where the result goes, and how it is told.
/// </summary>
internal sealed class ModelRewriteOptions
{
    private readonly Argument<string> _model = new("MODEL")
    {
        Description = "A model package's folder, or an ONNX file (then with --size and the like where it needs them).",
    };

    private readonly Option<string> _out = new("--out")
    {
        Description = "Folder (for an ONNX file: file) to make; report.md and report.json lie in it or beside it.",
        HelpName = "PATH",
        Required = true,
    };

    private readonly Option<string?> _holdout = new("--holdout")
    {
        Description = "Pictures to compare both models on; without it, those that are left of the first folder.",
        HelpName = "DIR",
    };

    private readonly Option<double?> _partContext = new("--part-context")
    {
        Description = "Each picture shows one part; side of the picture in units of the part's longer side, 1 to 4. "
            + "Without it pictures are whole frames.",
        HelpName = "RATIO",
    };

    private readonly Option<string?> _stage = new("--stage")
    {
        Description = "Only this stage of a package: detector or classifier.",
        HelpName = "STAGE",
    };

    private readonly Option<int> _mostHoldout = new("--most-holdout")
    {
        Description = "Pictures compared at most, of each kind.",
        DefaultValueFactory = _ => 5000,
        HelpName = "N",
    };

    private readonly Option<int> _seed = new("--seed")
    {
        Description = "Of the choice of pictures.",
        DefaultValueFactory = _ => 1,
    };

    private readonly Option<string?> _size = new("--size")
    {
        Description = "ONNX file: input size, 640x640, where the file does not tell it.",
        HelpName = "WxH",
    };

    private readonly Option<string?> _mean = new("--mean")
    {
        Description = "ONNX file: subtracted from each channel, in grey levels, 123.7,116.3,103.5; 0 without it.",
        HelpName = "NUMBERS",
    };

    private readonly Option<string?> _std = new("--std")
    {
        Description = "ONNX file: each channel is divided by it; 255 without it.",
        HelpName = "NUMBERS",
    };

    private readonly Option<ChannelOrder> _channels = new("--channels") { Description = "ONNX file: rgb, bgr or grey." };

    private readonly Option<FitMode> _fit = new("--fit") { Description = "ONNX file: letterbox, letterboxtopleft or stretch." };

    private readonly Option<InputLayout> _layout = new("--layout") { Description = "ONNX file: nchw or nhwc." };

    private readonly Option<InputElement> _element = new("--element")
    {
        Description = "ONNX file: kind of number that it is fed, float32, float16 or uint8.",
    };

    private readonly Option<bool> _json = new("--json") { Description = "Print the report as one JSON object and nothing else." };

    public void AddTo(Command command)
    {
        command.Arguments.Add(_model);
        Option[] options =
        [
            _out, _holdout, _partContext, _stage, _mostHoldout, _seed, _size, _mean, _std, _channels, _fit, _layout,
            _element, _json,
        ];
        foreach (var option in options)
        {
            command.Options.Add(option);
        }
    }

    /// <summary>Runs the rewriting and prints its report.</summary>
    /// <param name="parsed">The command line.</param>
    /// <param name="folder">Pictures to take some of for calibration; null where none are needed.</param>
    /// <param name="taken">How many for calibration.</param>
    /// <param name="describe">Completes the options: mark, method, rewriting, notes.</param>
    public int Run(ParseResult parsed, string? folder, int taken, Func<RewriteOptions, RewriteOptions> describe, CancellationToken cancellationToken)
    {
        var output = parsed.InvocationConfiguration.Output;
        try
        {
            var (calibration, holdout) = Pictures(parsed, folder, taken);
            var stage = parsed.GetValue(_stage);
            if (stage is not (null or "detector" or "classifier"))
            {
                throw new OnnxException($"--stage: '{stage}' is no stage; write detector or classifier.");
            }

            var options = describe(new RewriteOptions
            {
                Model = parsed.GetRequiredValue(_model),
                Out = parsed.GetRequiredValue(_out),
                VersionMark = "",
                Method = "",
                Rewrite = (graph, _, _, _) => new RewrittenGraph(graph, new Dictionary<string, int>(), []),
                Calibration = calibration,
                Holdout = holdout,
                Detector = stage is null or "detector",
                Classifier = stage is null or "classifier",
            });
            if (stage is null && holdout.Frames.Count == 0 && !IsFile(options.Model))
            {
                // Pictures of parts say nothing to a detector.
                options = options with
                {
                    Detector = false,
                    Notes = [.. options.Notes, "The pictures show single parts: the detector, if there is one, is as it was."],
                };
            }

            var json = parsed.GetValue(_json);
            var report = json ? Rewrite(parsed, options, null, cancellationToken) : Watch(parsed, options, cancellationToken);
            if (json)
            {
                output.WriteLine(ModelRewriter.ToJson(report));
            }
            else
            {
                Show(output, report);
            }

            return 0;
        }
        catch (VisionException fault)
        {
            parsed.InvocationConfiguration.Error.WriteLine($"edge-inspector: {fault.Message}");
            return CommandLine.UserFault;
        }
        catch (OperationCanceledException)
        {
            parsed.InvocationConfiguration.Error.WriteLine("edge-inspector: stopped; nothing was written");
            return 130;
        }
    }

    private static bool IsFile(string model) => File.Exists(model);

    private (PictureSet? Calibration, PictureSet Holdout) Pictures(ParseResult parsed, string? folder, int taken)
    {
        var context = parsed.GetValue(_partContext);
        if (context is < 1 or > 4 or double.NaN)
        {
            throw new OnnxException($"--part-context: {context} is out of range; give 1 to 4.");
        }

        var (seed, most) = (parsed.GetValue(_seed), parsed.GetValue(_mostHoldout));
        if (most is < 1 or > 1_000_000)
        {
            throw new OnnxException($"--most-holdout: {most} is out of range; give 1 to 1,000,000.");
        }

        var named = parsed.GetValue(_holdout);
        if (folder is null)
        {
            return named is null
                ? throw new OnnxException("--holdout: pictures to compare both models on are needed; name a folder.")
                : (null, PictureSet.Read(named, context).AtMost(most, seed));
        }

        var (calibration, left) = PictureSet.Read(folder, context).Split(taken, seed);
        if (named is not null)
        {
            return (calibration, PictureSet.Read(named, context).AtMost(most, seed));
        }

        return left.Frames.Count + left.Parts.Count > 0
            ? (calibration, left.AtMost(most, seed))
            : throw new OnnxException($"{folder}: all {taken} pictures go into calibration and none is left to compare with; "
                + "give more pictures, a smaller --pictures, or --holdout.");
    }

    private RewriteReport Rewrite(
        ParseResult parsed, RewriteOptions options, Action<string, int, int>? progress, CancellationToken cancellationToken)
    {
        if (!IsFile(options.Model))
        {
            return ModelRewriter.Run(options, progress, cancellationToken);
        }

        var layout = parsed.GetValue(_layout);
        var (width, height) = parsed.GetValue(_size) is { } text
            ? ModelCommand.ParseSize(text)
            : BareModelRewriter.SizeOf(options.Model, layout)
                ?? throw new OnnxException($"{options.Model}: does not tell its input's size; give it with --size.");
        var channels = parsed.GetValue(_channels);
        var count = channels is ChannelOrder.Grey ? 1 : 3;
        var input = new NetworkInput
        {
            Width = width,
            Height = height,
            Channels = channels,
            Mean = Numbers("--mean", parsed.GetValue(_mean), count, 0),
            Std = Numbers("--std", parsed.GetValue(_std), count, 255),
            Fit = parsed.GetValue(_fit),
            Layout = layout,
            Element = parsed.GetValue(_element),
        };
        return BareModelRewriter.Run(options, input, progress, cancellationToken);
    }

    private static float[] Numbers(string option, string? text, int count, float otherwise)
    {
        if (text is null)
        {
            return [.. Enumerable.Repeat(otherwise, count)];
        }

        var parts = text.Split(',');
        var numbers = new float[parts.Length];
        for (var i = 0; i < parts.Length; i++)
        {
            if (!float.TryParse(parts[i], NumberStyles.Float, CultureInfo.InvariantCulture, out numbers[i])
                || !float.IsFinite(numbers[i]) || (option == "--std" && numbers[i] <= 0))
            {
                throw new OnnxException($"{option}: '{parts[i]}' will not do; write numbers with commas between.");
            }
        }

        return numbers.Length == count ? numbers
            : numbers.Length == 1 ? [.. Enumerable.Repeat(numbers[0], count)]
            : throw new OnnxException($"{option}: {numbers.Length} numbers for {count} channels; give one for each.");
    }

    private RewriteReport Watch(ParseResult parsed, RewriteOptions options, CancellationToken cancellationToken) => AnsiConsole
        .Progress()
        .AutoClear(true)
        .Columns(new TaskDescriptionColumn(), new ProgressBarColumn(), new PercentageColumn(), new RemainingTimeColumn())
        .Start(context =>
        {
            var tasks = new Dictionary<string, ProgressTask>();
            return Rewrite(parsed, options, (what, done, of) =>
            {
                if (!tasks.TryGetValue(what, out var task))
                {
                    tasks[what] = task = context.AddTask(what);
                }

                task.MaxValue = Math.Max(1, of);
                task.Value = done;
            }, cancellationToken);
        });

    private static void Show(TextWriter output, RewriteReport report)
    {
        var console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(output) });
        console.MarkupLineInterpolated($"[bold]{report.Out}[/]: {report.Method}");
        var stages = new Table().AddColumns("stage", "size", "gzip", "ms", "times as fast");
        foreach (var stage in report.Stages)
        {
            var speed = stage.Speed;
            stages.AddRow(
                stage.Stage,
                $"{Size(stage.BytesBefore)} → {Size(stage.BytesAfter)}",
                $"{Size(stage.CompressedBefore)} → {Size(stage.CompressedAfter)}",
                $"{Number(speed.Before)} → {Number(speed.After)}",
                $"{Number(speed.Ratio)} ({Number(speed.RatioLow)}–{Number(speed.RatioHigh)})");
        }

        console.Write(stages);
        var agreement = new Table().AddColumns("held out", "counted", "rate, 95 % interval");
        Rows(agreement, "frames", report.Frames);
        Rows(agreement, "parts", report.Parts);
        if (agreement.Rows.Count > 0)
        {
            console.Write(agreement);
        }

        foreach (var stage in report.Stages)
        {
            var changed = string.Join(", ", stage.Changed.OrderByDescending(p => p.Value).Select(p => $"{p.Value} {p.Key}"));
            console.MarkupLineInterpolated($"{stage.Stage}: {changed}");
            foreach (var kept in stage.Kept.GroupBy(kept => kept.Reason))
            {
                console.MarkupLineInterpolated($"{stage.Stage}: {kept.Count()} left as they were ({kept.Key})");
            }
        }

        foreach (var note in report.Notes)
        {
            console.MarkupLineInterpolated($"[yellow]{note}[/]");
        }

        console.MarkupLineInterpolated($"Timed on {report.Processor}. All of it in report.md and report.json.");

        static string Size(long bytes) => ReportText.Bytes(bytes);
        static string Number(double value) => ReportText.Number(value);
    }

    private static void Rows(Table table, string kind, Agreement? agreement)
    {
        if (agreement is null)
        {
            return;
        }

        Row("found by both", agreement.PartsAlike);
        Row(agreement.PartsAlike is null ? "same verdict" : "same verdict, whole parts", agreement.VerdictsAlike);
        Row("defects passed, original", agreement.Before?.FalseNegatives);
        Row("defects passed, new", agreement.After?.FalseNegatives);
        Row("good rejected, original", agreement.Before?.FalsePositives);
        Row("good rejected, new", agreement.After?.FalsePositives);

        void Row(string what, Share? share)
        {
            if (share is not null)
            {
                table.AddRow($"{kind}: {what}", $"{share.Count} of {share.Of}", ReportText.Rate(share));
            }
        }
    }
}
