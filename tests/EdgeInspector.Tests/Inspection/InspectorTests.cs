using System.Threading.Channels;
using EdgeInspector.Inspection;
using EdgeInspector.Line;
using EdgeInspector.Telemetry;
using EdgeInspector.Tests.Support;
using EdgeInspector.Vision;
using OpenCvSharp;
using Xunit;

namespace EdgeInspector.Tests.Inspection;

/// <summary>The inspector with a scripted camera: parts are where the test lays them on the belt, scores are what it says.</summary>
public sealed class InspectorTests : IDisposable
{
    private const double Speed = 800;
    private const double EyePosition = -260;
    private readonly LineClock _clock = new();
    private readonly ConstantBelt _belt = new(Some.Start, Speed);
    private readonly ScriptedStages _stages = new();
    private readonly DecisionQueue _decisions = new();
    private readonly Channel<PartEvent> _events = Channel.CreateUnbounded<PartEvent>();
    private readonly FramePool _pool = new(640, 480, 1);
    private readonly EntryEye _eye;
    private readonly Inspector _inspector;
    private long _frame;

    public InspectorTests()
    {
        _eye = new EntryEye(_belt, EyePosition, tolerance: 15);
        _inspector = new Inspector(
            new Stages(_stages, _stages),
            new DecisionRules(new Recipe { Views = 3, ViewSpacing = 25 }, packageThreshold: 0.5, goodLabel: 0),
            new InspectionOptions(),
            640,
            480,
            lanes: 1,
            _belt,
            new EntryEyes(_eye),
            deadline: null,
            _decisions,
            _events.Writer,
            evidence: null,
            new InspectionFigures(),
            _clock
        );
    }

    [Fact]
    public void EveryPartIsDecidedOnceWithThreeViewsAtItsPlaceOnTheBelt()
    {
        _stages.Parts.AddRange([(0, 0.02f), (61, 0.97f), (150, 0.03f)]);
        Run(milliseconds: 1200);
        var decided = Decided();
        Assert.Equal([Verdict.Pass, Verdict.Reject, Verdict.Pass], decided.Select(decision => decision.Verdict));
        Assert.All(decided, decision => Assert.Equal(3, decision.Views));
        Assert.All(decided.Zip(_stages.Parts), pair => Assert.Equal(pair.Second.Offset, pair.First.Offset, 1.0));
        Assert.All(decided, decision => Assert.True(decision.EntrySeen));
    }

    [Fact]
    public void OneBadViewDoesNotOutvoteTwoGoodOnes()
    {
        _stages.Parts.Add((0, 0.1f));
        _stages.ScoreOfView = view => view == 1 ? 0.9f : 0.1f;
        Run(milliseconds: 1200);
        Assert.Equal(Verdict.Pass, Assert.Single(Decided()).Verdict);
    }

    [Fact]
    public void PartThatNoFrameShowsIsNotInspectedAndNotForgotten()
    {
        _stages.Parts.Add((0, 0.02f));
        _stages.Blind = true;
        Run(milliseconds: 1200);
        var decision = Assert.Single(Decided());
        Assert.Equal((Verdict.NotInspected, Reason.NotSeen), (decision.Verdict, decision.Reason));
        Assert.Equal(Disposition.Reject, decision.Disposition);
        Assert.Equal(0, decision.Offset, 2.0);
    }

    [Fact]
    public void LostCameraLeavesNoPartUndecided()
    {
        _stages.Parts.AddRange([(0, 0.02f), (80, 0.02f), (160, 0.02f)]);
        Run(milliseconds: 1500, framesUntil: -140); // The first part is just in view, once, and the camera is gone.
        Assert.Equal(
            [(Verdict.Pass, Reason.None, 1), (Verdict.NotInspected, Reason.NotSeen, 0), (Verdict.NotInspected, Reason.NotSeen, 0)],
            Decided().Select(decision => (decision.Verdict, decision.Reason, (int)decision.Views))
        );
    }

    [Fact]
    public void FrameThatComesLateMakesNoSecondPartOfOneThatIsDecided()
    {
        _stages.Parts.AddRange([(0, 0.02f), (80, 0.9f)]);
        Run(milliseconds: 1500, framesUntil: -140);
        Assert.Equal(2, Decided().Count);
        Assert.True(_pool.TryRent(out var frame));
        using (frame)
        {
            frame.CapturedAt = Some.At(100).Nanoseconds; // Both in view then, and decided long since.
            _stages.Travel = _belt.TravelAt(Some.At(100));
            _inspector.Inspect(frame);
            _clock.Now = Some.At(1600);
            _inspector.Idle();
        }

        Assert.Empty(Decided());
    }

    [Fact]
    public void PartWithoutAScoreIsNotInspected()
    {
        _stages.Parts.Add((0, float.NaN));
        Run(milliseconds: 1200);
        var decision = Assert.Single(Decided());
        Assert.Equal((Verdict.NotInspected, Reason.NoScore), (decision.Verdict, decision.Reason));
    }

    [Fact]
    public void FlickerThatNobodyElseSawIsNoPart()
    {
        _stages.FlickerAt = 30;
        Run(milliseconds: 1500);
        Assert.Empty(Decided());
    }

    [Fact]
    public void StoppingEndsPartsThatAreStillInView()
    {
        _stages.Parts.AddRange([(0, 0.02f), (90, 0.02f)]);
        Run(milliseconds: -140); // One in view with one view of three, the other between eye and camera.
        _inspector.Finish();
        Assert.Equal(
            [(Verdict.NotInspected, Reason.Stopped), (Verdict.NotInspected, Reason.Stopped)],
            Decided().Select(decision => (decision.Verdict, decision.Reason))
        );
    }

    [Fact]
    public void InspectingAFrameAllocatesNothing()
    {
        for (var i = 0; i < 400; i++)
        {
            _stages.Parts.Add((i * 70, i % 7 == 0 ? 0.9f : 0.1f));
        }

        var allocated = 0L;
        for (var ms = 0.0; ms < 20_000; ms += 1000.0 / 60)
        {
            _clock.Now = Some.At(ms);
            _stages.Travel = _belt.TravelAt(_clock.Now);
            _pool.TryRent(out var frame);
            frame!.CapturedAt = _clock.Now.Nanoseconds;
            frame.Sequence = _frame++;
            var before = GC.GetAllocatedBytesForCurrentThread();
            _inspector.Inspect(frame);
            if (ms > 5000)
            {
                allocated += GC.GetAllocatedBytesForCurrentThread() - before;
            }

            frame.Dispose();
            while (_decisions.TryRead(out _) && _events.Reader.TryRead(out _))
            {
                // Taken, so that neither fills up.
            }
        }

        Assert.Equal(0, allocated);
    }

    public void Dispose() => _pool.Dispose();

    private void Run(double milliseconds, double framesUntil = double.MaxValue)
    {
        Assert.True(_pool.TryRent(out var frame));
        List<(double At, bool Blocked)> edges = [];
        foreach (var (offset, _) in _stages.Parts)
        {
            // The leading end is 30 mm ahead of the centre, the trailing end 30 mm behind.
            edges.Add(((offset + EyePosition - 30) / Speed * 1000, true));
            edges.Add(((offset + EyePosition + 30) / Speed * 1000, false));
        }

        foreach (var (at, blocked) in edges.OrderBy(edge => edge.At))
        {
            _eye.Edge(blocked, Some.At(at));
        }

        for (var ms = -200.0; ms < milliseconds; ms += 1000.0 / 60)
        {
            _clock.Now = Some.At(ms);
            _stages.Travel = _belt.TravelAt(_clock.Now);
            if (ms < framesUntil)
            {
                frame.CapturedAt = _clock.Now.Nanoseconds;
                frame.Sequence = _frame++;
                _stages.Frame = frame.Sequence;
                _inspector.Inspect(frame);
            }
            else
            {
                _inspector.Idle();
            }
        }

        frame.Dispose();
    }

    private List<Decision> Decided()
    {
        List<Decision> decided = [];
        while (_decisions.TryRead(out var decision))
        {
            decided.Add(decision);
        }

        return decided;
    }

    /// <summary>Both networks: sees 60 mm parts at 0.5 mm a pixel wherever the script has laid them.</summary>
    private sealed class ScriptedStages : IDetector, IClassifier
    {
        private int _views;

        public List<(double Offset, float Score)> Parts { get; } = [];

        public double Travel { get; set; }

        public long Frame { get; set; }

        public bool Blind { get; set; }

        public long FlickerAt { get; set; } = -1;

        public Func<int, float>? ScoreOfView { get; set; }

        public IReadOnlyList<string> Labels { get; } = ["good", "broken"];

        public string Provider => "script";

        public int MaxBatch => 8;

        public int Detect(Mat picture, Span<Detection> detections)
        {
            if (Frame == FlickerAt)
            {
                detections[0] = new Detection(new Box(250, 180, 370, 300), 0.9f, 0);
                return 1;
            }

            var found = 0;
            foreach (var (offset, score) in Parts)
            {
                var centre = ((Travel - offset) / 0.5) + 320;
                var box = new Box(
                    (float)Math.Max(0, centre - 60),
                    180,
                    (float)Math.Min(640, centre + 60),
                    300
                );
                if (!Blind && box.X2 - box.X1 > 20)
                {
                    // The label carries the score over to the other stage.
                    detections[found++] = new Detection(box, float.IsNaN(score) ? 1 : 0.5f + (score / 2), 0);
                }
            }

            return found;
        }

        public void Classify(Mat picture, ReadOnlySpan<Box> parts, Span<Classification> results)
        {
            for (var i = 0; i < parts.Length; i++)
            {
                var offset = Travel - ((parts[i].CentreX - 320) * 0.5);
                var score = float.NaN;
                foreach (var part in Parts)
                {
                    if (Math.Abs(part.Offset - offset) < 20)
                    {
                        score = part.Score;
                    }
                }

                score = ScoreOfView?.Invoke(_views++) ?? score;
                results[i] = float.IsNaN(score)
                    ? Classification.Unsure
                    : new Classification(score >= 0.5f ? 1 : 0, Math.Max(score, 1 - score), score);
            }
        }

        public void Dispose() { }
    }
}
