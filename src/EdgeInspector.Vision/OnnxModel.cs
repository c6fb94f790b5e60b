using EdgeInspector.Vision.Inference;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace EdgeInspector.Vision;

/// <summary>
/// An ONNX file by itself, for tools: one input, one output, numbers in and numbers out. What runs on the line is a
/// <see cref="ModelPackage"/>.
/// </summary>
public sealed class OnnxModel : IDisposable
{
    /// <summary>Rows run at once where the batch is free: enough to be quick, few enough to fit any memory.</summary>
    private const int FreeBatch = 32;

    private readonly string _path;
    private readonly InferenceSession _session;
    private readonly RunOptions _run = new();

    private OnnxModel(string path, InferenceSession session, ProviderChoice provider)
    {
        _path = path;
        _session = session;
        Provider = Providers.Name(provider);
    }

    public string Provider { get; }

    /// <summary>The exporter's notes in the file, for example Ultralytics' names and imgsz.</summary>
    public IReadOnlyDictionary<string, string> Metadata => _session.ModelMetadata.CustomMetadataMap;

    /// <summary>A size that is free is −1.</summary>
    public IReadOnlyList<int> InputShape => _session.InputMetadata[_session.InputNames[0]].Dimensions;

    /// <summary>A size that is free is −1.</summary>
    public IReadOnlyList<int> OutputShape => _session.OutputMetadata[_session.OutputNames[0]].Dimensions;

    /// <exception cref="VisionException">The file is no such model, or the provider does not work here.</exception>
    public static OnnxModel Open(string path, InferenceOptions options)
    {
        var file = ModelFile.Read(path);
        OrtRuntime.Start();
        Exception? failure = null;
        foreach (var provider in Providers.ToTry(options.Provider, OrtRuntime.CompiledIn, options.ForbidFallback))
        {
            InferenceSession? session = null;
            try
            {
                session = Network.OpenSession(
                    file, Providers.Configure(provider, options, NetworkShape.Unknown), provider);
                Require(path, session);
                return new OnnxModel(path, session, provider);
            }
            catch (Exception exception) when (Providers.IsFailure(exception))
            {
                session?.Dispose();
                failure = exception;
            }
            catch
            {
                session?.Dispose();
                throw;
            }
        }

        throw new VisionException(
            $"{path}: provider {options.Provider} does not work here ({failure!.Message}); install its driver and the "
            + "runtime built for it, or choose cpu.",
            failure);
    }

    /// <summary>
    /// Runs any number of rows, in turns where the model's batch is smaller, and returns their rows.
    /// </summary>
    /// <exception cref="VisionException">The shapes do not fit, or the model fails.</exception>
    public FloatTensor Run(FloatTensor input)
    {
        var wanted = InputShape;
        var fits = input.Shape.Count == wanted.Count && input.Shape.Count > 0 && input.Shape[0] > 0
            && !wanted.Skip(1).Where((size, i) => size > 0 && size != input.Shape[i + 1]).Any()
            && (wanted[0] <= 0 || input.Shape[0] % wanted[0] == 0);
        if (!fits)
        {
            throw new VisionException($"{_path}: the model takes {Text(wanted)}, the input is {Text(input.Shape)}; "
                + "make them agree (rows may be any multiple of the model's batch).");
        }

        var rows = input.Shape[0];
        var width = input.Values.Length / rows;
        var batch = wanted[0] > 0 ? wanted[0] : FreeBatch;
        var values = new List<float>();
        int[]? rowShape = null;
        try
        {
            for (var row = 0; row < rows; row += batch)
            {
                var count = Math.Min(batch, rows - row);
                var output = RunOnce(
                    input.Values.AsMemory(row * width, count * width), [count, .. input.Shape.Skip(1)]);
                if (output.Shape.Count == 0 || (output.Shape[0] != count && count != rows))
                {
                    throw new VisionException($"{_path}: {count} rows in give {Text(output.Shape)} out, which is not a "
                        + "row each; run them one file at a time.");
                }

                values.AddRange(output.Values);
                rowShape ??= [output.Shape[0] == count ? rows : output.Shape[0], .. output.Shape.Skip(1)];
            }
        }
        catch (OnnxRuntimeException exception)
        {
            throw new VisionException($"{_path}: the model fails ({exception.Message}); export it again.", exception);
        }

        return new FloatTensor([.. values], rowShape!);
    }

    public void Dispose()
    {
        _run.Dispose();
        _session.Dispose();
    }

    private static void Require(string path, InferenceSession session)
    {
        if (session.InputNames.Count != 1 || session.OutputNames.Count != 1)
        {
            throw new VisionException($"{path}: the model has {session.InputNames.Count} inputs and "
                + $"{session.OutputNames.Count} outputs, one of each is needed; export it with one output.");
        }

        foreach (var node in session.InputMetadata.Values.Concat(session.OutputMetadata.Values))
        {
            if (!node.IsTensor || node.ElementDataType is not TensorElementType.Float)
            {
                throw new VisionException(
                    $"{path}: its input and output must be 32-bit floats; export it with float input and output.");
            }
        }
    }

    private static string Text(IEnumerable<int> shape) =>
        $"[{string.Join(',', shape.Select(size => size >= 0 ? $"{size}" : "?"))}]";

    private FloatTensor RunOnce(Memory<float> values, long[] shape)
    {
        using var input = OrtValue.CreateTensorValueFromMemory(OrtMemoryInfo.DefaultInstance, values, shape);
        using var outputs = _session.Run(_run, _session.InputNames, [input], _session.OutputNames);
        return new FloatTensor(
            outputs[0].GetTensorDataAsSpan<float>().ToArray(),
            [.. outputs[0].GetTensorTypeAndShape().Shape.Select(size => checked((int)size))]);
    }
}
