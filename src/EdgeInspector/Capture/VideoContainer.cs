using System.Buffers.Binary;

namespace EdgeInspector.Capture;

/// <summary>
/// Looks at a video file's outermost structure, since decoders play a cut-off file up to the cut without complaint:
/// ISO base media (ISO/IEC 14496-12: boxes of size and type) and RIFF (AVI). Other formats are not judged.
/// </summary>
internal static class VideoContainer
{
    private const int BoxHeader = 8;
    private const int LargeBoxHeader = 16;

    /// <summary>What is wrong with the file, or null.</summary>
    public static string? FaultIn(string path)
    {
        try
        {
            using var file = File.OpenRead(path);
            if (file.Length == 0)
            {
                return "is empty (0 bytes)";
            }

            Span<byte> head = stackalloc byte[LargeBoxHeader];
            var read = file.ReadAtLeast(head, head.Length, throwOnEndOfStream: false);
            if (read < LargeBoxHeader)
            {
                return $"is cut off ({file.Length} bytes)";
            }

            return head[..4].SequenceEqual("RIFF"u8) ? FaultInRiff(head, file.Length)
                : head[4..8].SequenceEqual("ftyp"u8) ? FaultInBoxes(file)
                : null;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return $"cannot be read ({error.Message.TrimEnd('.')})";
        }
    }

    private static string? FaultInRiff(ReadOnlySpan<byte> head, long length)
    {
        var end = BoxHeader + (long)BinaryPrimitives.ReadUInt32LittleEndian(head[4..]);
        return end > length ? $"is cut off ({length} of {end} bytes)" : null;
    }

    private static string? FaultInBoxes(FileStream file)
    {
        Span<byte> header = stackalloc byte[LargeBoxHeader];
        var indexed = false;
        long at = 0;
        while (at + BoxHeader <= file.Length)
        {
            file.Position = at;
            var read = file.ReadAtLeast(header, header.Length, throwOnEndOfStream: false);
            long size = BinaryPrimitives.ReadUInt32BigEndian(header);
            if (size == 1 && read == LargeBoxHeader)
            {
                size = (long)BinaryPrimitives.ReadUInt64BigEndian(header[BoxHeader..]);
            }

            indexed |= header[4..8].SequenceEqual("moov"u8) || header[4..8].SequenceEqual("moof"u8);
            if (size == 0)
            {
                // The last box may reach to the end of the file without saying how long it is.
                break;
            }

            if (size < BoxHeader)
            {
                // Padding after the last box; what decoders need came before.
                break;
            }

            if (size > file.Length - at)
            {
                return $"is cut off ({file.Length} of at least {at + size} bytes)";
            }

            at += size;
        }

        return indexed ? null : "has no index: the recording was cut off or never finished";
    }
}
