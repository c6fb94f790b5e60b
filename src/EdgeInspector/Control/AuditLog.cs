using Microsoft.Win32.SafeHandles;

namespace EdgeInspector.Control;

/// <summary>
/// The audit log: every command, who gave it and what came of it, each entry chained to the one before (see
/// <see cref="AuditChain"/>) and on the disk before <see cref="Append"/> returns. Any thread; one entry at a time.
/// </summary>
internal sealed class AuditLog : IDisposable
{
    /// <summary>Size at which a new file is begun: what one start reads at most a few of.</summary>
    private const long SegmentBytes = 1024 * 1024;

    private readonly Lock _gate = new();
    private readonly string _folder;
    private readonly string _anchor;
    private readonly string _device;
    private readonly long _maximumBytes;
    private readonly long _segmentBytes;
    private readonly TimeProvider _time;
    private SafeFileHandle? _file;
    private int _segment;
    private long _length;
    private AuditHead _head;

    /// <summary>Names a log; nothing is touched before <see cref="Open"/>.</summary>
    /// <param name="folder">Its folder; made when missing.</param>
    /// <param name="anchor">The file that holds its end, apart from it.</param>
    /// <param name="device">The device it belongs to.</param>
    /// <param name="maximumBytes">What it may take.</param>
    /// <param name="time">Labels entries.</param>
    /// <param name="segmentBytes">Size of a file.</param>
    public AuditLog(
        string folder,
        string anchor,
        string device,
        long maximumBytes,
        TimeProvider time,
        long segmentBytes = SegmentBytes
    )
    {
        (_folder, _anchor, _device, _maximumBytes, _time) = (folder, anchor, device, maximumBytes, time);
        _segmentBytes = segmentBytes;
        _head = AuditChain.Origin(device);
    }

    /// <summary>Its last entry.</summary>
    public AuditHead Head
    {
        get
        {
            lock (_gate)
            {
                return _head;
            }
        }
    }

    /// <summary>
    /// Opens it behind its last whole entry, or begins it, and notes the start. What is damaged stays as it is: the log then
    /// goes on in a file of its own, and <c>audit verify</c> names the damage.
    /// </summary>
    /// <returns>What was found amiss, in one line; null when nothing was.</returns>
    /// <exception cref="IOException">It cannot be written.</exception>
    /// <exception cref="UnauthorizedAccessException">Nor may it be.</exception>
    public string? Open(string version)
    {
        lock (_gate)
        {
            Directory.CreateDirectory(_folder);
            var files = AuditChain.Files(_folder);
            if (files.Count == 0)
            {
                Begin(1);
                Write(new AuditEntry { Kind = AuditKind.Genesis, Device = _device, Version = version });
                return null;
            }

            var (segment, path) = files[^1];
            var (head, end, length, fault) = EndOf(path, segment == 1 ? AuditChain.Origin(_device) : null);
            (_segment, _head) = (segment, head);
            if (fault is null)
            {
                _file = File.OpenHandle(path, FileMode.Open, FileAccess.ReadWrite, FileShare.Read);
                if (length > end)
                {
                    fault = $"{Path.GetFileName(path)}: {length - end} bytes of an unfinished entry were dropped";
                    RandomAccess.SetLength(_file, end);
                }

                _length = end;
            }
            else
            {
                Continue();
            }

            if (fault is not null)
            {
                Write(new AuditEntry { Kind = AuditKind.Recovered, Text = fault });
            }

            Write(new AuditEntry { Kind = AuditKind.Start, Version = version });
            return fault;
        }
    }

    /// <summary>Writes one entry; number and time are given here. On the disk when it returns.</summary>
    /// <exception cref="IOException">It is not, or the log is not open.</exception>
    /// <exception cref="UnauthorizedAccessException">Nor may it be.</exception>
    public AuditHead Append(AuditEntry entry)
    {
        lock (_gate)
        {
            if (_file is null)
            {
                throw new IOException("the audit log is not open");
            }

            if (_length >= _segmentBytes)
            {
                Continue();
                MakeRoom();
            }

            Write(entry);
            return _head;
        }
    }

    /// <summary>The entries of the last files, oldest first, as far back as a time; damaged lines are passed over.</summary>
    public static IEnumerable<AuditEntry> Tail(string folder, DateTimeOffset from)
    {
        var files = AuditChain.Files(folder);
        var start = files.Count - 1;
        while (start > 0 && AuditChain.Lines(files[start].Path).FirstOrDefault().Line is { } line
            && AuditChain.Read(line) is var (_, _, first) && first.At >= from)
        {
            start--;
        }

        for (var i = Math.Max(start, 0); i < files.Count; i++)
        {
            foreach (var (_, whole, isWhole) in AuditChain.Lines(files[i].Path))
            {
                if (isWhole && AuditChain.Read(whole) is var (_, _, entry) && entry.At >= from)
                {
                    yield return entry;
                }
            }
        }
    }

    /// <summary>Reads an anchor; null when there is none that can be read.</summary>
    public static AuditHead? ReadAnchor(string path)
    {
        try
        {
            return File.Exists(path) && AuditHead.TryParse(File.ReadAllText(path), out var head) ? head : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        lock (_gate)
        {
            _file?.Dispose();
            _file = null;
        }
    }

    /// <summary>Walks one file. The fault is null when all of its whole lines are right.</summary>
    private static (AuditHead Head, long End, long Length, string? Fault) EndOf(string path, AuditHead? origin)
    {
        var head = origin;
        long end = 0;
        var number = 0;
        foreach (var (offset, line, isWhole) in AuditChain.Lines(path))
        {
            number++;
            if (!isWhole)
            {
                break;
            }

            if (
                AuditChain.Read(line) is not var (hash, json, entry)
                || (head ??= new AuditHead(entry.N - 1, entry.Hash ?? "")) is var before
                    && (!AuditChain.IsHash(before.Hash) || entry.N != before.N + 1 || AuditChain.HashOf(before.Hash, json) != hash)
            )
            {
                return (
                    head ?? default,
                    end,
                    new FileInfo(path).Length,
                    $"{Path.GetFileName(path)}, line {number}: not as it was written; the log goes on in a new file"
                );
            }

            head = new AuditHead(entry.N, hash);
            end = offset + line.Length + 1;
        }

        return (head ?? new AuditHead(0, ""), end, new FileInfo(path).Length, head is null ? $"{Path.GetFileName(path)}: has no entry" : null);
    }

    /// <summary>Begins a file.</summary>
    private void Begin(int segment)
    {
        var file = File.OpenHandle(
            Path.Combine(_folder, AuditChain.FileName(segment)),
            FileMode.CreateNew,
            FileAccess.ReadWrite,
            FileShare.Read
        );
        _file?.Dispose();
        (_file, _segment, _length) = (file, segment, 0);
        DurableFile.SyncFolder(_folder);
    }

    /// <summary>Goes on in the next file.</summary>
    private void Continue()
    {
        if (!AuditChain.IsHash(_head.Hash))
        {
            _head = AuditChain.Origin(_device) with { N = _head.N };
        }

        Begin(_segment + 1);
        Write(new AuditEntry { Kind = AuditKind.Segment, Hash = _head.Hash });
    }

    /// <summary>Lets the oldest files go, each after the entry that says so.</summary>
    private void MakeRoom()
    {
        var files = AuditChain.Files(_folder);
        var bytes = files.Sum(file => new FileInfo(file.Path).Length);
        for (var i = 0; i < files.Count - 1 && bytes > _maximumBytes; i++)
        {
            bytes -= new FileInfo(files[i].Path).Length;
            if (AuditChain.Lines(files[i + 1].Path).FirstOrDefault().Line is { } line
                && AuditChain.Read(line) is var (_, _, next))
            {
                Write(new AuditEntry { Kind = AuditKind.Removed, Through = next.N - 1, Hash = next.Hash });
            }

            File.Delete(files[i].Path);
        }
    }

    private void Write(AuditEntry entry)
    {
        var (line, hash) = AuditChain.Write(_head.Hash, entry with { N = _head.N + 1, At = _time.GetUtcNow() });
        try
        {
            RandomAccess.Write(_file!, line, _length);
            DurableFile.Sync(_file!);
        }
        catch (IOException)
        {
            TryCut();
            throw;
        }

        _length += line.Length;
        _head = new AuditHead(_head.N + 1, hash);
        try
        {
            DurableFile.Replace(_anchor, System.Text.Encoding.ASCII.GetBytes(_head + "\n"));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The anchor lags, which is allowed: the entry itself is on the disk, and the next one moves it on.
        }
    }

    /// <summary>Takes back what was half written, so that the next entry does not follow upon it.</summary>
    private void TryCut()
    {
        try
        {
            RandomAccess.SetLength(_file!, _length);
        }
        catch (IOException)
        {
            // The next write overwrites the same place.
        }
    }
}
