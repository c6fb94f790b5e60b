using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using Spectre.Console;

namespace EdgeInspector.Cli;

/// <summary>How rows are printed.</summary>
internal enum LedgerFormat
{
    /// <summary>For people: the columns that fit, times to the millisecond.</summary>
    Table,

    /// <summary>RFC 4180 with a header: every column, invariant numbers, ISO times in UTC.</summary>
    Csv,

    /// <summary>One array of objects, an object a line: every column.</summary>
    Json,
}

/// <summary>One column of rows of one kind.</summary>
/// <param name="Name">Its name in CSV and JSON.</param>
/// <param name="Value">Its value; null is an empty field.</param>
/// <param name="Heading">Its heading in the table; null keeps it out of there.</param>
internal sealed record LedgerColumn<T>(string Name, Func<T, object?> Value, string? Heading = null)
{
    /// <summary>Its text in the table, with markup; by default the value.</summary>
    public Func<T, string>? Cell { get; init; }
}

/// <summary>Prints rows as a table, CSV or JSON. CSV and JSON go out as the rows come in: a ledger may hold millions.</summary>
/// <param name="output">Where to.</param>
/// <param name="format">How.</param>
internal sealed class LedgerOutput(TextWriter output, LedgerFormat format)
{
    /// <summary>Characters that are gathered before they are written: a terminal's writer makes a system call of each.</summary>
    private const int Chunk = 32_768;

    private static readonly JsonSerializerOptions Json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.CamelCase), new UtcConverter() },
    };

    /// <summary>How it prints.</summary>
    public LedgerFormat Format => format;

    /// <summary>The console for tables.</summary>
    public IAnsiConsole Console { get; } = ConsoleOf(output);

    /// <summary>Prints the rows; returns how many there were.</summary>
    public long Write<T>(IEnumerable<T> rows, IReadOnlyList<LedgerColumn<T>> columns, CancellationToken cancellation) =>
        format switch
        {
            LedgerFormat.Csv => WriteCsv(rows, columns, cancellation),
            LedgerFormat.Json => WriteJson(rows, columns, cancellation),
            _ => WriteTable(rows, columns),
        };

    /// <summary>Prints one JSON object.</summary>
    public void WriteObject(object value) => output.WriteLine(JsonSerializer.Serialize(value, Json));

    /// <summary>A time as it is written in the table, UTC.</summary>
    public static string Show(DateTimeOffset? time) =>
        time?.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture) ?? "";

    /// <summary>A span of time as people say it.</summary>
    public static string Show(TimeSpan span) =>
        span.TotalSeconds < 60 ? string.Create(CultureInfo.InvariantCulture, $"{span.TotalSeconds:0.#} s")
        : span.TotalMinutes < 60 ? string.Create(CultureInfo.InvariantCulture, $"{(int)span.TotalMinutes} min {span.Seconds} s")
        : span.TotalHours < 48 ? string.Create(CultureInfo.InvariantCulture, $"{(int)span.TotalHours} h {span.Minutes} min")
        : string.Create(CultureInfo.InvariantCulture, $"{(int)span.TotalDays} d {span.Hours} h");

    private static IAnsiConsole ConsoleOf(TextWriter output)
    {
        var settings = new AnsiConsoleSettings { Out = new AnsiConsoleOutput(output) };
        var console = AnsiConsole.Create(settings);
        if (!settings.Out.IsTerminal)
        {
            console.Profile.Width = 240; // A file or a pager folds long lines itself; a table folded at 80 cannot be read.
        }

        return console;
    }

    private long WriteTable<T>(IEnumerable<T> rows, IReadOnlyList<LedgerColumn<T>> columns)
    {
        var shown = columns.Where(column => column.Heading is not null).ToArray();
        var table = new Table { Border = TableBorder.Simple };
        foreach (var column in shown)
        {
            table.AddColumn(new TableColumn(column.Heading!).NoWrap());
        }

        long count = 0;
        foreach (var row in rows)
        {
            count++;
            table.AddRow(
                [.. shown.Select(column => column.Cell is { } cell ? cell(row) : Markup.Escape(Plain(column.Value(row))))]);
        }

        if (count > 0)
        {
            Console.Write(table);
        }

        return count;
    }

    private long WriteCsv<T>(IEnumerable<T> rows, IReadOnlyList<LedgerColumn<T>> columns, CancellationToken cancellation)
    {
        var text = new StringBuilder(Chunk + 1_024);
        text.AppendJoin(',', columns.Select(column => column.Name)).Append("\r\n");
        long count = 0;
        foreach (var row in rows)
        {
            cancellation.ThrowIfCancellationRequested();
            count++;
            for (var i = 0; i < columns.Count; i++)
            {
                text.Append(i == 0 ? "" : ",").Append(Quoted(Exact(columns[i].Value(row))));
            }

            text.Append("\r\n");
            Flush(text, Chunk);
        }

        Flush(text, 1);
        return count;
    }

    private long WriteJson<T>(IEnumerable<T> rows, IReadOnlyList<LedgerColumn<T>> columns, CancellationToken cancellation)
    {
        var text = new StringBuilder(Chunk + 1_024).Append('[');
        long count = 0;
        foreach (var row in rows)
        {
            cancellation.ThrowIfCancellationRequested();
            text.Append(count++ == 0 ? "\n" : ",\n").Append('{');
            for (var i = 0; i < columns.Count; i++)
            {
                text.Append(i == 0 ? "\"" : ",\"")
                    .Append(columns[i].Name)
                    .Append("\":")
                    .Append(JsonSerializer.Serialize(columns[i].Value(row), Json));
            }

            text.Append('}');
            Flush(text, Chunk);
        }

        text.Append(count == 0 ? "]\n" : "\n]\n");
        Flush(text, 1);
        return count;
    }

    private void Flush(StringBuilder text, int from)
    {
        if (text.Length >= from)
        {
            output.Write(text);
            text.Clear();
        }
    }

    private static string Iso(DateTimeOffset time) =>
        time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'", CultureInfo.InvariantCulture);

    private static string Plain(object? value) => value is DateTimeOffset time ? Show(time) : Exact(value);

    private static string Exact(object? value) =>
        value switch
        {
            null => "",
            string text => text,
            bool flag => flag ? "true" : "false",
            double.NaN => "",
            DateTimeOffset time => Iso(time),
            Enum name => JsonNamingPolicy.CamelCase.ConvertName(name.ToString()),
            IFormattable formattable => formattable.ToString(null, CultureInfo.InvariantCulture),
            _ => JsonSerializer.Serialize(value, Json),
        };

    /// <summary>RFC 4180: what holds a comma, a quote or a line break is quoted, and quotes are doubled.</summary>
    private static string Quoted(string text) =>
        text.AsSpan().IndexOfAny(",\"\r\n") < 0 ? text : $"\"{text.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";

    /// <summary>One way to write a time in all formats.</summary>
    private sealed class UtcConverter : JsonConverter<DateTimeOffset>
    {
        public override DateTimeOffset Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
            reader.GetDateTimeOffset();

        public override void Write(Utf8JsonWriter writer, DateTimeOffset value, JsonSerializerOptions options) =>
            writer.WriteStringValue(Iso(value));
    }
}
