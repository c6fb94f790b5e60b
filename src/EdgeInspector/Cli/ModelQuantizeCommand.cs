using System.CommandLine;
using System.Globalization;
using EdgeInspector.Quantization;
using EdgeInspector.Quantization.Packages;

namespace EdgeInspector.Cli;

/// <summary>`model quantize`: int8 of a float model, with what it costs and gains.</summary>
internal static class ModelQuantizeCommand
{
    public static Command Create()
    {
        var shared = new ModelRewriteOptions();
        var calibrate = new Option<string>("--calibrate")
        {
            Description = "Typical pictures: whole frames, or parts (--part-context), or a data set of `simulate`.",
            HelpName = "DIR",
            Required = true,
        };
        var pictures = new Option<int>("--pictures")
        {
            Description = "How many of them calibrate, of each kind; the rest is compared with.",
            DefaultValueFactory = _ => 300,
            HelpName = "N",
        };
        var method = new Option<CalibrationMethod>("--method")
        {
            Description = "How ranges follow from what was seen: minmax, entropy or percentile.",
            DefaultValueFactory = _ => CalibrationMethod.MinMax,
        };
        var percentile = new Option<double>("--percentile")
        {
            Description = "For --method percentile: percent of the values that are kept, 50 to 100.",
            DefaultValueFactory = _ => 99.999,
            HelpName = "PERCENT",
        };
        var exclude = new Option<string[]>("--exclude")
        {
            Description = "Nodes that stay float: a name or an operator, * and ? stand for any letters. Repeatable.",
            HelpName = "NAME",
            DefaultValueFactory = _ => [],
        };
        var head = new Option<bool>("--quantize-head")
        {
            Description = "The last layers and the decoding behind them too; they stay float without it.",
        };
        var perTensor = new Option<bool>("--per-tensor") { Description = "One scale for all weights of a layer." };
        var reduce = new Option<string>("--reduce-range")
        {
            Description = "Weights in 7 bits, for x86 processors without VNNI: auto (this processor decides), yes or no.",
            DefaultValueFactory = _ => "auto",
            HelpName = "WHEN",
        };
        var symmetric = new Option<bool>("--symmetric")
        {
            Description = "Activations around zero, for TensorRT; slower on a processor.",
        };
        var command = new Command(
            "quantize",
            """
            Make an int8 model of a float one and compare both.

            Static quantisation, QDQ: signed activations, signed weights with a scale per channel. A package comes out as a
            package with its golden pictures recorded anew, an ONNX file as an ONNX file.

              edge-inspector simulate --out data --count 2000 --seed 77
              edge-inspector model quantize models/biscuit-float --calibrate data --out biscuit-int8
              edge-inspector model quantize PACKAGE --calibrate frames --stage detector --method entropy --out PACKAGE8
              edge-inspector model quantize PACKAGE --calibrate photos --part-context 1 --out PACKAGE8
              edge-inspector model quantize yolov8n.onnx --calibrate frames --exclude '*/model.22/*' --out yolov8n-int8.onnx
            """);
        shared.AddTo(command);
        Option[] options = [calibrate, pictures, method, percentile, exclude, head, perTensor, reduce, symmetric];
        foreach (var option in options)
        {
            command.Options.Add(option);
        }

        command.SetAction((parsed, cancellationToken) => Task.FromResult(shared.Run(
            parsed,
            parsed.GetRequiredValue(calibrate),
            parsed.GetValue(pictures),
            rewrite =>
            {
                var share = parsed.GetValue(percentile);
                if (share is not (>= 50 and <= 100))
                {
                    throw new OnnxException(string.Create(
                        CultureInfo.InvariantCulture, $"--percentile: {share} is out of range; give 50 to 100."));
                }

                var count = parsed.GetValue(pictures);
                if (count is < 1 or > 100_000)
                {
                    throw new OnnxException($"--pictures: {count} is out of range; give 1 to 100,000.");
                }

                var quantization = new QuantizationOptions
                {
                    Method = parsed.GetValue(method),
                    Percentile = share,
                    Exclude = parsed.GetValue(exclude) ?? [],
                    KeepHead = !parsed.GetValue(head),
                    PerChannel = !parsed.GetValue(perTensor),
                    SymmetricActivations = parsed.GetValue(symmetric),
                    ReduceRange = parsed.GetValue(reduce) switch
                    {
                        "auto" => Processor.NeedsReducedRange,
                        "yes" => true,
                        "no" => false,
                        var other => throw new OnnxException($"--reduce-range: '{other}' will not do; write auto, yes or no."),
                    },
                };
                return rewrite with
                {
                    VersionMark = "int8",
                    Method = Describe(quantization),
                    Rewrite = (graph, inputs, progress, stop) =>
                    {
                        var quantized = Quantizer.Quantize(graph, quantization, inputs, progress, stop);
                        return new RewrittenGraph(quantized.Graph, quantized.Int8Nodes, quantized.Kept);
                    },
                };
            },
            cancellationToken)));
        return command;
    }

    private static string Describe(QuantizationOptions options)
    {
        var method = options.Method switch
        {
            CalibrationMethod.Percentile => string.Create(
                CultureInfo.InvariantCulture, $"percentile {options.Percentile} calibration"),
            CalibrationMethod.Entropy => "entropy calibration",
            _ => "min-max calibration",
        };
        return $"static int8 (QDQ, S8S8), weights per {(options.PerChannel ? "channel" : "tensor")}"
            + $"{(options.ReduceRange ? " in 7 bits" : "")}, {method}"
            + $"{(options.SymmetricActivations ? ", symmetric activations" : "")}";
    }
}
