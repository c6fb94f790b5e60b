using System.Reflection;
using System.Text.Json.Serialization;

namespace EdgeInspector.Vision;

/// <summary>The names by which manifests, command line and messages call formats.</summary>
public static class ModelNames
{
    /// <summary>All detector formats, separated by commas.</summary>
    public static string Formats { get; } = string.Join(", ", Names<DetectorFormat>().Values);

    /// <summary>All ways to write boxes, separated by commas.</summary>
    public static string Boxes { get; } = string.Join(", ", Names<BoxForm>().Values);

    public static string Of(DetectorFormat format) => Names<DetectorFormat>()[format];

    public static string Of(ClassifierFormat format) => Names<ClassifierFormat>()[format];

    /// <summary>Null for a name that none has.</summary>
    public static DetectorFormat? Format(string name) => Find<DetectorFormat>(name);

    /// <summary>Null for a name that none has.</summary>
    public static BoxForm? BoxForm(string name) => Find<BoxForm>(name);

    private static T? Find<T>(string name)
        where T : struct, Enum
    {
        foreach (var (value, known) in Names<T>())
        {
            if (known.Equals(name, StringComparison.OrdinalIgnoreCase))
            {
                return value;
            }
        }

        return null;
    }

    private static Dictionary<T, string> Names<T>()
        where T : struct, Enum => Enum.GetValues<T>().ToDictionary(
            value => value,
            value => typeof(T).GetField($"{value}")!.GetCustomAttribute<JsonStringEnumMemberNameAttribute>()!.Name);
}
