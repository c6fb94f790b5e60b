using System.Text.Json;
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
        "simulated", "lanes", "challenge",
    ];

    private static readonly JsonSerializerOptions PieceFormat = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        IgnoreReadOnlyProperties = true,
    };


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

    /// <summary>Writes the batch in one transaction; what is there already is replaced.</summary>
    public void Write(LedgerBatch batch)
    {
        using var transaction = _connection.BeginTransaction();
        _insert.Transaction = transaction;
        foreach (var part in batch.Parts)
        {
            Fill(part);
            _insert.ExecuteNonQuery();
        }

        foreach (var run in batch.Runs)
        {
            Write(run, transaction);
        }

        foreach (var (run, totals) in batch.Totals)
        {
            Write(run, totals, batch.Heard, transaction);
        }

        foreach (var happened in batch.Events)
        {
            if (happened is ChallengeRecord challenge)
            {
                Write(challenge, transaction);
            }
            else
            {
                Write((LedgerAlarm)happened, transaction);
            }
        }

        foreach (var (name, sequence) in batch.Marks)
        {
            using var mark = _connection.CreateCommand();
            mark.Transaction = transaction;
            mark.CommandText = "INSERT INTO marks (name, seq) VALUES ($name, $seq) ON CONFLICT (name) DO UPDATE SET seq = excluded.seq";
            mark.Parameters.AddWithValue("$name", name);
            mark.Parameters.AddWithValue("$seq", sequence);
            mark.ExecuteNonQuery();
        }

        transaction.Commit();
    }

    /// <summary>The pieces of a challenge test as they are stored.</summary>
    public static string ToJson(IReadOnlyList<ChallengePieceResult> pieces) => JsonSerializer.Serialize(pieces, PieceFormat);

    /// <summary>The pieces of a challenge test from how they are stored.</summary>
    public static IReadOnlyList<ChallengePieceResult> PiecesFromJson(string json) =>
        JsonSerializer.Deserialize<List<ChallengePieceResult>>(json, PieceFormat) ?? [];

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
                $"SELECT {LedgerReader.RunColumns} FROM runs "
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
    /// holds more than <paramref name="maximumBytes"/>; and notes what it removed. True when there is more to remove. The last
    /// part stays: SQLite would give its sequence to the next one, which whoever passes parts on would then take for passed on.
    /// </summary>
    public bool Retain(DateTimeOffset before, long maximumBytes, DateTimeOffset now)
    {
        var removed = Remove(
            $"SELECT seq FROM parts WHERE decided < $before AND seq < (SELECT max(seq) FROM parts) "
                + $"ORDER BY decided, seq LIMIT {RetentionRows}",
            LedgerSchema.ToMicroseconds(before),
            "age",
            now);
        if (removed == 0 && BytesInUse() > maximumBytes)
        {
            removed = Remove($"SELECT seq FROM parts WHERE seq < (SELECT max(seq) FROM parts) ORDER BY seq LIMIT {RetentionRows}", 0, "size", now);
        }

        if (removed > 0)
        {
            Step("PRAGMA incremental_vacuum(2000)");
        }

        return removed == RetentionRows;
    }

    /// <summary>Forgets challenge tests, alarms, gaps and notes of removal from before a time.</summary>
    public void Forget(DateTimeOffset before)
    {
        using var transaction = _connection.BeginTransaction();
        using var command = _connection.CreateCommand();
        command.Transaction = transaction;
        command.CommandText =
            "DELETE FROM challenges WHERE started < $before;"
            + "DELETE FROM alarms WHERE raised < $before;"
            + "DELETE FROM removals WHERE removed < $before;"
            + "DELETE FROM runs WHERE ended IS NULL AND gap_noticed < $before "
            + "AND gap_noticed < (SELECT min(decided) FROM parts)";
        command.Parameters.AddWithValue("$before", LedgerSchema.ToMicroseconds(before));
        command.ExecuteNonQuery();
        transaction.Commit();
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

    private int Remove(string select, long before, string why, DateTimeOffset now)
    {
        using var transaction = _connection.BeginTransaction();
        var perRun = new List<(string Run, long Parts, long First, long Last)>();
        using (var count = _connection.CreateCommand())
        {
            count.Transaction = transaction;
#pragma warning disable CA2100 // Constants from above.
            count.CommandText =
                "SELECT rtrim(id, '0123456789'), count(*), min(decided), max(decided) "
                + $"FROM parts WHERE seq IN ({select}) GROUP BY 1";
#pragma warning restore CA2100
            count.Parameters.AddWithValue("$before", before);
            using var reader = count.ExecuteReader();
            while (reader.Read())
            {
                perRun.Add((reader.GetString(0).TrimEnd('/'), reader.GetInt64(1), reader.GetInt64(2), reader.GetInt64(3)));
            }
        }

        if (perRun.Count == 0)
        {
            return 0;
        }

        using var delete = _connection.CreateCommand();
        delete.Transaction = transaction;
#pragma warning disable CA2100 // Constants from above.
        delete.CommandText = $"DELETE FROM parts WHERE seq IN ({select})";
#pragma warning restore CA2100
        delete.Parameters.AddWithValue("$before", before);
        var removed = delete.ExecuteNonQuery();
        foreach (var (run, parts, _, _) in perRun)
        {
            using var note = _connection.CreateCommand();
            note.Transaction = transaction;
            note.CommandText = "UPDATE runs SET removed = removed + $parts WHERE id = $run";
            note.Parameters.AddWithValue("$parts", parts);
            note.Parameters.AddWithValue("$run", run);
            note.ExecuteNonQuery();
        }

        Note(why, removed, perRun.Min(run => run.First), perRun.Max(run => run.Last), now, transaction);
        LedgerSchema.Execute(
            _connection,
            "DELETE FROM runs WHERE ended IS NOT NULL AND ended < (SELECT min(decided) FROM parts)",
            transaction);
        transaction.Commit();
        return removed;
    }

    /// <summary>One row a day and reason: retention works every minute, for years.</summary>
    private void Note(string why, long parts, long first, long last, DateTimeOffset now, SqliteTransaction transaction)
    {
        using var note = _connection.CreateCommand();
        note.Transaction = transaction;
        note.CommandText =
            "INSERT INTO removals (day, why, parts, first_decided, last_decided, removed) "
            + "VALUES ($day, $why, $parts, $first, $last, $now) ON CONFLICT (day, why) DO UPDATE SET "
            + "parts = parts + excluded.parts, first_decided = min(first_decided, excluded.first_decided), "
            + "last_decided = max(last_decided, excluded.last_decided), removed = excluded.removed";
        note.Parameters.AddWithValue("$day", DateOnly.FromDateTime(now.UtcDateTime).DayNumber);
        note.Parameters.AddWithValue("$why", why);
        note.Parameters.AddWithValue("$parts", parts);
        note.Parameters.AddWithValue("$first", first);
        note.Parameters.AddWithValue("$last", last);
        note.Parameters.AddWithValue("$now", LedgerSchema.ToMicroseconds(now));
        note.ExecuteNonQuery();
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
        Set(21, part.Lanes);
        Set(22, part.Challenge);
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

    private void Write(string run, RunTotals totals, DateTimeOffset heard, SqliteTransaction transaction)
    {
        using var command = _connection.CreateCommand();
        command.Transaction = transaction;
        command.CommandText =
            "UPDATE runs SET heard = $heard, parts = $parts, challenge_parts = $challenge_parts, unaccounted = $unaccounted, "
            + "entry_eyes = $entry_eyes, entry_eye = $entry_eye, pulses = $pulses, confirmed = $confirmed, "
            + "unconfirmed = $unconfirmed, unexpected = $unexpected WHERE id = $id";
        Add(command, "$id", run);
        Add(command, "$heard", LedgerSchema.ToMicroseconds(heard));
        Add(command, "$parts", totals.Parts);
        Add(command, "$challenge_parts", totals.ChallengeParts);
        Add(command, "$unaccounted", totals.Unaccounted);
        Add(command, "$entry_eyes", totals.EntryEyes);
        Add(command, "$entry_eye", totals.EntryEye);
        Add(command, "$pulses", totals.Pulses);
        Add(command, "$confirmed", totals.Confirmed);
        Add(command, "$unconfirmed", totals.Unconfirmed);
        Add(command, "$unexpected", totals.UnexpectedBinEntries);
        command.ExecuteNonQuery();
    }

    private void Write(ChallengeRecord challenge, SqliteTransaction transaction)
    {
        using var command = _connection.CreateCommand();
        command.Transaction = transaction;
        command.CommandText =
            "INSERT OR REPLACE INTO challenges (id, run, station, who, defect, started, ended, outcome, fault, after_part, "
            + "last_part, least_margin, pieces) VALUES ($id, $run, $station, $who, $defect, $started, $ended, $outcome, "
            + "$fault, $after_part, $last_part, $least_margin, $pieces)";
        Add(command, "$id", challenge.Id);
        Add(command, "$run", challenge.Run);
        Add(command, "$station", challenge.Station);
        Add(command, "$who", challenge.Who);
        Add(command, "$defect", challenge.Defect);
        Add(command, "$started", LedgerSchema.ToMicroseconds(challenge.StartedAt));
        Add(command, "$ended", LedgerSchema.ToMicroseconds(challenge.EndedAt));
        Add(command, "$outcome", (int)challenge.Outcome);
        Add(command, "$fault", challenge.Fault);
        Add(command, "$after_part", challenge.AfterPart);
        Add(command, "$last_part", challenge.LastPart);
        Add(command, "$least_margin", Finite(challenge.LeastMargin));
        Add(command, "$pieces", ToJson(challenge.Pieces));
        command.ExecuteNonQuery();
    }

    private void Write(LedgerAlarm row, SqliteTransaction transaction)
    {
        var alarm = row.Alarm;
        using var command = _connection.CreateCommand();
        command.Transaction = transaction;
        command.CommandText =
            "INSERT OR REPLACE INTO alarms (station, code, raised, name, severity, state, latched, text, last_raised, times, "
            + "cleared, acknowledged, who) VALUES ($station, $code, $raised, $name, $severity, $state, $latched, $text, "
            + "$last_raised, $times, $cleared, $acknowledged, $who)";
        Add(command, "$station", row.Station);
        Add(command, "$code", (int)alarm.Code);
        Add(command, "$raised", LedgerSchema.ToMicroseconds(alarm.RaisedAt));
        Add(command, "$name", alarm.Name);
        Add(command, "$severity", (int)alarm.Severity);
        Add(command, "$state", (int)alarm.State);
        Add(command, "$latched", alarm.IsLatched);
        Add(command, "$text", alarm.Text);
        Add(command, "$last_raised", LedgerSchema.ToMicroseconds(alarm.LastRaisedAt));
        Add(command, "$times", alarm.Count);
        Add(command, "$cleared", LedgerSchema.ToMicroseconds(alarm.ClearedAt));
        Add(command, "$acknowledged", LedgerSchema.ToMicroseconds(alarm.AcknowledgedAt));
        Add(command, "$who", alarm.AcknowledgedBy);
        command.ExecuteNonQuery();
    }

    private static void Add(SqliteCommand command, string name, object? value) =>
        command.Parameters.AddWithValue(name, value ?? DBNull.Value);
}
