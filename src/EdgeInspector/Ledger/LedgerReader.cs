using System.Globalization;
using EdgeInspector.Line;
using Microsoft.Data.Sqlite;

namespace EdgeInspector.Ledger;

/// <summary>
/// Reads a ledger while it may be written, or after the program has gone. Each call opens the file anew; any thread.
/// </summary>
internal sealed class LedgerReader(string path)
{
    private const string Columns =
        "id, number, station, verdict, reason, disposition, label, score, views, offset_mm, across_mm, length_mm, lane, "
        + "entry_seen, decision_ms, decided, fired_late_us, confirmation, recipe, model, simulated";

    /// <summary>The parts that match, read as they are consumed.</summary>
    /// <exception cref="LedgerException">There is no ledger, or it cannot be read.</exception>
    public IEnumerable<PartRecord> Read(LedgerQuery query)
    {
        using var connection = Open();
        using var command = connection.CreateCommand();
        var order = query.NewestFirst ? "DESC" : "ASC";
        var limit = query.Limit is { } count
            ? " LIMIT " + Math.Max(0, count).ToString(CultureInfo.InvariantCulture)
            : "";
#pragma warning disable CA2100 // Put together from constants; what comes from outside is bound.
        command.CommandText = $"SELECT {Columns} FROM parts WHERE {Condition(query, command)} ORDER BY seq {order}{limit}";
#pragma warning restore CA2100
        using var reader = Run(command);
        while (Advance(reader))
        {
            yield return Part(reader);
        }
    }

    /// <summary>How many parts there are of each verdict; verdicts without a part are 0.</summary>
    /// <exception cref="LedgerException">There is no ledger, or it cannot be read.</exception>
    public IReadOnlyDictionary<Verdict, long> CountByVerdict(LedgerQuery query)
    {
        using var connection = Open();
        using var command = connection.CreateCommand();
#pragma warning disable CA2100 // Put together from constants; what comes from outside is bound.
        command.CommandText = $"SELECT verdict, count(*) FROM parts WHERE {Condition(query, command)} GROUP BY verdict";
#pragma warning restore CA2100
        var counts = Enum.GetValues<Verdict>().ToDictionary(verdict => verdict, _ => 0L);
        using var reader = Run(command);
        while (Advance(reader))
        {
            counts[(Verdict)reader.GetByte(0)] = reader.GetInt64(1);
        }

        return counts;
    }

    /// <summary>All runs, in the order of their starts.</summary>
    /// <exception cref="LedgerException">There is no ledger, or it cannot be read.</exception>
    public IReadOnlyList<LedgerRun> Runs()
    {
        using var connection = Open();
        using var command = connection.CreateCommand();
        command.CommandText = "SELECT id, station, started, model, recipe, version, ended FROM runs ORDER BY started, id";
        using var reader = Run(command);
        var runs = new List<LedgerRun>();
        while (Advance(reader))
        {
            runs.Add(ReadRun(reader));
        }

        return runs;
    }

    internal static LedgerRun ReadRun(SqliteDataReader reader) => new(
        reader.GetString(0),
        reader.GetString(1),
        LedgerSchema.FromMicroseconds(reader.GetInt64(2)),
        reader.GetString(3),
        reader.GetString(4),
        reader.GetString(5),
        reader.IsDBNull(6) ? null : LedgerSchema.FromMicroseconds(reader.GetInt64(6)));

    private SqliteConnection Open()
    {
        if (!File.Exists(path))
        {
            throw new LedgerException(path, "there is no ledger", "check the data folder");
        }

        try
        {
            return LedgerSchema.OpenForReading(path);
        }
        catch (SqliteException error)
        {
            throw Unreadable(error);
        }
    }

    private SqliteDataReader Run(SqliteCommand command)
    {
        try
        {
            return command.ExecuteReader();
        }
        catch (SqliteException error)
        {
            throw Unreadable(error);
        }
    }

    private bool Advance(SqliteDataReader reader)
    {
        try
        {
            return reader.Read();
        }
        catch (SqliteException error)
        {
            throw Unreadable(error);
        }
    }

    private LedgerException Unreadable(SqliteException error) =>
        new(path, LedgerSchema.Explain(error), "check the file and its permissions");

    private static string Condition(LedgerQuery query, SqliteCommand command)
    {
        var conditions = new List<string> { "1" };
        Narrow("decided >= $from", "$from", query.From is { } from ? LedgerSchema.ToMicroseconds(from) : null);
        Narrow("decided < $to", "$to", query.To is { } to ? LedgerSchema.ToMicroseconds(to) : null);
        Narrow("station = $station", "$station", query.Station);
        Narrow("verdict = $verdict", "$verdict", query.Verdict is { } verdict ? (int)verdict : null);

        // The ids of a run's parts are the run's, a slash and the number; '0' is the character after the slash.
        Narrow("id > $run", "$run", query.Run is { } run ? run + "/" : null);
        Narrow("id < $end", "$end", query.Run is { } same ? same + "0" : null);
        return string.Join(" AND ", conditions);

        void Narrow(string condition, string name, object? value)
        {
            if (value is not null)
            {
                conditions.Add(condition);
                command.Parameters.AddWithValue(name, value);
            }
        }
    }

    private static double NumberAt(SqliteDataReader reader, int column) =>
        reader.IsDBNull(column) ? double.NaN : reader.GetDouble(column);

    private static PartRecord Part(SqliteDataReader reader) => new()
    {
        Id = reader.GetString(0),
        Number = reader.GetInt64(1),
        Station = reader.GetString(2),
        Verdict = (Verdict)reader.GetByte(3),
        Reason = (Reason)reader.GetByte(4),
        Disposition = (Disposition)reader.GetByte(5),
        Label = reader.IsDBNull(6) ? null : reader.GetString(6),
        Score = reader.IsDBNull(7) ? null : reader.GetDouble(7),
        Views = reader.GetInt32(8),
        Offset = NumberAt(reader, 9),
        Across = NumberAt(reader, 10),
        Length = NumberAt(reader, 11),
        Lanes = 1 << reader.GetInt32(12),
        EntrySeen = reader.GetBoolean(13),
        DecisionMilliseconds = NumberAt(reader, 14),
        DecidedAt = LedgerSchema.FromMicroseconds(reader.GetInt64(15)),
        FiredLateMicroseconds = reader.IsDBNull(16) ? null : reader.GetDouble(16),
        Confirmation = (Confirmation)reader.GetByte(17),
        Recipe = reader.GetString(18),
        Model = reader.GetString(19),
        IsSimulated = reader.GetBoolean(20),
    };
}
