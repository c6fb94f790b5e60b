using System.CommandLine;
using System.Text.Json;
using EdgeInspector.Cli;
using EdgeInspector.Tests.Support;
using EdgeInspector.Vision;
using Xunit;

namespace EdgeInspector.Tests.Cli;

public sealed class ModelCommandTests
{
    [Fact]
    public void BareDetectorBecomesAPackageThatIsAccepted()
    {
        using var folder = new TempFolder();
        var made = Run(
            "new", "--detector", TestData.Get("models/yolox_nano_coco_416.onnx"), "--format", "yolox",
            "--labels", TestData.Get("models/coco.names"), "--picture", TestData.Get("models/dog.jpg"),
            "--resample", "bicubic", "--out", folder["package"], "--provider", "cpu");
        Assert.Equal((0, ""), (made.Code, made.Error));

        var check = Run("check", folder["package"], "--provider", "cpu", "--json");
        Assert.Equal((0, ""), (check.Code, check.Error));
        var report = JsonDocument.Parse(check.Output).RootElement;
        Assert.True(report.GetProperty("accepted").GetBoolean());
        Assert.Equal("CPU", report.GetProperty("provider").GetString());
        Assert.Contains("dog", report.GetProperty("golden").EnumerateArray().Select(part => part.GetProperty("label").GetString()));

        var table = Run("check", folder["package"], "--provider", "cpu");
        Assert.Equal(0, table.Code);
        Assert.Contains("accepted", table.Output, StringComparison.Ordinal);
        Assert.Contains("bicycle", table.Output, StringComparison.Ordinal);
    }

    [Fact]
    public void BareDetectorsFormatIsToldAndWhy()
    {
        var path = TestData.Get("models/yolov8n_coco_int8dyn_opset12.onnx");
        var (code, output, error) = Run("inspect", path, "--json");
        Assert.Equal((0, ""), (code, error));
        var report = JsonDocument.Parse(output).RootElement;
        Assert.Equal("yolov8", report.GetProperty("format").GetString());
        Assert.Equal(80, report.GetProperty("labels").GetArrayLength());
        Assert.Equal("output0 [1,84,8400]", report.GetProperty("outputs")[0].GetString());
        var answers = report.GetProperty("formats").EnumerateArray().Select(one => one.GetProperty("answer").GetString());
        Assert.Equal(8, answers.Count());
        Assert.Single(answers, "fits");

        Assert.Contains("not certain", Run("inspect", TestData.Get("models/nanodet_m_320_opset12.onnx")).Output, StringComparison.Ordinal);
        Refused(["inspect", TestData.Get("models/negative/truncated_yolox_nano.onnx")], "damaged");
        Refused(["inspect", path, "--boxes", "round"], "--boxes");
    }

    [Fact]
    public void FormatIsFoundWhenNoneIsSaid()
    {
        using var folder = new TempFolder();
        var made = Run(
            "new", "--detector", TestData.Get("models/nanodet_m_320_opset12.onnx"),
            "--labels", TestData.Get("models/coco.names"), "--out", folder["package"], "--provider", "cpu");
        Assert.Equal((0, ""), (made.Code, made.Error));
        Assert.Contains("format nanodet", made.Output, StringComparison.Ordinal);
        Refused(
            ["new", "--detector", "x.onnx", "--format", "yolo9000", "--out", folder["other"]], "'yolo9000' is no format");
    }

    [Fact]
    public void ArraysAreScored()
    {
        using var folder = new TempFolder();
        new FloatTensor(new float[2 * 3 * 416 * 416], [2, 3, 416, 416]).WriteNpy(folder["in.npy"]);

        var score = Run(
            "score", TestData.Get("models/yolox_nano_coco_416.onnx"), "--input", folder["in.npy"],
            "--output", folder["out.npy"], "--provider", "cpu");
        Assert.Equal((0, ""), (score.Code, score.Error));
        var result = FloatTensor.ReadNpy(folder["out.npy"]);
        Assert.Equal([2, 3549, 85], result.Shape);
        Assert.Equal(result.Values[..(3549 * 85)], result.Values[(3549 * 85)..]);
    }

    [Fact]
    public void PackageThatIsNotThereIsOneLine() => Refused(["check", "/no/such/package"], "/no/such/package");

    [Fact]
    public void PointerFileIsOneLineAndLeavesNothing()
    {
        using var folder = new TempFolder();
        var model = folder.Write("m.onnx", "version https://git-lfs.github.com/spec/v1\n");
        Refused(["new", "--detector", model, "--format", "yolov8", "--out", folder["package"]], model);
        Refused(["score", model, "--input", folder["no.npy"], "--output", folder["out.npy"]], folder["no.npy"]);
        Assert.Equal([model], Directory.GetFileSystemEntries(folder.Path));
    }

    [Fact]
    public void SizeThatIsNoSizeIsOneLine() =>
        Refused(["new", "--detector", "x.onnx", "--format", "yolov8", "--out", "y", "--size", "640"], "--size");

    private static void Refused(string[] arguments, string name)
    {
        var (code, output, error) = Run(arguments);
        Assert.Equal((CommandLine.UserFault, ""), (code, output));
        Assert.Contains(name, error, StringComparison.Ordinal);
        Assert.Single(error.TrimEnd().Split('\n'));
    }

    private static (int Code, string Output, string Error) Run(params string[] arguments)
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        var code = ModelCommand.Create().Parse(arguments)
            .Invoke(new InvocationConfiguration { Output = output, Error = error });
        return (code, output.ToString(), error.ToString());
    }
}
