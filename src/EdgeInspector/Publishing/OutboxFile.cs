using System.Globalization;
using System.Text.Json;
using Microsoft.Data.Sqlite;

namespace EdgeInspector.Publishing;

/// <summary>
/// The outbox's SQLite file. One thread at a time. A method that throws <see cref="SqliteException"/> has changed nothing.
/// </summary>
/// <remarks>
/// WAL. Batches with records are forced onto the disk before they count as kept (synchronous=FULL); pictures and removals
/// are not, since a picture may be lost with the power and a removal only repeats a message with the same id. SQLite looks at
/// what fsync returns, and a failed one leaves the operating system's idea of what is on the disk wrong: the next opening
/// writes everything anew (checkpoint with truncation) before anything else is believed.
/// </remarks>
internal sealed class OutboxFile : IDisposable
{
    /// <summary>PRAGMA user_version of a file this program writes.</summary>
    private const int Version = 1;

    private const int DiskFull = 13;
    private const int Corrupt = 11;
    private const int NotADatabase = 26;

    /// <summary>Rows that one step of shedding removes at most.</summary>
    private const int ShedRows = 64;

    private const string Tables = """
        CREATE TABLE messages (
            seq INTEGER PRIMARY KEY AUTOINCREMENT,
            id TEXT NOT NULL UNIQUE,
            class INTEGER NOT NULL,
            station TEXT NOT NULL,
            kind TEXT NOT NULL,
            parameter TEXT,
            properties TEXT,
            created INTEGER NOT NULL,
            bytes INTEGER NOT NULL,
            payload BLOB NOT NULL
        );
        CREATE INDEX messages_by_place ON messages (class, station, seq, bytes, created);
        """;

    private readonly SqliteConnection _connection;
    private readonly SqliteCommand _insert;
    private readonly SqliteCommand _delete;
    private readonly SqliteCommand _read;
    private bool _isForced = true;

    /// <exception cref="SqliteException">The disk or the file objects.</exception>
    /// <exception cref="InvalidDataException">The file was written by a newer program.</exception>
    public OutboxFile(string path)
    {
        _connection = new SqliteConnection(
            new SqliteConnectionStringBuilder
            {
                DataSource = path,
                Mode = SqliteOpenMode.ReadWriteCreate,
                Pooling = false,
                DefaultTimeout = 1,
            }.ToString()
        );
        try
        {
            _connection.Open();
            Execute("PRAGMA busy_timeout = 1000");
            // Works on a new file only, hence before anything else touches it.
            Execute("PRAGMA auto_vacuum = INCREMENTAL");
            Execute("PRAGMA journal_mode = WAL");
            Execute("PRAGMA synchronous = FULL");
            Execute("PRAGMA wal_autocheckpoint = 1000");
            Execute("PRAGMA journal_size_limit = 8000000");
            Settle();
            var found = Scalar("PRAGMA user_version");
            if (found > Version)
            {
                throw new InvalidDataException($"has schema {found}, and this program knows {Version}");
            }

            if (found == 0)
            {
                using var transaction = _connection.BeginTransaction();
                Execute(Tables, transaction);
                Execute($"PRAGMA user_version = {Version}", transaction);
                transaction.Commit();
            }

            _insert = Prepare(
                "INSERT INTO messages (id, class, station, kind, parameter, properties, created, bytes, payload) "
                    + "VALUES ($id, $class, $station, $kind, $parameter, $properties, $created, $bytes, $payload) "
                    + "ON CONFLICT (id) DO NOTHING",
                "$id", "$class", "$station", "$kind", "$parameter", "$properties", "$created", "$bytes", "$payload"
            );
            _delete = Prepare("DELETE FROM messages WHERE seq = $seq RETURNING class, bytes", "$seq");
            _read = Prepare(
                "SELECT seq, id, kind, parameter, properties, payload FROM messages "
                    + "WHERE class = $class AND station = $station AND seq > $after ORDER BY seq LIMIT $limit",
                "$class", "$station", "$after", "$limit"
            );
        }
        catch
        {
            _connection.Dispose();
            throw;
        }
    }

    /// <summary>Whether the file itself is beyond use, rather than the disk in trouble.</summary>
    public static bool IsDamage(SqliteException error) => error.SqliteErrorCode is Corrupt or NotADatabase;

    /// <summary>Whether there is no room left.</summary>
    public static bool IsFull(SqliteException error) => error.SqliteErrorCode == DiskFull;

    /// <summary>What is wrong, in words of the person who has to mend it.</summary>
    public static string Explain(SqliteException error) =>
        error.SqliteErrorCode switch
        {
            DiskFull => "the disk is full",
            8 => "is read-only",
            5 or 6 => "is locked by another program",
            10 => "the disk reports an error",
            Corrupt => "is damaged",
            14 => "cannot be opened or created",
            NotADatabase => "is no outbox",
            _ => string.Create(CultureInfo.InvariantCulture, $"SQLite reports error {error.SqliteExtendedErrorCode}"),
        };

    /// <summary>Reads the whole file for damage; some 200 MB a second.</summary>
    /// <exception cref="SqliteException">It cannot be read.</exception>
    public bool IsSound()
    {
        using var command = Command("PRAGMA quick_check(1)");
        return command.ExecuteScalar() is "ok";
    }

    /// <summary>How many messages of a class wait, and the bytes of their payloads.</summary>
    public (long Count, long Bytes) Totals(Keeping kept)
    {
        using var command = Command("SELECT count(*), coalesce(sum(bytes), 0) FROM messages WHERE class = $class");
        command.Parameters.AddWithValue("$class", ClassOf(kept));
        using var reader = command.ExecuteReader();
        reader.Read();
        return (reader.GetInt64(0), reader.GetInt64(1));
    }

    /// <summary>
    /// Adds and removes in one transaction; one that is there already by its id is not added again. With
    /// <paramref name="forced"/> all of it is on the disk when this returns.
    /// </summary>
    /// <returns>Which were added, by their place in <paramref name="added"/>, and what was removed of which class.</returns>
    public (bool[] IsNew, IReadOnlyList<(Keeping Kept, long Bytes)> Removed) Write(
        IReadOnlyList<OutgoingMessage> added,
        IReadOnlyCollection<long> removed,
        long now,
        bool forced
    )
    {
        if (forced != _isForced)
        {
            Execute(forced ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = NORMAL");
            _isForced = forced;
        }

        var isNew = new bool[added.Count];
        var gone = new List<(Keeping, long)>(removed.Count);
        using var transaction = _connection.BeginTransaction();
        _insert.Transaction = transaction;
        for (var i = 0; i < added.Count; i++)
        {
            var message = added[i];
            Bind(
                _insert,
                message.Id,
                ClassOf(message.Kind.Keeping),
                message.Station,
                message.Kind.Name,
                message.Parameter,
                message.Properties.Count == 0 ? null : ToJson(message.Properties),
                now,
                message.Payload.Length,
                message.Payload.ToArray()
            );
            isNew[i] = _insert.ExecuteNonQuery() > 0;
        }

        _delete.Transaction = transaction;
        foreach (var sequence in removed)
        {
            Bind(_delete, sequence);
            using var reader = _delete.ExecuteReader();
            while (reader.Read())
            {
                gone.Add((reader.GetInt64(0) == 1 ? Keeping.Record : Keeping.Picture, reader.GetInt64(1)));
            }
        }

        transaction.Commit();
        return (isNew, gone);
    }

    /// <summary>Removes some of the oldest messages of a class, at most those from before a time.</summary>
    /// <returns>How many, and their bytes.</returns>
    public (int Count, long Bytes) Shed(Keeping kept, long before)
    {
        using var transaction = _connection.BeginTransaction();
        using var delete = Command(
            "DELETE FROM messages WHERE seq IN (SELECT seq FROM messages WHERE class = $class AND created < $before "
                + $"ORDER BY seq LIMIT {ShedRows}) RETURNING bytes",
            transaction
        );
        delete.Parameters.AddWithValue("$class", ClassOf(kept));
        delete.Parameters.AddWithValue("$before", before);
        var (count, bytes) = (0, 0L);
        using (var reader = delete.ExecuteReader())
        {
            while (reader.Read())
            {
                count++;
                bytes += reader.GetInt64(0);
            }
        }

        transaction.Commit();
        return (count, bytes);
    }

    /// <summary>Moves all times: the wall clock was set.</summary>
    public void Shift(long microseconds)
    {
        using var command = Command("UPDATE messages SET created = created + $by");
        command.Parameters.AddWithValue("$by", microseconds);
        command.ExecuteNonQuery();
    }

    /// <summary>Gives freed pages back to the disk, and what the log holds to the file.</summary>
    public void Shrink()
    {
        Step("PRAGMA incremental_vacuum(2000)");
        Step("PRAGMA wal_checkpoint(TRUNCATE)");
    }

    /// <summary>One station's messages of a class after a sequence, in order, until a number or a size is reached.</summary>
    public IReadOnlyList<StoredMessage> Read(string station, Keeping kept, long after, int limit, long bytes)
    {
        Bind(_read, ClassOf(kept), station, after, limit);
        var found = new List<StoredMessage>();
        using var reader = _read.ExecuteReader();
        while (bytes > 0 && reader.Read())
        {
            var payload = reader.GetFieldValue<byte[]>(5);
            bytes -= payload.Length;
            found.Add(
                new StoredMessage(
                    reader.GetInt64(0),
                    new OutgoingMessage
                    {
                        Kind = Contract.Named(reader.GetString(2)),
                        Station = station,
                        Id = reader.GetString(1),
                        Parameter = reader.IsDBNull(3) ? null : reader.GetString(3),
                        Properties = reader.IsDBNull(4) ? new Dictionary<string, string>() : FromJson(reader.GetString(4)),
                        Payload = payload,
                    }
                )
            );
        }

        return found;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _insert.Dispose();
        _delete.Dispose();
        _read.Dispose();
        _connection.Dispose();
    }

    // Stored: never reuse one.
    private static int ClassOf(Keeping kept) => kept == Keeping.Record ? 1 : 2;

    private static string ToJson(IReadOnlyDictionary<string, string> properties) => JsonSerializer.Serialize(properties);

    private static Dictionary<string, string> FromJson(string json) =>
        JsonSerializer.Deserialize<Dictionary<string, string>>(json) ?? [];

    private long Scalar(string sql)
    {
        using var command = Command(sql);
        return Convert.ToInt64(command.ExecuteScalar(), CultureInfo.InvariantCulture);
    }

    /// <summary>Puts what the log holds into the file, which a failed fsync makes necessary; a full disk lets it stand.</summary>
    private void Settle()
    {
        try
        {
            Step("PRAGMA wal_checkpoint(TRUNCATE)");
        }
        catch (SqliteException e) when (IsFull(e))
        {
            // What is in the log can be read and sent from there, which is what makes room.
        }
    }

    private void Execute(string sql, SqliteTransaction? transaction = null)
    {
        using var command = Command(sql, transaction);
        command.ExecuteNonQuery();
    }

    /// <summary>These pragmas work only as far as their rows are read.</summary>
    private void Step(string sql)
    {
        using var command = Command(sql);
        using var reader = command.ExecuteReader();
        while (reader.Read())
        {
            // Nothing in the rows is of interest.
        }
    }

    /// <summary>A command that is used again and again.</summary>
    private SqliteCommand Prepare(string sql, params ReadOnlySpan<string> names)
    {
        var command = Command(sql);
        foreach (var name in names)
        {
            command.Parameters.Add(new SqliteParameter { ParameterName = name });
        }

        return command;
    }

    private static void Bind(SqliteCommand command, params ReadOnlySpan<object?> values)
    {
        for (var i = 0; i < values.Length; i++)
        {
            command.Parameters[i].Value = values[i] ?? DBNull.Value;
        }
    }

    private SqliteCommand Command(string sql, SqliteTransaction? transaction = null)
    {
        var command = _connection.CreateCommand();
        command.Transaction = transaction;
#pragma warning disable CA2100 // Every text passed here is a constant of this class.
        command.CommandText = sql;
#pragma warning restore CA2100
        return command;
    }
}
