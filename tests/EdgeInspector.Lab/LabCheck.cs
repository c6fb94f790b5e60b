namespace EdgeInspector.Lab;

/// <summary>One thing that a laboratory has shown, or not.</summary>
/// <param name="Name">What, with its unit.</param>
/// <param name="Kind"><see cref="Correctness"/> or <see cref="Timing"/>.</param>
/// <param name="Value">What was measured.</param>
/// <param name="Limit">What it is held against; see the name for which way.</param>
/// <param name="Pass">Whether it holds.</param>
internal sealed record LabCheck(string Name, string Kind, double Value, double Limit, bool Pass)
{
    /// <summary>Must hold on every machine.</summary>
    public const string Correctness = "correctness";

    /// <summary>Depends on the machine and on what else it is doing.</summary>
    public const string Timing = "timing";

    /// <summary>A count that must be no more than so many.</summary>
    public static LabCheck AtMost(string name, double value, double limit, string kind = Correctness) =>
        new(name, kind, value, limit, value <= limit);

    /// <summary>A count that must be at least so many.</summary>
    public static LabCheck AtLeast(string name, double value, double limit, string kind = Correctness) =>
        new(name, kind, value, limit, value >= limit);
}
