using System.Buffers.Binary;
using OpenCvSharp;

namespace EdgeInspector.Capture;

/// <summary>
/// Reads a picture and tells a whole one from one that is cut off: OpenCV fills the missing part of a JPEG with grey
/// and says nothing, and grey would be inspected.
/// </summary>
internal static class PictureFile
{
    private static readonly string[] Extensions =
        [".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff", ".webp", ".ppm", ".pgm", ".pbm"];

    private static ReadOnlySpan<byte> PngSignature => [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A];

    /// <summary>Whether the file's name says that it is a picture.</summary>
    public static bool IsPicture(string path) =>
        Extensions.Contains(Path.GetExtension(path), StringComparer.OrdinalIgnoreCase);

    /// <summary>
    /// Every picture in a folder and its sub-folders, in an order in which <c>9.png</c> comes before <c>10.png</c>.
    /// </summary>
    public static IReadOnlyList<string> In(string folder) =>
        NaturalOrder.Sort(Directory.GetFiles(folder, "*", SearchOption.AllDirectories).Where(IsPicture));

    /// <summary>Reads the picture as 8-bit BGR, or says in one line what is wrong with the file.</summary>
    public static bool TryRead(string path, Mat destination, out string? fault)
    {
        fault = null;
        byte[] bytes;
        try
        {
            bytes = File.ReadAllBytes(path);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            fault = $"{path}: cannot be read ({error.Message.TrimEnd('.')}); check the path and its permissions.";
            return false;
        }

        if (bytes.Length == 0)
        {
            fault = $"{path}: is empty (0 bytes); replace or remove it.";
            return false;
        }

        if (IsCutOff(bytes))
        {
            fault = $"{path}: is cut off after {bytes.Length} bytes; replace or remove it.";
            return false;
        }

        try
        {
            using var picture = Cv2.ImDecode(bytes, ImreadModes.Color);
            if (!picture.Empty())
            {
                picture.CopyTo(destination);
                return true;
            }
        }
        catch (OpenCVException)
        {
            // Thrown for impossible sizes in the header; the same to the user as an unreadable picture.
        }

        fault = $"{path}: is no picture that can be read; replace or remove it.";
        return false;
    }

    private static bool IsCutOff(ReadOnlySpan<byte> bytes) =>
        bytes.StartsWith(PngSignature) ? IsCutOffPng(bytes)
        : bytes.Length > 3 && bytes[0] == 0xFF && bytes[1] == 0xD8 && IsCutOffJpeg(bytes);

    /// <summary>PNG: chunks of length, type, data and checksum, up to one of type IEND.</summary>
    private static bool IsCutOffPng(ReadOnlySpan<byte> bytes)
    {
        const int ChunkOverhead = 12;
        long at = PngSignature.Length;
        while (at + ChunkOverhead <= bytes.Length)
        {
            var chunk = bytes[(int)at..];
            at += ChunkOverhead + (long)BinaryPrimitives.ReadUInt32BigEndian(chunk);
            if (chunk[4..8].SequenceEqual("IEND"u8))
            {
                return at > bytes.Length;
            }
        }

        return true;
    }

    /// <summary>
    /// JPEG (ITU-T T.81 annex B): segments up to the start of scan, then coded data in which FF is always stuffed, so
    /// that FF D9 is the end of the image. A thumbnail's own end lies inside a segment and is stepped over.
    /// </summary>
    private static bool IsCutOffJpeg(ReadOnlySpan<byte> bytes)
    {
        const byte StartOfScan = 0xDA;
        var at = 2;
        while (at + 4 <= bytes.Length)
        {
            if (bytes[at] != 0xFF)
            {
                return false;
            }

            var marker = bytes[at + 1];
            if (marker is 0xFF)
            {
                at++;
                continue;
            }

            if (marker == StartOfScan)
            {
                ReadOnlySpan<byte> end = [0xFF, 0xD9];
                return bytes[at..].IndexOf(end) < 0;
            }

            at += 2 + BinaryPrimitives.ReadUInt16BigEndian(bytes[(at + 2)..]);
        }

        return true;
    }
}
