using System.Text.Json;
using EdgeInspector.EndToEnd.Support;
using EdgeInspector.Tests.Publishing;
using Xunit;

namespace EdgeInspector.EndToEnd;

public sealed class DemoTests
{
    [Fact]
    public async Task LineInLockstepAccountsForEveryPartAndHitsNoWrongOne()
    {
        var report = await ReportAsync("--fast", "--for", "40s", "--seed", "11", "--defect-rate", "0.2");
        Assert.Equal(400, Number(report, "parts"));
        Assert.Equal(0, Number(report, "unaccounted"));
        Assert.Equal(0, Number(report, "wrongHits"));
        Assert.Equal(0, Number(report, "late"));
        Assert.Equal(Number(report, "pulses"), Number(report, "confirmed"));
        Assert.Equal(
            Number(report, "parts"),
            Number(report, "passed") + Number(report, "rejected") + Number(report, "notInspected") + Number(report, "late")
        );
        Assert.InRange(Number(report, "verdictsRight"), 0.995, 1);
    }

    [Fact]
    public async Task SameSeedGivesTheSameLedger()
    {
        string[] line = ["--fast", "--for", "10s", "--seed", "12"];
        var first = await ReportAsync(line);
        var second = await ReportAsync(line);
        foreach (var figure in new[] { "parts", "passed", "rejected", "notInspected", "escapes", "falseRejects", "pulses", "frames" })
        {
            Assert.Equal(Number(first, figure), Number(second, figure));
        }
    }

    [Fact]
    public async Task LineInRealTimeAccountsForEveryPart()
    {
        // Correctness alone: on a busy machine frames are dropped and parts late, and each is still in the books.
        var result = await EdgeInspectorProgram.RunAsync("demo", "--headless", "--json", "--port", "0", "--for", "5s", "--seed", "13");
        var report = JsonDocument.Parse(result.Output).RootElement;
        Assert.SkipWhen(Number(report, "frames") < 100, "the machine is too busy to show the line a third of its frames");
        Assert.Equal(50, Number(report, "parts"));
        Assert.Equal(0, Number(report, "unaccounted"));
        Assert.Equal(0, Number(report, "wrongHits"));
        Assert.Equal(0, result.ExitCode);
    }

    [Fact]
    public async Task PhotographsRideTheBeltInPlaceOfBiscuits()
    {
        using var folder = new TemporaryFolder();
        foreach (var (name, grey) in new[] { ("ok", 200), ("defect", 60) })
        {
            Directory.CreateDirectory(Path.Combine(folder.Path, name));
            for (var i = 0; i < 3; i++)
            {
                using var picture = new OpenCvSharp.Mat(120, 120, OpenCvSharp.MatType.CV_8UC3, OpenCvSharp.Scalar.All(grey + i));
                OpenCvSharp.Cv2.ImWrite(Path.Combine(folder.Path, name, $"{i}.png"), picture);
            }
        }

        var result = await EdgeInspectorProgram.RunAsync(
            "demo", "--fast", "--json", "--port", "0", "--photographs", folder.Path
        );
        using var report = JsonDocument.Parse(result.Output);
        Assert.Equal(6, report.RootElement.GetProperty("parts").GetInt32());
        Assert.Equal(3, report.RootElement.GetProperty("classes").GetProperty("defect").GetProperty("parts").GetInt32());
    }

    private static async Task<JsonElement> ReportAsync(params string[] arguments)
    {
        var result = await EdgeInspectorProgram.RunAsync(["demo", "--headless", "--json", "--port", "0", .. arguments]);
        Assert.True(result.ExitCode == 0, $"exit code {result.ExitCode}: {result.Errors}{result.Output}");
        Assert.Single(result.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries));
        return JsonDocument.Parse(result.Output).RootElement;
    }

    private static double Number(JsonElement report, string name) => report.GetProperty(name).GetDouble();
}
