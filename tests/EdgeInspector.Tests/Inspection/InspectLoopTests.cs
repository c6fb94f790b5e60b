using System.Threading.Channels;
using EdgeInspector.Inspection;
using EdgeInspector.Line;
using EdgeInspector.Telemetry;
using EdgeInspector.Tests.Support;
using EdgeInspector.Vision;
using OpenCvSharp;
using Xunit;

namespace EdgeInspector.Tests.Inspection;

/// <summary>The inspect threads with scripted networks: in what order frames are judged, and by which networks.</summary>
public sealed class InspectLoopTests : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);
    private readonly FramePool _pool = new(64, 48, 4);
    private readonly LineClock _clock = new();
    private readonly Liveness _alive = new();

    [Fact]
    public async Task FramesAreConcludedInTheirOrderThoughALaterOneIsFoundFirst()
    {
        using var second = new ManualResetEventSlim();
        var first = new Script { Found = _ => Assert.True(second.Wait(Patience), "The second worker took no frame.") };
        var other = new Script { Found = _ => second.Set() };
        var judged = new Script();
        await Run(new Stages([first, other], judged), frames: 2);

        Assert.Equal([1, 2], judged.Judged);
    }

    [Fact]
    public async Task EveryFrameIsConcludedOnceWhateverTheWorkers()
    {
        var random = new Random(7);
        List<IDetector> detectors = [];
        for (var worker = 0; worker < 4; worker++)
        {
            var turns = random.Next(1, 400);
            detectors.Add(new Script { Found = frame => Thread.SpinWait(turns * (frame % 5)) });
        }

        var judged = new Script();
        await Run(new Stages(detectors, judged), frames: 200);

        Assert.Equal(Enumerable.Range(1, 200), judged.Judged);
    }

    [Fact]
    public async Task FaultOfOneWorkerEndsAllAndIsTold()
    {
        var sound = new Script();
        var faulty = new Script { Found = frame => throw new InvalidOperationException($"frame {frame}") };
        var fault = await Assert.ThrowsAsync<InvalidOperationException>(
            () => Run(new Stages([faulty, sound], new Script()), frames: 50)
        );

        Assert.StartsWith("frame ", fault.Message);
    }

    [Fact]
    public async Task SwapHappensBetweenFramesAndTheOldStagesAreFreeAfterTheLastOfTheirs()
    {
        var (oldJudge, newJudge) = (new Script(), new Script());
        Inspector? inspector = null;
        Stages? first = null;
        var second = new Stages(new Script(), newJudge);
        var usedWhileInHand = false;
        first = new Stages(
            new Script
            {
                Found = frame =>
                {
                    if (frame == 3)
                    {
                        inspector!.Use(second, Rules());
                        usedWhileInHand = inspector.Uses(first!);
                    }
                },
            },
            oldJudge
        );
        inspector = Inspector(first);
        await Run(inspector, frames: 6);

        Assert.Equal([1, 2, 3], oldJudge.Judged);
        Assert.Equal([4, 5, 6], newJudge.Judged);
        Assert.True(usedWhileInHand);
        Assert.False(inspector.Uses(first));
        Assert.True(inspector.Uses(second));
    }

    [Fact]
    public void StagesWithTooFewDetectorsAreRefused()
    {
        var inspector = Inspector(new Stages([new Script(), new Script()], new Script()));

        Assert.Throws<ArgumentException>(() => inspector.Use(new Stages(new Script(), new Script()), Rules()));
    }

    public void Dispose() => _pool.Dispose();

    private static DecisionRules Rules() =>
        new(new Recipe { Views = 1000, ViewSpacing = 0 }, packageThreshold: 0.5, goodLabel: 0);

    private Inspector Inspector(Stages stages) =>
        new(
            stages,
            Rules(),
            new InspectionOptions(),
            64,
            48,
            lanes: 1,
            new ConstantBelt(Some.Start, speed: 0),
            new EntryEyes(),
            deadline: null,
            new DecisionQueue(),
            Channel.CreateUnbounded<PartEvent>().Writer,
            evidence: null,
            new InspectionFigures(),
            _clock
        );

    private Task Run(Stages stages, int frames) => Run(Inspector(stages), frames);

    private async Task Run(Inspector inspector, int frames)
    {
        var taken = 0;
        using var loop = new InspectLoop("test", Take, () => taken == frames, inspector, _alive, _clock);
        loop.Start();
        await loop.Completion.WaitAsync(Patience, TestContext.Current.CancellationToken);

        Frame? Take(TimeSpan timeout)
        {
            if (taken == frames || !_pool.TryRent(out var frame))
            {
                return null;
            }

            taken++;
            frame.Picture.Set(0, 0, new Vec3b((byte)taken, 0, 0));
            frame.Sequence = taken;
            frame.CapturedAt = Some.At(taken).Nanoseconds;
            return frame;
        }
    }

    /// <summary>Both networks: one part that stands still in every picture; the corner pixel is the frame's number.</summary>
    private sealed class Script : IDetector, IClassifier
    {
        public Action<int>? Found { get; init; }

        public List<int> Judged { get; } = [];

        public IReadOnlyList<string> Labels { get; } = ["good", "broken"];

        public string Provider => "script";

        public int MaxBatch => 8;

        public int Detect(Mat picture, Span<Detection> detections)
        {
            Found?.Invoke(picture.At<Vec3b>(0, 0).Item0);
            detections[0] = new Detection(new Box(20, 10, 40, 30), 0.9f, 0);
            return 1;
        }

        public void Classify(Mat picture, ReadOnlySpan<Box> parts, Span<Classification> results)
        {
            Judged.Add(picture.At<Vec3b>(0, 0).Item0);
            results[..parts.Length].Fill(new Classification(0, 0.9f, 0.1f));
        }

        public void Dispose() { }
    }
}
