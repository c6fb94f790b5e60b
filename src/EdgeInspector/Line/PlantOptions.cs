using System.ComponentModel.DataAnnotations;

namespace EdgeInspector.Line;

/// <summary>
/// Where a station stands in the plant, in ISA-95 order. Every topic, log line and record carries it, so that a fleet
/// can be told apart under one broker.
/// </summary>
internal sealed class PlantOptions
{
    /// <summary>One path segment: what MQTT topics, file names and URLs all take without escaping.</summary>
    public const string SegmentPattern = "^[a-z0-9][a-z0-9_-]{0,31}$";

    /// <summary>Company, one lower-case segment.</summary>
    [RegularExpression(SegmentPattern, ErrorMessage = "must be 1 to 32 of a-z, 0-9, '-' and '_'")]
    public string Enterprise { get; set; } = "enterprise";

    /// <summary>Plant, one lower-case segment.</summary>
    [RegularExpression(SegmentPattern, ErrorMessage = "must be 1 to 32 of a-z, 0-9, '-' and '_'")]
    public string Site { get; set; } = "site";

    /// <summary>Hall or department, one lower-case segment.</summary>
    [RegularExpression(SegmentPattern, ErrorMessage = "must be 1 to 32 of a-z, 0-9, '-' and '_'")]
    public string Area { get; set; } = "area";

    /// <summary>Production line, one lower-case segment.</summary>
    [RegularExpression(SegmentPattern, ErrorMessage = "must be 1 to 32 of a-z, 0-9, '-' and '_'")]
    public string Line { get; set; } = "line";
}
