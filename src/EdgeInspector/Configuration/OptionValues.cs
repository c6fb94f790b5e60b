using System.ComponentModel.DataAnnotations;
using System.Globalization;

namespace EdgeInspector.Configuration;

/// <summary>
/// Single values as they are written in configuration: to and from text, always in the invariant culture.
/// </summary>
internal static class OptionValues
{
    private static readonly (string Suffix, TimeSpan Unit)[] Units =
    [
        ("ms", TimeSpan.FromMilliseconds(1)),
        ("us", TimeSpan.FromMicroseconds(1)),
        ("min", TimeSpan.FromMinutes(1)),
        ("s", TimeSpan.FromSeconds(1)),
        ("h", TimeSpan.FromHours(1)),
        ("d", TimeSpan.FromDays(1)),
    ];

    /// <summary>Whether the type is written as one value, not as a section or a list.</summary>
    public static bool IsScalar(Type type) =>
        type.IsEnum || type.IsPrimitive
        || type == typeof(string) || type == typeof(decimal) || type == typeof(TimeSpan)
        || type == typeof(DateTimeOffset) || type == typeof(Uri) || type == typeof(Guid);

    /// <summary>False when the text is no value of the type.</summary>
    public static bool TryParse(Type type, string text, out object? value)
    {
        const NumberStyles Real = NumberStyles.Float;
        const NumberStyles Whole = NumberStyles.AllowLeadingSign;
        var culture = CultureInfo.InvariantCulture;
        var trimmed = text.Trim();
        value = null;
        if (type == typeof(string))
        {
            value = text;
        }
        else if (type.IsEnum)
        {
            var name = Enum.GetNames(type).FirstOrDefault(
                candidate => candidate.Equals(trimmed, StringComparison.OrdinalIgnoreCase));
            value = name is null ? null : Enum.Parse(type, name);
        }
        else if (type == typeof(bool))
        {
            value = bool.TryParse(trimmed, out var parsed) ? parsed : null;
        }
        else if (type == typeof(TimeSpan))
        {
            value = TryParseTimeSpan(trimmed, out var parsed) ? parsed : null;
        }
        else if (type == typeof(double))
        {
            value = double.TryParse(trimmed, Real, culture, out var parsed) && double.IsFinite(parsed) ? parsed : null;
        }
        else if (type == typeof(float))
        {
            value = float.TryParse(trimmed, Real, culture, out var parsed) && float.IsFinite(parsed) ? parsed : null;
        }
        else if (type == typeof(decimal))
        {
            value = decimal.TryParse(trimmed, Real, culture, out var parsed) ? parsed : null;
        }
        else if (type == typeof(Uri))
        {
            value = Uri.TryCreate(trimmed, UriKind.Absolute, out var parsed) ? parsed : null;
        }
        else if (type == typeof(Guid))
        {
            value = Guid.TryParse(trimmed, out var parsed) ? parsed : null;
        }
        else if (type == typeof(DateTimeOffset))
        {
            const DateTimeStyles Utc = DateTimeStyles.AssumeUniversal;
            value = DateTimeOffset.TryParse(trimmed, culture, Utc, out var parsed) ? parsed : null;
        }
        else if (type == typeof(char))
        {
            value = text.Length == 1 ? text[0] : null;
        }
        else if (Int128.TryParse(trimmed, Whole, culture, out var whole))
        {
            value = Narrow(type, whole);
        }

        return value is not null;
    }

    /// <summary>What may be written, in words: <c>a whole number, 1 to 4096</c>.</summary>
    public static string Describe(Type declared, RangeAttribute? range)
    {
        var type = Nullable.GetUnderlyingType(declared) ?? declared;
        var kind = type switch
        {
            _ when type.IsEnum => "one of " + string.Join(", ", Enum.GetNames(type)),
            _ when type == typeof(bool) => "true or false",
            _ when type == typeof(string) => "a text",
            _ when type == typeof(TimeSpan) => "a time such as 250ms, 2s, 5min, 1h, 30d or 00:00:02",
            _ when type == typeof(Uri) => "an absolute address",
            _ when type == typeof(DateTimeOffset) => "a date and time such as 2026-01-31T12:00:00Z",
            _ when type == typeof(Guid) => "a GUID",
            _ when type == typeof(char) => "a single character",
            _ when type == typeof(double) || type == typeof(float) || type == typeof(decimal) => "a number",
            _ => "a whole number",
        };
        if (range is null)
        {
            return kind;
        }

        // Of a range with typed limits the attribute knows only the texts until it has been used once.
        var (from, to) = (Limit(type, range.Minimum), Limit(type, range.Maximum));
        var above = range.MinimumIsExclusive ? "more than " : "";
        var below = range.MaximumIsExclusive ? "less than " : "";
        return $"{kind}, {above}{from} to {below}{to}";
    }

    /// <summary>The value as one would write it.</summary>
    public static string Show(object value) => value switch
    {
        TimeSpan time => ShowTimeSpan(time),
        IFormattable formattable => formattable.ToString(null, CultureInfo.InvariantCulture),
        _ => value.ToString() ?? "",
    };

    private static string Limit(Type type, object limit) =>
        limit is string text && TryParse(type, text, out var parsed) ? Show(parsed!)
        : limit is string other ? other
        : Show(limit);

    private static string ShowTimeSpan(TimeSpan time)
    {
        foreach (var (suffix, unit) in Units.OrderByDescending(pair => pair.Unit))
        {
            if (time.Ticks != 0 && time.Ticks % unit.Ticks == 0)
            {
                return (time.Ticks / unit.Ticks).ToString(CultureInfo.InvariantCulture) + suffix;
            }
        }

        return time == TimeSpan.Zero ? "0s" : time.ToString("c", CultureInfo.InvariantCulture);
    }

    private static bool TryParseTimeSpan(string text, out TimeSpan time)
    {
        foreach (var (suffix, unit) in Units)
        {
            if (text.EndsWith(suffix, StringComparison.OrdinalIgnoreCase)
                && double.TryParse(text[..^suffix.Length], NumberStyles.Float, CultureInfo.InvariantCulture, out var count))
            {
                var ticks = count * unit.Ticks;
                if (!(Math.Abs(ticks) < TimeSpan.MaxValue.Ticks))
                {
                    time = default;
                    return false;
                }

                time = new TimeSpan((long)Math.Round(ticks));
                return true;
            }
        }

        // "c" alone: the free form reads a bare 5 as five days, and 24:00:00 as twenty-four.
        return TimeSpan.TryParseExact(text, "c", CultureInfo.InvariantCulture, out time)
            && text.Contains(':', StringComparison.Ordinal);
    }

    private static object? Narrow(Type type, Int128 whole)
    {
        try
        {
            return Convert.ChangeType(checked((long)whole), type, CultureInfo.InvariantCulture);
        }
        catch (OverflowException)
        {
            return type == typeof(ulong) && whole >= 0 && whole <= ulong.MaxValue ? (ulong)whole : null;
        }
    }
}
