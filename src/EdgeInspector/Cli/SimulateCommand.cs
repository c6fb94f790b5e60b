using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using EdgeInspector.Simulation.DataSets;
using Spectre.Console;

namespace EdgeInspector.Cli;

/// <summary><c>edge-inspector simulate</c>: a labelled data set from the virtual line.</summary>
internal static class SimulateCommand
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web);

    public static Command Create()
    {
        var folder = new Option<string>("--out")
        {
            Description = "Folder to make; refused when it holds anything.",
            Required = true,
        };
        var count = new Option<int?>("--count")
        {
            Description = "Parts on the belt; about two crops each. With photographs: each once.",
        };
        var seed = new Option<int>("--seed")
        {
            Description = "The same seed writes the same pictures.",
            DefaultValueFactory = _ => 1,
        };
        var rate = new Option<double>("--defect-rate")
        {
            Description = "Share of biscuits with a defect, 0 to 1.",
            DefaultValueFactory = _ => 0.3,
        };
        var photographs = new Option<string?>("--photographs")
        {
            Description = "Carry these photographs (one sub-folder per class) in place of biscuits.",
        };
        var size = new Option<double?>("--photograph-size")
        {
            Description = "Longer side of a photograph on the belt in mm; without it, pixel for pixel.",
        };
        var lanes = new Option<int>("--lanes")
        {
            Description = "Lanes of parts; 0 mixes one, two and three.",
            DefaultValueFactory = _ => 0,
        };
        var png = new Option<bool>("--png") { Description = "PNG in place of JPEG." };
        var json = new Option<bool>("--json") { Description = "Print one JSON object at the end and nothing else." };
        var command = new Command(
            "simulate",
            "Writes a labelled data set: frames with COCO boxes, and one folder of crops per class."
        )
        {
            folder,
            count,
            seed,
            rate,
            photographs,
            size,
            lanes,
            png,
            json,
        };
        command.SetAction(
            (parsed, cancellationToken) =>
                Task.FromResult(
                    Run(
                        new DataSetOptions
                        {
                            Folder = parsed.GetValue(folder)!,
                            Count = parsed.GetValue(count) ?? (parsed.GetValue(photographs) is null ? 1000 : 0),
                            Seed = parsed.GetValue(seed),
                            DefectRate = parsed.GetValue(rate),
                            PhotographsFolder = parsed.GetValue(photographs),
                            PhotographSize = parsed.GetValue(size),
                            Lanes = parsed.GetValue(lanes),
                            Lossless = parsed.GetValue(png),
                        },
                        parsed.GetValue(json),
                        cancellationToken
                    )
                )
        );
        return command;
    }

    private static int Run(DataSetOptions options, bool json, CancellationToken cancellationToken)
    {
        try
        {
            var summary = json
                ? new DataSetWriter(options).Write(null, cancellationToken)
                : Watch(options, cancellationToken);
            Console.WriteLine(json ? JsonSerializer.Serialize(summary, Json) : Describe(summary));
            return 0;
        }
        catch (Exception e) when (e is IOException or InvalidDataException)
        {
            Console.Error.WriteLine($"edge-inspector: {e.Message}");
            return 1;
        }
        catch (OperationCanceledException)
        {
            Console.Error.WriteLine("edge-inspector: stopped; nothing was written");
            return 130;
        }
    }

    private static DataSetSummary Watch(DataSetOptions options, CancellationToken cancellationToken)
    {
        var writer = new DataSetWriter(options);
        return AnsiConsole
            .Progress()
            .AutoClear(true)
            .Columns(
                new TaskDescriptionColumn(),
                new ProgressBarColumn(),
                new PercentageColumn(),
                new RemainingTimeColumn()
            )
            .Start(progress =>
            {
                var task = progress.AddTask("parts", autoStart: true, maxValue: Math.Max(1, options.Count));
                return writer.Write(
                    (done, total) =>
                    {
                        task.MaxValue = total;
                        task.Value = done;
                    },
                    cancellationToken
                );
            });
    }

    private static string Describe(DataSetSummary summary)
    {
        var kinds = string.Join(", ", summary.Crops.Select(c => $"{c.Value} {c.Key}"));
        return string.Create(
            CultureInfo.InvariantCulture,
            $"{summary.Folder}: {summary.Parts} parts, {summary.Frames} frames, {summary.Annotations} boxes, {kinds}"
        );
    }
}
