using System.Numerics.Tensors;
using System.Runtime.InteropServices;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace EdgeInspector.Vision.Inference;

/// <summary>
/// The outputs of a network that somebody reads, as 32-bit floats whatever the graph computes in. They belong to the
/// network and hold until its next run. Whole numbers are exact up to 2^24.
/// </summary>
internal sealed class NetworkOutputs(IReadOnlyList<NetworkOutput> outputs) : IDisposable
{
    public int Count => outputs.Count;

    /// <summary>All numbers of an output, the last dimension running fastest.</summary>
    public ReadOnlySpan<float> this[int output] => outputs[output].Numbers;

    public IReadOnlyList<long> Shape(int output) => outputs[output].Shape;

    public string Name(int output) => outputs[output].Name;

    public void Dispose()
    {
        foreach (var output in outputs)
        {
            output.Dispose();
        }
    }

    /// <summary>After a run: fills the floats of those outputs that are something else.</summary>
    internal void Convert()
    {
        for (var i = 0; i < outputs.Count; i++)
        {
            outputs[i].Convert();
        }
    }

    internal void BindTo(OrtIoBinding binding)
    {
        foreach (var output in outputs)
        {
            binding.BindOutput(output.Name, output.Value!);
        }
    }
}

/// <summary>One output: the runtime writes into its pinned memory, and nothing is allocated from then on.</summary>
internal sealed class NetworkOutput : IDisposable
{
    private readonly float[] _numbers;
    private readonly byte[] _bound;
    private readonly TensorElementType _type;

    private NetworkOutput(string name, long[] shape, float[] numbers, byte[] bound, TensorElementType type)
    {
        (Name, Shape, _numbers, _bound, _type) = (name, shape, numbers, bound, type);
    }

    public string Name { get; }

    public long[] Shape { get; }

    public ReadOnlySpan<float> Numbers => _numbers;

    /// <summary>What the runtime is given; null for numbers that no runtime makes.</summary>
    public OrtValue? Value { get; private init; }

    /// <summary>Bytes of one number, 0 for a type that is not read.</summary>
    public static int SizeOf(TensorElementType type) => type switch
    {
        TensorElementType.Float or TensorElementType.Int32 or TensorElementType.UInt32 => 4,
        TensorElementType.Double or TensorElementType.Int64 or TensorElementType.UInt64 => 8,
        TensorElementType.Float16 or TensorElementType.Int16 or TensorElementType.UInt16 => 2,
        TensorElementType.UInt8 or TensorElementType.Int8 or TensorElementType.Bool => 1,
        _ => 0,
    };

    public static NetworkOutput Bound(string name, long[] shape, int count, TensorElementType type)
    {
        var numbers = GC.AllocateArray<float>(count, pinned: true);
        var bound = type is TensorElementType.Float
            ? []
            : GC.AllocateArray<byte>(Math.Max(1, checked(count * SizeOf(type))), pinned: true);
        var memory = type is TensorElementType.Float
            ? Marshal.UnsafeAddrOfPinnedArrayElement(numbers, 0)
            : Marshal.UnsafeAddrOfPinnedArrayElement(bound, 0);
        return new NetworkOutput(name, shape, numbers, bound, type)
        {
            Value = OrtValue.CreateTensorValueWithData(
                OrtMemoryInfo.DefaultInstance, type, shape, memory, (long)count * SizeOf(type)),
        };
    }

    /// <summary>Numbers from elsewhere, for reading without a network.</summary>
    public static NetworkOutput Of(string name, long[] shape, float[] numbers) =>
        new(name, shape, numbers, [], TensorElementType.Float);

    public void Convert()
    {
        switch (_type)
        {
            case TensorElementType.Float16:
                TensorPrimitives.ConvertToSingle(Bound<Half>(), _numbers);
                break;
            case TensorElementType.Double:
                TensorPrimitives.ConvertTruncating<double, float>(Bound<double>(), _numbers);
                break;
            case TensorElementType.Int64:
                TensorPrimitives.ConvertTruncating<long, float>(Bound<long>(), _numbers);
                break;
            case TensorElementType.UInt64:
                TensorPrimitives.ConvertTruncating<ulong, float>(Bound<ulong>(), _numbers);
                break;
            case TensorElementType.Int32:
                TensorPrimitives.ConvertTruncating<int, float>(Bound<int>(), _numbers);
                break;
            case TensorElementType.UInt32:
                TensorPrimitives.ConvertTruncating<uint, float>(Bound<uint>(), _numbers);
                break;
            case TensorElementType.Int16:
                TensorPrimitives.ConvertTruncating<short, float>(Bound<short>(), _numbers);
                break;
            case TensorElementType.UInt16:
                TensorPrimitives.ConvertTruncating<ushort, float>(Bound<ushort>(), _numbers);
                break;
            case TensorElementType.Int8:
                TensorPrimitives.ConvertTruncating<sbyte, float>(Bound<sbyte>(), _numbers);
                break;
            case TensorElementType.UInt8 or TensorElementType.Bool:
                TensorPrimitives.ConvertTruncating<byte, float>(Bound<byte>(), _numbers);
                break;
        }
    }

    public void Dispose() => Value?.Dispose();

    private ReadOnlySpan<T> Bound<T>()
        where T : struct => MemoryMarshal.Cast<byte, T>(_bound)[.._numbers.Length];
}
