using System.Runtime.InteropServices;
using EdgeInspector.Quantization.Proto;
using Google.Protobuf;
using Kind = EdgeInspector.Quantization.Proto.TensorProto.Types.DataType;

namespace EdgeInspector.Quantization.Graph;

/// <summary>Numbers in and out of the format's tensors, however they are stored there.</summary>
public static class Tensors
{
    public static TensorProto Float(string name, ReadOnlySpan<float> values, params ReadOnlySpan<int> shape) =>
        Create(name, Kind.Float, MemoryMarshal.AsBytes(values), shape);

    public static TensorProto Int8(string name, ReadOnlySpan<sbyte> values, params ReadOnlySpan<int> shape) =>
        Create(name, Kind.Int8, MemoryMarshal.AsBytes(values), shape);

    public static TensorProto UInt8(string name, ReadOnlySpan<byte> values, params ReadOnlySpan<int> shape) =>
        Create(name, Kind.Uint8, values, shape);

    public static TensorProto Int32(string name, ReadOnlySpan<int> values, params ReadOnlySpan<int> shape) =>
        Create(name, Kind.Int32, MemoryMarshal.AsBytes(values), shape);

    public static TensorProto Int64(string name, ReadOnlySpan<long> values, params ReadOnlySpan<int> shape) =>
        Create(name, Kind.Int64, MemoryMarshal.AsBytes(values), shape);

    /// <summary>Number of values: the product of the sizes.</summary>
    public static long Count(this TensorProto tensor) => tensor.Dims.Aggregate(1L, (count, size) => count * size);

    public static int[] Shape(this TensorProto tensor) => [.. tensor.Dims.Select(size => checked((int)size))];

    public static bool IsFloat(this TensorProto tensor) => tensor.DataType == (int)Kind.Float;

    /// <summary>The values of a tensor of 32-bit floats; a copy.</summary>
    /// <exception cref="OnnxException">Of another kind, outside the file, or of the wrong length.</exception>
    public static float[] Floats(this TensorProto tensor)
    {
        Require(tensor, Kind.Float);
        float[] values = tensor.RawData.Length > 0
            ? MemoryMarshal.Cast<byte, float>(tensor.RawData.Span).ToArray()
            : [.. tensor.FloatData];
        return Sized(tensor, values);
    }

    /// <exception cref="OnnxException">Of another kind, outside the file, or of the wrong length.</exception>
    public static long[] Int64s(this TensorProto tensor)
    {
        Require(tensor, Kind.Int64);
        long[] values = tensor.RawData.Length > 0
            ? MemoryMarshal.Cast<byte, long>(tensor.RawData.Span).ToArray()
            : [.. tensor.Int64Data];
        return Sized(tensor, values);
    }

    /// <exception cref="OnnxException">Of another kind, outside the file, or of the wrong length.</exception>
    public static sbyte[] Int8s(this TensorProto tensor)
    {
        Require(tensor, Kind.Int8);
        sbyte[] values = tensor.RawData.Length > 0
            ? MemoryMarshal.Cast<byte, sbyte>(tensor.RawData.Span).ToArray()
            : [.. tensor.Int32Data.Select(value => (sbyte)value)];
        return Sized(tensor, values);
    }

    /// <exception cref="OnnxException">Of another kind, outside the file, or of the wrong length.</exception>
    public static int[] Int32s(this TensorProto tensor)
    {
        Require(tensor, Kind.Int32);
        int[] values = tensor.RawData.Length > 0
            ? MemoryMarshal.Cast<byte, int>(tensor.RawData.Span).ToArray()
            : [.. tensor.Int32Data];
        return Sized(tensor, values);
    }

    private static TensorProto Create(string name, Kind kind, ReadOnlySpan<byte> bytes, ReadOnlySpan<int> shape)
    {
        var tensor = new TensorProto { Name = name, DataType = (int)kind, RawData = ByteString.CopyFrom(bytes) };
        foreach (var size in shape)
        {
            tensor.Dims.Add(size);
        }

        return tensor;
    }

    private static void Require(TensorProto tensor, Kind kind)
    {
        if (tensor.DataType != (int)kind)
        {
            throw new OnnxException(
                $"tensor '{tensor.Name}': kind {(Kind)tensor.DataType}, {kind} is needed; export the model again.");
        }

        if (tensor.DataLocation is TensorProto.Types.DataLocation.External)
        {
            throw new OnnxException(
                $"tensor '{tensor.Name}': its numbers are in another file; export the model into one file.");
        }
    }

    private static T[] Sized<T>(TensorProto tensor, T[] values) => values.Length == tensor.Count()
        ? values
        : throw new OnnxException(
            $"tensor '{tensor.Name}': {values.Length} numbers do not fit its shape; export the model again.");
}
