using System.Globalization;

namespace EdgeInspector.Simulation;

/// <summary>
/// What the virtual line is built like. Positions are millimetres along the belt from the middle of the picture,
/// positive downstream. The defaults are the biscuit line used throughout: 10 parts a second at 0.8 m/s.
/// </summary>
public sealed record VirtualLineOptions
{
    /// <summary>
    /// Everything random follows from this number: the same seed gives the same line, picture for picture.
    /// </summary>
    public int Seed { get; init; } = 1;

    /// <summary>Mean feed over all lanes, 0.01-200. Long parts come more slowly: parts never overlap.</summary>
    public double PartsPerSecond { get; init; } = 10;

    /// <summary>
    /// Metres per second, 0.01-5. With <see cref="Motion"/> only how far apart parts lie follows from it.
    /// </summary>
    public double BeltSpeed { get; init; } = 0.8;

    /// <summary>Speed changes, stops and jogs backwards; null: a belt that runs at one speed for ever.</summary>
    public BeltProfile? Motion { get; init; }

    /// <summary>Camera rate, 1-1000.</summary>
    public double FramesPerSecond { get; init; } = 60;

    /// <summary>
    /// What the belt moves, mm, 0-5000, from the leading edge of whatever blocks the entry eye of lane 0 to the exposure of
    /// the one picture taken of it; null: the camera runs free.
    /// </summary>
    public double? TriggerDistance { get; init; }

    /// <summary>Picture width in pixels, along the belt, 64-4096.</summary>
    public int FrameWidth { get; init; } = 640;

    /// <summary>Picture height in pixels, across the belt, 64-4096.</summary>
    public int FrameHeight { get; init; } = 480;

    /// <summary>Size of a pixel on the belt in millimetres, 0.1-5.</summary>
    public double MillimetresPerPixel { get; init; } = 0.5;

    /// <summary>Exposure of one frame; the belt's movement during it is the motion blur. 0-10 ms.</summary>
    public TimeSpan Exposure { get; init; } = TimeSpan.FromMilliseconds(0.4);

    /// <summary>Position of the entry photo-eye in millimetres; upstream of the picture.</summary>
    public double EntryEyePosition { get; init; } = -260;

    /// <summary>
    /// Position of the ejector in millimetres; downstream of the picture, so no part vanishes in view.
    /// </summary>
    public double EjectorPosition { get; init; } = 400;

    /// <summary>
    /// A part goes out when its centre is within half of this (mm) of the ejector during a blast. 1-200.
    /// </summary>
    public double EjectorWindow { get; init; } = 20;

    /// <summary>From the pin's level to the blast, on and off alike. 0-1 s.</summary>
    public TimeSpan EjectorLatency { get; init; } = TimeSpan.FromMilliseconds(8);

    /// <summary>From ejection to the eye in the chute, 0-5 s.</summary>
    public TimeSpan ConfirmDelay { get; init; } = TimeSpan.FromMilliseconds(120);

    /// <summary>Half width of the variation of <see cref="ConfirmDelay"/> from part to part.</summary>
    public TimeSpan ConfirmJitter { get; init; } = TimeSpan.FromMilliseconds(10);

    /// <summary>Encoder counts per millimetre of belt, above 0.</summary>
    public double EncoderCountsPerMillimetre { get; init; } = 10;

    /// <summary>Share of biscuits with a defect, 0-1. Photographs bring their own.</summary>
    public double DefectRate { get; init; } = 0.1;

    /// <summary>
    /// Parts to carry; 0 means endless, or each photograph once where <see cref="PhotographsFolder"/> is set.
    /// </summary>
    public int PartCount { get; init; }

    /// <summary>Share of parts that lie against the one before them, 0-0.9.</summary>
    public double TouchingShare { get; init; } = 0.15;

    /// <summary>
    /// Least distance along the belt between the centres of two parts of a lane, in millimetres, 0-1000; parts that
    /// would be nearer are laid further apart, touching or not.
    /// </summary>
    public double MinimumPitch { get; init; }

    /// <summary>Lanes side by side, each with its own eyes and ejector, 1-8.</summary>
    public int Lanes { get; init; } = 1;

    /// <summary>
    /// Share of parts that lie across the border between two lanes, 0-0.9. Both lanes' blasts must meet such a part at
    /// the same moment to take it.
    /// </summary>
    public double StraddlingShare { get; init; }

    /// <summary>What goes wrong; nothing by default.</summary>
    public Disturbances Disturbances { get; init; } = new();

    /// <summary>Largest sideways shift of a part from the middle of its lane, in millimetres.</summary>
    public double SidewaysJitter { get; init; } = 15;

    /// <summary>Half width of the lamp's slow drift in brightness, 0-0.5.</summary>
    public double LampDrift { get; init; } = 0.12;

    /// <summary>Carry plain discs and rectangles in place of biscuits; null: biscuits.</summary>
    public PlainParts? PlainParts { get; init; }

    /// <summary>Carry the photographs in this folder (one sub-folder per class) in place of biscuits.</summary>
    public string? PhotographsFolder { get; init; }

    /// <summary>The order in which photographs are laid on the belt.</summary>
    public PhotographOrder PhotographOrder { get; init; } = PhotographOrder.Shuffled;

    /// <summary>
    /// Longer side of a photograph on the belt in millimetres; null: one pixel of it is one of the camera.
    /// </summary>
    public double? PhotographSize { get; init; }

    /// <summary>Height of the picture on the belt, in millimetres, shared by the lanes.</summary>
    internal double WidthAcross => FrameHeight * MillimetresPerPixel;

    internal double HalfView => FrameWidth * MillimetresPerPixel / 2;

    /// <summary>Every fault, one line each, empty when the options can be used.</summary>
    public IReadOnlyList<string> Validate()
    {
        var faults = new List<string>();
        Check(nameof(PartsPerSecond), PartsPerSecond, 0.01, 200);
        Check(nameof(BeltSpeed), BeltSpeed, 0.01, 5);
        Check(nameof(FramesPerSecond), FramesPerSecond, 1, 1000);
        Check(nameof(TriggerDistance), TriggerDistance ?? 0, 0, 5000);
        Check(nameof(FrameWidth), FrameWidth, 64, 4096);
        Check(nameof(FrameHeight), FrameHeight, 64, 4096);
        Check(nameof(MillimetresPerPixel), MillimetresPerPixel, 0.1, 5);
        Check("Exposure (ms)", Exposure.TotalMilliseconds, 0, 10);
        Check(nameof(EjectorWindow), EjectorWindow, 1, 200);
        Check("EjectorLatency (ms)", EjectorLatency.TotalMilliseconds, 0, 1000);
        Check("ConfirmDelay (ms)", ConfirmDelay.TotalMilliseconds, 0, 5000);
        Check("ConfirmJitter (ms)", ConfirmJitter.TotalMilliseconds, 0, ConfirmDelay.TotalMilliseconds);
        Check(nameof(EncoderCountsPerMillimetre), EncoderCountsPerMillimetre, 0.001, 10_000);
        Check(nameof(DefectRate), DefectRate, 0, 1);
        Check(nameof(PartCount), PartCount, 0, int.MaxValue);
        Check(nameof(TouchingShare), TouchingShare, 0, 0.9);
        Check(nameof(MinimumPitch), MinimumPitch, 0, 1000);
        Check(nameof(Lanes), Lanes, 1, 8);
        Check(nameof(StraddlingShare), StraddlingShare, 0, Lanes > 1 ? 0.9 : 0);
        faults.AddRange(Disturbances.Validate());
        Check(nameof(SidewaysJitter), SidewaysJitter, 0, 500);
        Check(nameof(LampDrift), LampDrift, 0, 0.5);
        if (PhotographSize is { } size)
        {
            Check(nameof(PhotographSize), size, 1, 2000);
        }

        // Longer smears than this leave nothing to inspect.
        faults.AddRange(Motion?.Validate() ?? []);
        var speed = Motion?.TopSpeed ?? BeltSpeed;
        Check("motion blur (pixels)", speed * 1000 * Exposure.TotalSeconds / MillimetresPerPixel, 0, 40);
        Check(nameof(EntryEyePosition), EntryEyePosition, -10_000, -HalfView);

        // What has gone out must not come back into view.
        var wayBack = faults.Count == 0 && Motion is { } profile ? new BeltMotion(profile, Seed).Reach : 0;
        Check(nameof(EjectorPosition), EjectorPosition, HalfView + 50 + wayBack, 10_000);
        faults.AddRange(PlainParts?.Validate() ?? []);
        if (PlainParts is not null && PhotographsFolder is not null)
        {
            faults.Add("PlainParts: photographs cannot be carried as well; set one of the two");
        }

        var widest = PlainParts?.MaximumLength ?? Parts.BiscuitRange.LargestWidth;
        if (PhotographsFolder is null && WidthAcross / Math.Max(1, Lanes) < widest)
        {
            var kind = PlainParts is null ? "biscuits" : "plain parts";
            faults.Add(
                Invariant($"Lanes: {Lanes} lanes of {kind} do not fit in the {WidthAcross} mm in view; use fewer")
            );
        }

        return faults;

        void Check(string name, double value, double low, double high)
        {
            if (!(value >= low && value <= high))
            {
                faults.Add(Invariant($"{name}: {value} is outside {low} to {high}"));
            }
        }
    }

    private static string Invariant(FormattableString text)
    {
        return text.ToString(CultureInfo.InvariantCulture);
    }
}

/// <summary>The order in which photographs come along the belt.</summary>
public enum PhotographOrder
{
    /// <summary>Mixed by the seed.</summary>
    Shuffled,

    /// <summary>By path, byte by byte.</summary>
    Sorted,
}
