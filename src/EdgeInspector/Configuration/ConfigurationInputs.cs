namespace EdgeInspector.Configuration;

/// <summary>
/// Where configuration comes from, weakest first: the defaults in the options classes, appsettings.json beside the
/// program, the machine's folder, files named on the command line, the environment, single settings on the command
/// line. A later source wins key by key; lists are merged by index.
/// </summary>
internal sealed record ConfigurationInputs
{
    /// <summary>The prefix of environment variables; two underscores stand for the colon between keys.</summary>
    public const string EnvironmentPrefix = "EDGEINSPECTOR_";

    /// <summary>Read when it exists.</summary>
    public string? ProgramFile { get; init; } = Path.Combine(AppContext.BaseDirectory, "appsettings.json");

    /// <summary>Every *.json in it is read, in the order of the file names; it need not exist.</summary>
    public string? MachineFolder { get; init; } = "/etc/edge-inspector";

    /// <summary>Given with <c>--config</c>; each must exist.</summary>
    public IReadOnlyList<string> Files { get; init; } = [];

    /// <summary>Given with <c>--set A:B=value</c>.</summary>
    public IReadOnlyList<string> Settings { get; init; } = [];

    /// <summary>
    /// Variable names and values; those without the prefix are ignored. Null reads the process's own.
    /// </summary>
    public IReadOnlyDictionary<string, string>? Environment { get; init; }

    /// <summary>
    /// What a verb presets for itself (the demo's virtual camera), by key; stronger than the defaults, weaker than
    /// everything else.
    /// </summary>
    public IReadOnlyDictionary<string, string> Presets { get; init; } = new Dictionary<string, string>();
}
