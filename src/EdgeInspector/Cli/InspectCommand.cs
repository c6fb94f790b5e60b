using System.CommandLine;
using EdgeInspector.Inspection;
using EdgeInspector.Vision;
using Spectre.Console;

namespace EdgeInspector.Cli;

/// <summary>`inspect`: pictures, folders and videos through a model package, without a line.</summary>
internal static class InspectCommand
{
    public static Command Create()
    {
        var paths = new Argument<string[]>("PATH")
        {
            Description = "Pictures, videos, or folders of them with their sub-folders.",
            Arity = ArgumentArity.OneOrMore,
        };
        var model = new Option<string>("--model") { Description = "The model package's folder.", Required = true };
        var output = new Option<string?>("--out")
        {
            Description = "Folder to make for annotated pictures, videos and results.json; refused when it holds anything.",
        };
        var format = new Option<InspectFormat>("--format") { Description = "What is printed: table, json or csv." };
        var json = new Option<bool>("--json") { Description = "The same as --format json." };
        var provider = new Option<ProviderChoice>("--provider")
        {
            Description = "What runs the networks: auto, tensorrt, cuda or cpu. Auto takes the first that works.",
        };
        var direction = new Option<BeltDirection>("--direction")
        {
            Description = "Which way parts move in videos: right, left, down or up.",
        };
        var gate = new Option<double>("--gate")
        {
            Description = "Where along the parts' way through a video they are counted, 0.05 to 0.95.",
            DefaultValueFactory = _ => 0.5,
        };
        gate.Validators.Add(given =>
        {
            if (given.GetValueOrDefault<double>() is not (>= 0.05 and <= 0.95))
            {
                given.AddError("--gate: must lie between 0.05 and 0.95.");
            }
        });
        var command = new Command("inspect", "Find and judge parts in pictures, and count them in videos.")
        {
            paths, model, output, format, json, provider, direction, gate,
        };
        command.SetAction((parsed, cancellationToken) => Task.FromResult(Guard(() => Run(
            parsed.GetRequiredValue(paths),
            parsed.GetRequiredValue(model),
            parsed.GetValue(output),
            parsed.GetValue(json) ? InspectFormat.Json : parsed.GetValue(format),
            parsed.GetValue(provider),
            parsed.GetValue(direction),
            parsed.GetValue(gate),
            cancellationToken))));
        return command;
    }

    /// <summary>What the user can put right is one line; a disk that takes no results is, too.</summary>
    private static int Guard(Action action)
    {
        try
        {
            action();
            return 0;
        }
        catch (Exception fault) when (
            CommandLine.IsForUser(fault) || fault is IOException or UnauthorizedAccessException)
        {
            Console.Error.WriteLine($"edge-inspector: {fault.Message.ReplaceLineEndings(" ")}");
            return CommandLine.UserFault;
        }
        catch (OperationCanceledException)
        {
            Console.Error.WriteLine("edge-inspector: stopped; nothing was written");
            return 130;
        }
    }

    private static void Run(
        IReadOnlyList<string> paths,
        string model,
        string? output,
        InspectFormat format,
        ProviderChoice provider,
        BeltDirection direction,
        double gate,
        CancellationToken cancellationToken)
    {
        var inputs = InspectInput.Find(paths);
        using var folder = output is null ? null : new UnfinishedFolder(output);
        using var package = ModelPackage.Load(model, new InferenceOptions { Provider = provider });
        using var run = new InspectRun(package, direction, gate, folder?.Path);
        var pictures = new List<InspectedPicture>();
        var videos = new List<InspectedVideo>();
        Watch(inputs, (input, progress) =>
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (input.IsPicture)
            {
                pictures.Add(run.Picture(input));
            }
            else
            {
                videos.Add(run.Video(input, progress, cancellationToken));
            }
        });

        var result = new InspectResult(
            $"{package.Name} {package.Version}", package.Provider, package.Classifier is not null, pictures, videos);
        if (folder is not null)
        {
            File.WriteAllText(Path.Combine(folder.Path, "results.json"), InspectReport.Json(result) + "\n");
            folder.Finish();
        }

        switch (format)
        {
            case InspectFormat.Json:
                Console.Out.WriteLine(InspectReport.Json(result));
                break;
            case InspectFormat.Csv:
                Console.Out.Write(InspectReport.Csv(result));
                break;
            default:
                InspectReport.Table(result, AnsiConsole.Console);
                break;
        }
    }

    /// <summary>A bar on the terminal while there is one, on standard error so that results can be piped.</summary>
    private static void Watch(IReadOnlyList<InspectInput> inputs, Action<InspectInput, Action<int, int>?> inspect)
    {
        if (Console.IsErrorRedirected)
        {
            foreach (var input in inputs)
            {
                inspect(input, null);
            }

            return;
        }

        AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(Console.Error) })
            .Progress()
            .AutoClear(true)
            .Columns(new TaskDescriptionColumn(), new ProgressBarColumn(), new PercentageColumn(), new RemainingTimeColumn())
            .Start(progress =>
            {
                var all = progress.AddTask("files", maxValue: inputs.Count);
                foreach (var input in inputs)
                {
                    var before = all.Value;
                    all.Description = Markup.Escape(Path.GetFileName(input.Path));
                    inspect(input, (done, total) => all.Value = before + ((double)done / total));
                    all.Value = before + 1;
                }
            });
    }
}
