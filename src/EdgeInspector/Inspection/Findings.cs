using EdgeInspector.Vision;

namespace EdgeInspector.Inspection;

/// <summary>What one worker has found in the frame it holds. Made once for each worker; nothing is allocated after that.</summary>
internal sealed class Findings
{
    /// <summary>Beyond what a picture of any belt shows.</summary>
    private const int Most = 256;

    private volatile Stages? _stages;

    /// <summary>What was found; the first <see cref="Count"/> count.</summary>
    public Detection[] Detections { get; } = new Detection[Most];

    /// <summary>How many.</summary>
    public int Count { get; set; }

    /// <summary>Belt travel when the frame was exposed, px.</summary>
    public double Travel { get; set; }

    /// <summary>The frame came too late to say anything new; nothing was looked for.</summary>
    public bool IsTooOld { get; set; }

    /// <summary>The stages that look at the frame, both of one model; null between frames.</summary>
    public Stages? Stages
    {
        get => _stages;
        set => _stages = value;
    }
}
