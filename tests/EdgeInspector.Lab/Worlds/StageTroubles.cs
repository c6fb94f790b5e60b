namespace EdgeInspector.Lab.Worlds;

/// <summary>What goes wrong with the networks of a world.</summary>
internal sealed record StageTroubles
{
    /// <summary>What a frame takes.</summary>
    public TimeSpan Inference { get; init; }

    /// <summary>Share of frames that take much longer.</summary>
    public double HiccupShare { get; init; }

    /// <summary>Up to so long; short ones are as likely as long ones on a logarithmic scale.</summary>
    public TimeSpan LongestHiccup { get; init; }

    /// <summary>Share of parts that the detector overlooks in a frame.</summary>
    public double MissedShare { get; init; }

    /// <summary>Share of views for which the classifier has no number.</summary>
    public double NoScoreShare { get; init; }
}
