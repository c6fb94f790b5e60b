using System.Runtime.InteropServices;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace EdgeInspector.Vision.Inference;

/// <summary>
/// What a graph wants to be fed: one picture, and for some detectors the picture's size beside it, which never changes
/// because pictures are brought to one size before.
/// </summary>
internal sealed class NetworkInputs
{
    private readonly NetworkInput _wanted;
    private readonly List<(string Name, SideInput Kind)> _sides = [];

    private NetworkInputs(string picture, NetworkInput wanted, int? fixedBatch)
    {
        Picture = picture;
        FixedBatch = fixedBatch;
        _wanted = wanted;
        Channels = wanted.Channels is ChannelOrder.Grey ? 1 : 3;
    }

    public string Picture { get; }

    public int Channels { get; }

    /// <summary>Null when the graph leaves it free.</summary>
    public int? FixedBatch { get; }

    public TensorElementType Element => _wanted.Element switch
    {
        InputElement.UInt8 => TensorElementType.UInt8,
        InputElement.Float16 => TensorElementType.Float16,
        _ => TensorElementType.Float,
    };

    /// <summary>Bytes of one picture.</summary>
    public int SlotBytes => Channels * _wanted.Height * _wanted.Width * NetworkOutput.SizeOf(Element);

    /// <summary>True for inputs that are told the picture's size.</summary>
    public static bool IsSide(string name) => Kind(name) is not SideInput.None;

    public long[] Shape(int batch) => _wanted.Layout is InputLayout.Nhwc
        ? [batch, _wanted.Height, _wanted.Width, Channels]
        : [batch, Channels, _wanted.Height, _wanted.Width];

    /// <exception cref="ModelPackageException">The graph takes something else than the manifest says.</exception>
    public static NetworkInputs Require(InferenceSession session, string path, NetworkInput wanted)
    {
        var pictures = session.InputNames.Where(name => !IsSide(name)).ToArray();
        if (pictures.Length != 1)
        {
            throw new ModelPackageException(
                $"{path}: the model has {session.InputNames.Count} inputs ({string.Join(", ", session.InputNames)}), "
                + "known are one picture and orig_target_sizes, im_shape or scale_factor; export it with those alone.");
        }

        var name = pictures[0];
        var node = session.InputMetadata[name];
        var inputs = new NetworkInputs(
            name, wanted, node.IsTensor && node.Dimensions is [> 0 and var batch, ..] ? batch : null);
        if (!node.IsTensor || node.ElementDataType != inputs.Element)
        {
            throw new ModelPackageException(
                $"{path}: the model's input is {TypeName(node)}, the manifest says {TypeName(inputs.Element)}; correct "
                + $"element in {ModelManifest.FileName} or export it with 32-bit floats.");
        }

        var shape = inputs.Shape(-1);
        var given = node.Dimensions;
        if (given.Length != 4 || Enumerable.Range(1, 3).Any(i => given[i] > 0 && given[i] != shape[i]))
        {
            throw new ModelPackageException(
                $"{path}: the model's input is {Describe(given)}, the manifest says "
                + $"[batch,{string.Join(',', shape.Skip(1))}]; correct width, height, channels and layout in "
                + $"{ModelManifest.FileName}.");
        }

        foreach (var side in session.InputNames.Where(IsSide))
        {
            inputs._sides.Add((side, Kind(side)));
            var type = session.InputMetadata[side].ElementDataType;
            if (type is not (TensorElementType.Int64 or TensorElementType.Int32 or TensorElementType.Float))
            {
                throw new ModelPackageException(
                    $"{path}: its input {side} is {TypeName(type)}; export it with int64 or 32-bit floats there.");
            }
        }

        return inputs;
    }

    /// <summary>
    /// The second inputs for a batch, each with the memory it reads; both live as long as the network. Boxes then come
    /// out in input pixels, as from any other detector.
    /// </summary>
    public List<(string Name, OrtValue Value, byte[] Memory)> Sides(InferenceSession session, int batch)
    {
        var made = new List<(string, OrtValue, byte[])>();
        foreach (var (name, kind) in _sides)
        {
            // DETR's post-processor multiplies x by the first and y by the second; Paddle's holds height first.
            (float first, float second) = kind switch
            {
                SideInput.TargetSize => (_wanted.Width, _wanted.Height),
                SideInput.ImageShape => (_wanted.Height, _wanted.Width),
                _ => (1f, 1f),
            };
            var type = session.InputMetadata[name].ElementDataType;
            var size = NetworkOutput.SizeOf(type);
            var memory = GC.AllocateArray<byte>(batch * 2 * size, pinned: true);
            for (var i = 0; i < batch * 2; i++)
            {
                var number = i % 2 == 0 ? first : second;
                var at = memory.AsSpan(i * size);
                switch (type)
                {
                    case TensorElementType.Int64:
                        MemoryMarshal.Write(at, (long)number);
                        break;
                    case TensorElementType.Int32:
                        MemoryMarshal.Write(at, (int)number);
                        break;
                    default:
                        MemoryMarshal.Write(at, number);
                        break;
                }
            }

            made.Add((
                name,
                OrtValue.CreateTensorValueWithData(
                    OrtMemoryInfo.DefaultInstance,
                    type,
                    [batch, 2],
                    Marshal.UnsafeAddrOfPinnedArrayElement(memory, 0),
                    memory.Length),
                memory));
        }

        return made;
    }

    private static SideInput Kind(string name) => name switch
    {
        "orig_target_sizes" or "target_sizes" or "orig_size" => SideInput.TargetSize,
        "im_shape" => SideInput.ImageShape,
        "scale_factor" => SideInput.ScaleFactor,
        _ => SideInput.None,
    };

    private static string TypeName(NodeMetadata node) =>
        node.IsTensor ? TypeName(node.ElementDataType) : node.OnnxValueType.ToString();

    private static string TypeName(TensorElementType type) => type switch
    {
        TensorElementType.Float => "float32",
        _ => type.ToString().ToLowerInvariant(),
    };

    private static string Describe(int[] shape) =>
        $"[{string.Join(',', shape.Select(dimension => dimension > 0 ? $"{dimension}" : "?"))}]";

    private enum SideInput
    {
        None,

        /// <summary>Width and height that boxes shall fit.</summary>
        TargetSize,

        /// <summary>Height and width of what is fed.</summary>
        ImageShape,

        /// <summary>How much the picture was scaled, y and x.</summary>
        ScaleFactor,
    }
}
