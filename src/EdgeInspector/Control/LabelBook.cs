using System.Globalization;
using Microsoft.Data.Sqlite;

namespace EdgeInspector.Control;

/// <summary>What a person says a part is.</summary>
/// <param name="Id">The command's id: a repeated one is a duplicate.</param>
/// <param name="Station">The station's name.</param>
/// <param name="ResultId">The part.</param>
/// <param name="Label">What it is.</param>
/// <param name="By">Who says so.</param>
/// <param name="At">When.</param>
/// <param name="Note">A remark.</param>
internal sealed record PartLabel(string Id, string Station, string ResultId, string Label, string By, DateTimeOffset At, string? Note);

/// <summary>
/// Keeps labels, in <c>labels.db</c> beside the ledger: they outlive the parts, since models are made from them. All are kept;
/// of one part the last one counts. Any thread.
/// </summary>
internal sealed class LabelBook(string dataFolder)
{
    /// <summary>The file, in the data folder.</summary>
    public const string FileName = "labels.db";

    private readonly string _connection = new SqliteConnectionStringBuilder
    {
        DataSource = Path.Combine(dataFolder, FileName),
        Pooling = false,
    }.ToString();

    /// <summary>Adds one; on the disk when it returns. A repeated id changes nothing.</summary>
    /// <exception cref="IOException">It could not be written; one line.</exception>
    public void Add(PartLabel label)
    {
        try
        {
            using var connection = Open();
            using var command = connection.CreateCommand();
            command.CommandText =
                "INSERT OR IGNORE INTO labels (id, station, part, label, by, at, note) "
                + "VALUES ($id, $station, $part, $label, $by, $at, $note)";
            command.Parameters.AddWithValue("$id", label.Id);
            command.Parameters.AddWithValue("$station", label.Station);
            command.Parameters.AddWithValue("$part", label.ResultId);
            command.Parameters.AddWithValue("$label", label.Label);
            command.Parameters.AddWithValue("$by", label.By);
            command.Parameters.AddWithValue("$at", label.At.UtcDateTime.ToString("O", CultureInfo.InvariantCulture));
            command.Parameters.AddWithValue("$note", label.Note ?? (object)DBNull.Value);
            command.ExecuteNonQuery();
        }
        catch (SqliteException e)
        {
            throw new IOException($"{FileName}: {e.Message}", e);
        }
    }

    /// <summary>All, in the order in which they were given.</summary>
    /// <exception cref="IOException">They cannot be read; one line.</exception>
    public IReadOnlyList<PartLabel> All()
    {
        try
        {
            using var connection = Open();
            using var command = connection.CreateCommand();
            command.CommandText = "SELECT id, station, part, label, by, at, note FROM labels ORDER BY seq";
            using var reader = command.ExecuteReader();
            var labels = new List<PartLabel>();
            while (reader.Read())
            {
                labels.Add(
                    new PartLabel(
                        reader.GetString(0),
                        reader.GetString(1),
                        reader.GetString(2),
                        reader.GetString(3),
                        reader.GetString(4),
                        DateTimeOffset.Parse(reader.GetString(5), CultureInfo.InvariantCulture, DateTimeStyles.RoundtripKind),
                        reader.IsDBNull(6) ? null : reader.GetString(6)
                    )
                );
            }

            return labels;
        }
        catch (SqliteException e)
        {
            throw new IOException($"{FileName}: {e.Message}", e);
        }
    }

    private SqliteConnection Open()
    {
        var connection = new SqliteConnection(_connection);
        try
        {
            connection.Open();
            using var command = connection.CreateCommand();
            command.CommandText =
                "PRAGMA synchronous = FULL; PRAGMA busy_timeout = 2000; "
                + "CREATE TABLE IF NOT EXISTS labels (seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, station TEXT NOT NULL, "
                + "part TEXT NOT NULL, label TEXT NOT NULL, by TEXT NOT NULL, at TEXT NOT NULL, note TEXT)";
            command.ExecuteNonQuery();
            return connection;
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }
}
