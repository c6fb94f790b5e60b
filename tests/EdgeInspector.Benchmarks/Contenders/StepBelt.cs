using EdgeInspector.Line;

namespace EdgeInspector.Benchmarks.Contenders;

/// <summary>
/// A belt that jumps between two frames, further than the tracker remembers: every frame shows new parts, so each must be
/// found, classified and decided.
/// </summary>
internal sealed class StepBelt(double step) : IBelt
{
    private double _travel;

    /// <inheritdoc/>
    public double Speed => 0;

    /// <inheritdoc/>
    public bool IsKnown => true;

    /// <summary>Carries everything out of view.</summary>
    public void Step() => Volatile.Write(ref _travel, _travel + step);

    /// <inheritdoc/>
    public double TravelAt(Instant at) => Volatile.Read(ref _travel);

    /// <inheritdoc/>
    public Instant WhenTravelReaches(double travel) => Instant.Never;
}
