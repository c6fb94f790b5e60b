using System.Globalization;
using Microsoft.Data.Sqlite;

namespace EdgeInspector.Ledger;

/// <summary>
/// The ledger's tables, and how one is opened. Schema changes count <see cref="Version"/> up and migrate.
/// </summary>
internal static class LedgerSchema
{
    /// <summary>PRAGMA user_version of a file this program writes.</summary>
    public const int Version = 3;

    /// <summary>SQLITE_CONSTRAINT: the row is at fault, not the disk.</summary>
    public const int Constraint = 19;

    private const int ReadOnly = 8;
    private const int DiskFull = 13;
    private const int Busy = 5;
    private const int Locked = 6;
    private const int InputOutput = 10;
    private const int Corrupt = 11;
    private const int CannotOpen = 14;
    private const int NotADatabase = 26;

    // Times are microseconds since 1970 UTC. Enum numbers are those of the code and are never reused. The view is for
    // people with a SQLite browser; the program reads the table. SQLite has no NaN: null stands for it.
    private const string FirstTables = """
        CREATE TABLE runs (
            id TEXT PRIMARY KEY NOT NULL,
            station TEXT NOT NULL,
            started INTEGER NOT NULL,
            ended INTEGER,
            model TEXT NOT NULL,
            recipe TEXT NOT NULL,
            version TEXT NOT NULL,
            gap_noticed INTEGER
        ) WITHOUT ROWID;
        CREATE TABLE parts (
            seq INTEGER PRIMARY KEY,
            id TEXT NOT NULL UNIQUE,
            number INTEGER NOT NULL,
            station TEXT NOT NULL,
            verdict INTEGER NOT NULL,
            reason INTEGER NOT NULL,
            disposition INTEGER NOT NULL,
            label TEXT,
            score REAL,
            views INTEGER NOT NULL,
            offset_mm REAL,
            across_mm REAL,
            length_mm REAL,
            lane INTEGER NOT NULL,
            entry_seen INTEGER NOT NULL,
            decision_ms REAL,
            decided INTEGER NOT NULL,
            fired_late_us REAL,
            confirmation INTEGER NOT NULL,
            recipe TEXT NOT NULL,
            model TEXT NOT NULL,
            simulated INTEGER NOT NULL
        );
        CREATE INDEX parts_by_time ON parts (decided);
        CREATE INDEX parts_by_verdict ON parts (verdict, decided);
        """;

    // New columns carry no value that would have to be written into old rows: a ledger of gigabytes is brought up to date in
    // milliseconds, and lanes of old parts follow from their lane. No index on challenge for the same reason; its parts are
    // found by time. heard is the last sign of life of a run, from which a gap is measured; removed counts its parts that
    // retention took.
    private const string Challenges = """
        ALTER TABLE parts ADD COLUMN lanes INTEGER;
        ALTER TABLE parts ADD COLUMN challenge TEXT;
        ALTER TABLE runs ADD COLUMN heard INTEGER;
        ALTER TABLE runs ADD COLUMN removed INTEGER NOT NULL DEFAULT 0;
        ALTER TABLE runs ADD COLUMN parts INTEGER;
        ALTER TABLE runs ADD COLUMN challenge_parts INTEGER;
        ALTER TABLE runs ADD COLUMN unaccounted INTEGER;
        ALTER TABLE runs ADD COLUMN entry_eyes INTEGER;
        ALTER TABLE runs ADD COLUMN entry_eye INTEGER;
        ALTER TABLE runs ADD COLUMN pulses INTEGER;
        ALTER TABLE runs ADD COLUMN confirmed INTEGER;
        ALTER TABLE runs ADD COLUMN unconfirmed INTEGER;
        ALTER TABLE runs ADD COLUMN unexpected INTEGER;
        CREATE TABLE challenges (
            id TEXT PRIMARY KEY NOT NULL,
            run TEXT NOT NULL,
            station TEXT NOT NULL,
            who TEXT NOT NULL,
            defect TEXT,
            started INTEGER NOT NULL,
            ended INTEGER,
            outcome INTEGER NOT NULL,
            fault TEXT,
            after_part INTEGER NOT NULL,
            last_part INTEGER,
            least_margin REAL,
            pieces TEXT NOT NULL
        ) WITHOUT ROWID;
        CREATE TABLE alarms (
            station TEXT NOT NULL,
            code INTEGER NOT NULL,
            raised INTEGER NOT NULL,
            name TEXT NOT NULL,
            severity INTEGER NOT NULL,
            state INTEGER NOT NULL,
            latched INTEGER NOT NULL,
            text TEXT NOT NULL,
            last_raised INTEGER NOT NULL,
            times INTEGER NOT NULL,
            cleared INTEGER,
            acknowledged INTEGER,
            who TEXT,
            PRIMARY KEY (station, code, raised)
        ) WITHOUT ROWID;
        CREATE TABLE removals (
            day INTEGER NOT NULL,
            why TEXT NOT NULL,
            parts INTEGER NOT NULL,
            first_decided INTEGER NOT NULL,
            last_decided INTEGER NOT NULL,
            removed INTEGER NOT NULL,
            PRIMARY KEY (day, why)
        ) WITHOUT ROWID;
        DROP VIEW IF EXISTS parts_readable;
        CREATE VIEW parts_readable AS SELECT
            id,
            strftime('%Y-%m-%dT%H:%M:%fZ', decided / 1e6, 'unixepoch') AS decided_at,
            CASE verdict WHEN 0 THEN 'pass' WHEN 1 THEN 'reject' WHEN 2 THEN 'not inspected' ELSE 'late' END AS verdict,
            label, score, offset_mm, decision_ms, fired_late_us IS NOT NULL AS fired,
            CASE confirmation WHEN 0 THEN '' WHEN 1 THEN 'pending' WHEN 2 THEN 'confirmed' ELSE 'missing' END AS confirmed,
            challenge, recipe, model
            FROM parts;
        """;

    // How far each station's parts have been passed on. Beside the parts, so that a power cut which takes the last parts, and with
    // them their sequences, takes the mark back as well.
    private const string Marks = """
        CREATE TABLE marks (
            name TEXT PRIMARY KEY NOT NULL,
            seq INTEGER NOT NULL
        ) WITHOUT ROWID;
        """;

    /// <summary>What brings a file from one version to the next, from an empty one on.</summary>
    private static readonly string[] Steps = [FirstTables, Challenges, Marks];

    /// <summary>
    /// Opens the file for writing, and makes or brings up to date its tables in one transaction.
    /// </summary>
    /// <remarks>
    /// WAL, so that readers never hold the writer up. synchronous=NORMAL does not force each commit onto the disk: a
    /// crash of the process loses nothing that was committed, a power cut loses what came after the last checkpoint,
    /// which the store makes every few seconds, and the file stays whole either way (sqlite.org/pragma.html).
    /// </remarks>
    /// <exception cref="SqliteException">Anything the disk or the file objects to.</exception>
    /// <exception cref="InvalidDataException">The file was written by a newer program.</exception>
    public static SqliteConnection OpenForWriting(string path)
    {
        var connection = new SqliteConnection(new SqliteConnectionStringBuilder
        {
            DataSource = path,
            Mode = SqliteOpenMode.ReadWriteCreate,

            // A pooled connection would outlive a deleted file and write into nowhere.
            Pooling = false,

            // Seconds that the driver repeats a command for while the file is locked; 0 would be for ever.
            DefaultTimeout = 1,
        }.ToString());
        try
        {
            connection.Open();
            Execute(connection, "PRAGMA busy_timeout = 1000");

            // Works on a new file only, hence before anything else touches it.
            Execute(connection, "PRAGMA auto_vacuum = INCREMENTAL");
            Execute(connection, "PRAGMA journal_mode = WAL");
            Execute(connection, "PRAGMA synchronous = NORMAL");

            // The store makes its own checkpoints; this one only bounds the log when those fail.
            Execute(connection, "PRAGMA wal_autocheckpoint = 4000");
            Execute(connection, "PRAGMA journal_size_limit = 4000000");
            var found = Scalar(connection, "PRAGMA user_version");
            if (found > Version)
            {
                throw new InvalidDataException($"has schema {found}, and this program knows {Version}");
            }

            using var transaction = connection.BeginTransaction();
            for (var version = found; version < Version; version++)
            {
                Execute(connection, Steps[version], transaction);
            }

            Execute(connection, $"PRAGMA user_version = {Version}", transaction);
            transaction.Commit();
            return connection;
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    /// <summary>Opens the file for reading, while it may be written.</summary>
    /// <exception cref="SqliteException">Anything the disk or the file objects to.</exception>
    /// <exception cref="InvalidDataException">The file is of another version.</exception>
    public static SqliteConnection OpenForReading(string path)
    {
        var connection = new SqliteConnection(new SqliteConnectionStringBuilder
        {
            DataSource = path,
            Mode = SqliteOpenMode.ReadOnly,
            Pooling = false,
            DefaultTimeout = 5,
        }.ToString());
        try
        {
            connection.Open();
            var found = Scalar(connection, "PRAGMA user_version");
            return found == Version
                ? connection
                : throw new InvalidDataException($"has schema {found}, and this program reads {Version}");
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    /// <summary>What is wrong, in words of the person who has to mend it, without the file's name.</summary>
    public static string Explain(SqliteException error) => error.SqliteErrorCode switch
    {
        DiskFull => "the disk is full",
        ReadOnly => "is read-only",
        Busy or Locked => "is locked by another program",
        InputOutput => "the disk reports an error",
        Corrupt => "is damaged",
        CannotOpen => "cannot be opened or created",
        NotADatabase => "is no ledger",
        _ => string.Create(CultureInfo.InvariantCulture, $"SQLite reports error {error.SqliteExtendedErrorCode}"),
    };

    public static void Execute(SqliteConnection connection, string sql, SqliteTransaction? transaction = null)
    {
        using var command = connection.CreateCommand();
        command.Transaction = transaction;
#pragma warning disable CA2100 // Every text passed here is a constant of this room.
        command.CommandText = sql;
#pragma warning restore CA2100
        command.ExecuteNonQuery();
    }

    public static long Scalar(SqliteConnection connection, string sql)
    {
        using var command = connection.CreateCommand();
#pragma warning disable CA2100 // Every text passed here is a constant of this room.
        command.CommandText = sql;
#pragma warning restore CA2100
        return Convert.ToInt64(command.ExecuteScalar(), CultureInfo.InvariantCulture);
    }

    /// <summary>Microseconds since 1970 UTC.</summary>
    public static long ToMicroseconds(DateTimeOffset time) => (time.UtcTicks - DateTimeOffset.UnixEpoch.Ticks) / 10;

    /// <inheritdoc cref="ToMicroseconds(DateTimeOffset)"/>
    public static long? ToMicroseconds(DateTimeOffset? time) => time is { } known ? ToMicroseconds(known) : null;

    public static DateTimeOffset FromMicroseconds(long time) => DateTimeOffset.UnixEpoch.AddTicks(time * 10);
}
