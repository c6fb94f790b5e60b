using EdgeInspector.Vision.Inference;

namespace EdgeInspector.Vision.Tests.Inference;

public sealed class ThreadPlanTests
{
    private const int Large = 320 * 320;
    private const int Small = 160 * 120;
    private const long Few = 300_000;
    private const long Many = 1_200_000;

    [Theory]
    [InlineData(1, 2, ThreadMode.Latency, 1)]
    [InlineData(1, 8, ThreadMode.Latency, 1)]
    [InlineData(2, 2, ThreadMode.Throughput, 1)]
    [InlineData(2, 8, ThreadMode.Throughput, 4)]
    [InlineData(8, 2, ThreadMode.Throughput, 1)]
    public void AutoSharesTheProcessorsAmongTheCameras(int cameras, int processors, ThreadMode mode, int workers)
    {
        var plan = ThreadPlan.Of(new InferenceOptions { Cameras = cameras }, onProcessor: true, processors);

        Assert.Equal((mode, workers), (plan.Mode, plan.Workers));
    }

    [Fact]
    public void LatencyPutsEveryThreadOnOnePictureUnlessTheNetworkIsSmall()
    {
        var plan = ThreadPlan.Of(new InferenceOptions { Mode = ThreadMode.Latency }, onProcessor: true, processors: 2);

        Assert.Equal(1, plan.Workers);
        Assert.Equal((2, 2), (plan.For(Large, Few), plan.For(Large, Many)));
        Assert.Equal((1, 2), (plan.For(Small, Few), plan.For(Small, Many)));
        Assert.Equal(2, plan.For(0, 0));
    }

    [Fact]
    public void ThroughputGivesEachFrameOneThread()
    {
        var options = new InferenceOptions { Mode = ThreadMode.Throughput, Threads = 4 };
        var plan = ThreadPlan.Of(options, onProcessor: true, processors: 2);

        Assert.Equal((2, 1, 1), (plan.Workers, plan.For(Large, Many), plan.For(Small, Few)));
        Assert.Equal(3, ThreadPlan.Of(options with { Workers = 3 }, onProcessor: true, processors: 2).Workers);
    }

    [Fact]
    public void AnAcceleratorIsFedByOneWorkerUnlessTold()
    {
        var options = new InferenceOptions { Mode = ThreadMode.Throughput };

        Assert.Equal(1, ThreadPlan.Of(options, onProcessor: false, processors: 8).Workers);
        Assert.Equal(2, ThreadPlan.Of(options with { Workers = 2 }, onProcessor: false, processors: 8).Workers);
    }

    [Fact]
    public void StatedThreadsAreTakenAtTheirWord()
    {
        var plan = ThreadPlan.Of(new InferenceOptions { Threads = 3 }, onProcessor: true, processors: 8);

        Assert.Equal((3, 3), (plan.For(Large, Many), plan.For(Small, Few)));
    }
}
