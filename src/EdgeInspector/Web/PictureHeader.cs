using System.Buffers.Binary;

namespace EdgeInspector.Web;

/// <summary>
/// Reads the size of a JPEG or PNG from its first bytes, before anything is decoded: a few kilobytes can say that they are a
/// picture of gigabytes.
/// </summary>
internal static class PictureHeader
{
    private static ReadOnlySpan<byte> Png => [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A];

    /// <summary>Width and height; false when it is neither JPEG nor PNG, or cut off.</summary>
    public static bool TryRead(ReadOnlySpan<byte> picture, out int width, out int height)
    {
        (width, height) = (0, 0);
        if (picture.StartsWith(Png))
        {
            // The first chunk is IHDR: length, name, width, height. The last is IEND with its checksum.
            if (picture.Length < 45 || !picture.Slice(12, 4).SequenceEqual("IHDR"u8) || !picture[^8..^4].SequenceEqual("IEND"u8))
            {
                return false;
            }

            width = BinaryPrimitives.ReadInt32BigEndian(picture[16..]);
            height = BinaryPrimitives.ReadInt32BigEndian(picture[20..]);
            return width > 0 && height > 0;
        }

        return picture is [0xFF, 0xD8, ..] && picture.TrimEnd((byte)0) is [.., 0xFF, 0xD9] && TryReadJpeg(picture, out width, out height);
    }

    private static bool TryReadJpeg(ReadOnlySpan<byte> picture, out int width, out int height)
    {
        (width, height) = (0, 0);
        var at = 2;
        while (at + 9 < picture.Length)
        {
            if (picture[at] != 0xFF)
            {
                return false;
            }

            var marker = picture[at + 1];
            if (marker == 0xFF)
            {
                at++; // Fill bytes may stand before a marker.
                continue;
            }

            if (marker is 0x01 or (>= 0xD0 and <= 0xD8))
            {
                at += 2;
                continue;
            }

            // SOF0 to SOF15 give the size; C4, C8 and CC are tables among their numbers. SOS without one before is no picture.
            if (marker is >= 0xC0 and <= 0xCF and not (0xC4 or 0xC8 or 0xCC))
            {
                height = BinaryPrimitives.ReadUInt16BigEndian(picture[(at + 5)..]);
                width = BinaryPrimitives.ReadUInt16BigEndian(picture[(at + 7)..]);
                return width > 0 && height > 0;
            }

            if (marker is 0xDA or 0xD9)
            {
                return false;
            }

            var length = BinaryPrimitives.ReadUInt16BigEndian(picture[(at + 2)..]);
            if (length < 2)
            {
                return false;
            }

            at += 2 + length;
        }

        return false;
    }
}
