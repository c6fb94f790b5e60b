using System.Text.Json.Serialization;
using EdgeInspector.Line;

namespace EdgeInspector.Samples;

/// <summary>
/// <c>ei.sample/1</c>: what stands beside the two pictures of a part. Written last, so where it exists the pictures do.
/// </summary>
internal sealed record SampleFile
{
    /// <summary>Name and version of this shape.</summary>
    public string Schema { get; init; } = "ei.sample/1";

    /// <summary>The part's id, as in the ledger and in messages.</summary>
    public required string Id { get; init; }

    public required string Station { get; init; }
    public required long Number { get; init; }
    public required Verdict Verdict { get; init; }
    public required string? Label { get; init; }
    public required double? Score { get; init; }
    public required DateTimeOffset TakenAt { get; init; }

    /// <summary>File name of the part's own picture, in the same folder.</summary>
    public required string Crop { get; init; }

    /// <summary>File name of the whole frame, in the same folder.</summary>
    public required string Context { get; init; }
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    UseStringEnumConverter = true,
    WriteIndented = true
)]
[JsonSerializable(typeof(SampleFile))]
internal sealed partial class SampleJson : JsonSerializerContext;
