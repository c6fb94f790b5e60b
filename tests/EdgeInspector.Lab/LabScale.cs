namespace EdgeInspector.Lab;

/// <summary>How much of a laboratory is run.</summary>
internal enum LabScale
{
    /// <summary>Within three minutes: for every change.</summary>
    Short,

    /// <summary>What the figures are stated from.</summary>
    Full,
}
