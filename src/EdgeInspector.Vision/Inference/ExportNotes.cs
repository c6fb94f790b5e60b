using System.Globalization;
using System.Text;

namespace EdgeInspector.Vision.Inference;

/// <summary>
/// The notes (metadata) that Ultralytics' and similar exporters leave in a model, as far as they can be read. What is
/// absent or malformed is null: it tells nothing, and nothing is made up for it.
/// </summary>
internal sealed class ExportNotes(IReadOnlyDictionary<string, string> notes)
{
    private const int MostLabels = 4096;

    /// <summary>"detect", "segment", "classify", …</summary>
    public string? Task { get; } = notes.GetValueOrDefault("task");

    public string Description { get; } = notes.GetValueOrDefault("description", "");

    /// <summary>In the order of the network's numbers.</summary>
    public IReadOnlyList<string>? Labels { get; } = LabelsIn(notes.GetValueOrDefault("names", ""));

    /// <summary>What width and height must be a multiple of.</summary>
    public int? Stride { get; } = Numbers(notes.GetValueOrDefault("stride")) is [> 0 and var stride] ? stride : null;

    /// <summary>Written as [height, width], or as one number for both.</summary>
    public (int Width, int Height)? Size { get; } = Numbers(notes.GetValueOrDefault("imgsz")) switch
    {
        [> 0 and var height, > 0 and var width] => (width, height),
        [> 0 and var side] => (side, side),
        _ => null,
    };

    /// <summary>Whether the graph removes overlapping boxes itself.</summary>
    public bool? EndToEnd { get; } =
        bool.TryParse(notes.GetValueOrDefault("end2end"), out var endToEnd) ? endToEnd : null;

    private static int[] Numbers(string? text)
    {
        var parts = (text ?? "").Trim().Trim('[', ']', '(', ')').Split(',', StringSplitOptions.TrimEntries);
        var numbers = new int[parts.Length];
        for (var i = 0; i < parts.Length; i++)
        {
            if (parts.Length > 2
                || !int.TryParse(parts[i], NumberStyles.None, CultureInfo.InvariantCulture, out numbers[i]))
            {
                return [];
            }
        }

        return numbers;
    }

    /// <summary>Python's {0: 'a', 1: "b"}, JSON's {"0": "a"}, or a list of texts in either.</summary>
    private static List<string>? LabelsIn(string text)
    {
        var labels = new SortedDictionary<int, string>();
        var at = 0;
        Skip();
        if (at >= text.Length || text[at] is not ('{' or '['))
        {
            return null;
        }

        var isList = text[at++] == '[';
        while (true)
        {
            Skip();
            if (at < text.Length && text[at] is '}' or ']')
            {
                break;
            }

            var number = labels.Count;
            if (!isList && (Number() is not { } key || !Take(':') || (number = key) < 0))
            {
                return null;
            }

            if (Quoted() is not { } label || labels.Count >= MostLabels || !labels.TryAdd(number, label))
            {
                return null;
            }

            Skip();
            if (at < text.Length && text[at] == ',')
            {
                at++;
            }
            else if (at >= text.Length || text[at] is not ('}' or ']'))
            {
                return null;
            }
        }

        return labels.Count > 0 && labels.Keys.Last() == labels.Count - 1 ? [.. labels.Values] : null;

        void Skip()
        {
            while (at < text.Length && char.IsWhiteSpace(text[at]))
            {
                at++;
            }
        }

        bool Take(char letter)
        {
            Skip();
            return at < text.Length && text[at++] == letter;
        }

        int? Number()
        {
            var from = at;
            if (at < text.Length && text[at] is '\'' or '"')
            {
                return Quoted() is { } quoted && int.TryParse(quoted, NumberStyles.None, null, out var inside)
                    ? inside
                    : null;
            }

            while (at < text.Length && char.IsAsciiDigit(text[at]))
            {
                at++;
            }

            return int.TryParse(text.AsSpan(from, at - from), NumberStyles.None, null, out var number) ? number : null;
        }

        string? Quoted()
        {
            Skip();
            if (at >= text.Length || text[at] is not ('\'' or '"'))
            {
                return null;
            }

            var quote = text[at++];
            var label = new StringBuilder();
            while (at < text.Length && text[at] != quote)
            {
                if (text[at] != '\\')
                {
                    label.Append(text[at++]);
                    continue;
                }

                if (at + 1 >= text.Length)
                {
                    return null;
                }

                var digits = text[at + 1] switch { 'x' => 2, 'u' => 4, _ => 0 };
                if (digits == 0)
                {
                    label.Append(text[at + 1] switch { 'n' => '\n', 't' => '\t', var other => other });
                }
                else if (at + 2 + digits <= text.Length && int.TryParse(
                    text.AsSpan(at + 2, digits), NumberStyles.AllowHexSpecifier, null, out var code))
                {
                    label.Append((char)code);
                }
                else
                {
                    return null;
                }

                at += 2 + digits;
            }

            return at++ < text.Length ? label.ToString() : null;
        }
    }
}
