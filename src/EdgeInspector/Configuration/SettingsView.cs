using System.Collections;
using System.Globalization;
using System.Reflection;
using System.Text.RegularExpressions;

namespace EdgeInspector.Configuration;

/// <summary>
/// Settings as they may be shown: each by its key, secrets left out. A value is a secret when its key says so, and every
/// address loses its user, its password and its query, whatever key it stands under.
/// </summary>
internal static partial class SettingsView
{
    /// <summary>What stands in a secret's place.</summary>
    public const string LeftOut = "(left out)";

    // Without a space, so that what is left of an address is still one word.
    private const string Stars = "***";

    /// <summary>Every setting, in the order of the classes, lists and dictionaries by index and key.</summary>
    public static IReadOnlyDictionary<string, string> Of(object options)
    {
        var settings = new Dictionary<string, string>(StringComparer.Ordinal);
        Walk("", options, settings);
        return settings;
    }

    /// <summary>A text without the secrets that addresses and assignments in it carry: for lines of a log.</summary>
    public static string Redact(string text) =>
        Assignment().Replace(Query().Replace(User().Replace(text, $"$1{Stars}@"), $"$1?{Stars}"), $"$1$2{Stars}");

    private static void Walk(string key, object? value, Dictionary<string, string> settings)
    {
        switch (value)
        {
            case null:
                break;
            case string text:
                settings[key] = IsSecret(key) ? LeftOut : Redact(text);
                break;
            case IDictionary pairs:
                foreach (DictionaryEntry pair in pairs)
                {
                    Walk(Join(key, $"{pair.Key}"), pair.Value, settings);
                }

                break;
            case IEnumerable list:
                var index = 0;
                foreach (var one in list)
                {
                    Walk(Join(key, index++.ToString(CultureInfo.InvariantCulture)), one, settings);
                }

                break;
            case IFormattable plain:
                settings[key] = IsSecret(key) ? LeftOut : plain.ToString(null, CultureInfo.InvariantCulture);
                break;
            case bool flag:
                settings[key] = flag ? "true" : "false";
                break;
            default:
                foreach (var property in value.GetType().GetProperties(BindingFlags.Public | BindingFlags.Instance))
                {
                    if (property.GetIndexParameters().Length == 0 && property.GetMethod is { IsPublic: true })
                    {
                        Walk(Join(key, property.Name), property.GetValue(value), settings);
                    }
                }

                break;
        }
    }

    private static string Join(string path, string key) => path.Length == 0 ? key : $"{path}:{key}";

    /// <summary>A file that holds a secret may be named; the secret may not be shown.</summary>
    private static bool IsSecret(string key)
    {
        var last = key[(key.LastIndexOf(':') + 1)..];
        return !last.EndsWith("File", StringComparison.OrdinalIgnoreCase)
            && !last.EndsWith("Path", StringComparison.OrdinalIgnoreCase)
            && SecretWord().IsMatch(last);
    }

    [GeneratedRegex("password|passphrase|secret|token|hash|credential|apikey|privatekey", RegexOptions.IgnoreCase)]
    private static partial Regex SecretWord();

    // Up to the last @: a password may have one, and too much is better left out than too little.
    [GeneratedRegex(@"([a-z][a-z0-9+.-]*://)[^\s""']*@", RegexOptions.IgnoreCase)]
    private static partial Regex User();

    [GeneratedRegex(@"([a-z][a-z0-9+.-]*://[^\s?""']*)\?[^\s""']*", RegexOptions.IgnoreCase)]
    private static partial Regex Query();

    [GeneratedRegex(@"\b(password|passwd|passphrase|secret|token|bearer|apikey|user-pw|pw)(\s*[=: ]\s*)[^\s""',;&]+", RegexOptions.IgnoreCase)]
    private static partial Regex Assignment();
}
