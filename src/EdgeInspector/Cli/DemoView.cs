using System.Globalization;
using EdgeInspector.Hosting;
using EdgeInspector.Line;
using EdgeInspector.Telemetry;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace EdgeInspector.Cli;

/// <summary>The demonstration in a terminal: counts, rates, latencies, the last rejects.</summary>
/// <param name="host">The running service.</param>
/// <param name="hint">Where else to look: page and broker.</param>
internal sealed class DemoView(InspectionHost host, string hint)
{
    private const int LastRejects = 6;

    /// <summary>One picture of the present state.</summary>
    public IRenderable Render(StationSnapshot snapshot)
    {
        var counts = snapshot.Counts;
        var figures = new Table().Border(TableBorder.Rounded).Expand().HideHeaders().AddColumns("", "", "", "");
        figures.AddRow("parts", $"[bold]{counts.Parts}[/]", "parts / min", Number(snapshot.PartsPerMinute, 0));
        figures.AddRow("passed", $"[green]{counts.Passed}[/]", "frames / s", Number(snapshot.FramesPerSecond, 1));
        figures.AddRow("rejected", $"[red]{counts.Rejected}[/]", "frames dropped", $"{snapshot.FramesDropped}");
        figures.AddRow("not inspected", Alarm(counts.NotInspected), "belt", $"{Number(snapshot.BeltSpeed, 2)} m/s");
        figures.AddRow("late", Alarm(counts.Late), "decision p50 / p99", Pair(snapshot.Decision));
        figures.AddRow("unaccounted", Alarm(counts.Unaccounted), "decision max", $"{Number(snapshot.Decision.Max, 2)} ms");
        figures.AddRow("pulses / confirmed", $"{counts.Pulses} / {counts.Confirmed}", "ejector p50 / p99", Pair(snapshot.Actuation));

        var rejects = new Table().Border(TableBorder.Rounded).Expand().AddColumns("last rejects", "defect", "score", "time");
        foreach (var picture in host.Recent.Newest().Take(LastRejects))
        {
            rejects.AddRow(
                $"#{picture.Number}",
                $"[red]{Markup.Escape(picture.Label ?? picture.Verdict.ToString())}[/]",
                picture.Score is { } score ? Number(score, 3) : "-",
                picture.TakenAt.ToLocalTime().ToString("HH:mm:ss.f", CultureInfo.InvariantCulture)
            );
        }

        var defects = new BreakdownChart().Expand();
        var colours = new[] { Color.Red, Color.Orange1, Color.Purple, Color.Yellow, Color.Blue, Color.Teal };
        foreach (var ((defect, count), index) in counts.Defects.Select((entry, index) => (entry, index)))
        {
            defects.AddItem(defect, count, colours[index % colours.Length]);
        }

        var state = snapshot.State == StationState.ContinuousExecution ? "[green]inspecting[/]" : $"[yellow]{snapshot.State}[/]";
        return new Rows(
            new Markup($"[bold]EdgeInspector[/]  {snapshot.Station}  {state}  recipe {Markup.Escape(snapshot.Recipe)}  model {Markup.Escape(snapshot.Model)} on {snapshot.Provider}  up {snapshot.Uptime:hh\\:mm\\:ss}"),
            figures,
            rejects,
            counts.Defects.Count == 0 ? Text.Empty : defects,
            new Markup($"[grey]{Markup.Escape(hint)}[/]"),
            new Markup("[grey]Ctrl+C stops the line and reports[/]")
        );
    }

    /// <summary>One line for a terminal that is none.</summary>
    public static void TellProgress(StationSnapshot snapshot) =>
        Console.WriteLine(
            string.Create(
                CultureInfo.InvariantCulture,
                $"{snapshot.Uptime:hh\\:mm\\:ss}  {snapshot.Counts.Parts} parts, {snapshot.Counts.Rejected} rejected, {snapshot.Counts.NotInspected} not inspected, {snapshot.Counts.Late} late, {snapshot.FramesPerSecond:F1} frames/s, decision p99 {snapshot.Decision.P99:F2} ms"
            )
        );

    /// <summary>The report at the end, for people.</summary>
    public static void Tell(DemoReport report, bool interrupted)
    {
        var table = new Table().Border(TableBorder.Rounded).AddColumns("what", "count");
        table.Title = new TableTitle(interrupted ? "Stopped" : "The line has run empty");
        table.AddRow("parts past the ejector", $"{report.Parts}");
        table.AddRow("passed / rejected", $"{report.Passed} / {report.Rejected}");
        table.AddRow("not inspected / late", $"{report.NotInspected} / {report.Late}");
        table.AddRow("unaccounted", Alarm(report.Unaccounted));
        table.AddRow("defects that got through (escapes)", Alarm(report.Escapes));
        table.AddRow("good parts thrown out (false rejects)", Alarm(report.FalseRejects));
        table.AddRow("verdicts equal to the truth", string.Create(CultureInfo.InvariantCulture, $"{report.VerdictsRight:P2}"));
        table.AddRow("pulses / confirmed / on the wrong part", $"{report.Pulses} / {report.Confirmed} / {report.WrongHits}");
        table.AddRow("frames inspected / dropped", $"{report.Frames} / {report.FramesDropped}");
        table.AddRow(
            "capture to decision p50 / p99 / p99.9 / max",
            string.Create(CultureInfo.InvariantCulture, $"{report.Latency.P50:F2} / {report.Latency.P99:F2} / {report.Latency.P999:F2} / {report.Latency.Max:F2} ms")
        );
        AnsiConsole.Write(table);

        var classes = new Table().Border(TableBorder.Rounded).AddColumns("truth", "parts", "rejected", "passed", "other");
        foreach (var (name, of) in report.Classes)
        {
            classes.AddRow(Markup.Escape(name), $"{of.Parts}", $"{of.Rejected}", $"{of.Passed}", $"{of.Other}");
        }

        AnsiConsole.Write(classes);
    }

    private static string Alarm(long count) => count == 0 ? "0" : $"[bold red]{count}[/]";

    private static string Number(double value, int digits) =>
        value.ToString("F" + digits.ToString(CultureInfo.InvariantCulture), CultureInfo.InvariantCulture);

    private static string Pair(in LatencyFigures figures) => $"{Number(figures.P50, 2)} / {Number(figures.P99, 2)} ms";
}
