using EdgeInspector.Simulation;
using EdgeInspector.Vision;
using OpenCvSharp;

namespace EdgeInspector.Lab.Worlds;

/// <summary>
/// Both stages, told the truth by the line in place of looking at pictures: boxes that wobble by a pixel, scores that are
/// nearly right, and the troubles they are given. Time passes while they are at work.
/// </summary>
internal sealed class TrueStages(VirtualLine line, StageTroubles troubles, int seed) : IDetector, IClassifier
{
    /// <summary>Pixels: what the tracker leaves out, and the boxes' wobble.</summary>
    private const double EdgeOfView = 12;

    private readonly Random _random = new(seed);
    private readonly VisiblePart[] _parts = new VisiblePart[128];
    private readonly Dictionary<long, double> _lastSeen = [];
    private int _count;

    /// <summary>Where on the belt, mm, the last frame that showed a part showed it.</summary>
    public IReadOnlyDictionary<long, double> LastSeen => _lastSeen;

    /// <summary>The line's time at which the frame in hand was exposed.</summary>
    public Func<TimeSpan> FrameTime { get; set; } = () => TimeSpan.Zero;

    /// <summary>Lets time pass for everybody else.</summary>
    public Action<TimeSpan> Work { get; set; } = _ => { };

    /// <inheritdoc cref="IDetector.Labels"/>
    public IReadOnlyList<string> Labels { get; } = ["good", "defect"];

    /// <inheritdoc cref="IDetector.Provider"/>
    public string Provider => "truth";

    /// <inheritdoc/>
    public int MaxBatch => 64;

    /// <inheritdoc/>
    public int Detect(Mat picture, Span<Detection> detections)
    {
        var at = FrameTime();
        _count = line.PartsInView(at, _parts);
        var found = 0;
        for (var i = 0; i < _count && found < detections.Length; i++)
        {
            ref readonly var part = ref _parts[i];
            if (part.Visible < 0.2 || _random.NextDouble() < troubles.MissedShare)
            {
                continue;
            }

            // A part near the picture's edge counts as cut, and shows no centre.
            if (part.Left > EdgeOfView && part.Right < line.Options.FrameWidth - EdgeOfView)
            {
                var fromMiddle = ((part.Left + part.Right - line.Options.FrameWidth) / 2) * line.Options.MillimetresPerPixel;
                _lastSeen[part.Index] = line.TravelAt(at) - fromMiddle;
            }

            var box = new Box(Wobble(part.Left), Wobble(part.Top), Wobble(part.Right), Wobble(part.Bottom));
            detections[found++] = new Detection(box.Clip(picture.Width, picture.Height), 0.9f, 0);
        }

        Work(Inference());
        return found;
    }

    /// <inheritdoc/>
    public void Classify(Mat picture, ReadOnlySpan<Box> parts, Span<Classification> results)
    {
        for (var i = 0; i < parts.Length; i++)
        {
            results[i] = _random.NextDouble() < troubles.NoScoreShare ? Classification.Unsure : Judge(parts[i]);
        }
    }

    /// <inheritdoc/>
    public void Dispose() { }

    private Classification Judge(in Box box)
    {
        var nearest = double.MaxValue;
        var defect = false;
        for (var i = 0; i < _count; i++)
        {
            ref readonly var part = ref _parts[i];
            var distance = Math.Abs(box.CentreX - ((part.Left + part.Right) / 2)) + Math.Abs(box.CentreY - ((part.Top + part.Bottom) / 2));
            if (distance < nearest)
            {
                (nearest, defect) = (distance, part.IsDefect);
            }
        }

        var score = (defect ? 0.85f : 0.15f) + (0.14f * ((2 * _random.NextSingle()) - 1));
        return new Classification(defect ? 1 : 0, defect ? score : 1 - score, score);
    }

    private TimeSpan Inference()
    {
        if (_random.NextDouble() >= troubles.HiccupShare)
        {
            return troubles.Inference * (0.8 + (0.4 * _random.NextDouble()));
        }

        var longest = troubles.LongestHiccup.TotalSeconds;
        return TimeSpan.FromSeconds(0.05 * Math.Pow(longest / 0.05, _random.NextDouble()));
    }

    private float Wobble(double edge) => (float)(edge + (2 * _random.NextDouble()) - 1);
}
