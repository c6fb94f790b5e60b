using System.Security.Cryptography;

namespace EdgeInspector.Vision.Inference;

/// <summary>The bytes of an ONNX file, read once, so that what was checked is what runs.</summary>
internal sealed class ModelFile
{
    private const long Largest = 1L << 30;

    private ModelFile(string path, byte[] bytes, ModelOutline outline)
    {
        Path = path;
        Bytes = bytes;
        Outline = outline;
    }

    public string Path { get; }

    public byte[] Bytes { get; }

    /// <summary>What the file says about itself; it has been found harmless to open.</summary>
    public ModelOutline Outline { get; }

    /// <summary>Whether the graph has quantised stretches.</summary>
    public bool IsQuantized => Outline.Nodes.Any(node => node.Operation is "QuantizeLinear" or "DequantizeLinear");

    public string Sha256 => Convert.ToHexStringLower(SHA256.HashData(Bytes));

    /// <exception cref="ModelPackageException">Not there, unreadable, empty, or not a model.</exception>
    public static ModelFile Read(string path)
    {
        byte[] bytes;
        try
        {
            var file = new FileInfo(path);
            if (!file.Exists)
            {
                throw new ModelPackageException(Directory.Exists(path)
                    ? $"{path}: this is a folder; name an ONNX file."
                    : $"{path}: there is no such file; copy the model there or correct its name.");
            }

            if (file.Length > Largest)
            {
                throw new ModelPackageException($"{path}: larger than 1 GiB; export a smaller model.");
            }

            bytes = File.ReadAllBytes(path);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new ModelPackageException(
                $"{path}: cannot be read ({exception.Message}); check its rights.", exception);
        }

        if (bytes.Length == 0)
        {
            throw new ModelPackageException($"{path}: the file is empty; copy the model again.");
        }

        if (bytes.AsSpan().StartsWith("version https://git-lfs"u8))
        {
            throw new ModelPackageException(
                $"{path}: this is a git-lfs pointer, not the model itself; run `git lfs pull` where it comes from.");
        }

        return new ModelFile(path, bytes, OutlineReader.Read(path, bytes));
    }

    /// <summary>The same model with these outputs brought to a fixed number of rows.</summary>
    public ModelFile Bounding(IReadOnlyList<(TensorOutline Output, int Axis)> outputs) => outputs.Count == 0
        ? this
        : new ModelFile(Path, BoundedOutputs.Append(Bytes, Outline, outputs), Outline);

    public void RequireSha256(string expected)
    {
        var actual = Sha256;
        if (!string.Equals(actual, expected, StringComparison.OrdinalIgnoreCase))
        {
            throw new ModelPackageException(
                $"{Path}: its sha256 is {actual}, the manifest says {expected}; copy the file the manifest was made "
                + "for.");
        }
    }
}
