using System.Globalization;
using System.Text.Json;
using System.Threading.Channels;
using EdgeInspector.Line;

namespace EdgeInspector.Samples;

/// <summary>
/// Keeps evidence pictures on the disk, as <c>{station}/{yyyy-MM-dd}/{id}-crop.jpg</c>, <c>-context.jpg</c> and
/// <c>.json</c>, within a quota and an age; the oldest go first. <see cref="Offer"/> may be called from any thread and
/// never blocks. A disk that is full, read-only or gone is counted, named in <see cref="DiskState"/> and tried again; it
/// never ends <see cref="RunAsync"/>.
/// </summary>
internal sealed class SampleStore
{
    private const string CropSuffix = "-crop.jpg";
    private const string ContextSuffix = "-context.jpg";
    private const string SidecarSuffix = ".json";
    private const string TemporarySuffix = ".tmp";

    /// <summary>How often samples that grew too old are looked for.</summary>
    private static readonly TimeSpan Sweep = TimeSpan.FromMinutes(1);

    private readonly SamplesOptions _options;
    private readonly TimeProvider _time;
    private readonly ILogger<SampleStore> _log;
    private readonly string _root;
    private readonly Channel<EvidencePicture> _queue;

    /// <summary>What is on the disk, oldest first. Touched by <see cref="RunAsync"/> alone.</summary>
    private readonly Queue<Sample> _kept = new();

    private volatile string _state = "starting";
    private long _shed;
    private long _written;
    private long _bytes;

    public SampleStore(SamplesOptions options, TimeProvider time, ILogger<SampleStore> log)
    {
        _options = options;
        _time = time;
        _log = log;
        _root = Path.GetFullPath(options.Folder);
        _queue = Channel.CreateBounded<EvidencePicture>(
            new BoundedChannelOptions(options.QueueCapacity)
            {
                FullMode = BoundedChannelFullMode.DropOldest,
                SingleReader = true,
            },
            _ => Interlocked.Increment(ref _shed)
        );
    }

    /// <summary>"ok", "off", "starting", or what is wrong with the disk in one line.</summary>
    public string DiskState => _options.Enabled ? _state : "off";

    /// <summary>Pictures not kept because the disk was too slow or in trouble.</summary>
    public long Shed => Interlocked.Read(ref _shed);

    /// <summary>Samples written since start.</summary>
    public long Written => Interlocked.Read(ref _written);

    /// <summary>Bytes on the disk now.</summary>
    public long Bytes => Interlocked.Read(ref _bytes);

    /// <summary>Queues a picture; when the queue is full the oldest one in it is shed.</summary>
    public void Offer(EvidencePicture picture)
    {
        if (_options.Enabled)
        {
            _queue.Writer.TryWrite(picture);
        }
    }

    /// <summary>Writes until <paramref name="stopping"/>, then what is queued already, and returns.</summary>
    public async Task RunAsync(CancellationToken stopping)
    {
        if (!_options.Enabled)
        {
            // A task that ended by itself would look like one that failed.
            await Task.Delay(Timeout.InfiniteTimeSpan, _time, stopping)
                .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            return;
        }

        await Task.Yield();
        var isScanned = false;
        EvidencePicture? picture = null;
        while (true)
        {
            bool isWell;
            if (!isScanned)
            {
                isWell = isScanned = Try(Scan);
            }
            else if (picture is not null || _queue.Reader.TryRead(out picture))
            {
                var next = picture;
                isWell = Try(() => Keep(next));
                picture = isWell ? null : picture;
            }
            else if (stopping.IsCancellationRequested)
            {
                return;
            }
            else
            {
                isWell = Try(() => RemoveOlderThan(_time.GetUtcNow() - _options.MaxAge));
                await WaitAsync(Sweep, orPicture: true, stopping).ConfigureAwait(false);
            }

            if (isWell)
            {
                continue;
            }

            if (stopping.IsCancellationRequested)
            {
                // A stop while the disk is in trouble: what is queued is given up, and counted.
                Interlocked.Add(ref _shed, _queue.Reader.Count + (picture is null ? 0 : 1));
                return;
            }

            await WaitAsync(_options.RetryInterval, orPicture: false, stopping).ConfigureAwait(false);
        }
    }

    /// <summary>Waits, but not beyond a stop or, if asked, the next picture.</summary>
    private async Task WaitAsync(TimeSpan atMost, bool orPicture, CancellationToken stopping)
    {
        using var over = CancellationTokenSource.CreateLinkedTokenSource(stopping);
        var delay = Task.Delay(atMost, _time, over.Token);
        await Task.WhenAny(orPicture ? [delay, _queue.Reader.WaitToReadAsync(over.Token).AsTask()] : [delay])
            .ConfigureAwait(false);
        await over.CancelAsync().ConfigureAwait(false);
    }

    /// <summary>Runs one piece of disk work; false, and the state says why, when the disk would not.</summary>
    private bool Try(Action work)
    {
        try
        {
            work();
            if (_state != "ok")
            {
                _state = "ok";
                Log.Keeping(_log, _root, _kept.Count, Bytes);
            }

            return true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            var trouble = e.Message.ReplaceLineEndings(" ");
            if (_state != trouble)
            {
                _state = trouble;
                Log.Trouble(_log, trouble);
            }

            return false;
        }
    }

    /// <summary>Learns what earlier runs left, oldest first, and removes what they did not finish.</summary>
    private void Scan()
    {
        Directory.CreateDirectory(_root);
        var found = new List<Sample>();
        foreach (var sidecar in Directory.EnumerateFiles(_root, "*" + SidecarSuffix, SearchOption.AllDirectories))
        {
            var common = sidecar[..^SidecarSuffix.Length];
            found.Add(new Sample(common, SizeOf(common), File.GetLastWriteTimeUtc(sidecar)));
        }

        var stems = found.Select(sample => sample.Stem).ToHashSet(StringComparer.Ordinal);
        foreach (var file in Directory.EnumerateFiles(_root, "*", SearchOption.AllDirectories))
        {
            var isOrphan = StemOf(file) is { } stem && !stems.Contains(stem);
            if (isOrphan || file.EndsWith(TemporarySuffix, StringComparison.Ordinal))
            {
                File.Delete(file);
            }
        }

        _kept.Clear();
        found.Sort((a, b) => a.At.CompareTo(b.At));
        found.ForEach(_kept.Enqueue);
        Interlocked.Exchange(ref _bytes, found.Sum(sample => sample.Bytes));
        RemoveOlderThan(_time.GetUtcNow() - _options.MaxAge);
        MakeRoom(0);
    }

    private void Keep(EvidencePicture picture)
    {
        var station = Safe(picture.Station);
        var day = picture.TakenAt.UtcDateTime.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);
        var folder = Path.Combine(_root, station, day);
        var name = Safe(
            picture.PartId.StartsWith(picture.Station + "/", StringComparison.Ordinal)
                ? picture.PartId[(picture.Station.Length + 1)..]
                : picture.PartId
        );
        var stem = Path.Combine(folder, name);
        var sidecar = JsonSerializer.SerializeToUtf8Bytes(
            new SampleFile
            {
                Id = picture.PartId,
                Station = picture.Station,
                Number = picture.Number,
                Verdict = picture.Verdict,
                Label = picture.Label,
                Score = picture.Score is { } score && double.IsFinite(score) ? score : null,
                TakenAt = picture.TakenAt,
                Crop = name + CropSuffix,
                Context = name + ContextSuffix,
            },
            SampleJson.Default.SampleFile
        );
        var bytes = picture.Crop.Length + picture.Context.Length + sidecar.Length;
        MakeRoom(bytes);
        Directory.CreateDirectory(folder);
        CheckFree(bytes);
        try
        {
            Write(stem + CropSuffix, picture.Crop.Span);
            Write(stem + ContextSuffix, picture.Context.Span);
            Write(stem + SidecarSuffix, sidecar);
        }
        catch
        {
            RemoveQuietly(stem);
            throw;
        }

        _kept.Enqueue(new Sample(stem, bytes, _time.GetUtcNow().UtcDateTime));
        Interlocked.Add(ref _bytes, bytes);
        Interlocked.Increment(ref _written);
    }

    private void MakeRoom(long bytes)
    {
        while (_kept.Count > 0 && Bytes + bytes > _options.Quota)
        {
            RemoveOldest();
        }
    }

    private void RemoveOlderThan(DateTimeOffset limit)
    {
        while (_kept.TryPeek(out var oldest) && oldest.At < limit.UtcDateTime)
        {
            RemoveOldest();
        }
    }

    private void RemoveOldest()
    {
        var oldest = _kept.Peek();
        // The sidecar first: what has none is not a sample, and the next start removes it.
        Delete(oldest.Stem + SidecarSuffix);
        Delete(oldest.Stem + CropSuffix);
        Delete(oldest.Stem + ContextSuffix);
        _kept.Dequeue();
        Interlocked.Add(ref _bytes, -oldest.Bytes);
        var folder = Path.GetDirectoryName(oldest.Stem)!;
        if (Directory.Exists(folder) && !Directory.EnumerateFileSystemEntries(folder).Any())
        {
            Directory.Delete(folder);
        }
    }

    private void CheckFree(long bytes)
    {
        var free = new DriveInfo(_root).AvailableFreeSpace;
        if (free - bytes < _options.MinFree)
        {
            throw new IOException(
                $"{_root}: too little space left on the disk to stay above Samples:MinFree; make room or lower it"
            );
        }
    }

    private static void Write(string path, ReadOnlySpan<byte> bytes)
    {
        var temporary = path + TemporarySuffix;
        File.WriteAllBytes(temporary, bytes);
        File.Move(temporary, path, overwrite: true);
    }

    private static void Delete(string path)
    {
        try
        {
            File.Delete(path);
        }
        catch (DirectoryNotFoundException)
        {
            // Someone tidied up; gone is what was wanted.
        }
    }

    /// <summary>Clears away a sample that could not be finished; whatever stays is removed at the next start.</summary>
    private static void RemoveQuietly(string stem)
    {
        foreach (var suffix in (string[])[SidecarSuffix, CropSuffix, ContextSuffix])
        {
            foreach (var path in (string[])[stem + suffix, stem + suffix + TemporarySuffix])
            {
                try
                {
                    File.Delete(path);
                }
                catch (Exception e) when (e is IOException or UnauthorizedAccessException)
                {
                    // The trouble that led here is the one to report.
                }
            }
        }
    }

    private static long SizeOf(string stem) =>
        new[] { SidecarSuffix, CropSuffix, ContextSuffix }
            .Select(suffix => new FileInfo(stem + suffix))
            .Where(file => file.Exists)
            .Sum(file => file.Length);

    private static string? StemOf(string file) =>
        file.EndsWith(CropSuffix, StringComparison.Ordinal) ? file[..^CropSuffix.Length]
        : file.EndsWith(ContextSuffix, StringComparison.Ordinal) ? file[..^ContextSuffix.Length]
        : null;

    /// <summary>One file name out of any text.</summary>
    private static string Safe(string text)
    {
        var name = new string([.. text.Select(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '-' or '.' ? c : '-')]);
        return name.Trim('.') is { Length: > 0 } safe ? safe : "unnamed";
    }

    /// <summary>The three files of one part.</summary>
    /// <param name="Stem">Their common path, without suffix.</param>
    /// <param name="Bytes">Their sizes together.</param>
    /// <param name="At">When they were written.</param>
    private readonly record struct Sample(string Stem, long Bytes, DateTime At);
}
