using EdgeInspector.Quantization.Graph;
using EdgeInspector.Vision.Inference;
using Microsoft.ML.OnnxRuntime;

namespace EdgeInspector.Quantization;

/// <summary>ONNX Runtime on the processor, for graphs that are at hand as objects.</summary>
internal static class Sessions
{
    /// <param name="threads">0: as many as the machine has processors.</param>
    /// <param name="optimised">File to keep the graph in as the runtime has rewritten it.</param>
    /// <exception cref="OnnxException">The runtime refuses the graph.</exception>
    public static InferenceSession Open(
        OnnxGraph graph, GraphOptimizationLevel level, int threads = 0, string? optimised = null)
    {
        OrtRuntime.Start();
        using var options = new SessionOptions
        {
            IntraOpNumThreads = threads,
            GraphOptimizationLevel = level,
            LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_FATAL,
        };
        options.AddSessionConfigEntry("session.force_spinning_stop", "1");
        if (optimised is not null)
        {
            options.OptimizedModelFilePath = optimised;
        }

        try
        {
            return new InferenceSession(SignedActivations.ForThisProcessor(graph.ToBytes()), options);
        }
        catch (OnnxRuntimeException exception)
        {
            throw new OnnxException(
                $"{graph.Path}: ONNX Runtime refuses this model ({exception.Message}); export it again.", exception);
        }
    }

    /// <summary>A copy of an input as the session takes it.</summary>
    /// <exception cref="OnnxException">It is longer or shorter than its shape and the model's kind of number say.</exception>
    public static OrtValue Feed(InferenceSession session, InputTensor input)
    {
        var kind = session.InputMetadata[session.InputNames[0]].ElementDataType;
        var value = OrtValue.CreateAllocatedTensorValue(
            OrtAllocator.DefaultInstance, kind, [.. input.Shape.Select(size => (long)size)]);
        var room = value.GetTensorMutableRawData();
        if (room.Length != input.Data.Length)
        {
            value.Dispose();
            throw new OnnxException($"input '{session.InputNames[0]}': {input.Data.Length} bytes for {room.Length} of "
                + $"{kind}; make size, channels and kind of number agree.");
        }

        input.Data.CopyTo(room);
        return value;
    }

    /// <summary>The graph as the runtime rewrites it.</summary>
    public static OnnxGraph Optimise(OnnxGraph graph, GraphOptimizationLevel level)
    {
        var folder = Directory.CreateTempSubdirectory("edge-inspector-");
        try
        {
            var path = Path.Combine(folder.FullName, "optimised.onnx");
            using (Open(graph, level, 1, path))
            {
                // Opening writes the file.
            }

            return OnnxGraph.Parse(File.ReadAllBytes(path), graph.Path);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }
}
