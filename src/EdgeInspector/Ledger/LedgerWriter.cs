using EdgeInspector.Line;
using Microsoft.Data.Sqlite;

namespace EdgeInspector.Ledger;

/// <summary>
/// An open ledger file with its prepared statements. One thread at a time. Every method throws
/// <see cref="SqliteException"/> when the disk or the file objects, and has then changed nothing.
/// </summary>
internal sealed class LedgerWriter : IDisposable
{
    /// <summary>Rows that one retention step removes: some 10 ms on an eMMC.</summary>
    private const int RetentionRows = 2_000;

    private static readonly string[] Columns =
    [
        "id", "number", "station", "verdict", "reason", "disposition", "label", "score", "views", "offset_mm", "across_mm",
        "length_mm", "lane", "entry_seen", "decision_ms", "decided", "fired_late_us", "confirmation", "recipe", "model",
        "simulated",
    ];

    private readonly SqliteConnection _connection;
    private readonly SqliteCommand _insert;

    /// <exception cref="SqliteException">The file cannot be opened for writing.</exception>
    /// <exception cref="InvalidDataException">The file was written by a newer program.</exception>
    public LedgerWriter(string path)
    {
        _connection = LedgerSchema.OpenForWriting(path);
        _insert = _connection.CreateCommand();
        var names = string.Join(", ", Columns);
        var values = string.Join(", ", Columns.Select(column => "$" + column));
        var updates = string.Join(", ", Columns.Skip(1).Select(column => $"{column} = excluded.{column}"));
#pragma warning disable CA2100 // Column names from the list above.
        _insert.CommandText =
            $"INSERT INTO parts ({names}) VALUES ({values}) ON CONFLICT (id) DO UPDATE SET {updates}";
#pragma warning restore CA2100
        foreach (var column in Columns)
        {
            _insert.Parameters.Add(new SqliteParameter { ParameterName = "$" + column });
        }
    }

    /// <summary>Writes the parts and runs in one transaction; what is there already is replaced.</summary>
    public void Write(IReadOnlyList<PartRecord> parts, IReadOnlyList<LedgerRun> runs)
    {
        using var transaction = _connection.BeginTransaction();
        _insert.Transaction = transaction;
        foreach (var part in parts)
        {
            Fill(part);
            _insert.ExecuteNonQuery();
        }

        foreach (var run in runs)
        {
            Write(run, transaction);
        }

        transaction.Commit();
    }

    /// <summary>
    /// Runs that never ended and were not reported before, in the order of their starts; marks them reported.
    /// </summary>
    public IReadOnlyList<LedgerRun> TakeUnfinishedRuns(DateTimeOffset now)
    {
        using var transaction = _connection.BeginTransaction();
        var unfinished = new List<LedgerRun>();
        using (var select = _connection.CreateCommand())
        {
            select.Transaction = transaction;
            select.CommandText =
                "SELECT id, station, started, model, recipe, version, ended FROM runs "
                + "WHERE ended IS NULL AND gap_noticed IS NULL ORDER BY started, id";
            using var reader = select.ExecuteReader();
            while (reader.Read())
            {
                unfinished.Add(LedgerReader.ReadRun(reader));
            }
        }

        using var mark = _connection.CreateCommand();
        mark.Transaction = transaction;
        mark.CommandText = "UPDATE runs SET gap_noticed = $now WHERE ended IS NULL AND gap_noticed IS NULL";
        mark.Parameters.AddWithValue("$now", LedgerSchema.ToMicroseconds(now));
        mark.ExecuteNonQuery();
        transaction.Commit();
        return unfinished;
    }

    /// <summary>Forces what was written onto the disk, as far as readers let it.</summary>
    public void Sync() => Step("PRAGMA wal_checkpoint(PASSIVE)");

    /// <summary>
    /// Removes a bounded number of parts: those decided before <paramref name="before"/>, and the oldest while the file
    /// holds more than <paramref name="maximumBytes"/>. True when there is more to remove.
    /// </summary>
    public bool Retain(DateTimeOffset before, long maximumBytes)
    {
        var removed = Remove(
            $"SELECT seq FROM parts WHERE decided < $before ORDER BY decided LIMIT {RetentionRows}",
            LedgerSchema.ToMicroseconds(before));
        if (removed == 0 && BytesInUse() > maximumBytes)
        {
            removed = Remove($"SELECT seq FROM parts ORDER BY seq LIMIT {RetentionRows}", 0);
        }

        if (removed > 0)
        {
            Step("PRAGMA incremental_vacuum(2000)");
        }

        return removed == RetentionRows;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _insert.Dispose();
        _connection.Dispose();
    }

    private long BytesInUse() =>
        (LedgerSchema.Scalar(_connection, "PRAGMA page_count") - LedgerSchema.Scalar(_connection, "PRAGMA freelist_count"))
        * LedgerSchema.Scalar(_connection, "PRAGMA page_size");

    private int Remove(string select, long before)
    {
        using var transaction = _connection.BeginTransaction();
        using var command = _connection.CreateCommand();
        command.Transaction = transaction;
#pragma warning disable CA2100 // Constants from above.
        command.CommandText = $"DELETE FROM parts WHERE seq IN ({select})";
#pragma warning restore CA2100
        command.Parameters.AddWithValue("$before", before);
        var removed = command.ExecuteNonQuery();
        if (removed > 0)
        {
            LedgerSchema.Execute(
                _connection,
                "DELETE FROM runs WHERE ended IS NOT NULL AND ended < (SELECT min(decided) FROM parts)",
                transaction);
        }

        transaction.Commit();
        return removed;
    }

    /// <summary>These pragmas work only as far as their rows are read.</summary>
    private void Step(string pragma)
    {
        using var command = _connection.CreateCommand();
#pragma warning disable CA2100 // Constants from above.
        command.CommandText = pragma;
#pragma warning restore CA2100
        using var reader = command.ExecuteReader();
        while (reader.Read())
        {
            // Nothing in the rows is of interest.
        }
    }

    private void Fill(PartRecord part)
    {
        Set(0, part.Id);
        Set(1, part.Number);
        Set(2, part.Station);
        Set(3, (int)part.Verdict);
        Set(4, (int)part.Reason);
        Set(5, (int)part.Disposition);
        Set(6, part.Label);
        Set(7, Finite(part.Score));
        Set(8, part.Views);
        Set(9, Finite(part.Offset));
        Set(10, Finite(part.Across));
        Set(11, Finite(part.Length));
        Set(12, part.Lane);
        Set(13, part.EntrySeen);
        Set(14, Finite(part.DecisionMilliseconds));
        Set(15, LedgerSchema.ToMicroseconds(part.DecidedAt));
        Set(16, Finite(part.FiredLateMicroseconds));
        Set(17, (int)part.Confirmation);
        Set(18, part.Recipe);
        Set(19, part.Model);
        Set(20, part.IsSimulated);
    }

    private void Set(int column, object? value) => _insert.Parameters[column].Value = value ?? DBNull.Value;

    private static double? Finite(double? number) => number is { } value && double.IsFinite(value) ? value : null;

    private void Write(LedgerRun run, SqliteTransaction transaction)
    {
        using var command = _connection.CreateCommand();
        command.Transaction = transaction;
        command.CommandText =
            "INSERT INTO runs (id, station, started, model, recipe, version, ended) "
            + "VALUES ($id, $station, $started, $model, $recipe, $version, $ended) "
            + "ON CONFLICT (id) DO UPDATE SET ended = excluded.ended, model = excluded.model, recipe = excluded.recipe";
        command.Parameters.AddWithValue("$id", run.Id);
        command.Parameters.AddWithValue("$station", run.Station);
        command.Parameters.AddWithValue("$started", LedgerSchema.ToMicroseconds(run.Started));
        command.Parameters.AddWithValue("$model", run.Model);
        command.Parameters.AddWithValue("$recipe", run.Recipe);
        command.Parameters.AddWithValue("$version", run.Version);
        command.Parameters.AddWithValue(
            "$ended", run.Ended is { } ended ? LedgerSchema.ToMicroseconds(ended) : DBNull.Value);
        command.ExecuteNonQuery();
    }
}
