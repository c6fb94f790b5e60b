using System.Text.Json;
using EdgeInspector.Tests.Support;
using OpenCvSharp;
using Xunit;

namespace EdgeInspector.Tests.Cli;

public sealed class InspectCommandTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task PicturesInFoldersBecomeAnnotatedPicturesAndOneJsonObject()
    {
        WriteBelt("in/a.jpg");
        WriteBelt("in/deep/10.png");
        WriteBelt("in/deep/9.png");
        _folder.Write("in/notes.txt", "passed over");

        var (code, output, errors) = await RunAsync(_folder["in"], "--json", "--out", _folder["out"]);

        Assert.Equal((0, ""), (code, errors));
        using var result = JsonDocument.Parse(output);
        var pictures = result.RootElement.GetProperty("pictures").EnumerateArray().ToArray();
        Assert.Equal(
            [_folder["in/a.jpg"], _folder["in/deep/9.png"], _folder["in/deep/10.png"]],
            pictures.Select(picture => picture.GetProperty("path").GetString()));
        Assert.Equal(output, await File.ReadAllTextAsync(_folder["out/results.json"], Cancellation));
        foreach (var name in (string[])["a.jpg", "deep/9.png", "deep/10.png"])
        {
            using var annotated = Cv2.ImRead(_folder["out/" + name]);
            Assert.Equal((640, 480), (annotated.Width, annotated.Height));
        }

        Assert.Equal(3, Directory.GetFiles(_folder["out"], "*", SearchOption.AllDirectories).Count(IsPicture));
        Assert.Equal(["in", "out"], Directory.GetFileSystemEntries(_folder.Path).Select(Path.GetFileName).Order());

        static bool IsPicture(string path) => Path.GetExtension(path) is ".jpg" or ".png";
    }

    [Fact]
    public async Task CsvHasAHeaderAndOneLinePerPart()
    {
        WriteBelt("a, b.png");

        var (code, output, _) = await RunAsync(_folder["a, b.png"], "--format", "csv");

        Assert.Equal(0, code);
        var lines = output.TrimEnd('\n').Split('\n');
        Assert.Equal(
            "file,part,x1,y1,x2,y2,crossed_frame,first_frame,last_frame,views,detected,score,label,defect_score,verdict",
            lines[0]);
        Assert.All(lines[1..], line => Assert.StartsWith($"\"{_folder["a, b.png"]}\",", line, StringComparison.Ordinal));
    }

    [Fact]
    public async Task RealPicturesGiveTheDetectionsTheyAreKnownFor()
    {
        var model = TestData.Get("models/yolov8n_coco_int8dyn_opset12.onnx");
        var bus = TestData.Get("models/bus.jpg");
        var made = await Executable.RunAsync(
            Cancellation, "model", "new", "--detector", model, "--format", "yolov8", "--score", "0.35", "--out", _folder["yolo"]);
        Assert.Equal((0, ""), (made.Code, made.Errors));

        var (code, output, errors) = await Executable.RunAsync(
            Cancellation, "inspect", bus, TestData.Get("models/dog.jpg"), "--model", _folder["yolo"], "--json");

        Assert.Equal((0, ""), (code, errors));
        using var result = JsonDocument.Parse(output);
        Assert.Equal(
            [["bus", "person", "person", "person"], ["bicycle", "car", "dog", "truck"]],
            result.RootElement.GetProperty("pictures").EnumerateArray().Select(picture =>
                picture.GetProperty("parts").EnumerateArray().Select(part => part.GetProperty("detected").GetString()!).Order().ToArray()));
    }

    [Fact]
    public async Task AMissingPathIsRefused() =>
        await RefusesAsync($"{_folder["none.mp4"]}: there is no such file or folder; check the path.", _folder["none.mp4"]);

    [Fact]
    public async Task AFolderWithNothingToInspectIsRefused() =>
        await RefusesAsync($"{_folder.Path}: holds neither pictures nor videos; name a folder that does.", _folder.Path);

    [Fact]
    public async Task AZeroBytePictureIsRefusedAndNothingIsLeft()
    {
        WriteBelt("in/1.png");
        var empty = _folder.Write("in/2.png", "");

        await RefusesAsync($"{empty}: is empty (0 bytes); replace or remove it.", _folder["in"], "--out", _folder["out"]);

        Assert.Equal(["in"], Directory.GetFileSystemEntries(_folder.Path).Select(Path.GetFileName));
    }

    [Fact]
    public async Task ATruncatedVideoIsRefusedAndNothingIsLeft()
    {
        var bytes = await File.ReadAllBytesAsync(TestData.Get("video/checkweigher_pouches.mp4"), Cancellation);
        Directory.CreateDirectory(_folder["in"]);
        await File.WriteAllBytesAsync(_folder["in/cut.mp4"], bytes[..(bytes.Length / 2)], Cancellation);

        await RefusesAsync(
            $"{_folder["in/cut.mp4"]}: is cut off ({bytes.Length / 2} of at least 1879735 bytes); copy or record it again.",
            _folder["in/cut.mp4"], "--out", _folder["out"]);

        Assert.Equal(["in"], Directory.GetFileSystemEntries(_folder.Path).Select(Path.GetFileName));
    }

    [Fact]
    public async Task AnOutputFolderThatHoldsSomethingIsNotTouched()
    {
        WriteBelt("1.png");
        var mine = _folder.Write("out/mine.txt", "mine");

        await RefusesAsync(
            $"{_folder["out"]}: is there already; remove it or name another with --out.",
            _folder["1.png"], "--out", _folder["out"]);

        Assert.Equal([mine], Directory.GetFiles(_folder["out"]));
    }

    [Theory]
    [InlineData("none", null)]
    [InlineData("pointer", "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n")]
    public async Task AModelThatIsNoneIsRefusedInOneLine(string name, string? detector)
    {
        WriteBelt("1.png");
        if (detector is not null)
        {
            foreach (var file in Directory.GetFiles(FactoryPackage(), "*", SearchOption.AllDirectories))
            {
                var copy = _folder[Path.Combine(name, Path.GetRelativePath(FactoryPackage(), file))];
                Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
                File.Copy(file, copy);
            }

            _folder.Write($"{name}/detector.onnx", detector);
        }

        var (code, output, errors) = await Executable.RunAsync(
            Cancellation, "inspect", _folder["1.png"], "--model", _folder[name], "--out", _folder["out"]);

        Assert.NotEqual(0, code);
        Assert.Equal("", output);
        Assert.StartsWith($"edge-inspector: {_folder[name]}", errors, StringComparison.Ordinal);
        Assert.Single(errors.TrimEnd('\n').Split('\n'));
        Assert.False(Directory.Exists(_folder["out"]));
    }

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    /// <summary>The package that the repository carries.</summary>
    private static string FactoryPackage()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "EdgeInspector.sln")))
        {
            folder = folder.Parent;
        }

        var package = Path.Combine(folder?.FullName ?? ".", "firmware-config", "models", "biscuit");
        Assert.SkipUnless(Directory.Exists(package), "the repository carries no factory package yet");
        return package;
    }

    private static Task<(int Code, string Output, string Errors)> RunAsync(params string[] arguments) =>
        Executable.RunAsync(Cancellation, ["inspect", .. arguments, "--model", FactoryPackage()]);

    private static async Task RefusesAsync(string what, params string[] arguments)
    {
        var (code, output, errors) = await RunAsync(arguments);

        Assert.Equal($"edge-inspector: {what}\n", errors);
        Assert.Equal("", output);
        Assert.NotEqual(0, code);
    }

    /// <summary>A dark belt with a bright disc on it.</summary>
    private void WriteBelt(string name)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(_folder[name])!);
        using var picture = new Mat(480, 640, MatType.CV_8UC3, new Scalar(90, 70, 50));
        Cv2.Circle(picture, new Point(320, 240), 60, new Scalar(120, 180, 220), -1);
        Cv2.ImWrite(_folder[name], picture);
    }
}
