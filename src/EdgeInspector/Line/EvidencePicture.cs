namespace EdgeInspector.Line;

/// <summary>
/// The picture of one part, encoded by the evidence worker. Immutable; receivers share the bytes and never write them.
/// </summary>
/// <param name="PartId">The <see cref="PartRecord.Id"/> it belongs to.</param>
/// <param name="Number">The part's number within the run.</param>
/// <param name="Station">The station's name.</param>
/// <param name="Verdict">The verdict it shows.</param>
/// <param name="Label">The classifier's winning label, or null.</param>
/// <param name="Score">Consensus defect score, or null.</param>
/// <param name="TakenAt">Wall-clock label.</param>
/// <param name="Crop">JPEG of the part alone, at most about 100 KB.</param>
/// <param name="Context">JPEG of the whole frame with the part outlined.</param>
internal sealed record EvidencePicture(
    string PartId,
    long Number,
    string Station,
    Verdict Verdict,
    string? Label,
    double? Score,
    DateTimeOffset TakenAt,
    ReadOnlyMemory<byte> Crop,
    ReadOnlyMemory<byte> Context
);
