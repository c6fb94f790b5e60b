using EdgeInspector.Quantization.Proto;
using Google.Protobuf;
using Kind = EdgeInspector.Quantization.Proto.AttributeProto.Types.AttributeType;

namespace EdgeInspector.Quantization.Graph;

/// <summary>Nodes and their attributes, made and read in few words.</summary>
public static class Nodes
{
    public static NodeProto Create(
        string op, IEnumerable<string> inputs, IEnumerable<string> outputs, params IEnumerable<AttributeProto> attributes)
    {
        var node = new NodeProto { OpType = op };
        node.Input.AddRange(inputs);
        node.Output.AddRange(outputs);
        node.Name = node.Output[0] + "/" + op;
        node.Attribute.AddRange(attributes);
        return node;
    }

    public static AttributeProto Of(string name, long value) => new() { Name = name, I = value, Type = Kind.Int };

    public static AttributeProto Of(string name, float value) => new() { Name = name, F = value, Type = Kind.Float };

    public static AttributeProto Of(string name, string value) =>
        new() { Name = name, S = ByteString.CopyFromUtf8(value), Type = Kind.String };

    public static AttributeProto Of(string name, TensorProto value) =>
        new() { Name = name, T = value, Type = Kind.Tensor };

    public static AttributeProto Of(string name, params ReadOnlySpan<long> values)
    {
        var attribute = new AttributeProto { Name = name, Type = Kind.Ints };
        foreach (var value in values)
        {
            attribute.Ints.Add(value);
        }

        return attribute;
    }

    public static AttributeProto? Attribute(this NodeProto node, string name) =>
        node.Attribute.FirstOrDefault(attribute => attribute.Name == name);

    public static long Int(this NodeProto node, string name, long otherwise) =>
        node.Attribute(name) is { } attribute ? attribute.I : otherwise;

    public static float Float(this NodeProto node, string name, float otherwise) =>
        node.Attribute(name) is { } attribute ? attribute.F : otherwise;

    public static string Text(this NodeProto node, string name, string otherwise) =>
        node.Attribute(name) is { } attribute ? attribute.S.ToStringUtf8() : otherwise;

    /// <summary>Null where the attribute is left out.</summary>
    public static long[]? Ints(this NodeProto node, string name) => node.Attribute(name) is { } a ? [.. a.Ints] : null;

    /// <summary>Whether the operator is one of ONNX's own and not of a runtime or a vendor.</summary>
    public static bool IsStandard(this NodeProto node) => node.Domain is "" or "ai.onnx";
}
