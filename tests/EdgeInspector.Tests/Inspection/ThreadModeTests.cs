using System.Threading.Channels;
using EdgeInspector.Inspection;
using EdgeInspector.Line;
using EdgeInspector.Simulation;
using EdgeInspector.Telemetry;
using EdgeInspector.Tests.Support;
using EdgeInspector.Vision;
using OpenCvSharp;
using Xunit;

namespace EdgeInspector.Tests.Inspection;

/// <summary>Both thread modes with the factory's networks on a virtual belt.</summary>
[Collection(nameof(Alone))]
public sealed class ThreadModeTests : IDisposable
{
    private const int Pictures = 90;
    private static readonly string Package = Path.Combine(AppContext.BaseDirectory, "models", "biscuit");
    private readonly FramePool _pool = new(640, 480, 8);
    private readonly LineClock _clock = new();
    private readonly Mat[] _pictures = new Mat[Pictures];
    private readonly VirtualLine _line = new(new VirtualLineOptions { Seed = 5, PartsPerSecond = 12, DefectRate = 0.4 });

    public ThreadModeTests()
    {
        for (var i = 0; i < Pictures; i++)
        {
            _pictures[i] = new Mat(480, 640, MatType.CV_8UC3);
            _line.Render(TimeSpan.FromSeconds(2 + (i / 60.0)), _pictures[i]);
        }
    }

    [Fact]
    public async Task ThroughputDecidesEveryPartAsLatencyDoes()
    {
        var latency = await Decisions(new InferenceOptions { Mode = ThreadMode.Latency, Provider = ProviderChoice.Cpu });
        var throughput = await Decisions(
            new InferenceOptions { Mode = ThreadMode.Throughput, Workers = 3, Provider = ProviderChoice.Cpu });

        Assert.InRange(latency.Count, 5, 100);
        Assert.Contains(latency, decision => decision.Verdict == Verdict.Reject);
        Assert.Equal(latency, throughput);
    }

    [Theory]
    [InlineData(ThreadMode.Latency)]
    [InlineData(ThreadMode.Throughput)]
    public async Task FramesCostNoMemoryAndNoHandles(ThreadMode mode)
    {
        const int warm = 200;
        const int frames = 2000;
        using var package = ModelPackage.Load(
            Package, new InferenceOptions { Mode = mode, Workers = 2, Provider = ProviderChoice.Cpu });
        var decisions = new DecisionQueue();
        var events = Channel.CreateBounded<PartEvent>(64);
        using var left = new ThreadLocal<long>();
        var (allocated, parts, handles, resident) = (0L, 0, 0, 0L);
        await Run(package, frames, decisions, events, taken =>
        {
            // What this worker has allocated since it was here last.
            if (taken > warm)
            {
                Interlocked.Add(ref allocated, GC.GetAllocatedBytesForCurrentThread() - left.Value);
            }
            else if (taken == warm)
            {
                (handles, resident) = (Handles(), Environment.WorkingSet);
            }

            while (decisions.TryRead(out _))
            {
                parts++;
            }

            while (events.Reader.TryRead(out _))
            {
                // Taken, so that it does not fill up.
            }
        }, () => left.Value = GC.GetAllocatedBytesForCurrentThread());

        // A thread that waits for another for the first time gets something to wait on, whenever that is; nothing a frame.
        Assert.InRange(allocated, 0, 1024);
        Assert.InRange(parts, frames / 60 * 5, frames);
        Assert.InRange(Handles() - handles, -50, 50); // The test runner opens and closes its own.
        Assert.InRange(Environment.WorkingSet - resident, long.MinValue, 16 << 20);
    }

    public void Dispose()
    {
        _pool.Dispose();
        _line.Dispose();
        foreach (var picture in _pictures)
        {
            picture.Dispose();
        }
    }

    private static int Handles() => Directory.GetFiles("/proc/self/fd").Length;

    private async Task<List<Decision>> Decisions(InferenceOptions options)
    {
        using var package = ModelPackage.Load(Package, options);
        var decisions = new DecisionQueue();
        await Run(package, Pictures, decisions, Channel.CreateUnbounded<PartEvent>(), _ => { }, () => { });
        List<Decision> made = [];
        while (decisions.TryRead(out var decision))
        {
            made.Add(decision);
        }

        return made;
    }

    /// <summary>The pictures over and over, on a belt that never stops.</summary>
    private async Task Run(
        ModelPackage package,
        int frames,
        DecisionQueue decisions,
        Channel<PartEvent> events,
        Action<int> before,
        Action after
    )
    {
        var inspector = new Inspector(
            new Stages(package.Detectors, package.Classifier!),
            new DecisionRules(new Recipe(), package.Manifest.Classifier!.DefectThreshold, goodLabel: 0),
            new InspectionOptions { MillimetresPerPixel = _line.Options.MillimetresPerPixel },
            640,
            480,
            lanes: 1,
            new ConstantBelt(Some.Start, _line.Options.BeltSpeed * 1000),
            new EntryEyes(),
            deadline: null,
            decisions,
            events.Writer,
            evidence: null,
            new InspectionFigures(),
            _clock
        );
        var taken = 0;
        using var loop = new InspectLoop("test", Take, () => taken == frames, inspector, new Liveness(), _clock);
        loop.Start();
        await loop.Completion.WaitAsync(TimeSpan.FromMinutes(2), TestContext.Current.CancellationToken);

        Frame? Take(TimeSpan timeout)
        {
            before(taken);
            Frame? frame = null;
            if (taken < frames && _pool.TryRent(out frame))
            {
                _pictures[taken % Pictures].CopyTo(frame.Picture);
                frame.Sequence = taken;
                frame.CapturedAt = Some.At(taken * 1000.0 / 60).Nanoseconds;
                taken++;
            }

            after();
            return frame;
        }
    }
}
