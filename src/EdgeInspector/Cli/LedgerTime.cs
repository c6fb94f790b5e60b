using System.Globalization;
using EdgeInspector.Configuration;
using EdgeInspector.Line;

namespace EdgeInspector.Cli;

/// <summary>Times as people type them: a date, a time, or how long ago.</summary>
internal static class LedgerTime
{
    /// <summary>
    /// Reads <c>2026-11-23</c>, <c>2026-11-23T14:00:00Z</c> (UTC where no zone is given), <c>30min</c>, <c>2h ago</c>,
    /// <c>1d</c>.
    /// </summary>
    /// <param name="option">For the message.</param>
    /// <param name="text">What was typed; null stays null.</param>
    /// <param name="now">What "ago" counts from.</param>
    /// <exception cref="SettingException">It is no time.</exception>
    public static DateTimeOffset? Parse(string option, string? text, DateTimeOffset now)
    {
        if (text is null)
        {
            return null;
        }

        var trimmed = text.Trim();
        var span = trimmed.EndsWith("ago", StringComparison.OrdinalIgnoreCase) ? trimmed[..^3].TrimEnd() : trimmed;
        if (OptionValues.TryParse(typeof(TimeSpan), span, out var ago)
            && (TimeSpan)ago! >= TimeSpan.Zero
            && (TimeSpan)ago < now - DateTimeOffset.UnixEpoch
            && char.IsLetter(span[^1]))
        {
            return now - (TimeSpan)ago;
        }

        const DateTimeStyles Utc = DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal;
        string[] formats =
        [
            "yyyy-MM-dd", "yyyy-MM-dd'T'HH:mmK", "yyyy-MM-dd'T'HH:mm:ssK", "yyyy-MM-dd'T'HH:mm:ss.FFFFFFFK",
            "yyyy-MM-dd' 'HH:mmK", "yyyy-MM-dd' 'HH:mm:ssK", "yyyy-MM-dd' 'HH:mm:ss.FFFFFFFK",
        ];
        return DateTimeOffset.TryParseExact(trimmed, formats, CultureInfo.InvariantCulture, Utc, out var time)
            ? time
            : throw new SettingException(
                $"{option}: '{text}' is no time; write 2026-11-23T14:00:00Z, 2026-11-23, or how long ago: 30min, 2h, 1d.");
    }
}
