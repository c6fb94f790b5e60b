using EdgeInspector.Quantization.Graph;
using EdgeInspector.Vision;
using Microsoft.ML.OnnxRuntime;

namespace EdgeInspector.Quantization.Packages;

/// <summary>
/// Rewrites an ONNX file that no package surrounds. How its output is read is not known, so what is compared are the
/// numbers themselves, and the likeliest label where the output is a row per picture.
/// </summary>
public static class BareModelRewriter
{
    /// <param name="options">Model and Out are ONNX files; the stages are not looked at.</param>
    /// <param name="input">How pictures are fed; its size is taken from the model where the model tells it.</param>
    /// <param name="progress">Told what is being done, how much is done and how much there is to do.</param>
    /// <exception cref="VisionException">The model, a picture or a folder will not do.</exception>
    public static RewriteReport Run(
        RewriteOptions options,
        NetworkInput input,
        Action<string, int, int>? progress = null,
        CancellationToken cancellationToken = default)
    {
        if (File.Exists(options.Out) || Directory.Exists(options.Out))
        {
            throw new OnnxException($"{options.Out}: is there already; remove it or name another with --out.");
        }

        var graph = OnnxGraph.Load(options.Model);
        var feed = new StageInput(graph, input);
        var calibration = Feed(options.Calibration ?? options.Holdout);
        if (calibration.Count == 0)
        {
            throw new OnnxException($"{options.Model}: no picture to calibrate with; name a folder that holds some.");
        }

        var shown = options.Calibration is null ? [] : calibration;
        var rewritten = options.Rewrite(
            graph, shown, (done, of) => progress?.Invoke("calibrate", done, of), cancellationToken);
        progress?.Invoke("time", 0, 1);
        var stage = ModelRewriter.Measure("model", graph, rewritten, shown.Count, calibration[0]());
        progress?.Invoke("time", 1, 1);
        var report = new RewriteReport(
            options.Model,
            options.Out,
            options.Method,
            Processor.Name,
            [stage],
            Compare(graph, rewritten.Graph, Feed(options.Holdout), progress, cancellationToken),
            null,
            [.. options.Notes, "The file alone does not say how its output is read; `edge-inspector model new` makes a "
                + "package of it, and parts and verdicts are compared then."]);
        rewritten.Graph.Save(options.Out);
        var folder = Path.GetDirectoryName(Path.GetFullPath(options.Out))!;
        ModelRewriter.WriteReport(report, folder, $"{Path.GetFileNameWithoutExtension(options.Out)}.report");
        return report;

        List<Func<InputTensor>> Feed(PictureSet set) =>
        [
            .. set.Frames.Select(one => (Func<InputTensor>)(() => feed.Whole(one.Path))),
            .. set.Parts.Select(one => (Func<InputTensor>)(() => feed.Part(one.Path, null, set.PartContext, 0))),
        ];
    }

    /// <summary>The picture's size as the graph's input tells it; null where it is free.</summary>
    public static (int Width, int Height)? SizeOf(string model, InputLayout layout)
    {
        var dims = OnnxGraph.Load(model).Inputs.FirstOrDefault()?.Type?.TensorType?.Shape?.Dim;
        if (dims is not { Count: 4 })
        {
            return null;
        }

        var (height, width) = layout is InputLayout.Nhwc ? (dims[1], dims[2]) : (dims[2], dims[3]);
        return height.HasDimValue && width.HasDimValue && height.DimValue is > 0 and <= 4096 && width.DimValue is > 0 and <= 4096
            ? ((int)width.DimValue, (int)height.DimValue)
            : null;
    }

    private static Agreement Compare(
        OnnxGraph before,
        OnnxGraph after,
        List<Func<InputTensor>> inputs,
        Action<string, int, int>? progress,
        CancellationToken cancellationToken)
    {
        using var first = Sessions.Open(before, GraphOptimizationLevel.ORT_ENABLE_ALL);
        using var second = Sessions.Open(after, GraphOptimizationLevel.ORT_ENABLE_ALL);
        using var run = new RunOptions();
        var (alike, compared, largest, sum, count) = (0, 0, 0.0, 0.0, 0L);
        for (var i = 0; i < inputs.Count; i++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var input = inputs[i]();
            using var one = Sessions.Feed(first, input);
            using var two = Sessions.Feed(second, input);
            using var truth = first.Run(run, first.InputNames, [one], first.OutputNames);
            using var said = second.Run(run, second.InputNames, [two], second.OutputNames);
            for (var output = 0; output < truth.Count; output++)
            {
                var info = truth[output].GetTensorTypeAndShape();
                if (info.ElementDataType is not Microsoft.ML.OnnxRuntime.Tensors.TensorElementType.Float)
                {
                    continue;
                }

                var a = truth[output].GetTensorDataAsSpan<float>();
                var b = said[output].GetTensorDataAsSpan<float>();
                for (var k = 0; k < a.Length && k < b.Length; k++)
                {
                    var difference = Math.Abs((double)a[k] - b[k]);
                    largest = Math.Max(largest, difference);
                    sum += difference;
                    count++;
                }

                if (output == 0 && info.Shape is [_, > 1])
                {
                    compared++;
                    alike += Highest(a) == Highest(b) ? 1 : 0;
                }
            }

            progress?.Invoke("compare", i + 1, inputs.Count);
        }

        return new Agreement(
            inputs.Count,
            null,
            new Share(alike, compared),
            Math.Round(largest, 5),
            count > 0 ? Math.Round(sum / count, 6) : 0,
            "the original",
            null,
            null);

        static int Highest(ReadOnlySpan<float> row)
        {
            var best = 0;
            for (var i = 1; i < row.Length; i++)
            {
                best = row[i] > row[best] ? i : best;
            }

            return best;
        }
    }
}
