using System.Globalization;
using EdgeInspector.Benchmarks.Rounds;
using EdgeInspector.Lab;

namespace EdgeInspector.Benchmarks.Report;

/// <summary>One work's part of the report: told as it is found out, and kept as Markdown.</summary>
/// <param name="key">As in <c>--only</c>.</param>
/// <param name="title">In one line.</param>
internal sealed class Section(string key, string title)
{
    private readonly List<string> _lines = [];

    public string Key { get; } = key;

    public string Title { get; } = title;

    public List<LabCheck> Checks { get; } = [];

    /// <summary>The text below the title.</summary>
    public IReadOnlyList<string> Lines => _lines;

    /// <summary>A paragraph.</summary>
    public void Say(FormattableString text)
    {
        var line = text.ToString(CultureInfo.InvariantCulture);
        LabReport.Tell($"  {line}");
        _lines.Add(line);
        _lines.Add("");
    }

    /// <summary>A table; cells are text already.</summary>
    public void Table(string[] head, IEnumerable<string[]> rows)
    {
        var all = rows.ToList();
        var widths = head.Select((cell, i) => all.Append(head).Max(row => row[i].Length)).ToArray();
        string Line(string[] cells) => "| " + string.Join(" | ", cells.Select((cell, i) => i == 0 ? cell.PadRight(widths[i]) : cell.PadLeft(widths[i]))) + " |";
        List<string> lines =
        [
            Line(head),
            "|" + string.Join("|", widths.Select((width, i) => i == 0 ? new string('-', width + 2) : new string('-', width + 1) + ":")) + "|",
            .. all.Select(Line),
        ];
        lines.ForEach(line => LabReport.Tell($"  {line}"));
        _lines.AddRange(lines);
        _lines.Add("");
    }

    /// <summary>Contenders beside the raw run, with the spread and what the machine did.</summary>
    public void Table(RoundTable table)
    {
        var raw = table.Raw;
        Table(
            ["ms", "p50", "min", "over F", "quartiles", "ratio to F", "quartiles"],
            table.Series.Select(series =>
            {
                var (over, ratio) = (series.Over(raw), series.RatioTo(raw));
                return ReferenceEquals(series, raw)
                    ? [series.Name, N(series.Median), N(series.Min), "", "", "1", ""]
                    : new[]
                    {
                        series.Name, N(series.Median), N(series.Min), N(over.Median), $"{N(over.Lower)} to {N(over.Upper)}",
                        R(ratio.Median), $"{R(ratio.Lower)} to {R(ratio.Upper)}",
                    };
            })
        );
        Say($"{table.Kept} of {table.Rounds} rounds kept; processors {table.Load.Idle:P0} idle, {table.Load.Steal:P1} stolen; raw p50 {raw.Median:F2} ms.");
        if (2 * table.Kept < table.Rounds)
        {
            Say($"Over half of the rounds were disturbed: the machine was too busy for these figures to mean much.");
        }
    }

    /// <summary>Milliseconds.</summary>
    public static string N(double value) => value.ToString("0.00", CultureInfo.InvariantCulture);

    /// <summary>A ratio.</summary>
    public static string R(double value) => value.ToString("0.000", CultureInfo.InvariantCulture);
}
