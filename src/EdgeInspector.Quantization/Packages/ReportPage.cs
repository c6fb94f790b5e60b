using System.Globalization;
using System.Text;

namespace EdgeInspector.Quantization.Packages;

/// <summary>The report for people, in Markdown.</summary>
internal static class ReportPage
{
    public static string Write(RewriteReport report)
    {
        var page = new StringBuilder();
        Line($"# {Path.GetFileName(Path.TrimEndingDirectorySeparator(report.Out))}");
        Line();
        Line($"{report.Method}, made of `{report.Model}`. Timed on {report.Processor}.");
        Line();
        Line("| Stage | Size | Compressed | Time per run | Times as fast (middle half) | Changed |");
        Line("|---|---|---|---|---|---|");
        foreach (var stage in report.Stages)
        {
            var speed = stage.Speed;
            Line($"| {stage.Stage} | {ReportText.Bytes(stage.BytesBefore)} → {ReportText.Bytes(stage.BytesAfter)} "
                + $"| {ReportText.Bytes(stage.CompressedBefore)} → {ReportText.Bytes(stage.CompressedAfter)} "
                + $"| {ReportText.Number(speed.Before)} → {ReportText.Number(speed.After)} ms, {speed.Threads} threads "
                + $"| {ReportText.Number(speed.Ratio)} ({ReportText.Number(speed.RatioLow)}–{ReportText.Number(speed.RatioHigh)}) "
                + $"| {string.Join(", ", stage.Changed.OrderByDescending(p => p.Value).Select(p => $"{p.Value} {p.Key}"))} |");
        }

        Compare("Whole pictures, both stages", report.Frames);
        Compare("Pictures of parts, the classifier", report.Parts);
        foreach (var stage in report.Stages.Where(stage => stage.Kept.Count > 0))
        {
            Line();
            Line($"Left as they were in the {stage.Stage}:");
            Line();
            foreach (var reason in stage.Kept.GroupBy(kept => kept.Reason))
            {
                Line($"- {reason.Key}: {string.Join(", ", reason.Select(kept => $"{kept.Op} `{kept.Name}`"))}");
            }
        }

        if (report.Notes.Count > 0)
        {
            Line();
            foreach (var note in report.Notes)
            {
                Line($"- {note}");
            }
        }

        return page.ToString();

        void Line(string text = "") => page.Append(text).Append('\n');

        void Compare(string title, Agreement? agreement)
        {
            if (agreement is null)
            {
                return;
            }

            Line();
            Line($"## {title}");
            Line();
            Line("| On pictures held out | Counted | Rate, 95 % interval |");
            Line("|---|---|---|");
            if (agreement.PartsAlike is { } parts)
            {
                Line($"| Parts found by both | {parts.Count} of {parts.Of} | {ReportText.Rate(parts)} |");
            }

            var verdicts = agreement.VerdictsAlike;
            Line($"| Same verdict{(agreement.PartsAlike is null ? "" : ", parts wholly in view")} | {verdicts.Count} of {verdicts.Of} | {ReportText.Rate(verdicts)} |");
            Rates("original", agreement.Before);
            Rates("new", agreement.After);
            Line();
            Line(string.Create(
                CultureInfo.InvariantCulture,
                $"{agreement.Pictures} pictures; errors are against {agreement.Truth}; scores differ by {agreement.MeanDifference:0.0####} on average, {agreement.LargestDifference:0.0###} at most."));
        }

        void Rates(string model, ErrorRates? rates)
        {
            if (rates is not null)
            {
                Line($"| Defects passed, {model} | {rates.FalseNegatives.Count} of {rates.FalseNegatives.Of} "
                    + $"| {ReportText.Rate(rates.FalseNegatives)} |");
                Line($"| Good rejected, {model} | {rates.FalsePositives.Count} of {rates.FalsePositives.Of} "
                    + $"| {ReportText.Rate(rates.FalsePositives)} |");
            }
        }
    }
}

/// <summary>Numbers as the reports show them.</summary>
public static class ReportText
{
    public static string Bytes(long bytes) => bytes < 1_000_000
        ? string.Create(CultureInfo.InvariantCulture, $"{bytes / 1000.0:0} kB")
        : string.Create(CultureInfo.InvariantCulture, $"{bytes / 1e6:0.0} MB");

    public static string Number(double value) => value.ToString(value < 10 ? "0.00#" : "0.0", CultureInfo.InvariantCulture);

    public static string Rate(Share share) => share.Of == 0
        ? "none to count"
        : string.Create(
            CultureInfo.InvariantCulture, $"{100 * share.Value:0.##} % ({100 * share.Low:0.##}–{100 * share.High:0.##})");
}
