using System.Globalization;
using System.Text.Json.Serialization;

namespace EdgeInspector.Control;

/// <summary>What a walk along the audit log found.</summary>
internal sealed record AuditReport
{
    /// <summary>Whether every entry is as it was written and none is missing.</summary>
    public bool IsSound => Fault is null;

    /// <summary>Entries that were walked and found right.</summary>
    public required long Entries { get; init; }

    /// <summary>Number of the first one that is there: more than 1 when old ones made room.</summary>
    public required long First { get; init; }

    /// <summary>Where the log ends, as far as it is right.</summary>
    public required string Head { get; init; }

    /// <summary>Device that the log says it belongs to; null when its beginning made room.</summary>
    public string? Device { get; init; }

    /// <summary>Time of the last right entry.</summary>
    public DateTimeOffset? Last { get; init; }

    /// <summary>Places of the log, kept apart from it, that it was held against.</summary>
    public required int Anchors { get; init; }

    /// <summary>Whether the last line has no end: a write under way, or cut off by a power cut before it counted.</summary>
    public bool EndsUnfinished { get; init; }

    /// <summary>What is wrong first, in one line; null when nothing is.</summary>
    public string? Fault { get; init; }

    /// <summary>Number of the first entry that is not right.</summary>
    public long? FaultyEntry { get; init; }

    /// <summary>File and line of it.</summary>
    public string? FaultyPlace { get; init; }
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    WriteIndented = true
)]
[JsonSerializable(typeof(AuditReport))]
internal sealed partial class AuditReportJson : JsonSerializerContext;

/// <summary>Walks the audit log from its beginning and names the first entry that is not as it was written.</summary>
internal static class AuditVerification
{
    /// <summary>Walks it. Reads only; the service may be writing meanwhile.</summary>
    /// <param name="folder">The log's folder.</param>
    /// <param name="device">The device whose log it must be.</param>
    /// <param name="anchors">Places kept apart: what must be in it. Read them before the log.</param>
    /// <exception cref="IOException">It cannot be read.</exception>
    public static AuditReport Walk(string folder, string device, IReadOnlyList<AuditHead> anchors)
    {
        var head = AuditChain.Origin(device);
        var origin = head;
        var removed = (AuditHead?)null;
        var first = 1L;
        var entries = 0L;
        var unfinished = false;
        string? genesis = null;
        DateTimeOffset? last = null;
        var wanted = anchors.ToLookup(anchor => anchor.N, anchor => anchor.Hash);

        AuditReport Report(string? fault = null, long? entry = null, string? place = null) =>
            new()
            {
                Entries = entries,
                First = first,
                Head = head.ToString(),
                Device = genesis,
                Last = last,
                Anchors = anchors.Count,
                EndsUnfinished = unfinished,
                Fault = fault,
                FaultyEntry = entry,
                FaultyPlace = place,
            };

        var files = AuditChain.Files(folder);
        if (files.Count == 0)
        {
            return anchors.Count == 0
                ? Report()
                : Report($"there is no log in {folder}, and it should reach to entry {anchors.Max(anchor => anchor.N)}", 1);
        }

        for (var i = 0; i < files.Count; i++)
        {
            var (segment, path) = files[i];
            if (i > 0 && segment != files[i - 1].Segment + 1)
            {
                return Report($"{AuditChain.FileName(files[i - 1].Segment + 1)} is missing", head.N + 1, Path.GetFileName(path));
            }

            var number = 0;
            foreach (var (_, line, isWhole) in AuditChain.Lines(path))
            {
                number++;
                var place = string.Create(CultureInfo.InvariantCulture, $"{Path.GetFileName(path)}, line {number}");
                if (!isWhole && i == files.Count - 1)
                {
                    unfinished = true;
                    break;
                }

                if (AuditChain.Read(line) is not var (hash, json, entry))
                {
                    return Report("the line is no entry", head.N + 1, place);
                }

                if (number == 1 && (entry.Kind == AuditKind.Segment) != (segment > 1))
                {
                    return Report("the file does not begin as one of its number does", head.N + 1, place);
                }

                if (number == 1 && i == 0 && segment > 1)
                {
                    // What was before made room; an entry further on must say so.
                    if (entry.Hash is not { } before || !AuditChain.IsHash(before) || entry.N < 2)
                    {
                        return Report("the file does not say where it goes on from", entry.N, place);
                    }

                    head = origin = new AuditHead(entry.N - 1, before);
                    removed = head;
                    first = entry.N;
                }

                if (entry.N != head.N + 1)
                {
                    return Report($"entry {entry.N} follows entry {head.N}", head.N + 1, place);
                }

                if (entry.Kind == AuditKind.Segment && entry.Hash != head.Hash)
                {
                    return Report("the file does not go on where the one before ended", entry.N, place);
                }

                if (AuditChain.HashOf(head.Hash, json) != hash)
                {
                    return entry is { N: 1, Device: { } other } && other != device
                        ? Report($"the log belongs to another device, {other}; this is {device}", 1, place)
                        : Report("the entry, or one before it, is not as it was written", entry.N, place);
                }

                head = new AuditHead(entry.N, hash);
                entries++;
                last = entry.At;
                genesis ??= entry.Kind == AuditKind.Genesis ? entry.Device : null;
                if (removed is { } gone && entry.Kind == AuditKind.Removed && entry.Through == gone.N && entry.Hash == gone.Hash)
                {
                    removed = null;
                }

                foreach (var anchor in wanted[entry.N])
                {
                    if (anchor != hash)
                    {
                        return Report("the entry is not the one that was kept apart: the log was written anew", entry.N, place);
                    }
                }
            }
        }

        if (removed is not null)
        {
            return Report($"entries 1 to {removed.Value.N} are missing, and no entry says that they made room", 1);
        }

        var longest = anchors.Count == 0 ? 0 : anchors.Max(anchor => anchor.N);
        return longest > head.N
            ? Report($"the log ends at entry {head.N} and reached to entry {longest}: its end was cut off", head.N + 1)
            : Report();
    }
}
