using System.Diagnostics.CodeAnalysis;
using System.Threading.Channels;
using EdgeInspector.Line;
using EdgeInspector.Telemetry;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Logging;

namespace EdgeInspector.Ledger;

/// <summary>
/// The ledger on disk, <c>ledger.db</c> in the data folder. Any thread offers parts; one task writes them in batches.
/// Trouble with the disk after the start never reaches who offers: parts wait in memory, <see cref="State"/> says
/// what is wrong, and what does not fit is counted in <see cref="Lost"/>.
/// </summary>
/// <remarks>
/// What is safe when: a crash of the process costs at most one <see cref="LedgerOptions.BatchInterval"/> of parts, a
/// power cut at most one <see cref="LedgerOptions.SyncInterval"/>. Either way the run is left without an end, which
/// the next start reports.
/// </remarks>
internal sealed partial class LedgerStore : IDisposable
{
    private const int BatchRows = 200;

    /// <summary>Challenge tests and alarms that wait in memory: a storm of alarms on a disk in trouble.</summary>
    private const int EventQueueLength = 10_000;

    private static readonly TimeSpan FirstRetry = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongestRetry = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan RetentionInterval = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan TotalsInterval = TimeSpan.FromSeconds(1);

    /// <summary>How often a run on a line without parts shows that it lives: each time rewrites a flash block.</summary>
    private static readonly TimeSpan QuietInterval = TimeSpan.FromMinutes(1);
    /// <summary>How often marks are written when no parts are: a crash repeats what was passed on since.</summary>
    private static readonly TimeSpan MarkInterval = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan DrainTime = TimeSpan.FromSeconds(5);

    private readonly LedgerOptions _options;
    private readonly string _folder;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly Channel<PartRecord> _queue;
    private readonly Channel<object> _eventQueue;

    // Guards the file and the lists below; held during disk work, so never taken by Offer.
    private readonly Lock _disk = new();
    private readonly List<PartRecord> _batch = new(BatchRows);
    private readonly Dictionary<string, LedgerRun> _runs = [];
    private readonly HashSet<string> _unwrittenRuns = [];
    private readonly List<object> _events = [];
    private readonly Dictionary<string, Func<RunTotals>> _followed = [];
    private readonly Dictionary<string, RunTotals> _unwrittenTotals = [];
    private readonly Dictionary<string, RunTotals> _writtenTotals = [];
    private readonly Lock _marksLock = new();
    private readonly Dictionary<string, long> _unwrittenMarks = new(StringComparer.Ordinal);
    private FileStream? _ownership;
    private LedgerWriter? _writer;
    private TimeSpan _retryWait = FirstRetry;
    private Instant _retryAt;
    private Instant _syncDue;
    private Instant _retentionDue;
    private Instant _totalsDue;
    private Instant _quietDue;
    private Instant _marksDue;
    private volatile int _generation;
    private DateOnly _forgotten;
    private bool _dirty;
    private volatile string _state = "not open";
    private long _lost;
    private long _written;

    /// <param name="options">Retention, queue and intervals.</param>
    /// <param name="dataFolder">Made when it is missing.</param>
    /// <param name="time">Labels, intervals and retries.</param>
    /// <param name="logger">State changes only.</param>
    public LedgerStore(LedgerOptions options, string dataFolder, TimeProvider time, ILogger logger)
    {
        _options = options;
        _folder = System.IO.Path.GetFullPath(dataFolder);
        _time = time;
        _logger = logger;
        Path = System.IO.Path.Combine(_folder, "ledger.db");
        Reader = new LedgerReader(Path);
        _queue = Channel.CreateBounded<PartRecord>(new BoundedChannelOptions(options.QueueLength)
        {
            // In this mode TryWrite says when it is full; the dropping modes answer true.
            FullMode = BoundedChannelFullMode.Wait,
            SingleReader = true,
        });
        _eventQueue = Channel.CreateBounded<object>(new BoundedChannelOptions(EventQueueLength)
        {
            FullMode = BoundedChannelFullMode.Wait,
            SingleReader = true,
        });
    }

    /// <summary>The file.</summary>
    public string Path { get; }

    /// <summary>Reads the file; may be used at any time.</summary>
    public LedgerReader Reader { get; }

    /// <summary>
    /// Earlier runs that never ended, found by <see cref="Open"/>: crashes, whose last parts may be missing.
    /// </summary>
    public IReadOnlyList<LedgerRun> UnfinishedRuns { get; private set; } = [];

    /// <summary>"ok", or what is wrong, in one line.</summary>
    public string State => _state;

    /// <summary>Parts, challenge tests and alarms that could not be kept.</summary>
    public long Lost => Interlocked.Read(ref _lost);

    /// <summary>Sign of life of the writing: rests while nothing waits, and beats with each batch that the disk has taken.</summary>
    public Liveness Alive { get; } = new();

    /// <summary>Parts written since the start.</summary>
    public long Written => Interlocked.Read(ref _written);

    /// <summary>Parts that wait to be written.</summary>
    public int Waiting => _queue.Reader.Count;

    /// <summary>Counts up when the file was deleted and a new one begun, whose sequences start again.</summary>
    public int Generation => _generation;

    /// <summary>Called, on the writing task, when parts have been written; must not wait.</summary>
    public Action? Wrote { get; set; }

    /// <summary>
    /// Notes how far someone has passed parts on; written with the next parts, at the latest a second later. Any thread.
    /// </summary>
    public void Mark(string name, long sequence)
    {
        lock (_marksLock)
        {
            _unwrittenMarks[name] = sequence;
        }
    }

    /// <summary>Opens or makes the file, once, before anything else.</summary>
    /// <exception cref="LedgerException">The folder or the file cannot be written, or another program has
    /// it.</exception>
    public void Open()
    {
        try
        {
            Directory.CreateDirectory(_folder);
            _ownership = TakeOwnership();
            lock (_disk)
            {
                _writer = new LedgerWriter(Path);
                UnfinishedRuns = _writer.TakeUnfinishedRuns(_time.GetUtcNow());
                var now = _time.GetInstant();
                (_syncDue, _retentionDue) = (now + _options.SyncInterval, now);
            }
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new LedgerException(
                _folder,
                $"is no folder this user can write ({error.Message.TrimEnd('.')})",
                "correct DataFolder or its owner");
        }
        catch (SqliteException error)
        {
            throw new LedgerException(
                Path, LedgerSchema.Explain(error), "free the disk, correct the permissions or move the file away");
        }
        catch (InvalidDataException error)
        {
            throw new LedgerException(Path, error.Message, "update the program or move the file away");
        }

        _state = "ok";
        Alive.Rest();
        foreach (var run in UnfinishedRuns)
        {
            LogGap(run.Id, run.Started);
        }
    }

    /// <summary>Notes that a station's run begins.</summary>
    /// <exception cref="LedgerException">It could not be written.</exception>
    public void BeginRun(LedgerRun run)
    {
        lock (_disk)
        {
            _runs[run.Id] = run;
            _unwrittenRuns.Add(run.Id);
            try
            {
                OpenWriter().Write(new LedgerBatch { Runs = [run] });
                _unwrittenRuns.Remove(run.Id);
            }
            catch (SqliteException error)
            {
                throw new LedgerException(Path, LedgerSchema.Explain(error), "free the disk or correct the permissions");
            }
        }
    }

    /// <summary>
    /// Keeps what a run counts: asked once a second until <see cref="EndRun"/>, which asks a last time.
    /// </summary>
    /// <param name="runId">A run that has begun.</param>
    /// <param name="totals">Called on the writing task; must not wait for it.</param>
    public void Follow(string runId, Func<RunTotals> totals)
    {
        lock (_disk)
        {
            _followed[runId] = totals;
        }
    }

    /// <summary>
    /// Notes that a run has ended as it should; written with its last parts, at the latest when the task stops.
    /// </summary>
    public void EndRun(string runId)
    {
        lock (_disk)
        {
            if (_runs.TryGetValue(runId, out var run))
            {
                _runs[runId] = run with { Ended = _time.GetUtcNow() };
                _unwrittenRuns.Add(runId);
            }

            if (_followed.Remove(runId, out var totals))
            {
                _unwrittenTotals[runId] = totals();
            }
        }
    }

    /// <summary>Hands a challenge test over; never blocks. A later record of the same test replaces it.</summary>
    public void Offer(ChallengeRecord challenge) => OfferEvent(challenge);

    /// <summary>Hands an alarm over; never blocks. A later word on the same alarm replaces it.</summary>
    public void Offer(string station, AlarmRecord alarm) => OfferEvent(new LedgerAlarm(station, alarm));

    /// <summary>Hands a part over; never blocks. A part with the id of an earlier one replaces it.</summary>
    public void Offer(PartRecord part)
    {
        if (!_queue.Writer.TryWrite(part))
        {
            Interlocked.Increment(ref _lost);
        }

        Alive.Owe(_time.GetInstant());
    }

    /// <summary>
    /// Writes what is offered until cancelled, then what is left, for at most some seconds. Fails only on what is
    /// unforeseen, never for the disk.
    /// </summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        using (var timer = new PeriodicTimer(_options.BatchInterval, _time))
        {
            try
            {
                while (await timer.WaitForNextTickAsync(cancellationToken).ConfigureAwait(false))
                {
                    lock (_disk)
                    {
                        if (_time.GetInstant() >= _retryAt)
                        {
                            WriteAll();
                        }
                    }
                }
            }
            catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
            {
                // Stopping: what is left is written below.
            }
        }

        await DrainAsync().ConfigureAwait(false);
    }

    /// <summary>Closes the file; parts still waiting are lost.</summary>
    public void Dispose()
    {
        lock (_disk)
        {
            try
            {
                // What was passed on while the last parts were written.
                if (_writer is { } writer && TakeMarks() is { Count: > 0 } marks)
                {
                    writer.Write(new LedgerBatch { Marks = marks });
                }
            }
            catch (SqliteException)
            {
                // Then they are passed on twice, under the same ids.
            }

            CloseWriter();
            _ownership?.Dispose();
            _ownership = null;
        }
    }

    private void OfferEvent(object happened)
    {
        if (!_eventQueue.Writer.TryWrite(happened))
        {
            Interlocked.Increment(ref _lost);
        }
    }

    private async Task DrainAsync()
    {
        _queue.Writer.TryComplete();
        _eventQueue.Writer.TryComplete();
        var giveUpAt = _time.GetInstant() + DrainTime;
        while (true)
        {
            lock (_disk)
            {
                if (WriteAll() || _time.GetInstant() >= giveUpAt)
                {
                    break;
                }
            }

            await Task.Delay(TimeSpan.FromMilliseconds(200), _time, CancellationToken.None).ConfigureAwait(false);
        }

        lock (_disk)
        {
            var left = _batch.Count + _events.Count + _queue.Reader.Count + _eventQueue.Reader.Count;
            _batch.Clear();
            _events.Clear();
            while (_queue.Reader.TryRead(out _) || _eventQueue.Reader.TryRead(out _))
            {
                // Counted above.
            }

            if (left > 0)
            {
                Interlocked.Add(ref _lost, left);
                LogLost(left, _state);
            }
        }
    }

    /// <summary>One step of the writer, under the lock; false when the disk did not take everything.</summary>
    private bool WriteAll()
    {
        try
        {
            var writer = OpenWriter();
            do
            {
                while (_batch.Count < BatchRows && _queue.Reader.TryRead(out var part))
                {
                    _batch.Add(part);
                }

                while (_events.Count < BatchRows && _eventQueue.Reader.TryRead(out var happened))
                {
                    _events.Add(happened);
                }

                TakeTotals();
                if (_batch.Count > 0 || _events.Count > 0 || _unwrittenRuns.Count > 0 || _unwrittenTotals.Count > 0 || MarksAreDue())
                {
                    WriteBatch(writer);
                }
            }
            while (_queue.Reader.Count > 0 || _eventQueue.Reader.Count > 0);

            Maintain(writer);
            if (_state != "ok")
            {
                LogWellAgain(Path);
                _state = "ok";
            }

            _retryWait = FirstRetry;
            Alive.Rest();
            if (_queue.Reader.Count > 0)
            {
                Alive.Owe(_time.GetInstant());
            }

            return true;
        }
        catch (Exception error) when (error is SqliteException or IOException or InvalidDataException)
        {
            Alive.Owe(_time.GetInstant());
            Trouble(error is SqliteException sqlite ? LedgerSchema.Explain(sqlite) : error.Message);
            return false;
        }
    }

    private void TakeTotals()
    {
        var now = _time.GetInstant();
        if (now < _totalsDue)
        {
            return;
        }

        _totalsDue = now + TotalsInterval;
        var quiet = now >= _quietDue;
        if (quiet)
        {
            _quietDue = now + QuietInterval;
        }

        foreach (var (run, totals) in _followed)
        {
            var counted = totals();
            if (quiet || counted != _writtenTotals.GetValueOrDefault(run))
            {
                _unwrittenTotals[run] = counted;
            }
        }
    }

    /// <summary>
    /// The open file. One that was deleted takes writes without complaint, hence the look at its name.
    /// </summary>
    private LedgerWriter OpenWriter()
    {
        if (_writer is not null && !File.Exists(Path))
        {
            CloseWriter();
            lock (_marksLock)
            {
                _unwrittenMarks.Clear();
                _generation++;
            }

            LogVanished(Path);
        }

        if (_writer is null)
        {
            Directory.CreateDirectory(_folder);
            _writer = new LedgerWriter(Path);
            _unwrittenRuns.UnionWith(_runs.Keys);
        }

        return _writer;
    }

    private void WriteBatch(LedgerWriter writer)
    {
        // The end of a run goes with, or after, its last part.
        var nothingWaits = _queue.Reader.Count == 0;
        var runs = _unwrittenRuns.Select(id => _runs[id]).Where(run => run.Ended is null || nothingWaits).ToArray();
        var marks = TakeMarks();
        var others = new LedgerBatch { Runs = runs, Totals = _unwrittenTotals, Heard = _time.GetUtcNow(), Marks = marks };
        try
        {
            writer.Write(others with { Parts = _batch, Events = _events });
        }
        catch (Exception error) when (IsRowsFault(error))
        {
            WriteOneByOne(writer, _batch, part => new LedgerBatch { Parts = [part] }, part => part.Id);
            WriteOneByOne(writer, _events, happened => new LedgerBatch { Events = [happened] }, Named);
            writer.Write(others);
        }

        Interlocked.Add(ref _written, _batch.Count);
        ForgetMarks(marks);
        var hadParts = _batch.Count > 0;
        _batch.Clear();
        _events.Clear();
        _unwrittenRuns.ExceptWith(runs.Select(run => run.Id));
        foreach (var (run, totals) in _unwrittenTotals)
        {
            _writtenTotals[run] = totals;
        }

        _unwrittenTotals.Clear();
        foreach (var run in runs.Where(run => run.Ended is not null))
        {
            _runs.Remove(run.Id);
            _writtenTotals.Remove(run.Id);
        }

        _dirty = true;
        if (hadParts)
        {
            Wrote?.Invoke();
        }
    }

    private bool MarksAreDue()
    {
        lock (_marksLock)
        {
            return _unwrittenMarks.Count > 0 && _time.GetInstant() >= _marksDue;
        }
    }

    private Dictionary<string, long> TakeMarks()
    {
        lock (_marksLock)
        {
            _marksDue = _time.GetInstant() + MarkInterval;
            return new Dictionary<string, long>(_unwrittenMarks);
        }
    }

    private void ForgetMarks(Dictionary<string, long> written)
    {
        lock (_marksLock)
        {
            foreach (var (name, sequence) in written)
            {
                if (_unwrittenMarks.TryGetValue(name, out var now) && now == sequence)
                {
                    _unwrittenMarks.Remove(name);
                }
            }
        }
    }

    private static string Named(object happened) =>
        happened is ChallengeRecord challenge
            ? $"challenge test {challenge.Id}"
            : $"alarm {((LedgerAlarm)happened).Alarm.Name}";

    /// <summary>One row that its table refuses must not hold up the others for ever.</summary>
    private void WriteOneByOne<T>(LedgerWriter writer, List<T> rows, Func<T, LedgerBatch> alone, Func<T, string> name)
    {
        for (var i = rows.Count - 1; i >= 0; i--)
        {
            try
            {
                writer.Write(alone(rows[i]));
            }
            catch (Exception error) when (IsRowsFault(error))
            {
                Interlocked.Increment(ref _lost);
                LogRefused(name(rows[i]), error.Message);
                rows.RemoveAt(i);
            }
        }
    }

    private static bool IsRowsFault(Exception error) =>
        error is SqliteException { SqliteErrorCode: LedgerSchema.Constraint } or InvalidOperationException;

    private void Maintain(LedgerWriter writer)
    {
        var now = _time.GetInstant();
        if (_dirty && now >= _syncDue)
        {
            writer.Sync();
            _dirty = false;
            _syncDue = now + _options.SyncInterval;
        }

        if (now >= _retentionDue)
        {
            var wall = _time.GetUtcNow();
            var more = writer.Retain(wall - _options.Retention, _options.MaximumMegabytes * 1_000_000L, wall);
            _retentionDue = more ? now : now + RetentionInterval;
            if (_forgotten != DateOnly.FromDateTime(wall.UtcDateTime))
            {
                writer.Forget(wall - _options.HistoryRetention);
                _forgotten = DateOnly.FromDateTime(wall.UtcDateTime);
            }
        }
    }

    private void Trouble(string what)
    {
        // A connection that failed may be left in the middle of something; a fresh one starts clean.
        CloseWriter();
        if (_state != what)
        {
            _state = what;
            LogTrouble(Path, what);
        }

        _retryAt = _time.GetInstant() + _retryWait;
        _retryWait = _retryWait + _retryWait < LongestRetry ? _retryWait + _retryWait : LongestRetry;
    }

    private void CloseWriter()
    {
        try
        {
            _writer?.Dispose();
        }
        catch (SqliteException)
        {
            // Closing writes too, and the disk has already been found in trouble.
        }

        _writer = null;
    }

    /// <summary>Two programs with one ledger would take each other's runs for crashed.</summary>
    [SuppressMessage("Reliability", "CA2000", Justification = "Kept for the life of the store.")]
    private FileStream TakeOwnership()
    {
        var path = System.IO.Path.Combine(_folder, "ledger.lock");
        try
        {
            return new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException error) when (error.HResult == TryAgain)
        {
            throw new LedgerException(_folder, "is in use by another edge-inspector", "stop it or set another DataFolder");
        }
    }

    /// <summary>EAGAIN, which is how .NET reports a file that another program has locked.</summary>
    private const int TryAgain = 11;

    [LoggerMessage(Level = LogLevel.Warning, Message = "Ledger {Path}: {What}; parts wait in memory")]
    private partial void LogTrouble(string path, string what);

    [LoggerMessage(Level = LogLevel.Information, Message = "Ledger {Path}: written again")]
    private partial void LogWellAgain(string path);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Ledger {Path}: was deleted; a new one is begun")]
    private partial void LogVanished(string path);

    [LoggerMessage(
        Level = LogLevel.Warning, Message = "Run {Run} of {Started:O} never ended: its last parts may be missing")]
    private partial void LogGap(string run, DateTimeOffset started);

    [LoggerMessage(Level = LogLevel.Error, Message = "{Row} cannot be written: {What}")]
    private partial void LogRefused(string row, string what);

    [LoggerMessage(Level = LogLevel.Error, Message = "{Count} records are lost from the ledger: {What}")]
    private partial void LogLost(int count, string what);
}
