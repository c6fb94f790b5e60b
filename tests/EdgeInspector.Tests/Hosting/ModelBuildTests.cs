using System.Threading.Channels;
using EdgeInspector.Hosting;
using EdgeInspector.Inspection;
using EdgeInspector.Line;
using EdgeInspector.Telemetry;
using EdgeInspector.Tests.Support;
using EdgeInspector.Vision;
using OpenCvSharp;
using Xunit;

namespace EdgeInspector.Tests.Hosting;

/// <summary>A real package that takes as long to load as the test likes, beside one that judges.</summary>
public sealed class ModelBuildTests : IDisposable
{
    private static readonly string Folder = Path.Combine(AppContext.BaseDirectory, "models", "biscuit");
    private static readonly InferenceOptions OnCpu = new() { Provider = ProviderChoice.Cpu };
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private readonly LineClock _clock = new();
    private readonly ManualResetEventSlim _engineIsBuilt = new();
    private readonly InspectionFigures _figures = new();

    [Fact]
    public async Task OldModelJudgesWhileTheEngineIsBuiltAndTheSwapComesBetweenFrames()
    {
        using var first = ModelPackage.Load(Folder, OnCpu);
        var old = StationModel.Of(first);
        var inspector = Inspector(old.Stages);
        ModelPackage? second = null;
        var build = new ModelBuild(
            "TensorRT engine",
            () =>
            {
                Assert.True(_engineIsBuilt.Wait(Patience));
                return ModelPackage.Load(Folder, OnCpu);
            },
            package =>
            {
                second = package;
                inspector.Use(StationModel.Of(package).Stages, Rules());
                return Task.CompletedTask;
            },
            _clock
        );
        build.Start();
        _clock.Now += TimeSpan.FromSeconds(42);

        Assert.Equal("building TensorRT engine, 42 s", build.Progress);
        Inspect(inspector, frames: 3);
        Assert.Equal(3, _figures.Frames);
        Assert.True(inspector.Uses(old.Stages));

        _engineIsBuilt.Set();
        await build.Completion.WaitAsync(Patience, TestContext.Current.CancellationToken);

        Assert.Equal((null, null), (build.Progress, build.Fault));
        Assert.False(inspector.Uses(old.Stages));
        first.Dispose(); // Nobody misses it.
        Inspect(inspector, frames: 3);
        Assert.Equal(6, _figures.Frames);
        second!.Dispose();
    }

    [Fact]
    public async Task OldModelGoesOnAndTheReasonIsToldWhenTheNewOneIsRefused()
    {
        var replaced = false;
        var build = new ModelBuild(
            "TensorRT engine",
            () => ModelPackage.Load("/no/such/package", OnCpu),
            _ =>
            {
                replaced = true;
                return Task.CompletedTask;
            },
            _clock
        );
        build.Start();
        await build.Completion.WaitAsync(Patience, TestContext.Current.CancellationToken);

        Assert.False(replaced);
        Assert.Null(build.Progress);
        Assert.Contains("/no/such/package", build.Fault);
    }

    [Fact]
    public async Task WhatNobodyForesawIsNotSwallowed()
    {
        var build = new ModelBuild("engine", () => throw new InvalidOperationException("odd"), _ => Task.CompletedTask, _clock);
        build.Start();

        await Assert.ThrowsAsync<InvalidOperationException>(() => build.Completion);
    }

    public void Dispose() => _engineIsBuilt.Dispose();

    private static DecisionRules Rules() => new(new Recipe(), packageThreshold: 0.5, goodLabel: 0);

    private static void Inspect(Inspector inspector, int frames)
    {
        using var pool = new FramePool(640, 480, 1);
        for (var i = 0; i < frames; i++)
        {
            pool.TryRent(out var frame);
            using (frame)
            {
                frame!.Picture.SetTo(new Scalar(90, 90, 90));
                frame.CapturedAt = Some.At(0).Nanoseconds;
                inspector.Inspect(frame);
            }
        }
    }

    private Inspector Inspector(Stages stages) =>
        new(
            stages,
            Rules(),
            new InspectionOptions(),
            640,
            480,
            lanes: 1,
            new ConstantBelt(Some.Start, speed: 0),
            new EntryEyes(),
            deadline: null,
            new DecisionQueue(),
            Channel.CreateUnbounded<PartEvent>().Writer,
            evidence: null,
            _figures,
            _clock
        );
}
