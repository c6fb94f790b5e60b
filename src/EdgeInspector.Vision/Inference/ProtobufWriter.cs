using System.Text;

namespace EdgeInspector.Vision.Inference;

/// <summary>Writes the fields of one protobuf message, in the order of the calls.</summary>
internal sealed class ProtobufWriter
{
    private readonly List<byte> _bytes = [];

    public ProtobufWriter Number(int field, long number)
    {
        VarInt((ulong)field << 3);
        VarInt((ulong)number);
        return this;
    }

    public ProtobufWriter Bytes(int field, ReadOnlySpan<byte> bytes)
    {
        VarInt(((ulong)field << 3) | 2);
        VarInt((ulong)bytes.Length);
        _bytes.AddRange(bytes);
        return this;
    }

    public ProtobufWriter Text(int field, string text) => Bytes(field, Encoding.UTF8.GetBytes(text));

    public ProtobufWriter Message(int field, ProtobufWriter message) => Bytes(field, message.ToArray());

    public byte[] ToArray() => [.. _bytes];

    private void VarInt(ulong number)
    {
        for (; number > 127; number >>= 7)
        {
            _bytes.Add((byte)(number | 128));
        }

        _bytes.Add((byte)number);
    }
}
