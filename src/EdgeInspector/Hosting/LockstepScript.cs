namespace EdgeInspector.Hosting;

/// <summary>What a lockstep run does with its frames.</summary>
internal sealed record LockstepScript
{
    /// <summary>False leaves the pictures blank: for stages that know the truth by other means.</summary>
    public bool Renders { get; init; } = true;

    /// <summary>Whether the camera loses the frame with this index.</summary>
    public Func<long, bool> Drops { get; init; } = _ => false;

    /// <summary>Called before each frame.</summary>
    public Action<long> BeforeFrame { get; init; } = _ => { };

    /// <summary>False takes the reject schedule's deadlines out.</summary>
    public bool KeepsDeadlines { get; init; } = true;

    /// <summary>False takes the check of an output's mode out.</summary>
    public bool ChecksMode { get; init; } = true;
}
