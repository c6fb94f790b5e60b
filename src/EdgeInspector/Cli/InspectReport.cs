using System.Globalization;
using System.Text;
using System.Text.Json;
using Spectre.Console;

namespace EdgeInspector.Cli;

/// <summary>How the results are printed.</summary>
internal enum InspectFormat
{
    /// <summary>For people.</summary>
    Table,

    /// <summary>One object.</summary>
    Json,

    /// <summary>One line per part under a header line; RFC 4180.</summary>
    Csv,
}

/// <summary>Writes results as text.</summary>
internal static class InspectReport
{
    private static readonly JsonSerializerOptions JsonOptions = new(JsonSerializerDefaults.Web) { WriteIndented = true };

    /// <summary>One JSON object.</summary>
    public static string Json(InspectResult result) => JsonSerializer.Serialize(result, JsonOptions);

    /// <summary>Boxes and scores of pictures, frames of videos; the other's columns stay empty.</summary>
    public static string Csv(InspectResult result)
    {
        var text = new StringBuilder();
        text.Append("file,part,x1,y1,x2,y2,crossed_frame,first_frame,last_frame,views,")
            .Append("detected,score,label,defect_score,verdict\n");
        foreach (var picture in result.Pictures)
        {
            foreach (var (index, part) in picture.Parts.Index())
            {
                Line(
                    picture.Path, index + 1, (double)part.Box[0], (double)part.Box[1], (double)part.Box[2],
                    (double)part.Box[3], null, null, null, null,
                    part.Detected, part.Score, part.Label, part.DefectScore, part.Verdict);
            }
        }

        foreach (var video in result.Videos)
        {
            foreach (var part in video.Parts)
            {
                Line(
                    video.Path, part.Number, null, null, null, null, part.CrossedFrame,
                    part.FirstFrame, part.LastFrame, part.Views,
                    part.Detected, part.Score, part.Label, part.DefectScore, part.Verdict);
            }
        }

        return text.ToString();

        void Line(params object?[] fields) => text.AppendJoin(',', fields.Select(Field)).Append('\n');
    }

    /// <summary>Prints tables to the console; without a terminal it is wide enough not to break lines.</summary>
    public static void Table(InspectResult result, IAnsiConsole console)
    {
        if (Console.IsOutputRedirected)
        {
            console.Profile.Width = 200;
        }

        var judged = result.IsJudged;
        foreach (var picture in result.Pictures)
        {
            var table = Started($"{picture.Path}: {picture.Parts.Count} parts", judged, "part", "x1", "y1", "x2", "y2");
            foreach (var (index, part) in picture.Parts.Index())
            {
                Add(
                    table, part.Verdict, part.Label, part.DefectScore, part.Detected, part.Score,
                    [index + 1, (double)part.Box[0], (double)part.Box[1], (double)part.Box[2], (double)part.Box[3]]);
            }

            console.Write(table);
        }

        foreach (var video in result.Videos)
        {
            var title = $"{video.Path}: {video.Parts.Count} parts crossed in {video.Frames} frames";
            var table = Started(title, judged, "part", "crossed at frame", "first frame", "last frame", "views");
            foreach (var part in video.Parts)
            {
                Add(
                    table, part.Verdict, part.Label, part.DefectScore, part.Detected, part.Score,
                    [part.Number, part.CrossedFrame, part.FirstFrame, part.LastFrame, part.Views]);
            }

            console.Write(table);
        }

        var verdicts = judged ? $", {result.Passed} passed, {result.Rejected} rejected" : "";
        console.WriteLine($"{result.Parts} parts{verdicts}; {result.Model} on {result.Provider}");
    }

    private static Table Started(string title, bool judged, params string[] columns)
    {
        var table = new Table().Border(TableBorder.Simple).Title(Markup.Escape(title));
        foreach (var column in columns)
        {
            table.AddColumn(new TableColumn(column).RightAligned());
        }

        table.AddColumns("detected", "score");
        return judged ? table.AddColumns("label", "defect score", "verdict") : table;
    }

    private static void Add(
        Table table,
        string? verdict,
        string? label,
        float? defectScore,
        string detected,
        float score,
        object[] first)
    {
        var cells = first.Concat([detected, score, label ?? "", (object?)defectScore ?? "", verdict ?? ""])
            .Take(table.Columns.Count);
        table.AddRow([.. cells.Select(cell => Markup.Escape(Shown(cell, "F1")))]);
    }

    private static string Field(object? value)
    {
        var text = Shown(value, "F2");
        return text.AsSpan().IndexOfAny(",\"\n\r") >= 0
            ? $"\"{text.Replace("\"", "\"\"", StringComparison.Ordinal)}\""
            : text;
    }

    /// <summary>Scores are single precision and have four decimals; pixels have as many as asked for.</summary>
    private static string Shown(object? value, string pixels) => value switch
    {
        float score => score.ToString("F4", CultureInfo.InvariantCulture),
        double pixel => pixel.ToString(pixels, CultureInfo.InvariantCulture),
        IFormattable other => other.ToString(null, CultureInfo.InvariantCulture),
        _ => value?.ToString() ?? "",
    };
}
