using System.Buffers.Binary;
using System.Text;

namespace EdgeInspector.Vision.Inference;

/// <summary>
/// Steps through the fields of one protobuf message in memory, copying nothing. Whatever the bytes say, it ends: each
/// step consumes at least one byte, and a field that reaches past the message is an error.
/// </summary>
internal ref struct ProtobufReader(ReadOnlySpan<byte> message)
{
    private ReadOnlySpan<byte> _rest = message;

    public int Field { get; private set; }

    /// <summary>A number's value; fixed-width fields as their bits.</summary>
    public ulong Number { get; private set; }

    /// <summary>The bytes of a text, a message or packed numbers; empty for a number.</summary>
    public ReadOnlySpan<byte> Bytes { get; private set; }

    /// <summary>True when the field is a length and bytes.</summary>
    public bool HasBytes { get; private set; }

    public readonly string Text => Encoding.UTF8.GetString(Bytes);

    /// <exception cref="InvalidDataException">These bytes are no protobuf message.</exception>
    public bool Next()
    {
        if (_rest.IsEmpty)
        {
            return false;
        }

        var key = VarInt();
        Field = key >> 3 is var field and > 0 and < 1 << 29 ? (int)field : throw Damaged();
        Number = 0;
        Bytes = default;
        HasBytes = false;
        switch (key & 7)
        {
            case 0:
                Number = VarInt();
                break;
            case 1:
                Number = BinaryPrimitives.ReadUInt64LittleEndian(Take(8));
                break;
            case 2:
                var length = VarInt();
                Bytes = Take(length > int.MaxValue ? throw Damaged() : (int)length);
                HasBytes = true;
                break;
            case 5:
                Number = BinaryPrimitives.ReadUInt32LittleEndian(Take(4));
                break;
            default:
                throw Damaged();
        }

        return true;
    }

    /// <summary>Appends the field's whole numbers, packed or single.</summary>
    public readonly void AddNumbersTo(List<long> numbers)
    {
        if (!HasBytes)
        {
            numbers.Add((long)Number);
            return;
        }

        var packed = new ProtobufReader(Bytes);
        while (!packed._rest.IsEmpty)
        {
            numbers.Add((long)packed.VarInt());
        }
    }

    private static InvalidDataException Damaged() => new("not a protobuf message");

    private ReadOnlySpan<byte> Take(int length)
    {
        if (length > _rest.Length)
        {
            throw Damaged();
        }

        var taken = _rest[..length];
        _rest = _rest[length..];
        return taken;
    }

    private ulong VarInt()
    {
        var number = 0UL;
        for (var i = 0; i < 10 && i < _rest.Length; i++)
        {
            number |= (ulong)(_rest[i] & 127) << (7 * i);
            if (_rest[i] < 128)
            {
                _rest = _rest[(i + 1)..];
                return number;
            }
        }

        throw Damaged();
    }
}
