using System.Globalization;

namespace EdgeInspector.Simulation;

/// <summary>
/// How an unsteady belt moves. It runs at some speed for a while (a leg), then ramps to another, stops and starts
/// again, or jogs backwards; without end, and all of it from the line's seed. With a <see cref="Script"/> it does that
/// and nothing else.
/// </summary>
public sealed record BeltProfile
{
    /// <summary>A stop is never shorter than this.</summary>
    public static readonly TimeSpan ShortestStop = TimeSpan.FromMilliseconds(50);

    /// <summary>A jog backwards is never shorter than this, in millimetres.</summary>
    public const double ShortestReversal = 3;

    /// <summary>Slowest leg, metres per second, 0.01-5.</summary>
    public double MinimumSpeed { get; init; } = 0.2;

    /// <summary>Fastest leg, metres per second, 0.01-5.</summary>
    public double MaximumSpeed { get; init; } = 1;

    /// <summary>Of every ramp, metres per second squared, 0.1-20. Drives of this kind do 0.5 to 5.</summary>
    public double Acceleration { get; init; } = 2;

    /// <summary>Mean length of a leg between two changes; each is 0.1 to 1.9 of it. 20 ms - 1 h.</summary>
    public TimeSpan MeanLeg { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>Share of legs that end in a full stop, 0-1.</summary>
    public double StopShare { get; init; } = 0.15;

    /// <summary>Stops are from 50 ms to this; short ones are as likely as long ones. 50 ms - 1 h.</summary>
    public TimeSpan LongestStop { get; init; } = TimeSpan.FromSeconds(4);

    /// <summary>Share of legs that end in a jog backwards, 0-1.</summary>
    public double ReversalShare { get; init; } = 0.1;

    /// <summary>
    /// Jogs backwards are from 3 mm to this. The belt is never further than this behind the furthest it has been.
    /// 3-1000.
    /// </summary>
    public double LongestReversal { get; init; } = 100;

    /// <summary>
    /// Legs to run in place of random ones: the first speed from the start, then each by a ramp from the one before.
    /// The last speed holds for ever; it must not be negative, nor the first. Null: random legs.
    /// </summary>
    public IReadOnlyList<BeltLeg>? Script { get; init; }

    /// <summary>The highest speed either way, in metres per second.</summary>
    internal double TopSpeed => Script is { } script
        ? script.Select(l => Math.Abs(l.Speed)).DefaultIfEmpty().Max()
        : MaximumSpeed;

    /// <summary>Every fault, one line each, empty when the profile can be used.</summary>
    internal IEnumerable<string> Validate()
    {
        var faults = new List<string>();
        Check(nameof(Acceleration), Acceleration, 0.1, 20);
        if (Script is { } script)
        {
            if (script.Count == 0 || script[0].Speed < 0 || script[^1].Speed < 0)
            {
                faults.Add("Motion.Script: must have a leg, and its first and last speed must not be negative");
            }

            foreach (var leg in script)
            {
                Check(nameof(BeltLeg.Speed), leg.Speed, -5, 5);
                Check("Hold (s)", leg.Hold.TotalSeconds, 0, 86_400);
            }

            return faults;
        }

        Check(nameof(MinimumSpeed), MinimumSpeed, 0.01, MaximumSpeed);
        Check(nameof(MaximumSpeed), MaximumSpeed, 0.01, 5);
        Check("MeanLeg (ms)", MeanLeg.TotalMilliseconds, 20, 3_600_000);
        Check(nameof(StopShare), StopShare, 0, 1);
        Check(nameof(ReversalShare), ReversalShare, 0, 1 - StopShare);
        Check("LongestStop (ms)", LongestStop.TotalMilliseconds, ShortestStop.TotalMilliseconds, 3_600_000);
        Check(nameof(LongestReversal), LongestReversal, ShortestReversal, 1000);
        return faults;

        void Check(string name, double value, double low, double high)
        {
            if (!(value >= low && value <= high))
            {
                faults.Add(
                    string.Create(CultureInfo.InvariantCulture, $"Motion.{name}: {value} is outside {low} to {high}")
                );
            }
        }
    }
}

/// <summary>A stretch of a scripted belt.</summary>
/// <param name="Speed">Metres per second; negative backwards, 0 for a stop.</param>
/// <param name="Hold">How long the speed is held once reached.</param>
public readonly record struct BeltLeg(double Speed, TimeSpan Hold);

/// <summary>The belt's travel passed a value.</summary>
/// <param name="Forward">False when it came back through it.</param>
public readonly record struct BeltCrossing(TimeSpan At, bool Forward);

/// <summary>A stretch of time; <see cref="TimeSpan.MaxValue"/> where it never ends.</summary>
public readonly record struct BeltInterval(TimeSpan From, TimeSpan To);
