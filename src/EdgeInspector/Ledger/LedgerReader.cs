using System.Globalization;
using EdgeInspector.Line;
using Microsoft.Data.Sqlite;

namespace EdgeInspector.Ledger;

/// <summary>
/// Reads a ledger while it may be written, or after the program has gone. Each call opens the file anew; any thread.
/// </summary>
internal sealed class LedgerReader(string path)
{
    /// <summary>What <see cref="Part"/> reads.</summary>
    internal const string Columns =
        "id, number, station, verdict, reason, disposition, label, score, views, offset_mm, across_mm, length_mm, lane, "
        + "entry_seen, decision_ms, decided, fired_late_us, confirmation, recipe, model, simulated, lanes, challenge";

    /// <summary>What <see cref="ReadRun"/> reads.</summary>
    internal const string RunColumns =
        "id, station, started, model, recipe, version, ended, heard, gap_noticed, removed, parts, challenge_parts, "
        + "unaccounted, entry_eyes, entry_eye, pulses, confirmed, unconfirmed, unexpected";

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

    /// <summary>How many parts ended alike, by recipe, verdict and defect.</summary>
    /// <exception cref="LedgerException">There is no ledger, or it cannot be read.</exception>
    public IReadOnlyList<LedgerTally> Tallies(LedgerQuery query)
    {
        using var connection = Open();
        using var command = connection.CreateCommand();
#pragma warning disable CA2100 // Put together from constants; what comes from outside is bound.
        command.CommandText =
            "SELECT recipe, verdict, CASE verdict WHEN 1 THEN coalesce(label, 'unknown') END, challenge IS NOT NULL, "
            + $"count(*) FROM parts WHERE {Condition(query, command)} GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4";
#pragma warning restore CA2100
        return ReadAll(
            command,
            reader => new LedgerTally(
                reader.GetString(0),
                (Verdict)reader.GetByte(1),
                TextAt(reader, 2),
                reader.GetBoolean(3),
                reader.GetInt64(4)));
    }

    /// <summary>All runs, in the order of their starts.</summary>
    /// <exception cref="LedgerException">There is no ledger, or it cannot be read.</exception>
    public IReadOnlyList<LedgerRun> Runs()
    {
        using var connection = Open();
        using var command = connection.CreateCommand();
        command.CommandText = $"SELECT {RunColumns} FROM runs ORDER BY started, id";
        return ReadAll(command, ReadRun);
    }

    /// <summary>The last sign of life of a run: its totals, else its last part, else its start.</summary>
    /// <exception cref="LedgerException">There is no ledger, or it cannot be read.</exception>
    public DateTimeOffset LastSign(LedgerRun run)
    {
        if (run.Ended is { } ended)
        {
            return ended;
        }

        using var connection = Open();
        using var command = connection.CreateCommand();
        command.CommandText = "SELECT max(decided) FROM parts WHERE id > $run AND id < $end";
        command.Parameters.AddWithValue("$run", run.Id + "/");
        command.Parameters.AddWithValue("$end", run.Id + "0");
        var last = run.Heard is null ? ReadAll(command, reader => TimeAt(reader, 0))[0] : run.Heard;
        return last ?? run.Started;
    }

    /// <summary>Holds a run's records against what it counted; reads all of them.</summary>
    /// <exception cref="LedgerException">There is no ledger, or it cannot be read.</exception>
    public RunReconciliation Reconcile(LedgerRun run)
    {
        using var connection = Open();
        using var command = connection.CreateCommand();
        command.CommandText =
            "SELECT count(*), count(challenge), coalesce(sum(disposition = 1), 0), count(fired_late_us), "
            + "coalesce(sum(confirmation = 2), 0), coalesce(sum(confirmation = 3), 0), coalesce(sum("
            + string.Join(" + ", Enumerable.Range(0, 8).Select(lane => $"(coalesce(lanes, 1) >> {lane} & 1)")) + "), 0) "
            + "FROM parts WHERE id > $run AND id < $end";
        command.Parameters.AddWithValue("$run", run.Id + "/");
        command.Parameters.AddWithValue("$end", run.Id + "0");
        var sums = ReadAll(
            command,
            reader => new RunSums(
                reader.GetInt64(0),
                reader.GetInt64(1),
                reader.GetInt64(2),
                reader.GetInt64(3),
                reader.GetInt64(4),
                reader.GetInt64(5),
                reader.GetInt64(6)));
        return new RunReconciliation(run, sums[0]);
    }

    /// <summary>Challenge tests, in the order of their starts; of the query, times and station count.</summary>
    /// <exception cref="LedgerException">There is no ledger, or it cannot be read.</exception>
    public IReadOnlyList<ChallengeRecord> Challenges(LedgerQuery query)
    {
        using var connection = Open();
        using var command = connection.CreateCommand();
#pragma warning disable CA2100 // Put together from constants; what comes from outside is bound.
        command.CommandText =
            "SELECT id, run, station, who, defect, started, ended, outcome, fault, after_part, last_part, pieces "
            + $"FROM challenges WHERE {HistoryCondition("started", query, command)}";
#pragma warning restore CA2100
        return ReadAll(
            command,
            reader => new ChallengeRecord
            {
                Id = reader.GetString(0),
                Run = reader.GetString(1),
                Station = reader.GetString(2),
                Who = reader.GetString(3),
                Defect = TextAt(reader, 4),
                StartedAt = LedgerSchema.FromMicroseconds(reader.GetInt64(5)),
                EndedAt = TimeAt(reader, 6),
                Outcome = (ChallengeOutcome)reader.GetByte(7),
                Fault = TextAt(reader, 8),
                AfterPart = reader.GetInt64(9),
                LastPart = LongAt(reader, 10),
                Pieces = LedgerWriter.PiecesFromJson(reader.GetString(11)),
            });
    }

    /// <summary>What earlier runs know of a station's challenge tests.</summary>
    /// <exception cref="LedgerException">There is no ledger, or it cannot be read.</exception>
    public ChallengeHistory ChallengeHistory(string station)
    {
        using var connection = Open();
        using var command = connection.CreateCommand();
        command.CommandText =
            "SELECT outcome, ended, fault FROM challenges WHERE station = $station AND outcome IN (1, 2) "
            + "ORDER BY started, id";
        command.Parameters.AddWithValue("$station", station);
        var history = new ChallengeHistory(LastPassedAt: null, FailedSince: null);
        using var reader = Run(command);
        while (Advance(reader))
        {
            history = (ChallengeOutcome)reader.GetByte(0) == ChallengeOutcome.Passed
                ? new ChallengeHistory(TimeAt(reader, 1), FailedSince: null)
                : history with { FailedSince = TextAt(reader, 2) ?? "no reason was kept" };
        }

        return history;
    }

    /// <summary>Alarms, in the order in which they were raised; of the query, times and station count.</summary>
    /// <exception cref="LedgerException">There is no ledger, or it cannot be read.</exception>
    public IReadOnlyList<LedgerAlarm> Alarms(LedgerQuery query) => Alarms(query, standingOnly: false);

    /// <summary>A station's alarms that are not over, in the order in which they were raised.</summary>
    /// <exception cref="LedgerException">There is no ledger, or it cannot be read.</exception>
    public IReadOnlyList<AlarmRecord> StandingAlarms(string station) =>
        [.. Alarms(new LedgerQuery { Station = station }, standingOnly: true).Select(row => row.Alarm)];

    private List<LedgerAlarm> Alarms(LedgerQuery query, bool standingOnly)
    {
        using var connection = Open();
        using var command = connection.CreateCommand();
#pragma warning disable CA2100 // Put together from constants; what comes from outside is bound.
        command.CommandText =
            "SELECT station, code, raised, name, severity, state, latched, text, last_raised, times, cleared, "
            + $"acknowledged, who FROM alarms WHERE {(standingOnly ? "state <> 0 AND " : "")}{HistoryCondition("raised", query, command)}";
#pragma warning restore CA2100
        return ReadAll(
            command,
            reader => new LedgerAlarm(
                reader.GetString(0),
                new AlarmRecord
                {
                    Code = (AlarmCode)reader.GetInt16(1),
                    RaisedAt = LedgerSchema.FromMicroseconds(reader.GetInt64(2)),
                    Name = reader.GetString(3),
                    Severity = (AlarmSeverity)reader.GetByte(4),
                    State = (AlarmState)reader.GetByte(5),
                    IsLatched = reader.GetBoolean(6),
                    Text = reader.GetString(7),
                    LastRaisedAt = LedgerSchema.FromMicroseconds(reader.GetInt64(8)),
                    Count = reader.GetInt64(9),
                    ClearedAt = TimeAt(reader, 10),
                    AcknowledgedAt = TimeAt(reader, 11),
                    AcknowledgedBy = TextAt(reader, 12),
                }));
    }

    /// <summary>What retention has removed, by day.</summary>
    /// <exception cref="LedgerException">There is no ledger, or it cannot be read.</exception>
    public IReadOnlyList<LedgerRemoval> Removals()
    {
        using var connection = Open();
        using var command = connection.CreateCommand();
        command.CommandText = "SELECT day, why, parts, first_decided, last_decided, removed FROM removals ORDER BY day, why";
        return ReadAll(
            command,
            reader => new LedgerRemoval(
                DateOnly.FromDayNumber(reader.GetInt32(0)),
                reader.GetString(1),
                reader.GetInt64(2),
                LedgerSchema.FromMicroseconds(reader.GetInt64(3)),
                LedgerSchema.FromMicroseconds(reader.GetInt64(4)),
                LedgerSchema.FromMicroseconds(reader.GetInt64(5))));
    }

    internal static LedgerRun ReadRun(SqliteDataReader reader) =>
        new(
            reader.GetString(0),
            reader.GetString(1),
            LedgerSchema.FromMicroseconds(reader.GetInt64(2)),
            reader.GetString(3),
            reader.GetString(4),
            reader.GetString(5),
            TimeAt(reader, 6))
        {
            Heard = TimeAt(reader, 7),
            GapNoticed = TimeAt(reader, 8),
            Removed = reader.GetInt64(9),
            Totals = reader.IsDBNull(10)
                ? null
                : new RunTotals(
                    reader.GetInt64(10),
                    LongAt(reader, 11) ?? 0,
                    LongAt(reader, 12) ?? 0,
                    (int)(LongAt(reader, 13) ?? 0),
                    LongAt(reader, 14),
                    LongAt(reader, 15) ?? 0,
                    LongAt(reader, 16),
                    LongAt(reader, 17),
                    LongAt(reader, 18)),
        };

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
        catch (InvalidDataException error)
        {
            throw new LedgerException(
                path, error.Message, "start the service once to bring an older ledger up to date, or update the program");
        }
    }

    private List<T> ReadAll<T>(SqliteCommand command, Func<SqliteDataReader, T> read)
    {
        var rows = new List<T>();
        using var reader = Run(command);
        while (Advance(reader))
        {
            rows.Add(read(reader));
        }

        return rows;
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

    private string Condition(LedgerQuery query, SqliteCommand command)
    {
        var conditions = new List<string> { "1" };
        Narrow("decided >= $from", "$from", query.From is { } from ? LedgerSchema.ToMicroseconds(from) : null);
        Narrow("decided < $to", "$to", query.To is { } to ? LedgerSchema.ToMicroseconds(to) : null);
        Narrow("id = $id", "$id", query.Id);
        Narrow("station = $station", "$station", query.Station);
        Narrow("recipe = $recipe", "$recipe", query.Recipe);
        Narrow("label = $label", "$label", query.Label);
        Narrow("verdict = $verdict", "$verdict", query.Verdict is { } verdict ? (int)verdict : null);

        // The ids of a run's parts are the run's, a slash and the number; '0' is the character after the slash.
        Narrow("id > $run", "$run", query.Run is { } run ? run + "/" : null);
        Narrow("id < $end", "$end", query.Run is { } same ? same + "0" : null);

        if (query.Challenge is { } challenge)
        {
            // There is no index on challenge; the test's times lead to its parts, with a minute to spare.
            Narrow("challenge = $challenge", "$challenge", challenge);
            conditions.Add("decided >= (SELECT started - 60000000 FROM challenges WHERE challenges.id = $challenge)");
            conditions.Add(
                "decided <= (SELECT coalesce(ended + 60000000, 1 << 62) FROM challenges WHERE challenges.id = $challenge)");
        }

        if (query.SinceGoodChallenge)
        {
            conditions.Add(SinceGood(query, command));
        }

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

    /// <summary>
    /// Later than the last passed test of its station: in the test's own run by number, since a wall clock may be set back,
    /// in other runs by time.
    /// </summary>
    private string SinceGood(LedgerQuery query, SqliteCommand command)
    {
        var perStation = new List<string>();
        using var last = command.Connection!.CreateCommand();
        last.CommandText =
            "SELECT station, run, coalesce(last_part, after_part), max(started) FROM challenges "
            + "WHERE outcome = 1 AND ($station IS NULL OR station = $station) GROUP BY station";
        last.Parameters.AddWithValue("$station", (object?)query.Station ?? DBNull.Value);
        using var reader = Run(last);
        while (Advance(reader))
        {
            var i = perStation.Count.ToString(CultureInfo.InvariantCulture);
            command.Parameters.AddWithValue("$good" + i, reader.GetString(0));
            command.Parameters.AddWithValue("$goodRun" + i, reader.GetString(1) + "/");
            command.Parameters.AddWithValue("$goodEnd" + i, reader.GetString(1) + "0");
            command.Parameters.AddWithValue("$goodPart" + i, reader.GetInt64(2));
            command.Parameters.AddWithValue("$goodTime" + i, reader.GetInt64(3));
            perStation.Add(
                $"station = $good{i} AND (id > $goodRun{i} AND id < $goodEnd{i} AND number > $goodPart{i} "
                + $"OR NOT (id > $goodRun{i} AND id < $goodEnd{i}) AND decided >= $goodTime{i})");
        }

        var tested = Enumerable.Range(0, perStation.Count)
            .Select(i => "$good" + i.ToString(CultureInfo.InvariantCulture));
        return $"({string.Join(" OR ", [.. perStation, $"station NOT IN ({string.Join(", ", tested)})"])})";
    }

    private static string HistoryCondition(string time, LedgerQuery query, SqliteCommand command)
    {
        command.Parameters.AddWithValue("$from", LedgerSchema.ToMicroseconds(query.From) ?? long.MinValue);
        command.Parameters.AddWithValue("$to", LedgerSchema.ToMicroseconds(query.To) ?? long.MaxValue);
        command.Parameters.AddWithValue("$station", (object?)query.Station ?? DBNull.Value);
        command.Parameters.AddWithValue("$limit", query.Limit ?? -1);
        var order = query.NewestFirst ? "DESC" : "ASC";
        return $"{time} >= $from AND {time} < $to AND ($station IS NULL OR station = $station) "
            + $"ORDER BY {time} {order}, station {order} LIMIT $limit";
    }

    private static string? TextAt(SqliteDataReader reader, int column) =>
        reader.IsDBNull(column) ? null : reader.GetString(column);

    private static long? LongAt(SqliteDataReader reader, int column) =>
        reader.IsDBNull(column) ? null : reader.GetInt64(column);

    private static DateTimeOffset? TimeAt(SqliteDataReader reader, int column) =>
        reader.IsDBNull(column) ? null : LedgerSchema.FromMicroseconds(reader.GetInt64(column));

    private static double NumberAt(SqliteDataReader reader, int column) =>
        reader.IsDBNull(column) ? double.NaN : reader.GetDouble(column);

    /// <summary>The part of a row of <see cref="Columns"/>.</summary>
    internal static PartRecord Part(SqliteDataReader reader) => new()
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
        Lanes = reader.IsDBNull(21) ? 1 << reader.GetInt32(12) : reader.GetInt32(21),
        EntrySeen = reader.GetBoolean(13),
        DecisionMilliseconds = NumberAt(reader, 14),
        DecidedAt = LedgerSchema.FromMicroseconds(reader.GetInt64(15)),
        FiredLateMicroseconds = reader.IsDBNull(16) ? null : reader.GetDouble(16),
        Confirmation = (Confirmation)reader.GetByte(17),
        Recipe = reader.GetString(18),
        Model = reader.GetString(19),
        IsSimulated = reader.GetBoolean(20),
        Challenge = TextAt(reader, 22),
    };
}
