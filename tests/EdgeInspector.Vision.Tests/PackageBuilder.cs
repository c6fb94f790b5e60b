using System.Security.Cryptography;
using EdgeInspector.Vision.Packages;

namespace EdgeInspector.Vision.Tests;

/// <summary>A package in a temporary folder, gone when disposed.</summary>
internal sealed class PackageBuilder : IDisposable
{
    public PackageBuilder()
    {
        Folder = Directory.CreateTempSubdirectory("edge-inspector-package-").FullName;
    }

    public string Folder { get; }

    public ModelManifest Manifest { get; set; } = new()
    {
        Schema = ModelManifest.CurrentSchema,
        Name = "test",
        Version = "1.0.0",
    };

    /// <summary>Adds a file and returns its SHA-256.</summary>
    public string Add(string name, byte[] content)
    {
        var path = Path.Combine(Folder, name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllBytes(path, content);
        return Convert.ToHexStringLower(SHA256.HashData(content));
    }

    public PackageBuilder Write()
    {
        File.WriteAllBytes(Path.Combine(Folder, ModelManifest.FileName), ManifestFile.Write(Manifest));
        return this;
    }

    public PackageBuilder WriteText(string manifest)
    {
        File.WriteAllText(Path.Combine(Folder, ModelManifest.FileName), manifest);
        return this;
    }

    public ModelPackage Load(InferenceOptions? options = null) =>
        ModelPackage.Load(Folder, options ?? new InferenceOptions { Provider = ProviderChoice.Cpu, Threads = 1 });

    public void Dispose() => Directory.Delete(Folder, true);
}
