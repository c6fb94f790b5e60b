using System.Globalization;
using EdgeInspector.Capture;
using EdgeInspector.Configuration;
using EdgeInspector.Hosting;
using EdgeInspector.Line;
using EdgeInspector.Reject;
using EdgeInspector.Simulation;
using EdgeInspector.Station;

namespace EdgeInspector.Lab.Worlds;

/// <summary>
/// A line and a station drawn by lot: belt, lanes, parts, camera, ejector, recipe, and everything that can go wrong with
/// them. The same seed and number give the same world.
/// </summary>
internal sealed class World
{
    /// <summary>Half the picture's length along the belt, mm; all worlds have the camera of 640 x 480 pixels of 0.5 mm.</summary>
    private const double HalfView = 160;

    private readonly Random _random;

    /// <summary>Draws a world.</summary>
    /// <param name="seed">The laboratory's seed.</param>
    /// <param name="number">The world's number.</param>
    /// <param name="parts">How many parts it carries.</param>
    /// <param name="isFast">A belt of 3 m/s, parts every 50 mm, a nozzle of 20 mm; all else by lot.</param>
    public World(int seed, int number, int parts, bool isFast = false)
    {
        Number = number;
        StageSeed = HashCode(seed, number);
        _random = new Random(StageSeed);
        Lanes = Pick([1, 1, 1, 1, 2, 2, 3, 4]);
        FramesPerSecond = isFast ? 120 : Pick([30.0, 60, 60, 90, 120]);
        TopSpeed = isFast ? 3 : Math.Min(0.15 * Math.Pow(20, _random.NextDouble()), 0.055 * FramesPerSecond);
        var shortest = Between(38, 45);
        var pitch = isFast ? 50 : Between(shortest, shortest + 20);
        Window = isFast ? 20 : Between(8, Math.Min(20, pitch * 0.4));

        // Everything that must fit between two parts' centres: the window, and the belt that passes during the blast.
        var dwell = Math.Min(20, 0.75 * (pitch - Window) / TopSpeed);
        Dwell = Milliseconds(dwell);
        Restless = _random.NextDouble() < 0.7;
        Profile = Restless
            ? new BeltProfile
            {
                MinimumSpeed = Math.Max(0.01, TopSpeed * Between(0.1, 0.6)),
                MaximumSpeed = TopSpeed,
                Acceleration = Between(0.5, 5),
                MeanLeg = TimeSpan.FromSeconds(Between(0.5, 5)),
                StopShare = Between(0, 0.3),
                ReversalShare = Between(0, 0.2),
                LongestReversal = Between(5, 100),
                LongestStop = TimeSpan.FromSeconds(Between(0.1, 4)),
            }
            : null;
        Stages = new StageTroubles
        {
            Inference = Milliseconds(Between(1, 8)),
            HiccupShare = _random.NextDouble() < 0.3 ? 0.01 : 0,
            LongestHiccup = TimeSpan.FromSeconds(_random.NextDouble() < 0.3 ? 10 : 0.4),
            MissedShare = _random.NextDouble() < 0.5 ? Between(0, 0.1) : 0,
            NoScoreShare = _random.NextDouble() < 0.3 ? Between(0, 0.05) : 0,
        };
        DroppedShare = _random.NextDouble() < 0.4 ? Between(0, 0.3) : 0;
        OutageShare = _random.NextDouble() < 0.2 ? Between(0, 0.02) : 0;
        PinTheftShare = _random.NextDouble() < 0.15 ? 0.0005 : 0;
        Disturbances = new Disturbances
        {
            EntryEdgesLost = Sometimes(0.3, 0.02),
            EntryEdgesBounced = Sometimes(0.3, 0.1),
            ConfirmEdgesLost = Sometimes(0.2, 0.02),
            EncoderCountsLost = Sometimes(0.15, 0.003),
            EncoderCountsDoubled = Sometimes(0.15, 0.003),
            FramesDropped = Sometimes(0.2, 0.1),
            ValveStuck = Sometimes(0.1, 0.01),
            PartsSliding = Sometimes(0.2, 0.1),
            LongestSlide = Between(1, 10),
            PartsTurning = Sometimes(0.2, 0.1),
            PartsRemoved = Sometimes(0.1, 0.02),
            PartsAdded = Sometimes(0.1, 0.02),
        };
        Straddlers = Sometimes(0.3, 0.1);
        var spacing = Between(1.3, 3.5) * pitch;
        Options = Station(pitch, spacing, parts);
        if (Lanes == 1 && !isFast && number % 5 == 0)
        {
            Options.Camera.Trigger = new TriggerOptions { Distance = Between(260, 300) };
            Options.Recipe.Views = 1;
        }

        Line = Virtual(pitch, shortest, parts);
    }

    /// <summary>Its number.</summary>
    public int Number { get; }

    /// <summary>Seeds the stages' troubles.</summary>
    public int StageSeed { get; }

    /// <summary>Ejector lanes.</summary>
    public int Lanes { get; }

    /// <summary>Of the camera.</summary>
    public double FramesPerSecond { get; }

    /// <summary>The belt's highest speed, m/s.</summary>
    public double TopSpeed { get; }

    /// <summary>Width of the ejector's window, mm.</summary>
    public double Window { get; }

    /// <summary>Length of a pulse.</summary>
    public TimeSpan Dwell { get; }

    /// <summary>Whether the belt ramps, stops and jogs back.</summary>
    public bool Restless { get; }

    /// <summary>How.</summary>
    public BeltProfile? Profile { get; }

    /// <summary>What goes wrong with the networks.</summary>
    public StageTroubles Stages { get; }

    /// <summary>Share of frames that the camera loses one by one.</summary>
    public double DroppedShare { get; }

    /// <summary>Share of frames after which the camera is blind for up to five seconds.</summary>
    public double OutageShare { get; }

    /// <summary>Share of frames before which somebody takes an ejector's pin away.</summary>
    public double PinTheftShare { get; }

    /// <summary>What goes wrong on the line.</summary>
    public Disturbances Disturbances { get; }

    /// <summary>Share of parts that lie across two lanes.</summary>
    public double Straddlers { get; }

    /// <summary>The station's options.</summary>
    public StationOptions Options { get; }

    /// <summary>The line's.</summary>
    public VirtualLineOptions Line { get; }

    /// <summary>In a few words, for a report.</summary>
    public override string ToString() =>
        string.Create(
            CultureInfo.InvariantCulture,
            $"world {Number}: {Lanes} lanes, {(Restless ? "restless" : "steady")} to {TopSpeed:F2} m/s, {(Options.Camera.Trigger is null ? $"{FramesPerSecond:F0} fps" : "triggered")}, ejector at {Options.Reject.Position:F0} mm, "
                + $"pitch {Options.Recipe.Pitch:F0} mm, window {Window:F0} mm, dwell {Dwell.TotalMilliseconds:F1} ms, inference {Stages.Inference.TotalMilliseconds:F1} ms, "
                + $"hiccups {Stages.HiccupShare:P1} to {Stages.LongestHiccup.TotalSeconds:F1} s, dropped {DroppedShare:P0}, outages {OutageShare:P1}, "
                + $"late {Options.Recipe.OnLate}, not inspected {Options.Recipe.OnNotInspected}{Troubles()}"
        );

    private string Troubles()
    {
        (string Name, double Share)[] all =
        [
            ("entry edges lost", Disturbances.EntryEdgesLost),
            ("entry edges bounced", Disturbances.EntryEdgesBounced),
            ("confirm edges lost", Disturbances.ConfirmEdgesLost),
            ("counts lost", Disturbances.EncoderCountsLost),
            ("counts doubled", Disturbances.EncoderCountsDoubled),
            ("valve stuck", Disturbances.ValveStuck),
            ("sliding", Disturbances.PartsSliding),
            ("turning", Disturbances.PartsTurning),
            ("removed", Disturbances.PartsRemoved),
            ("added", Disturbances.PartsAdded),
            ("straddling", Lanes > 1 ? Straddlers : 0),
            ("pins taken", PinTheftShare),
        ];
        return string.Concat(
            all.Where(trouble => trouble.Share > 0)
                .Select(trouble => string.Create(CultureInfo.InvariantCulture, $", {trouble.Name} {trouble.Share:P2}"))
        );
    }

    private StationOptions Station(double pitch, double spacing, int parts)
    {
        var way = HalfView + 60 + (Profile?.LongestReversal ?? 0) + Between(80, 700);
        return new StationOptions
        {
            Name = "lab",
            Camera = { Source = "virtual:", FramesPerSecond = FramesPerSecond },
            Belt =
            {
                Speed = TopSpeed,
                Encoder = Restless || _random.NextDouble() < 0.5 ? new EncoderOptions { CountsPerMillimetre = Pick([2.0, 5, 10, 20]) } : null,
            },
            Sensors =
            {
                EntryEyes = [.. Enumerable.Range(0, Lanes).Select(lane => new EyeOptions { Pin = 20 + lane, Position = -260 })],
                ConfirmEyes = [.. Enumerable.Range(0, Lanes).Select(lane => new EyeOptions { Pin = 40 + lane })],
            },
            Reject =
            {
                Ejectors = [.. Enumerable.Range(0, Lanes).Select(lane => new EjectorOptions { Pin = 10 + lane })],
                Position = way,
                Latency = Milliseconds(Between(2, 20)),
                Dwell = Dwell,
                ShortestPulse = Dwell < Milliseconds(5) ? Dwell : Milliseconds(5),
                Window = Window,
            },
            Recipe =
            {
                Name = "lab",
                Views = _random.Next(1, 5),
                ViewSpacing = Between(5, 35),
                Pitch = pitch,
                OnNotInspected = _random.NextDouble() < 0.7 ? Disposition.Reject : Disposition.Pass,
                OnLate = _random.NextDouble() < 0.7 ? Disposition.Reject : Disposition.Pass,
            },
            Virtual =
            {
                Seed = _random.Next(),
                PartsPerSecond = Math.Clamp(TopSpeed * 1000 * Lanes / spacing, 0.01, 200),
                DefectRate = Between(0.02, 0.4),
                PartCount = parts,
            },
        };
    }

    private VirtualLineOptions Virtual(double pitch, double shortest, int parts) =>
        InspectionHost.VirtualLineOf(Options) with
        {
            Motion = Profile,
            Disturbances = Disturbances,
            StraddlingShare = Lanes > 1 ? Straddlers : 0,
            MinimumPitch = pitch,
            TouchingShare = Between(0, 0.5),
            SidewaysJitter = Between(0, 20),
            PlainParts = new PlainParts { MinimumLength = shortest, MaximumLength = Math.Min(shortest + 15, (240.0 / Lanes) - 1) },
            PartCount = parts,
        };

    private double Between(double low, double high) => low + (_random.NextDouble() * (high - low));

    private double Sometimes(double chance, double most) => _random.NextDouble() < chance ? Between(0, most) : 0;

    private T Pick<T>(ReadOnlySpan<T> values) => values[_random.Next(values.Length)];

    private static TimeSpan Milliseconds(double value) => TimeSpan.FromTicks((long)(value * TimeSpan.TicksPerMillisecond));

    /// <summary>Two numbers into one, the same on every machine (Knuth's multiplicative hash).</summary>
    private static int HashCode(int seed, int number) => (int)((((uint)seed * 2_654_435_761u) + ((uint)number * 2_246_822_519u)) & int.MaxValue);
}
