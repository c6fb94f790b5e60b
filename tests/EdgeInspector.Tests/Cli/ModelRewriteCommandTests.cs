using System.CommandLine;
using System.Text.Json;
using EdgeInspector.Cli;
using EdgeInspector.Simulation.DataSets;
using EdgeInspector.Tests.Support;
using Xunit;

namespace EdgeInspector.Tests.Cli;

public sealed class ModelRewriteCommandTests
{
    private static readonly string Factory = Path.Combine(AppContext.BaseDirectory, "models", "biscuit-float");

    [Fact]
    public void TheFactoryPackageJudgesTheSameInInt8()
    {
        using var folder = new TempFolder();
        new DataSetWriter(new DataSetOptions { Folder = folder["data"], Count = 120, Seed = 5 })
            .Write(null, TestContext.Current.CancellationToken);

        var (code, output, error) = Run(
            "quantize", Factory, "--calibrate", folder["data"], "--pictures", "20", "--method", "percentile",
            "--out", folder["int8"], "--json");

        Assert.Equal((0, ""), (code, error));
        var report = JsonDocument.Parse(output).RootElement;
        foreach (var (kind, share) in new[] { ("frames", "partsAlike"), ("frames", "verdictsAlike"), ("parts", "verdictsAlike") })
        {
            var alike = report.GetProperty(kind).GetProperty(share);
            Assert.InRange(alike.GetProperty("count").GetInt32(), 0.98 * alike.GetProperty("of").GetInt32(), 1e6);
            Assert.InRange(alike.GetProperty("of").GetInt32(), 50, 1e6);
        }

        Assert.Equal("labels", report.GetProperty("parts").GetProperty("truth").GetString());
        Assert.All(report.GetProperty("stages").EnumerateArray(), stage => Assert.InRange(
            stage.GetProperty("bytesAfter").GetInt64(), 1, stage.GetProperty("bytesBefore").GetInt64() / 2));
        Assert.Equal(0, Run("check", folder["int8"], "--provider", "cpu").Code);
        Assert.Contains("Same verdict", File.ReadAllText(Path.Combine(folder["int8"], "report.md")), StringComparison.Ordinal);

        var pruned = Run(
            "prune", Factory, "--holdout", folder["data"], "--sparsity", "0.3", "--whole-channels", "--stage",
            "classifier", "--out", folder["pruned"]);
        Assert.Equal((0, ""), (pruned.Code, pruned.Error));
        Assert.Contains(
            "30 % of each layer's channels", File.ReadAllText(Path.Combine(folder["pruned"], "report.md")), StringComparison.Ordinal);
        Assert.Contains("found by both", pruned.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--pictures 4 --percentile 20", "--percentile: 20")]
    [InlineData("--pictures 4 --reduce-range maybe", "--reduce-range: 'maybe'")]
    [InlineData("--pictures 4 --stage brain", "--stage: 'brain'")]
    [InlineData("--pictures 4 --part-context 9", "--part-context: 9")]
    [InlineData("--pictures 0", "--pictures: 0")]
    [InlineData("--pictures 4 --exclude *", "exclude")]
    [InlineData("--pictures 100000", "none is left")]
    public void WrongWordsAreRefusedInOneLineAndNothingIsWritten(string words, string hint)
    {
        using var folder = new TempFolder();
        var (code, output, error) = Run(
        [
            "quantize", Factory, "--calibrate", Path.Combine(Factory, "golden"),
            "--out", folder["int8"], .. words.Split(' '),
        ]);

        Assert.Equal((2, ""), (code, output));
        Assert.Contains(hint, error, StringComparison.Ordinal);
        Assert.Single(error.TrimEnd().Split('\n'));
        Assert.False(Directory.Exists(folder["int8"]));
    }

    [Fact]
    public void ModelsThatAreNoneAreRefusedInOneLine()
    {
        using var folder = new TempFolder();
        File.WriteAllText(folder["m.onnx"], "not a model");
        foreach (var (model, hint) in new[] { (folder["m.onnx"], "m.onnx"), (folder["nowhere"], "no such folder") })
        {
            var (code, _, error) = Run(
                "quantize", model, "--calibrate", Path.Combine(Factory, "golden"), "--pictures", "4", "--size", "64x64",
                "--out", folder["out"]);
            Assert.Equal(2, code);
            Assert.Contains(hint, error, StringComparison.Ordinal);
            Assert.Single(error.TrimEnd().Split('\n'));
        }
    }

    [Fact]
    public void HelpShowsExamples()
    {
        var (code, output, _) = Run("quantize", "--help");
        Assert.Equal(0, code);
        Assert.Contains("edge-inspector model quantize models/biscuit-float", output, StringComparison.Ordinal);
    }

    private static (int Code, string Output, string Error) Run(params string[] words)
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        var code = new RootCommand { ModelCommand.Create() }.Parse(["model", .. words])
            .Invoke(new InvocationConfiguration { Output = output, Error = error });
        return (code, output.ToString(), error.ToString());
    }
}
