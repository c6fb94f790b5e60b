using System.Formats.Tar;
using System.Globalization;
using System.IO.Compression;

namespace EdgeInspector.Control;

/// <summary>One file of a bundle.</summary>
/// <param name="Name">Its name in the bundle.</param>
/// <param name="Content">Makes it; what it throws is written in its place.</param>
internal sealed record DiagnosticFile(string Name, Func<byte[]> Content);

/// <summary>A bundle that was packed.</summary>
/// <param name="Path">Where it lies.</param>
/// <param name="Bytes">Its size.</param>
internal sealed record PackedBundle(string Path, long Bytes);

/// <summary>
/// Packs what somebody far away needs to understand a device: a tar.gz of text files, none of them with a secret in it. A
/// part that cannot be made says why in its place: a bundle is asked for when something is broken.
/// </summary>
internal static class DiagnosticBundle
{
    /// <summary>Most that one file may have, bytes; beyond it, it is cut. A bundle fits into a mail.</summary>
    public const int MaximumFile = 2 * 1024 * 1024;

    /// <summary>Bundles that are kept; the oldest go.</summary>
    public const int Kept = 5;

    private const string Prefix = "edge-inspector-";
    private const string Suffix = ".tar.gz";

    /// <summary>Packs one into a folder of bundles.</summary>
    /// <exception cref="IOException">It cannot be written.</exception>
    public static PackedBundle PackInto(string folder, IEnumerable<DiagnosticFile> files, DateTimeOffset now)
    {
        Directory.CreateDirectory(folder);
        var name = Prefix + now.UtcDateTime.ToString("yyyyMMdd'T'HHmmssfff'Z'", CultureInfo.InvariantCulture) + Suffix;
        var bundle = Pack(Path.Combine(folder, name), files, now);
        foreach (var old in Directory.EnumerateFiles(folder, Prefix + "*" + Suffix).OrderDescending(StringComparer.Ordinal).Skip(Kept))
        {
            File.Delete(old);
        }

        return bundle;
    }

    /// <summary>Packs one into a file, whole or not at all.</summary>
    /// <exception cref="IOException">It cannot be written.</exception>
    public static PackedBundle Pack(string path, IEnumerable<DiagnosticFile> files, DateTimeOffset now)
    {
        var next = path + ".new";
        try
        {
            using (var file = new FileStream(next, FileMode.Create, FileAccess.Write))
            using (var zip = new GZipStream(file, CompressionLevel.Optimal))
            using (var tar = new TarWriter(zip, TarEntryFormat.Ustar))
            {
                foreach (var one in files)
                {
                    using var content = new MemoryStream(Content(one), writable: false);
                    tar.WriteEntry(
                        new UstarTarEntry(TarEntryType.RegularFile, "edge-inspector/" + one.Name)
                        {
                            DataStream = content,
                            ModificationTime = now,
                            Mode = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead,
                        }
                    );
                }
            }

            File.Move(next, path, overwrite: true);
        }
        catch
        {
            File.Delete(next);
            throw;
        }

        return new PackedBundle(path, new FileInfo(path).Length);
    }

    /// <summary>A packed bundle by its name; null when there is none, or the name is that of something else.</summary>
    public static string? Find(string folder, string name) =>
        name.StartsWith(Prefix, StringComparison.Ordinal)
        && name.EndsWith(Suffix, StringComparison.Ordinal)
        && name == Path.GetFileName(name)
        && File.Exists(Path.Combine(folder, name))
            ? Path.Combine(folder, name)
            : null;

    private static byte[] Content(DiagnosticFile file)
    {
        byte[] content;
        try
        {
            content = file.Content();
        }
#pragma warning disable CA1031 // What is broken is what the bundle is about: the other parts matter the more.
        catch (Exception e)
#pragma warning restore CA1031
        {
            content = System.Text.Encoding.UTF8.GetBytes($"could not be made: {e.GetBaseException().Message}\n");
        }

        return content.Length <= MaximumFile ? content : [.. content.AsSpan(0, MaximumFile), .. "\n(cut)\n"u8];
    }
}
