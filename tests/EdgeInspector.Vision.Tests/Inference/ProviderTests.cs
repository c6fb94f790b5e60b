using EdgeInspector.Vision.Inference;

namespace EdgeInspector.Vision.Tests.Inference;

public sealed class ProviderTests
{
    [Fact]
    public void AutoRunsWhatWorksHereAndSaysSo()
    {
        using var builder = Some.Classifying().Write();
        using var package = builder.Load(new InferenceOptions());

        Assert.Contains(package.Provider, new[] { "TensorRT", "CUDA", "CPU" });
        Assert.Equal(package.Provider, package.Classifier!.Provider);
    }

    [Theory]
    [InlineData(ProviderChoice.Cuda, "CUDA")]
    [InlineData(ProviderChoice.TensorRt, "TensorRT")]
    public void ForcedAcceleratorNeverFallsBack(ProviderChoice choice, string name)
    {
        using var builder = Some.Classifying().Write();
        var options = new InferenceOptions { Provider = choice };
        try
        {
            using var package = builder.Load(options);
            Assert.Equal(name, package.Provider);
        }
        catch (ModelPackageException)
        {
            Refusal.Of<ModelPackageException>(() => builder.Load(options), builder.Folder, name, "choose cpu");
        }
    }

    [Fact]
    public void NonsenseThreadsAreRefused()
    {
        using var builder = Some.Classifying().Write();
        Refusal.Of<ModelPackageException>(
            () => builder.Load(new InferenceOptions { Threads = -1 }), "threads", "0 (automatic)");
    }

    [Fact]
    public void ForbiddenFallbackRefusesTheProcessorInOneLine()
    {
        using var builder = Some.Classifying().Write();
        var options = new InferenceOptions { ForbidFallback = true };
        try
        {
            using var package = builder.Load(options);
            Assert.All(package.Stages, stage => Assert.NotEqual("CPU", stage.Provider));
        }
        catch (ModelPackageException)
        {
            var why = OnlyCpu() ? "falling back is forbidden" : "does not work here";
            Refusal.Of<ModelPackageException>(() => builder.Load(options), builder.Folder, why, "install");
        }
    }

    [Fact]
    public void EveryStageSaysWhatRunsIt()
    {
        using var builder = Some.Classifying().Write();
        using var package = builder.Load(new InferenceOptions());

        var stage = Assert.Single(package.Stages);
        Assert.Equal(("classifier", package.Provider), (stage.Stage, stage.Provider));
        Assert.Equal(OnlyCpu(), stage.Fallback is null && stage.Provider == "CPU");
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void ScoresDoNotDependOnThreads(int threads)
    {
        using var builder = Some.Classifying().Write();
        using var one = builder.Load();
        using var many = builder.Load(new InferenceOptions { Provider = ProviderChoice.Cpu, Threads = threads });
        using var picture = Some.Noise(40, 40, 3);
        var (expected, actual) = (new Classification[1], new Classification[1]);
        one.Classifier!.Classify(picture, [new Box(0, 0, 40, 40)], expected);
        many.Classifier!.Classify(picture, [new Box(0, 0, 40, 40)], actual);

        Assert.Equal(expected[0].DefectScore, actual[0].DefectScore, 1e-5f);
    }

    private static bool OnlyCpu() => OrtRuntime.CompiledIn.All(name => name == "CPUExecutionProvider");
}
