using System.Net;
using System.Net.Sockets;
using EdgeInspector.EndToEnd.Support;
using EdgeInspector.Tests.Publishing;
using Xunit;

namespace EdgeInspector.EndToEnd;

/// <summary>Each bad input: one line that names the file or key, an exit code that is not zero, nothing half-written.</summary>
public sealed class BadInputTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    [Fact]
    public async Task MissingModelPackage() =>
        await RefusedAsync("no-such-package", "demo", "--for", "1s", "--model", Path.Combine(_folder.Path, "no-such-package"));

    [Fact]
    public async Task PointerFileInPlaceOfAModel()
    {
        var package = CopyOfFactoryPackage();
        await File.WriteAllTextAsync(
            Path.Combine(package, "detector.onnx"),
            "version https://git-lfs.github.com/spec/v1\noid sha256:0000\nsize 3678356\n",
            TestContext.Current.CancellationToken
        );
        await RefusedAsync("detector.onnx", "demo", "--for", "1s", "--model", package);
    }

    [Fact]
    public async Task TruncatedModel()
    {
        var package = CopyOfFactoryPackage();
        var model = Path.Combine(package, "classifier.onnx");
        var bytes = await File.ReadAllBytesAsync(model, TestContext.Current.CancellationToken);
        await File.WriteAllBytesAsync(model, bytes[..(bytes.Length / 2)], TestContext.Current.CancellationToken);
        await RefusedAsync("classifier.onnx", "demo", "--for", "1s", "--model", package);
    }

    [Fact]
    public async Task WrongInputShape()
    {
        var package = CopyOfFactoryPackage();
        var manifest = Path.Combine(package, "manifest.json");
        var text = await File.ReadAllTextAsync(manifest, TestContext.Current.CancellationToken);
        var changed = text.Replace("\"height\": 120", "\"height\": 128", StringComparison.Ordinal);
        Assert.NotEqual(text, changed);
        await File.WriteAllTextAsync(manifest, changed, TestContext.Current.CancellationToken);
        await RefusedAsync("detector.onnx", "demo", "--for", "1s", "--model", package);
    }

    [Fact]
    public async Task WrongGoldenScores()
    {
        var package = CopyOfFactoryPackage();
        var manifest = Path.Combine(package, "manifest.json");
        var lines = await File.ReadAllLinesAsync(manifest, TestContext.Current.CancellationToken);
        var at = Array.FindIndex(lines, line => line.Contains("\"defectScore\"", StringComparison.Ordinal));
        lines[at] = "\"defectScore\": 0.4321" + (lines[at].TrimEnd().EndsWith(',') ? "," : "");
        await File.WriteAllLinesAsync(manifest, lines, TestContext.Current.CancellationToken);
        await RefusedAsync("golden", "demo", "--for", "1s", "--model", package);
    }

    [Fact]
    public async Task MissingVideo() =>
        await RefusedAsync("no-such.mp4", "inspect", Path.Combine(_folder.Path, "no-such.mp4"), "--model", EdgeInspectorProgram.FactoryPackage);

    [Fact]
    public async Task TruncatedVideo()
    {
        var whole = Path.Combine(TestData(), "video", "checkweigher_pouches.mp4");
        var part = Path.Combine(_folder.Path, "part.mp4");
        await File.WriteAllBytesAsync(
            part,
            (await File.ReadAllBytesAsync(whole, TestContext.Current.CancellationToken))[..800_000],
            TestContext.Current.CancellationToken
        );
        await RefusedAsync("part.mp4", "inspect", part, "--model", EdgeInspectorProgram.FactoryPackage, "--out", Out());
        Assert.False(Path.Exists(Out()));
    }

    [Fact]
    public async Task ZeroBytePicture()
    {
        await RefusedAsync("empty.png", "inspect", _folder.Write("empty.png", ""), "--model", EdgeInspectorProgram.FactoryPackage, "--out", Out());
        Assert.False(Path.Exists(Out()));
    }

    [Fact]
    public async Task CameraThatIsNotThere() =>
        await RefusedAsync("/dev/video99", ["run", .. Station("Stations:0:Camera:Source=/dev/video99")]);

    [Fact]
    public async Task BusyPort()
    {
        using var taken = new TcpListener(IPAddress.Loopback, 0);
        taken.Start();
        var port = ((IPEndPoint)taken.LocalEndpoint).Port;
        await RefusedAsync("Web:Address", "demo", "--for", "1s", "--port", $"{port}");
        await RefusedAsync("Broker:Port", "demo", "--for", "1s", "--port", "0", "--set", $"Broker:Port={port}");
    }

    [Fact]
    public async Task UnwritableDataFolder() =>
        await RefusedAsync("occupied", ["run", .. Station($"DataFolder={_folder.Write("occupied", "a file")}")]);

    [Fact]
    public async Task UnknownConfigurationKeysAreListedAllAtOnce()
    {
        var result = await EdgeInspectorProgram.RunAsync(
            ["run", .. Station("Stations:0:Belt:Sped=0.6"), "--set", "Colour=red", "--set", "Stations:0:Recipe:Views=99"]
        );
        Assert.NotEqual(0, result.ExitCode);
        Assert.Equal(3, result.ErrorLines.Length);
        Assert.Contains(result.ErrorLines, line => line.Contains("Stations:0:Belt:Sped", StringComparison.Ordinal));
        Assert.Contains(result.ErrorLines, line => line.Contains("Colour", StringComparison.Ordinal));
        Assert.Contains(result.ErrorLines, line => line.Contains("Stations:0:Recipe:Views", StringComparison.Ordinal));
    }

    public void Dispose() => _folder.Dispose();

    private static string TestData()
    {
        var folder = Environment.GetEnvironmentVariable("EDGEINSPECTOR_TEST_DATA");
        for (var up = new DirectoryInfo(AppContext.BaseDirectory); folder is null && up is not null; up = up.Parent)
        {
            var shared = Path.Combine(up.FullName, "shared", "data");
            folder = Directory.Exists(shared) ? shared : null;
        }

        Assert.SkipWhen(folder is null, "the real test data is not here (EDGEINSPECTOR_TEST_DATA, or ../shared/data)");
        return folder;
    }

    private static async Task RefusedAsync(string named, params string[] arguments)
    {
        var result = await EdgeInspectorProgram.RunAsync(arguments);
        Assert.NotEqual(0, result.ExitCode);
        var line = Assert.Single(result.ErrorLines);
        Assert.Contains(named, line, StringComparison.Ordinal);
        Assert.DoesNotContain("Exception", line, StringComparison.Ordinal);
    }

    private string Out() => Path.Combine(_folder.Path, "out");

    private string[] Station(string setting)
    {
        List<string> settings =
        [
            $"DataFolder={Path.Combine(_folder.Path, "data")}",
            "Stations:0:Camera:Source=virtual:",
            "Stations:0:Reject:Driver=Unwired",
            "Stations:0:Reject:Ejectors:0:Pin=10",
            $"Stations:0:Model:Package={EdgeInspectorProgram.FactoryPackage}",
            "Mqtt:Enabled=false",
            "Web:Enabled=false",
            setting,
        ];
        return [.. settings.SelectMany(text => new[] { "--set", text })];
    }

    private string CopyOfFactoryPackage()
    {
        var copy = Path.Combine(_folder.Path, "package");
        foreach (var file in Directory.EnumerateFiles(EdgeInspectorProgram.FactoryPackage, "*", SearchOption.AllDirectories))
        {
            var target = Path.Combine(copy, Path.GetRelativePath(EdgeInspectorProgram.FactoryPackage, file));
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            File.Copy(file, target);
        }

        return copy;
    }
}
