using System.Collections.Concurrent;
using System.Globalization;
using System.Threading.Channels;
using EdgeInspector.Line;
using EdgeInspector.Telemetry;
using Microsoft.Data.Sqlite;

namespace EdgeInspector.Publishing;

/// <summary>What waits in the outbox and what it gave up.</summary>
/// <param name="Records">Records that wait.</param>
/// <param name="RecordBytes">Their payloads.</param>
/// <param name="Pictures">Pictures that wait.</param>
/// <param name="PictureBytes">Their payloads.</param>
/// <param name="Shed">Records and pictures given up since the start.</param>
internal sealed record OutboxFigures(long Records, long RecordBytes, long Pictures, long PictureBytes, long Shed);

/// <summary>
/// What waits for the broker besides inspection events, in <c>outbox.db</c> in the data folder: records, then pictures. Any
/// thread hands messages over and never waits for the disk; one task writes them in batches; connections read them in order
/// and acknowledge what the broker has. Nothing is removed for any other reason than that, or the bounds in
/// <see cref="OutboxOptions"/>.
/// </summary>
/// <remarks>
/// <para>Shed, in this order: pictures that wait in memory while the disk does not keep up; pictures that are too old; the
/// oldest pictures beyond their megabytes; all pictures when the disk's reserve is touched; records that are too old; the
/// oldest records beyond theirs; the newest records when the queue in memory is full. Each is counted and told as
/// <see cref="Contract.Gap"/>.</para>
/// <para>A damaged file is set aside under another name and a new one is begun: a gap and an alarm, never a crash.</para>
/// </remarks>
internal sealed class Outbox : IDisposable
{
    /// <summary>Messages in one transaction; pictures count by their size too.</summary>
    private const int BatchRows = 256;

    /// <summary>A batch is written when it has so many bytes: bounds the log and what a failed batch holds in memory.</summary>
    private const long BatchBytes = 4 * 1024 * 1024;

    private static readonly TimeSpan FirstRetry = TimeSpan.FromSeconds(1);

    /// <summary>Space that has come back is noticed within this.</summary>
    private static readonly TimeSpan LongestRetry = TimeSpan.FromSeconds(10);

    private static readonly TimeSpan SweepInterval = TimeSpan.FromSeconds(10);

    /// <summary>How often the same kind of loss is told while it goes on.</summary>
    private static readonly TimeSpan GapInterval = TimeSpan.FromHours(1);

    /// <summary>Acknowledged messages are removed at the latest after this; a crash repeats them.</summary>
    private static readonly TimeSpan RemovalInterval = TimeSpan.FromMilliseconds(500);

    /// <summary>A wall clock that moved so much against the monotonic one was set.</summary>
    private static readonly TimeSpan ClockWasSet = TimeSpan.FromMinutes(5);

    private static readonly TimeSpan DrainTime = TimeSpan.FromSeconds(5);

    private readonly OutboxOptions _options;
    private readonly string _folder;
    private readonly TimeProvider _time;
    private readonly ILogger _log;
    private readonly Func<string, long> _freeSpace;
    private readonly Channel<Entry> _records;
    private readonly Channel<Entry> _pictures;
    private readonly ConcurrentDictionary<string, byte> _stations = new(StringComparer.Ordinal);

    /// <summary>One token at most: something is to be written.</summary>
    private readonly Channel<bool> _wake = Channel.CreateBounded<bool>(
        new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite, SingleReader = true }
    );

    // Guards what follows; held during disk work, so never taken by Offer.
    private readonly Lock _disk = new();
    private readonly List<Entry> _batch = [];
    private readonly Dictionary<Keeping, (long Count, long Bytes)> _kept = new()
    {
        [Keeping.Record] = default,
        [Keeping.Picture] = default,
    };
    private readonly Dictionary<(GapKind Kind, string Why), (long? Count, Instant? ToldAt)> _gaps = [];
    private OutboxFile? _file;
    private bool _isPictureSpaceGone;
    private Instant _sweepDue;
    private (Instant Monotonic, DateTimeOffset Wall)? _clocks;

    private readonly Lock _acknowledgedLock = new();
    private readonly HashSet<long> _acknowledged = [];

    private volatile string _state = "starting";
    private volatile OutboxFigures _figures = new(0, 0, 0, 0, 0);
    private long _shed;
    private long _recordsInMemoryLost;
    private long _picturesInMemoryLost;

    /// <param name="options">Bounds.</param>
    /// <param name="dataFolder">Made when it is missing.</param>
    /// <param name="time">Ages, intervals and retries.</param>
    /// <param name="log">State changes only.</param>
    /// <param name="freeSpace">Free bytes of the disk that a folder is on; null asks the system.</param>
    public Outbox(
        OutboxOptions options,
        string dataFolder,
        TimeProvider time,
        ILogger<Outbox> log,
        Func<string, long>? freeSpace = null
    )
    {
        _options = options;
        _folder = System.IO.Path.GetFullPath(dataFolder);
        _time = time;
        _log = log;
        _freeSpace = freeSpace ?? (folder => new DriveInfo(folder).AvailableFreeSpace);
        Path = System.IO.Path.Combine(_folder, "outbox.db");
        _records = Channel.CreateBounded<Entry>(
            // In this mode TryWrite says when it is full; the dropping modes answer true.
            new BoundedChannelOptions(options.RecordQueue) { FullMode = BoundedChannelFullMode.Wait, SingleReader = true }
        );
        _pictures = Channel.CreateBounded<Entry>(
            new BoundedChannelOptions(options.PictureQueue) { FullMode = BoundedChannelFullMode.DropOldest, SingleReader = true },
            _ => Interlocked.Increment(ref _picturesInMemoryLost)
        );
    }

    /// <summary>The file.</summary>
    public string Path { get; }

    /// <summary>"ok", "starting", or what is wrong with the disk in one line.</summary>
    public string State => _state;

    /// <summary>Records and pictures given up since the start.</summary>
    public long GivenUp => Interlocked.Read(ref _shed);

    /// <summary>Called, on the writing task, when something new can be read; must not wait.</summary>
    public Action? Wrote { get; set; }

    /// <summary>Called, on the writing task, when a file and what waited in it was lost, with one line about it; must not wait.</summary>
    public Action<string>? Damaged { get; set; }

    /// <summary>What waits and what was given up.</summary>
    public OutboxFigures Figures => _figures;

    /// <summary>A station whose readers are to be told of gaps.</summary>
    public void Follow(string station) => _stations.TryAdd(station, 0);

    /// <summary>
    /// Hands a record or a picture over; never blocks. False when it was not taken: the queue in memory is full, since the disk
    /// is in trouble. A message whose id waits already is taken and not repeated.
    /// </summary>
    /// <exception cref="ArgumentException">The message has no id, or its kind does not wait here.</exception>
    public bool Offer(OutgoingMessage message) => Enqueue(new Entry(Checked(message), null));

    /// <summary>Hands a record over; done when it is on the disk to stay, power cut or not.</summary>
    /// <exception cref="ArgumentException">The message has no id, or its kind does not wait here.</exception>
    /// <exception cref="IOException">It could not be kept: full, or stopping; one line.</exception>
    public async Task AppendAsync(OutgoingMessage message, CancellationToken cancellationToken)
    {
        var kept = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        if (!Enqueue(new Entry(Checked(message), kept)))
        {
            throw new IOException($"{Path}: {_state}; try again");
        }

        await kept.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>
    /// One station's messages of a class, in order, after a sequence; without those acknowledged. Stops at a number or a size,
    /// whichever comes first, but returns one message at least.
    /// </summary>
    /// <exception cref="IOException">The file cannot be read now; one line.</exception>
    public IReadOnlyList<StoredMessage> Read(string station, Keeping kept, long after, int limit, long bytes)
    {
        lock (_disk)
        {
            if (_file is null)
            {
                return _state is "ok" or "starting" ? [] : throw new IOException($"{Path}: {_state}");
            }

            try
            {
                while (true)
                {
                    var found = _file.Read(station, kept, after, limit, bytes);
                    lock (_acknowledgedLock)
                    {
                        var left = found.Where(message => !_acknowledged.Contains(message.Sequence)).ToList();
                        if (left.Count > 0 || found.Count == 0)
                        {
                            return left;
                        }
                    }

                    after = found[^1].Sequence;
                }
            }
            catch (Exception e) when (IsDiskTrouble(e))
            {
                Trouble(e);
                throw new IOException($"{Path}: {_state}", e);
            }
        }
    }

    /// <summary>The broker has it, or will never take it: it is removed soon and not read again.</summary>
    public void Acknowledge(long sequence)
    {
        lock (_acknowledgedLock)
        {
            _acknowledged.Add(sequence);
        }

        _wake.Writer.TryWrite(true);
    }

    /// <summary>Notes that something will never be sent; told to readers soon.</summary>
    /// <param name="kind">What.</param>
    /// <param name="count">How many; null when nobody can know.</param>
    /// <param name="why">Why, one line from a small fixed set.</param>
    public void NoteGap(GapKind kind, long? count, string why)
    {
        lock (_disk)
        {
            Note(kind, count, why);
        }

        _wake.Writer.TryWrite(true);
    }

    /// <summary>
    /// Opens the file, writes what is handed over until cancelled, then what is left, for at most some seconds. Fails only on
    /// what is unforeseen, never for the disk.
    /// </summary>
    public async Task RunAsync(CancellationToken stopping)
    {
        await Task.Yield();
        var wait = FirstRetry;
        while (!stopping.IsCancellationRequested)
        {
            bool isWell;
            lock (_disk)
            {
                isWell = Work();
            }

            if (isWell)
            {
                wait = FirstRetry;
                await WaitAsync(SweepInterval, orWoken: true, stopping).ConfigureAwait(false);
                if (_records.Reader.Count == 0 && _pictures.Reader.Count == 0)
                {
                    // Only something to remove: others will follow, and one transaction does for all.
                    await WaitAsync(RemovalInterval, orWoken: false, stopping).ConfigureAwait(false);
                }
            }
            else
            {
                await WaitAsync(wait, orWoken: false, stopping).ConfigureAwait(false);
                wait = wait + wait < LongestRetry ? wait + wait : LongestRetry;
            }
        }

        await DrainAsync().ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        lock (_disk)
        {
            Close();
        }
    }

    private static OutgoingMessage Checked(OutgoingMessage message) =>
        message.Id is null ? throw new ArgumentException("A message that waits needs an id.", nameof(message))
        : message.Kind.Keeping is Keeping.Record or Keeping.Picture ? message
        : throw new ArgumentException($"'{message.Kind.Name}' does not wait in the outbox.", nameof(message));

    private bool Enqueue(Entry entry)
    {
        var isPicture = entry.Message.Kind.Keeping == Keeping.Picture;
        if (!(isPicture ? _pictures : _records).Writer.TryWrite(entry))
        {
            Interlocked.Increment(ref isPicture ? ref _picturesInMemoryLost : ref _recordsInMemoryLost);
            return false;
        }

        _wake.Writer.TryWrite(true);
        return true;
    }

    private async Task WaitAsync(TimeSpan atMost, bool orWoken, CancellationToken stopping)
    {
        using var over = CancellationTokenSource.CreateLinkedTokenSource(stopping);
        var delay = Task.Delay(atMost, _time, over.Token);
        await Task.WhenAny(orWoken ? [delay, _wake.Reader.ReadAsync(over.Token).AsTask()] : [delay]).ConfigureAwait(false);
        await over.CancelAsync().ConfigureAwait(false);
    }

    private async Task DrainAsync()
    {
        _records.Writer.TryComplete();
        _pictures.Writer.TryComplete();
        lock (_disk)
        {
            // What was given up since the last word on it is told now or never.
            foreach (var (gap, (count, _)) in _gaps.ToArray())
            {
                _gaps[gap] = (count, null);
            }
        }

        var giveUpAt = _time.GetInstant() + DrainTime;
        while (true)
        {
            lock (_disk)
            {
                if (Work() || _time.GetInstant() >= giveUpAt)
                {
                    Reject(_batch);
                    while (_records.Reader.TryRead(out var entry) || _pictures.Reader.TryRead(out entry))
                    {
                        Reject([entry]);
                    }

                    Close();
                    _state = "stopped";
                    return;
                }
            }

            await Task.Delay(TimeSpan.FromMilliseconds(200), _time, CancellationToken.None).ConfigureAwait(false);
        }

        void Reject(List<Entry> entries)
        {
            Interlocked.Add(ref _shed, entries.Count);
            entries.ForEach(entry => entry.Kept?.TrySetException(new IOException($"{Path}: {_state}; the service is stopping")));
            entries.Clear();
        }
    }

    /// <summary>One step of the writer, under the lock; false when the disk did not take everything.</summary>
    private bool Work()
    {
        try
        {
            var file = OpenFile();
            do
            {
                Sweep(file);
                TakeBatch();
                WriteBatch(file);
            }
            while (_records.Reader.Count > 0 || _pictures.Reader.Count > 0);

            ShowFigures();
            if (_state != "ok")
            {
                Log.OutboxWell(_log, Path, _kept[Keeping.Record].Count, _kept[Keeping.Picture].Count);
                _state = "ok";
            }

            return true;
        }
        catch (Exception e) when (IsDiskTrouble(e))
        {
            Trouble(e);
            return false;
        }
    }

    /// <summary>The open file. One that was deleted takes writes without complaint, hence the look at its name.</summary>
    private OutboxFile OpenFile()
    {
        if (_file is not null && !File.Exists(Path))
        {
            Close();
            foreach (var suffix in (string[])["-wal", "-shm"])
            {
                File.Delete(Path + suffix);
            }

            Lost("its file was deleted");
        }

        if (_file is null)
        {
            Directory.CreateDirectory(_folder);
            var wasThere = File.Exists(Path);
            var file = new OutboxFile(Path);
            try
            {
                if (wasThere && !file.IsSound())
                {
                    throw new SqliteException("damaged", 11);
                }

                foreach (var kept in (Keeping[])[Keeping.Record, Keeping.Picture])
                {
                    _kept[kept] = file.Totals(kept);
                }
            }
            catch
            {
                file.Dispose();
                throw;
            }

            _file = file;
            _sweepDue = _time.GetInstant();
        }

        return _file;
    }

    private void TakeBatch()
    {
        if (Interlocked.Exchange(ref _recordsInMemoryLost, 0) is > 0 and var records)
        {
            Note(GapKind.Records, records, "the disk did not take them and memory was full");
        }

        if (Interlocked.Exchange(ref _picturesInMemoryLost, 0) is > 0 and var pictures)
        {
            Note(GapKind.Pictures, pictures, "the disk did not keep up");
        }

        var bytes = _batch.Sum(entry => (long)entry.Message.Payload.Length);
        while (_batch.Count < BatchRows && bytes < BatchBytes && _records.Reader.TryRead(out var record))
        {
            _batch.Add(record);
            bytes += record.Message.Payload.Length;
        }

        while (_batch.Count < BatchRows && bytes < BatchBytes && _pictures.Reader.TryRead(out var picture))
        {
            _batch.Add(picture);
            bytes += picture.Message.Payload.Length;
        }

        TakeGaps();
    }

    /// <summary>Gaps become records like any other.</summary>
    private void TakeGaps()
    {
        if (_gaps.Count == 0 || _stations.IsEmpty)
        {
            return;
        }

        var now = _time.GetInstant();
        foreach (var (gap, (count, toldAt)) in _gaps.ToArray())
        {
            if (count == 0 || toldAt + GapInterval > now)
            {
                continue;
            }

            _gaps[gap] = (0, now);
            var at = _time.GetUtcNow();
            foreach (var station in _stations.Keys)
            {
                var payload = new GapPayload
                {
                    Id = string.Create(CultureInfo.InvariantCulture, $"{station}/gap/{Guid.CreateVersion7(at)}"),
                    Station = station,
                    Kind = gap.Kind,
                    Count = count,
                    Why = gap.Why,
                    At = at,
                };
                _batch.Add(new Entry(OutgoingMessage.Of(Contract.Gap, station, payload, payload.Id), null));
            }
        }
    }

    private void WriteBatch(OutboxFile file)
    {
        if (_isPictureSpaceGone)
        {
            ShedPicturesOfBatch("the disk is nearly full");
        }

        long[] removed;
        lock (_acknowledgedLock)
        {
            removed = [.. _acknowledged];
        }

        if (_batch.Count == 0 && removed.Length == 0)
        {
            return;
        }

        (bool[] IsNew, IReadOnlyList<(Keeping Kept, long Bytes)> Removed) done;
        try
        {
            done = Write();
        }
        catch (SqliteException e) when (OutboxFile.IsFull(e) && ShedPicturesOfBatch("the disk is full"))
        {
            // Records before pictures.
            done = Write();
        }

        for (var i = 0; i < _batch.Count; i++)
        {
            if (done.IsNew[i])
            {
                var message = _batch[i].Message;
                var (count, bytes) = _kept[message.Kind.Keeping];
                _kept[message.Kind.Keeping] = (count + 1, bytes + message.Payload.Length);
            }

            _batch[i].Kept?.TrySetResult();
        }

        var wrote = _batch.Count > 0;
        _batch.Clear();
        if (removed.Length > 0)
        {
            lock (_acknowledgedLock)
            {
                _acknowledged.ExceptWith(removed);
            }

            foreach (var (kept, size) in done.Removed)
            {
                var (count, bytes) = _kept[kept];
                _kept[kept] = (count - 1, bytes - size);
            }
        }

        Shed(file, Keeping.Picture, _options.PictureMegabytes * 1_000_000L, GapKind.Pictures);
        Shed(file, Keeping.Record, _options.RecordMegabytes * 1_000_000L, GapKind.Records);
        if (wrote)
        {
            Wrote?.Invoke();
        }

        (bool[], IReadOnlyList<(Keeping, long)>) Write() =>
            file.Write(
                [.. _batch.Select(entry => entry.Message)],
                removed,
                Now(),
                forced: _batch.Exists(entry => entry.Message.Kind.Keeping == Keeping.Record)
            );
    }

    private void ShowFigures()
    {
        var (records, pictures) = (_kept[Keeping.Record], _kept[Keeping.Picture]);
        _figures = new OutboxFigures(records.Count, records.Bytes, pictures.Count, pictures.Bytes, Interlocked.Read(ref _shed));
    }

    private bool ShedPicturesOfBatch(string why)
    {
        var pictures = _batch.RemoveAll(entry => entry.Message.Kind.Keeping == Keeping.Picture);
        if (pictures > 0)
        {
            Note(GapKind.Pictures, pictures, why);
        }

        return pictures > 0;
    }

    /// <summary>The oldest beyond the bytes.</summary>
    private void Shed(OutboxFile file, Keeping kept, long bytes, GapKind kind)
    {
        while (_kept[kept].Bytes > bytes && Remove(file, kept, long.MaxValue, kind, "more waits than is allowed to"))
        {
            // In steps, each a transaction.
        }
    }

    /// <summary>What grew too old, and pictures where the disk's reserve is touched.</summary>
    private void Sweep(OutboxFile file)
    {
        var now = _time.GetInstant();
        if (now < _sweepDue)
        {
            return;
        }

        _sweepDue = now + SweepInterval;
        var wall = _time.GetUtcNow();
        if (_clocks is var (monotonic, then) && wall - then - (now - monotonic) is var set && set.Duration() > ClockWasSet)
        {
            // A device without a battery learns the year after its start: nothing has aged by that.
            file.Shift((long)set.TotalMicroseconds);
        }

        _clocks = (now, wall);
        while (Remove(file, Keeping.Picture, Before(_options.PictureAge), GapKind.Pictures, "waited too long"))
        {
            // In steps.
        }

        while (Remove(file, Keeping.Record, Before(_options.RecordAge), GapKind.Records, "waited too long"))
        {
            // In steps.
        }

        var wasGone = _isPictureSpaceGone;
        _isPictureSpaceGone = _freeSpace(_folder) < _options.ReserveMegabytes * 1_000_000L;
        if (_isPictureSpaceGone)
        {
            while (Remove(file, Keeping.Picture, long.MaxValue, GapKind.Pictures, "the disk is nearly full"))
            {
                // All of them: they are the first to go.
            }

            if (!wasGone)
            {
                Log.DiskReserve(_log, Path, _options.ReserveMegabytes);
                file.Shrink();
            }
        }

        long Before(TimeSpan age) => Now() - (long)age.TotalMicroseconds;
    }

    /// <summary>One step of shedding; false when there was nothing left.</summary>
    private bool Remove(OutboxFile file, Keeping kept, long before, GapKind kind, string why)
    {
        if (_kept[kept].Count == 0)
        {
            return false;
        }

        var (count, bytes) = file.Shed(kept, before);
        if (count > 0)
        {
            var (waiting, waitingBytes) = _kept[kept];
            _kept[kept] = (waiting - count, waitingBytes - bytes);
            Note(kind, count, why);
        }

        return count > 0;
    }

    private void Note(GapKind kind, long? count, string why)
    {
        Interlocked.Add(ref _shed, count ?? 0);
        var (before, toldAt) = _gaps.GetValueOrDefault((kind, why), (0, null));
        _gaps[(kind, why)] = (before is null || count is null ? null : before + count, toldAt);
    }

    private void Lost(string why)
    {
        Damaged?.Invoke($"{Path}: {why}; what waited in it is lost");
        Log.OutboxLost(_log, Path, why);
        foreach (var kept in (Keeping[])[Keeping.Record, Keeping.Picture])
        {
            _kept[kept] = default;
        }

        lock (_acknowledgedLock)
        {
            _acknowledged.Clear();
        }

        Note(GapKind.Records, null, why);
        Note(GapKind.Pictures, null, why);
    }

    private static bool IsDiskTrouble(Exception e) =>
        e is SqliteException or IOException or UnauthorizedAccessException or InvalidDataException;

    private void Trouble(Exception e)
    {
        // A connection that failed may be left in the middle of something; a fresh one starts clean.
        Close();
        if (e is SqliteException damaged && OutboxFile.IsDamage(damaged))
        {
            SetAside();
            return;
        }

        var what = e is SqliteException sqlite ? OutboxFile.Explain(sqlite) : e.Message.ReplaceLineEndings(" ");
        if (_state != what)
        {
            _state = what;
            Log.OutboxTrouble(_log, Path, what);
        }
    }

    /// <summary>Gives a damaged file another name, for whoever wants to look into it; only the latest is kept.</summary>
    private void SetAside()
    {
        try
        {
            var aside = System.IO.Path.Combine(_folder, "outbox-damaged.db");
            foreach (var suffix in (string[])["", "-wal", "-shm"])
            {
                File.Delete(aside + suffix);
                if (File.Exists(Path + suffix))
                {
                    File.Move(Path + suffix, aside + suffix);
                }
            }

            Lost($"its file was damaged and is set aside as {aside}");
            _state = "starting";
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            _state = $"is damaged and cannot be set aside: {e.Message.ReplaceLineEndings(" ")}";
        }
    }

    private void Close()
    {
        try
        {
            _file?.Dispose();
        }
        catch (SqliteException)
        {
            // Closing writes too, and the disk has already been found in trouble.
        }

        _file = null;
    }

    private long Now() => (_time.GetUtcNow().UtcTicks - DateTimeOffset.UnixEpoch.Ticks) / TimeSpan.TicksPerMicrosecond;

    /// <summary>A message on its way to the disk, and who waits for it to get there.</summary>
    private readonly record struct Entry(OutgoingMessage Message, TaskCompletionSource? Kept);
}
