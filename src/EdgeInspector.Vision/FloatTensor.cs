using System.Buffers.Binary;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.RegularExpressions;

namespace EdgeInspector.Vision;

/// <summary>
/// Numbers with a shape, last dimension fastest, as NumPy's .npy files hold them (format 1.0 to 3.0).
/// </summary>
public sealed partial record FloatTensor(float[] Values, IReadOnlyList<int> Shape)
{
    /// <exception cref="VisionException">Not there, or not little-endian 32-bit floats in C order.</exception>
    public static FloatTensor ReadNpy(string path)
    {
        byte[] bytes;
        try
        {
            bytes = File.ReadAllBytes(path);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new VisionException($"{path}: cannot be read; name an .npy file ({exception.Message}).", exception);
        }

        var span = bytes.AsSpan();
        if (span.Length < 12 || span[0] != 0x93 || !span[1..6].SequenceEqual("NUMPY"u8) || span[6] is < 1 or > 3)
        {
            throw new VisionException($"{path}: not an .npy file; write it with numpy.save.");
        }

        var (start, length) = span[6] == 1
            ? (10, BinaryPrimitives.ReadUInt16LittleEndian(span[8..]))
            : (12, (long)BinaryPrimitives.ReadUInt32LittleEndian(span[8..]));
        if (start + length > span.Length)
        {
            throw new VisionException($"{path}: cut short; write it again.");
        }

        var header = Encoding.UTF8.GetString(span.Slice(start, (int)length));
        if (!header.Contains("'<f4'", StringComparison.Ordinal) || !FalseOrder().IsMatch(header))
        {
            throw new VisionException(
                $"{path}: holds {header.Trim()}; save numpy.ascontiguousarray(x, dtype='<f4') instead.");
        }

        var match = ShapeKey().Match(header);
        var data = span[(start + (int)length)..];
        if (!match.Success || !TryParseShape(match.Groups[1].Value, out var shape, out var count)
            || data.Length != count * sizeof(float))
        {
            throw new VisionException($"{path}: its length does not fit its shape; write it again.");
        }

        return new FloatTensor(MemoryMarshal.Cast<byte, float>(data).ToArray(), shape);
    }

    /// <summary>Writes the file whole or not at all.</summary>
    /// <exception cref="VisionException">The file cannot be written.</exception>
    public void WriteNpy(string path)
    {
        var shape = string.Concat(Shape.Select(size => string.Create(CultureInfo.InvariantCulture, $"{size}, ")));
        var header = $"{{'descr': '<f4', 'fortran_order': False, 'shape': ({shape}), }}";

        // The data begins on a multiple of 64 bytes.
        var padded = header.PadRight(((10 + header.Length + 1 + 63) / 64 * 64) - 11) + '\n';
        var temporary = path + ".part";
        try
        {
            using (var file = File.Create(temporary))
            {
                Span<byte> start = [0x93, .. "NUMPY"u8, 1, 0, (byte)padded.Length, (byte)(padded.Length >> 8)];
                file.Write(start);
                file.Write(Encoding.ASCII.GetBytes(padded));
                file.Write(MemoryMarshal.AsBytes(Values.AsSpan()));
            }

            File.Move(temporary, path, overwrite: true);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            if (File.Exists(temporary))
            {
                File.Delete(temporary);
            }

            throw new VisionException(
                $"{path}: cannot be written ({exception.Message}); name another file.", exception);
        }
    }

    [GeneratedRegex(@"'fortran_order'\s*:\s*False")]
    private static partial Regex FalseOrder();

    [GeneratedRegex(@"'shape'\s*:\s*\(([0-9, ]*)\)")]
    private static partial Regex ShapeKey();

    private static bool TryParseShape(string text, out int[] shape, out long count)
    {
        var sizes = text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        shape = new int[sizes.Length];
        count = 1;
        for (var i = 0; i < sizes.Length; i++)
        {
            if (!int.TryParse(sizes[i], NumberStyles.None, CultureInfo.InvariantCulture, out shape[i])
                || (count *= shape[i]) > int.MaxValue)
            {
                return false;
            }
        }

        return true;
    }
}
