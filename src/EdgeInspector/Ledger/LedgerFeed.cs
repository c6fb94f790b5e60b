using EdgeInspector.Line;
using Microsoft.Data.Sqlite;

namespace EdgeInspector.Ledger;

/// <summary>
/// The ledger for whoever passes its parts on, see <see cref="IPartFeed"/>. Keeps a connection open, so that asking for news
/// costs microseconds.
/// </summary>
internal sealed class LedgerFeed(LedgerStore store) : IPartFeed, IDisposable
{
    /// <summary>Sequences that one call looks at, at most: other stations' parts are looked at too.</summary>
    private const int LongestLook = 8192;

    private readonly Lock _lock = new();
    private readonly Dictionary<string, long> _marks = new(StringComparer.Ordinal);
    private SqliteConnection? _connection;
    private SqliteCommand? _select;
    private SqliteCommand? _bounds;
    private int _generation;

    /// <inheritdoc/>
    public long Mark(string station) =>
        Do(connection =>
        {
            if (_marks.TryGetValue(station, out var mark))
            {
                return mark;
            }

            using var command = connection.CreateCommand();
            command.CommandText =
                "SELECT coalesce((SELECT seq FROM marks WHERE name = $name), (SELECT max(seq) FROM parts), 0)";
            command.Parameters.AddWithValue("$name", station);
            mark = Convert.ToInt64(command.ExecuteScalar(), System.Globalization.CultureInfo.InvariantCulture);
            _marks[station] = mark;
            // Also when it was read: a first one must be there before the first part is, whatever happens next.
            store.Mark(station, mark);
            return mark;
        });

    /// <inheritdoc/>
    public PartStretch Read(string station, long after, int limit) =>
        Do(connection =>
        {
            // The common case, some parts that follow directly on the last, takes one question.
            var parts = Parts(connection, station, after, after + LongestLook, limit);
            if (parts.Count > 0 && parts[0].Sequence == after + 1)
            {
                // Other stations' parts between ours: there may be more of ours beyond the look.
                var isDense = parts[^1].Sequence - after == parts.Count;
                return new PartStretch(parts, parts[^1].Sequence, 0, parts.Count == limit || !isDense);
            }

            var (first, last) = Bounds(connection);
            if (last < after)
            {
                // Another ledger, begun anew since.
                after = 0;
            }

            var removed = first > after + 1 ? first - after - 1 : 0;
            after += removed;
            var end = Math.Min(last, after + LongestLook);
            if (end <= after)
            {
                return new PartStretch([], after, removed, MayGoOn: false);
            }

            parts = Parts(connection, station, after, end, limit);
            var isFull = parts.Count == limit;
            return new PartStretch(parts, isFull ? parts[^1].Sequence : end, removed, isFull || end < last);
        });

    /// <inheritdoc/>
    public void Acknowledge(string station, long sequence)
    {
        lock (_lock)
        {
            if (_generation == store.Generation)
            {
                _marks[station] = sequence;
                store.Mark(station, sequence);
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        lock (_lock)
        {
            Close();
        }
    }

    private List<NumberedPart> Parts(SqliteConnection connection, string station, long after, long end, int limit)
    {
        if (_select is null)
        {
            _select = connection.CreateCommand();
#pragma warning disable CA2100 // Put together from constants; what comes from outside is bound.
            _select.CommandText =
                $"SELECT {LedgerReader.Columns}, seq FROM parts "
                + "WHERE seq > $after AND seq <= $end AND station = $station ORDER BY seq LIMIT $limit";
#pragma warning restore CA2100
            foreach (var name in (string[])["$after", "$end", "$station", "$limit"])
            {
                _select.Parameters.Add(new SqliteParameter { ParameterName = name });
            }
        }

        _select.Parameters[0].Value = after;
        _select.Parameters[1].Value = end;
        _select.Parameters[2].Value = station;
        _select.Parameters[3].Value = limit;
        var parts = new List<NumberedPart>();
        using var reader = _select.ExecuteReader();
        var place = reader.FieldCount - 1;
        while (reader.Read())
        {
            parts.Add(new NumberedPart(reader.GetInt64(place), LedgerReader.Part(reader)));
        }

        return parts;
    }

    private (long First, long Last) Bounds(SqliteConnection connection)
    {
        if (_bounds is null)
        {
            _bounds = connection.CreateCommand();
            _bounds.CommandText = "SELECT coalesce((SELECT min(seq) FROM parts), 0), coalesce((SELECT max(seq) FROM parts), 0)";
        }

        using var reader = _bounds.ExecuteReader();
        reader.Read();
        return (reader.GetInt64(0), reader.GetInt64(1));
    }

    private T Do<T>(Func<SqliteConnection, T> work)
    {
        lock (_lock)
        {
            try
            {
                if (_connection is null || _generation != store.Generation)
                {
                    Close();
                    if (_generation != store.Generation)
                    {
                        // A ledger that was deleted and begun anew counts from 1.
                        _generation = store.Generation;
                        foreach (var station in _marks.Keys.ToArray())
                        {
                            _marks[station] = 0;
                            store.Mark(station, 0);
                        }
                    }

                    _connection = LedgerSchema.OpenForReading(store.Path);
                }

                return work(_connection);
            }
            catch (SqliteException e)
            {
                Close();
                throw new IOException($"{store.Path}: {LedgerSchema.Explain(e)}", e);
            }
            catch (InvalidDataException e)
            {
                Close();
                throw new IOException($"{store.Path}: {e.Message}", e);
            }
        }
    }

    private void Close()
    {
        _select?.Dispose();
        _bounds?.Dispose();
        _connection?.Dispose();
        (_connection, _select, _bounds) = (null, null, null);
    }
}
