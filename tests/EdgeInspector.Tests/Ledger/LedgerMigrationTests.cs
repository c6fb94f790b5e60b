using EdgeInspector.Ledger;
using EdgeInspector.Line;
using EdgeInspector.Tests.Support;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace EdgeInspector.Tests.Ledger;

/// <summary>A ledger that version 0.1.0 wrote. The texts are that version's own, and stay as they are for ever.</summary>
public sealed class LedgerMigrationTests : IDisposable
{
    private const string VersionOne = """
        CREATE TABLE IF NOT EXISTS runs (
            id TEXT PRIMARY KEY NOT NULL,
            station TEXT NOT NULL,
            started INTEGER NOT NULL,
            ended INTEGER,
            model TEXT NOT NULL,
            recipe TEXT NOT NULL,
            version TEXT NOT NULL,
            gap_noticed INTEGER
        ) WITHOUT ROWID;
        CREATE TABLE IF NOT EXISTS parts (
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
        CREATE INDEX IF NOT EXISTS parts_by_time ON parts (decided);
        CREATE INDEX IF NOT EXISTS parts_by_verdict ON parts (verdict, decided);
        CREATE VIEW IF NOT EXISTS parts_readable AS SELECT
            id,
            strftime('%Y-%m-%dT%H:%M:%fZ', decided / 1e6, 'unixepoch') AS decided_at,
            CASE verdict WHEN 0 THEN 'pass' WHEN 1 THEN 'reject' WHEN 2 THEN 'not inspected' ELSE 'late' END AS verdict,
            label, score, offset_mm, decision_ms, fired_late_us IS NOT NULL AS fired,
            CASE confirmation WHEN 0 THEN '' WHEN 1 THEN 'pending' WHEN 2 THEN 'confirmed' ELSE 'missing' END AS confirmed,
            recipe, model
            FROM parts;
        """;

    private static readonly DateTimeOffset Start = new(2026, 11, 23, 14, 48, 0, TimeSpan.Zero);

    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task ALedgerOfAnOlderProgramKeepsItsParts()
    {
        MakeVersionOne();
        using (var store = Open())
        {
            store.Offer(Publishing.Some.Record(3) with { Lanes = 0b11, Challenge = "c" });
            await store.RunAsync(new CancellationToken(canceled: true));

            Assert.Equal("old/run", Assert.Single(store.UnfinishedRuns).Id);
            Assert.Equal(Start, store.Reader.LastSign(store.UnfinishedRuns[0]));
        }

        var reader = new LedgerReader(_folder["ledger.db"]);
        var parts = reader.Read(new LedgerQuery()).ToArray();
        Assert.Equal(["old/run/1", "old/run/2", "biscuit-1/20261123T144800Z/3"], parts.Select(part => part.Id));
        Assert.Equal([1, 0b100, 0b11], parts.Select(part => part.Lanes)); // Lanes of old parts follow from their lane.
        Assert.Equal([null, null, "c"], parts.Select(part => part.Challenge));
        Assert.Equal((Verdict.Reject, "hole", 0.9), (parts[1].Verdict, parts[1].Label, parts[1].Score));
        Assert.Null(reader.Runs()[0].Totals);
        Assert.Equal(0, reader.Runs()[0].Removed);
        Assert.Empty(reader.Challenges(new LedgerQuery()));
        using var connection = Sql("SELECT challenge FROM parts_readable");
    }

    [Fact]
    public void ItIsBroughtUpToDateOnce()
    {
        MakeVersionOne();
        Open().Dispose();
        Open().Dispose();

        using var connection = Sql("PRAGMA user_version");
        using var command = connection.CreateCommand();
        command.CommandText = "PRAGMA user_version";
        Assert.Equal(3L, command.ExecuteScalar());
    }

    [Fact]
    public void ItIsNotReadBeforeThat()
    {
        MakeVersionOne();

        Assert.Equal(
            $"{_folder["ledger.db"]}: has schema 1, and this program reads 3; "
                + "start the service once to bring an older ledger up to date, or update the program.",
            Assert.Throws<LedgerException>(() => new LedgerReader(_folder["ledger.db"]).Runs()).Message);
    }

    private LedgerStore Open()
    {
        var store = new LedgerStore(new LedgerOptions(), _folder.Path, new FakeTimeProvider(Start), NullLogger.Instance);
        store.Open();
        return store;
    }

    private void MakeVersionOne()
    {
        using var journal = Sql("PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = WAL");
        using var tables = Sql(VersionOne);
        using var version = Sql("PRAGMA user_version = 1");
        var decided = (Start.UtcTicks - DateTimeOffset.UnixEpoch.Ticks) / 10;
        using var rows = Sql(
            "INSERT INTO runs (id, station, started, model, recipe, version) "
            + $"VALUES ('old/run', 'old', {decided - 1_000_000}, 'm 1', 'r', '0.1.0');"
            + "INSERT INTO parts (id, number, station, verdict, reason, disposition, label, score, views, lane, entry_seen, "
            + "decided, confirmation, recipe, model, simulated) VALUES "
            + $"('old/run/1', 1, 'old', 0, 0, 0, 'good', 0.1, 3, 0, 1, {decided - 100_000}, 0, 'r', 'm 1', 1),"
            + $"('old/run/2', 2, 'old', 1, 1, 1, 'hole', 0.9, 3, 2, 1, {decided}, 2, 'r', 'm 1', 1)");
    }

    private SqliteConnection Sql(string sql)
    {
        var connection = new SqliteConnection($"Data Source={_folder["ledger.db"]};Pooling=False");
        connection.Open();
        using var command = connection.CreateCommand();
#pragma warning disable CA2100 // The tests' own texts.
        command.CommandText = sql;
#pragma warning restore CA2100
        command.ExecuteNonQuery();
        return connection;
    }
}
