using Microsoft.Extensions.Configuration;

namespace EdgeInspector.Configuration;

/// <summary>Keys and values held in memory that remember, for each key, where it was written.</summary>
internal sealed class KeyedSource : ConfigurationProvider, IConfigurationSource
{
    private readonly Dictionary<string, string> _origins = new(StringComparer.OrdinalIgnoreCase);

    /// <inheritdoc/>
    public IConfigurationProvider Build(IConfigurationBuilder builder) => this;

    /// <summary>Where the key was written, such as <c>environment EDGEINSPECTOR_CAMERA__WIDTH</c>.</summary>
    public string? OriginOf(string key) => _origins.GetValueOrDefault(key);

    /// <summary>Sets a key; a later call for the same key wins.</summary>
    public void Add(string key, string? value, string origin)
    {
        Data[key] = value;
        _origins[key] = origin;
    }
}
