using EdgeInspector.Vision.Inference;

namespace EdgeInspector.Vision.Tests.Inference;

public sealed class ProviderOptionsTests
{
    private static readonly string Sha = new('a', 64);
    private static readonly NetworkShape Crops = new(Sha, false, "crops", [3, 64, 64], 64 * 64, 100_000, [1, 2, 4, 8, 16]);
    private static readonly EngineVersions Jetson = new("1.31.1", "10.3.0", "36.4.3");
    private static readonly string[] BothAccelerators =
        ["TensorrtExecutionProvider", "CUDAExecutionProvider", "CPUExecutionProvider"];

    private static readonly InferenceOptions Cached = new() { EngineCache = "/var/engines" };

    [Fact]
    public void OneProfileSpansEveryBatchSize()
    {
        var settings = Providers.TensorRtOptions(Cached, Crops, "/var/engines/x");

        Assert.Equal("crops:1x3x64x64", settings["trt_profile_min_shapes"]);
        Assert.Equal("crops:4x3x64x64", settings["trt_profile_opt_shapes"]);
        Assert.Equal("crops:16x3x64x64", settings["trt_profile_max_shapes"]);
    }

    [Fact]
    public void FixedBatchNeedsNoProfile()
    {
        var settings = Providers.TensorRtOptions(Cached, Crops with { Batches = [1] }, "/var/engines/x");

        Assert.DoesNotContain(settings.Keys, key => key.StartsWith("trt_profile", StringComparison.Ordinal));
    }

    [Fact]
    public void EngineAndTimingCacheLieInTheEnginesOwnFolder()
    {
        var settings = Providers.TensorRtOptions(Cached, Crops, "/var/engines/x");

        Assert.Equal(
            ("1", "/var/engines/x", "1", "/var/engines/x"),
            (settings["trt_engine_cache_enable"], settings["trt_engine_cache_path"],
                settings["trt_timing_cache_enable"], settings["trt_timing_cache_path"]));
        Assert.DoesNotContain("trt_engine_cache_enable", Providers.TensorRtOptions(new InferenceOptions(), Crops, null));
    }

    [Theory]
    [InlineData(EnginePrecision.Model, false, "0", "0")]
    [InlineData(EnginePrecision.Half, false, "1", "0")]
    [InlineData(EnginePrecision.Model, true, "0", "1")]
    [InlineData(EnginePrecision.Half, true, "1", "1")]
    public void PrecisionFollowsTheConfigurationAndTheModel(
        EnginePrecision precision, bool quantized, string half, string integers)
    {
        var options = new InferenceOptions { Precision = precision };
        var settings = Providers.TensorRtOptions(options, Crops with { IsQuantized = quantized }, null);

        Assert.Equal((half, integers), (settings["trt_fp16_enable"], settings["trt_int8_enable"]));
    }

    [Fact]
    public void WorkspaceIsToldInBytes()
    {
        var settings = Providers.TensorRtOptions(new InferenceOptions { WorkspaceMegabytes = 256 }, Crops, null);

        Assert.Equal("268435456", settings["trt_max_workspace_size"]);
    }

    [Fact]
    public void GraphsAreNeverCaptured()
    {
        Assert.Equal("0", Providers.TensorRtOptions(Cached, Crops, null)["trt_cuda_graph_enable"]);
        Assert.Equal("0", Providers.CudaOptions()["enable_cuda_graph"]);
    }

    [Fact]
    public void EngineFolderNamesAllThatTheEngineDependsOn()
    {
        var folder = Providers.EngineFolder(Cached, Crops, Jetson)!;

        Assert.Equal("/var/engines/aaaaaaaaaaaaaaaa-model-1-4-16x3x64x64-ort1.31.1-trt10.3.0-l4t36.4.3", folder);
        string[] others =
        [
            Providers.EngineFolder(Cached, Crops with { Sha256 = new string('b', 64) }, Jetson)!,
            Providers.EngineFolder(Cached with { Precision = EnginePrecision.Half }, Crops, Jetson)!,
            Providers.EngineFolder(Cached, Crops with { Batches = [1, 2, 4] }, Jetson)!,
            Providers.EngineFolder(Cached, Crops with { Shape = [3, 96, 64] }, Jetson)!,
            Providers.EngineFolder(Cached, Crops, Jetson with { OnnxRuntime = "1.32.0" })!,
            Providers.EngineFolder(Cached, Crops, Jetson with { TensorRt = "10.9.0" })!,
            Providers.EngineFolder(Cached, Crops, Jetson with { L4T = "36.5.0" })!,
            Providers.EngineFolder(Cached, Crops, Jetson with { L4T = null })!,
        ];
        Assert.Equal(others.Length + 1, others.Append(folder).Distinct().Count());
    }

    [Fact]
    public void EnginesOfAnotherManifestOrSystemAreNotReady()
    {
        var ready = EngineCache.ReadyFile("/var/engines", [1], EnginePrecision.Model, Jetson);

        Assert.NotEqual(ready, EngineCache.ReadyFile("/var/engines", [2], EnginePrecision.Model, Jetson));
        Assert.NotEqual(ready, EngineCache.ReadyFile("/var/engines", [1], EnginePrecision.Half, Jetson));
        Assert.NotEqual(ready, EngineCache.ReadyFile("/var/engines", [1], EnginePrecision.Model, Jetson with { L4T = "36.5.0" }));
    }

    [Fact]
    public void WithoutTensorRtNoEngineIsWaitedFor()
    {
        using var builder = Some.Classifying().Write();
        var expected = OrtRuntime.CompiledIn.Contains("TensorrtExecutionProvider");

        Assert.Equal(expected, ModelPackage.NeedsEngine(builder.Folder, Cached));
        Assert.False(ModelPackage.NeedsEngine(builder.Folder, Cached with { Provider = ProviderChoice.Cpu }));
    }

    [Theory]
    [InlineData("# R36 (release), REVISION: 4.3, GCID: 38968081, BOARD: generic, EABI: aarch64", "36.4.3")]
    [InlineData("# R35 (release), REVISION: 5.0, GCID: 1", "35.5.0")]
    [InlineData("a PC", null)]
    public void L4TIsReadFromTheReleaseFile(string text, string? expected) =>
        Assert.Equal(expected, EngineVersions.ParseL4T(text));

    [Theory]
    [InlineData(8601, "8.6.1")]
    [InlineData(100300, "10.3.0")]
    [InlineData(101303, "10.13.3")]
    public void TensorRtVersionIsReadable(int number, string expected) =>
        Assert.Equal(expected, EngineVersions.FormatTensorRt(number));

    [Fact]
    public void WhatIsNotCompiledInIsNotTried()
    {
        Assert.Equal(
            [ProviderChoice.TensorRt, ProviderChoice.Cuda, ProviderChoice.Cpu],
            Providers.ToTry(ProviderChoice.Auto, BothAccelerators, forbidFallback: false));
        Assert.Equal([ProviderChoice.Cpu], Providers.ToTry(ProviderChoice.Auto, ["CPUExecutionProvider"], false));
        Assert.Equal([ProviderChoice.Cuda], Providers.ToTry(ProviderChoice.Cuda, ["CPUExecutionProvider"], false));
    }

    [Fact]
    public void ForbiddenFallbackNeverEndsOnTheProcessor()
    {
        Assert.Equal(
            [ProviderChoice.TensorRt, ProviderChoice.Cuda],
            Providers.ToTry(ProviderChoice.Auto, BothAccelerators, forbidFallback: true));
        Assert.Equal([ProviderChoice.Cpu], Providers.ToTry(ProviderChoice.Cpu, BothAccelerators, forbidFallback: true));
    }
}
