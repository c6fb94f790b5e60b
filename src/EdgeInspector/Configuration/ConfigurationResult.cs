using Microsoft.Extensions.Configuration;

namespace EdgeInspector.Configuration;

/// <summary>
/// What came of reading the configuration. When <see cref="Faults"/> is not empty, <see cref="Value"/> must not be
/// used: the program prints every fault and refuses to start.
/// </summary>
/// <param name="Value">The bound options; defaults where nothing was set.</param>
/// <param name="Root">The merged keys, for what reads them itself (the Logging section).</param>
/// <param name="Faults">One line each: source, key, what is wrong; remedy. In the order of the keys.</param>
internal sealed record ConfigurationResult<T>(T Value, IConfigurationRoot Root, IReadOnlyList<string> Faults)
{
    /// <summary>True when nothing is wrong.</summary>
    public bool IsSound => Faults.Count == 0;
}
