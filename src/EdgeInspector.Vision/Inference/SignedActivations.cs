using System.Runtime.InteropServices;
using System.Text;

namespace EdgeInspector.Vision.Inference;

/// <summary>
/// Shifts the int8 activations of a quantised model by 128, to unsigned ones, for x86 processors: the numbers stand for
/// the same values, and only so does ONNX Runtime find its fast kernels. Signed activations are what a file should hold
/// (Arm and TensorRT want them); the runtime means to shift them itself, but leaves out every value that two nodes read
/// (each gets a DequantizeLinear of its own first, and the shift wants just one), and what is left out runs as floats, or
/// in int8 without vector code, five times slower still.
/// </summary>
/// <remarks>
/// Done on the file's bytes: a zero point is one byte, its type another, and everything else stays where it is. A model
/// that is laid out otherwise is left as it is.
/// </remarks>
public static class SignedActivations
{
    private const int UInt8 = 2;
    private const int Int8 = 3;

    /// <summary>The same bytes where there is nothing to shift or the processor wants signed ones, else a changed copy.</summary>
    public static byte[] ForThisProcessor(byte[] model) =>
        RuntimeInformation.ProcessArchitecture is Architecture.X64 or Architecture.X86 ? ToUnsigned(model) : model;

    internal static byte[] ToUnsigned(byte[] model)
    {
        try
        {
            var reader = new GraphReader();
            reader.Model(model);
            var places = reader.Shiftable();
            if (places.Count == 0)
            {
                return model;
            }

            var copy = model.ToArray();
            foreach (var (type, value) in places)
            {
                copy[type] = UInt8;
                copy[value] ^= 0x80;
            }

            return copy;
        }
        catch (Exception exception) when (exception is IndexOutOfRangeException
            or ArgumentOutOfRangeException or OverflowException)
        {
            // Cut short or no model: the runtime says so better.
            return model;
        }
    }

    /// <summary>Zero points, and who uses them: the fields of onnx.proto that tell it, and no others.</summary>
    private sealed class GraphReader
    {
        private readonly Dictionary<string, (int Type, int Value)> _zeroPoints = new(StringComparer.Ordinal);
        private readonly List<(string Op, List<string> Inputs, string Output)> _nodes = [];

        public void Model(ReadOnlySpan<byte> model)
        {
            foreach (var (field, start, length) in Fields(model, 0, model.Length))
            {
                if (field != 7)
                {
                    continue;
                }

                foreach (var (inner, at, size) in Fields(model, start, length))
                {
                    if (inner == 1)
                    {
                        Node(model, at, size);
                    }
                    else if (inner == 5)
                    {
                        Initializer(model, at, size);
                    }
                }
            }
        }

        /// <summary>
        /// Zero points that only QuantizeLinear uses and DequantizeLinear behind it, with nothing in between that would
        /// see the shifted numbers.
        /// </summary>
        public List<(int Type, int Value)> Shiftable()
        {
            if (_zeroPoints.Count == 0 || _nodes.Any(node => node.Op is "If" or "Loop" or "Scan"))
            {
                return [];
            }

            var pairs = new Dictionary<string, string>(StringComparer.Ordinal);
            foreach (var node in _nodes.Where(node => node is { Op: "QuantizeLinear", Inputs.Count: 3 }))
            {
                pairs[node.Output] = node.Inputs[2];
            }

            var shiftable = pairs.Values.Where(_zeroPoints.ContainsKey).ToHashSet(StringComparer.Ordinal);
            foreach (var (op, inputs, _) in _nodes)
            {
                for (var i = 0; i < inputs.Count; i++)
                {
                    if (pairs.TryGetValue(inputs[i], out var zeroPoint)
                        && !(op == "DequantizeLinear" && i == 0 && inputs.Count == 3 && inputs[2] == zeroPoint))
                    {
                        shiftable.Remove(zeroPoint);
                    }

                    var ours = i == 2 && (op == "QuantizeLinear"
                        || (op == "DequantizeLinear" && pairs.TryGetValue(inputs[0], out var before)
                            && before == inputs[2]));
                    if (!ours)
                    {
                        shiftable.Remove(inputs[i]);
                    }
                }
            }

            return [.. shiftable.Select(name => _zeroPoints[name])];
        }

        private void Node(ReadOnlySpan<byte> model, int start, int length)
        {
            var (op, output, inputs) = ("", "", new List<string>(3));
            foreach (var (field, at, size) in Fields(model, start, length))
            {
                switch (field)
                {
                    case 1:
                        inputs.Add(Encoding.UTF8.GetString(model.Slice(at, size)));
                        break;
                    case 2 when output.Length == 0:
                        output = Encoding.UTF8.GetString(model.Slice(at, size));
                        break;
                    case 4:
                        op = Encoding.UTF8.GetString(model.Slice(at, size));
                        break;
                }
            }

            _nodes.Add((op, inputs, output));
        }

        private void Initializer(ReadOnlySpan<byte> model, int start, int length)
        {
            var (name, type, value, single) = ("", -1, -1, true);
            foreach (var (field, at, size) in Fields(model, start, length))
            {
                switch (field)
                {
                    case 1:
                        single &= size == 1 && model[at] == 1;
                        break;
                    case 2 when size == 1 && model[at] == Int8:
                        type = at;
                        break;
                    case 8:
                        name = Encoding.UTF8.GetString(model.Slice(at, size));
                        break;
                    case 9:
                        value = size == 1 ? at : -1;
                        break;
                }
            }

            if (single && type >= 0 && value >= 0)
            {
                _zeroPoints[name] = (type, value);
            }
        }

        /// <summary>A message's fields: number, where the content starts, how long it is.</summary>
        private static List<(int Field, int Start, int Length)> Fields(ReadOnlySpan<byte> model, int start, int length)
        {
            var fields = new List<(int, int, int)>();
            var end = start + length;
            while (start < end)
            {
                var key = VarInt(model, ref start);
                var from = start;
                switch (key & 7)
                {
                    case 0:
                        VarInt(model, ref start);
                        break;
                    case 1:
                        start += 8;
                        break;
                    case 2:
                        var size = VarInt(model, ref start);
                        from = start;
                        start = checked((int)(start + (long)Math.Min(size, int.MaxValue)));
                        break;
                    case 5:
                        start += 4;
                        break;
                    default:
                        throw new ArgumentOutOfRangeException(nameof(model));
                }

                ArgumentOutOfRangeException.ThrowIfGreaterThan(start, end);
                fields.Add(((int)(key >> 3), from, start - from));
            }

            return fields;
        }

        private static ulong VarInt(ReadOnlySpan<byte> model, ref int at)
        {
            var value = 0UL;
            for (var shift = 0; shift < 64; shift += 7)
            {
                var part = model[at++];
                value |= (ulong)(part & 127) << shift;
                if (part < 128)
                {
                    return value;
                }
            }

            throw new ArgumentOutOfRangeException(nameof(at));
        }
    }
}
