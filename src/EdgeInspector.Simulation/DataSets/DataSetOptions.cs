namespace EdgeInspector.Simulation.DataSets;

/// <summary>What <see cref="DataSetWriter"/> writes.</summary>
public sealed record DataSetOptions
{
    /// <summary>The folder to make; it must not exist yet, or be empty.</summary>
    public required string Folder { get; init; }

    /// <summary>Parts on the belt, 1-10,000,000; each gives about two crops. 0 with photographs: each once.</summary>
    public int Count { get; init; }

    /// <summary>The same seed writes the same pictures.</summary>
    public int Seed { get; init; } = 1;

    /// <summary>Share of biscuits with a defect, 0-1.</summary>
    public double DefectRate { get; init; } = 0.3;

    /// <summary>Photographs to carry in place of biscuits, one sub-folder per class.</summary>
    public string? PhotographsFolder { get; init; }

    /// <summary>
    /// Longer side of a photograph on the belt in millimetres; null: one pixel of it is one of the camera.
    /// </summary>
    public double? PhotographSize { get; init; }

    /// <summary>Lanes of parts; 0 mixes runs of one, two and three.</summary>
    public int Lanes { get; init; }

    /// <summary>PNG, which keeps every grey level, in place of JPEG with quality 92.</summary>
    public bool Lossless { get; init; }
}

/// <summary>What has been written.</summary>
/// <param name="Crops">Crops of each class.</param>
/// <param name="Truncated">Annotations marked to be ignored: parts mostly cut off by the frame's edge.</param>
public sealed record DataSetSummary(
    string Folder,
    int Seed,
    int Parts,
    int Frames,
    int Annotations,
    int Truncated,
    IReadOnlyDictionary<string, int> Crops
);
