using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace EdgeInspector.Control;

/// <summary>
/// The form of the audit log. One entry a line, <c>{"hash":"…","entry":{…}}</c>; the hash is SHA-256 over the hash before it
/// (32 bytes) and the entry's own bytes as they stand in the file. The first goes on from SHA-256 of the device's name, so
/// that a log of one device is none of another's. The log is a folder of such files, each beginning with the hash at which
/// the one before ended.
/// </summary>
internal static class AuditChain
{
    /// <summary>Longest line that is read: a command is at most 16 KB, so more is damage.</summary>
    public const int MaximumLine = 64 * 1024;

    private const int HexLength = 64;

    private static readonly byte[] Head = "{\"hash\":\""u8.ToArray();
    private static readonly byte[] Middle = "\",\"entry\":"u8.ToArray();

    /// <summary>Where the log of a device begins.</summary>
    public static AuditHead Origin(string device) =>
        new(0, Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"edge-inspector audit 1 {device}"))));

    /// <summary>Name of a file of the log.</summary>
    public static string FileName(int segment) => $"audit-{segment:D6}.jsonl";

    /// <summary>The files of a log, oldest first.</summary>
    public static IReadOnlyList<(int Segment, string Path)> Files(string folder) =>
        Directory.Exists(folder)
            ?
            [
                .. Directory
                    .EnumerateFiles(folder, "audit-*.jsonl")
                    .Select(path => (Segment: SegmentOf(path), path))
                    .Where(file => file.Segment > 0)
                    .OrderBy(file => file.Segment),
            ]
            : [];

    /// <summary>An entry as a line, and its hash.</summary>
    public static (byte[] Line, string Hash) Write(string previous, AuditEntry entry)
    {
        var json = JsonSerializer.SerializeToUtf8Bytes(entry, AuditJson.Default.AuditEntry);
        var hash = HashOf(previous, json);
        return ([.. Head, .. Encoding.ASCII.GetBytes(hash), .. Middle, .. json, (byte)'}', (byte)'\n'], hash);
    }

    /// <summary>Reads a line, without its end.</summary>
    /// <returns>Null when it has not the form.</returns>
    public static (string Hash, byte[] Json, AuditEntry Entry)? Read(ReadOnlySpan<byte> line)
    {
        var start = Head.Length + HexLength + Middle.Length;
        if (
            line.Length <= start + 1
            || !line.StartsWith(Head)
            || !line[(Head.Length + HexLength)..].StartsWith(Middle)
            || line[^1] != (byte)'}'
        )
        {
            return null;
        }

        var json = line[start..^1].ToArray();
        try
        {
            var entry = JsonSerializer.Deserialize(json, AuditJson.Default.AuditEntry);
            return entry is null ? null : (Encoding.ASCII.GetString(line.Slice(Head.Length, HexLength)), json, entry);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    /// <summary>Whether a text can be a hash.</summary>
    public static bool IsHash(string? text) => text is { Length: HexLength } && text.All(char.IsAsciiHexDigit);

    /// <summary>The hash of an entry that follows another.</summary>
    public static string HashOf(string previous, ReadOnlySpan<byte> json)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(Convert.FromHexString(previous));
        hash.AppendData(json);
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    /// <summary>
    /// The lines of a file with the places at which they begin; the last one may have no end, which is then said.
    /// </summary>
    public static IEnumerable<(long Offset, byte[] Line, bool IsWhole)> Lines(string path)
    {
        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, 64 * 1024);
        var line = new List<byte>(1024);
        long offset = 0;
        int next;
        while ((next = file.ReadByte()) >= 0)
        {
            if (next != '\n')
            {
                if (line.Count <= MaximumLine)
                {
                    line.Add((byte)next);
                }

                continue;
            }

            yield return (offset, [.. line], true);
            line.Clear();
            offset = file.Position;
        }

        if (line.Count > 0)
        {
            yield return (offset, [.. line], false);
        }
    }

    private static int SegmentOf(string path) =>
        int.TryParse(Path.GetFileNameWithoutExtension(path)["audit-".Length..], out var segment) ? segment : 0;
}
