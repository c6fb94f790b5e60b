namespace EdgeInspector.Hosting;

/// <summary>What a lockstep run does with its frames.</summary>
internal sealed record LockstepScript
{
    /// <summary>False leaves the pictures blank: for stages that know the truth by other means.</summary>
    public bool Renders { get; init; } = true;

    /// <summary>Whether the camera loses the frame with this index.</summary>
    public Func<long, bool> Drops { get; init; } = _ => false;
}
