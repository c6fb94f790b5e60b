using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using EdgeInspector.Line;

namespace EdgeInspector.Control;

/// <summary>
/// Where every command comes in, over MQTT and HTTP alike. It is checked (verb, role, form, station, time), booked in the
/// audit log before it is executed and again with what came of it, executed once whatever is repeated, and answered. One is
/// executed at a time. What is not let in is counted by its reason, and booked as far as <see cref="RefusalBook"/> goes.
/// </summary>
internal sealed class CommandDesk : IDisposable
{
    /// <summary>Commands waiting for the one under way; more are refused. A line has a handful of people.</summary>
    private const int MostWaiting = 16;

    /// <summary>Longest name from outside that is booked.</summary>
    private const int LongestName = 64;

    private readonly ControlOptions _options;
    private readonly string _folder;
    private readonly Func<string, bool> _isStation;
    private readonly ExecuteCommand _execute;
    private readonly TimeProvider _time;
    private readonly ILogger _log;
    private readonly CommandMemory _memory;
    private readonly RefusalBook _refusals;
    private readonly Lock _refusing = new();
    private readonly SemaphoreSlim _turn = new(1, 1); // Not disposed of: a command that comes late is answered too.
    private readonly string _dataFolder;
    private AuditLog? _audit;
    private int _waiting;
    private bool _isAuditDown;

    /// <summary>Makes the desk; it takes nothing before <see cref="Open"/>.</summary>
    /// <param name="options">Sound options.</param>
    /// <param name="dataFolder">Where the audit log is kept, in <c>audit</c>.</param>
    /// <param name="isStation">Whether there is a station of this name.</param>
    /// <param name="execute">Does what was let in.</param>
    /// <param name="time">The wall clock, which commands expire by.</param>
    /// <param name="log">Each command, and trouble.</param>
    public CommandDesk(
        ControlOptions options,
        string dataFolder,
        Func<string, bool> isStation,
        ExecuteCommand execute,
        TimeProvider time,
        ILogger<CommandDesk> log
    )
    {
        (_options, _isStation, _execute, _time, _log) = (options, isStation, execute, time, log);
        (_dataFolder, _folder) = (dataFolder, FolderOf(dataFolder));
        _memory = new CommandMemory(options.RememberedCommands);
        _refusals = new RefusalBook(time.GetUtcNow());
    }

    /// <summary>Counts by reason.</summary>
    public CommandFigures Figures { get; } = new();

    /// <summary>The audit log's last entry.</summary>
    public string AuditHead => (_audit?.Head ?? default).ToString();

    /// <summary>Whether the audit log can be written.</summary>
    public bool IsAuditWritten => !Volatile.Read(ref _isAuditDown);

    /// <summary>The audit log's folder.</summary>
    public static string FolderOf(string dataFolder) => Path.Combine(dataFolder, "audit");

    /// <summary>The audit log's anchor.</summary>
    public static string AnchorOf(string dataFolder, ControlOptions options) => Path.Combine(dataFolder, options.AuditAnchor);

    /// <summary>Opens the audit log and remembers from it what was done before.</summary>
    /// <exception cref="SettingException">The audit log cannot be written; one line.</exception>
    public void Open(string version)
    {
        try
        {
            var now = _time.GetUtcNow();
            foreach (var entry in AuditLog.Tail(_folder, now - CommandMemory.Margin - _options.LongestLife))
            {
                Remember(entry, now);
            }

            Directory.CreateDirectory(_dataFolder);
            _audit = new AuditLog(
                _folder,
                AnchorOf(_dataFolder, _options),
                DeviceIdentity.Of(_dataFolder),
                _options.AuditMegabytes * 1024L * 1024,
                _time
            );
            if (_audit.Open(version) is { } amiss)
            {
                Log.AuditAmiss(_log, amiss);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new SettingException($"DataFolder: the audit log in {_folder} cannot be written: {e.Message}", e);
        }
    }

    /// <summary>Takes a command; see <see cref="TakeCommand"/>.</summary>
    public async ValueTask<CommandReply> TakeAsync(CommandArrival arrival)
    {
        var origin = arrival.Origin;
        if (CommandVerb.Find(arrival.Verb) is not { } verb)
        {
            return Refuse(arrival, "", RefusalCode.UnknownVerb, "there is no such command");
        }

        if (origin.Role < verb.Role)
        {
            return Refuse(arrival, "", RefusalCode.Role, $"{verb.Name} needs the role {Name(verb.Role)}, and this is {Name(origin.Role)}");
        }

        if (!CommandReader.TryRead(verb, arrival.Payload.Span, out var command, out var code, out var fault))
        {
            return Refuse(arrival, "", code, fault);
        }

        if (!_isStation(arrival.Station))
        {
            return Refuse(arrival, command.Id, RefusalCode.UnknownStation, "there is no such station");
        }

        if (Interlocked.Increment(ref _waiting) > MostWaiting)
        {
            Interlocked.Decrement(ref _waiting);
            return Refuse(arrival, command.Id, RefusalCode.Busy, "too many commands at once; try again");
        }

        await _turn.WaitAsync().ConfigureAwait(false);
        try
        {
            return await TakeInTurnAsync(arrival, verb, command).ConfigureAwait(false);
        }
        finally
        {
            _turn.Release();
            Interlocked.Decrement(ref _waiting);
        }
    }

    /// <summary>Refuses what somebody before the desk turned away, so that it is counted and booked like all else.</summary>
    public CommandReply Refuse(CommandArrival arrival, string id, string code, string text)
    {
        var (now, origin) = (_time.GetUtcNow(), arrival.Origin);
        Figures.Add(CommandOutcome.Refused, code, origin.Via);
        lock (_refusing)
        {
            if (_refusals.Enter(code, now))
            {
                Log.CommandRefused(_log, Shorten(arrival.Station), Shorten(arrival.Verb), Shorten(origin.Who), origin.Via, text);
                TryBook(
                    new AuditEntry
                    {
                        Kind = AuditKind.Refused,
                        Station = Shorten(arrival.Station),
                        Verb = Shorten(arrival.Verb),
                        Id = id.Length == 0 ? null : id,
                        Who = Shorten(origin.Who),
                        Role = origin.Role,
                        Via = origin.Via,
                        Code = code,
                        Text = text,
                    }
                );
            }
        }

        return new CommandReply
        {
            Id = id,
            Station = Shorten(arrival.Station),
            Verb = Shorten(arrival.Verb),
            Outcome = CommandOutcome.Refused,
            Code = code,
            Text = text,
            At = now,
        };
    }

    /// <summary>Notes the stop and closes the log.</summary>
    public void Dispose()
    {
        lock (_refusing)
        {
            if (_audit is not null)
            {
                TryBook(new AuditEntry { Kind = AuditKind.Stop });
                _audit.Dispose();
                _audit = null;
            }
        }

        Figures.Dispose();
    }

    private async ValueTask<CommandReply> TakeInTurnAsync(CommandArrival arrival, CommandVerb verb, CommandPayload command)
    {
        var now = _time.GetUtcNow();
        if (command.ExpiresAt <= now)
        {
            return Refuse(arrival, command.Id, RefusalCode.Expired, $"it expired at {command.ExpiresAt:u}, and it is {now:u} here");
        }

        if (command.ExpiresAt - now > _options.LongestLife)
        {
            return Refuse(
                arrival,
                command.Id,
                RefusalCode.TooFar,
                $"it expires at {command.ExpiresAt:u}, more than {_options.LongestLife.TotalSeconds:0} s after {now:u} here; check the clocks"
            );
        }

        var arguments = command.Arguments ?? new CommandArguments();
        var fingerprint = FingerprintOf(arrival.Station, verb.Name, arguments);
        if (_memory.Find(command.Id) is { } known)
        {
            return known.Fingerprint != fingerprint
                    ? Refuse(arrival, command.Id, RefusalCode.IdReused, "the id was used for another command; give each its own")
                : known.Reply is { } before ? Repeated(before, arrival)
                : Answer(
                    arrival,
                    command,
                    CommandOutcome.Failed,
                    new CommandEffect(RefusalCode.Interrupted, "it was begun before the service stopped; look whether it was done"),
                    now
                );
        }

        if (!_memory.TryMakeRoom(now))
        {
            return Refuse(arrival, command.Id, RefusalCode.Busy, "too many commands in a short time; try again in a minute");
        }

        var origin = arrival.Origin;
        var isBooked = TryBook(
            new AuditEntry
            {
                Kind = AuditKind.Command,
                Station = arrival.Station,
                Verb = verb.Name,
                Id = command.Id,
                Who = Shorten(origin.Who),
                Role = origin.Role,
                Via = origin.Via,
                Issuer = command.Issuer,
                ExpiresAt = command.ExpiresAt,
                Arguments = command.Arguments,
                Fingerprint = fingerprint,
            }
        );

        // To stop is always safe, and the disk may be what is wrong; nothing else happens that nobody could trace.
        if (!isBooked && verb != CommandVerb.Pause)
        {
            return Refuse(arrival, command.Id, RefusalCode.Audit, "the audit log cannot be written, so only pause is taken");
        }

        _memory.Begin(command.Id, fingerprint, command.ExpiresAt);
        var effect = await ExecuteAsync(new CommandOrder(arrival.Station, verb, command.Id, arguments, Shorten(origin.Who)))
            .ConfigureAwait(false);
        var outcome =
            effect.Code == RefusalCode.Done ? CommandOutcome.Accepted
            : effect.Code == RefusalCode.Fault ? CommandOutcome.Failed
            : CommandOutcome.Refused;
        var reply = Answer(arrival, command, outcome, effect, _time.GetUtcNow());
        if (
            TryBook(
                new AuditEntry
                {
                    Kind = AuditKind.Reply,
                    Station = arrival.Station,
                    Verb = verb.Name,
                    Id = command.Id,
                    Outcome = outcome,
                    Code = reply.Code,
                    Text = reply.Text,
                    Result = reply.Result,
                }
            )
        )
        {
            reply = reply with { Audit = AuditHead };
        }

        _memory.End(command.Id, reply);
        Log.CommandTaken(_log, arrival.Station, verb.Name, Shorten(origin.Who), origin.Via, outcome, reply.Text, AuditHead);
        return reply;
    }

    private async ValueTask<CommandEffect> ExecuteAsync(CommandOrder order)
    {
        try
        {
            return await _execute(order).ConfigureAwait(false);
        }
#pragma warning disable CA1031 // What breaks in one command must neither stop the line nor keep its sender waiting.
        catch (Exception fault)
#pragma warning restore CA1031
        {
            Log.CommandFailed(_log, fault, order.Station, order.Verb.Name);
            return new CommandEffect(RefusalCode.Fault, "something broke that was not foreseen; see the service's log");
        }
    }

    private CommandReply Answer(
        CommandArrival arrival,
        CommandPayload command,
        CommandOutcome outcome,
        CommandEffect effect,
        DateTimeOffset now
    )
    {
        Figures.Add(outcome, effect.Code, arrival.Origin.Via);
        return new CommandReply
        {
            Id = command.Id,
            Station = arrival.Station,
            Verb = arrival.Verb,
            Outcome = outcome,
            Code = effect.Code,
            Text = effect.Text,
            At = now,
            Result = effect.Result,
        };
    }

    private CommandReply Repeated(CommandReply before, CommandArrival arrival)
    {
        Figures.Add(before.Outcome, RefusalCode.Repeated, arrival.Origin.Via);
        return before;
    }

    /// <summary>Books an entry, and before it what was summed up; false when the disk refuses.</summary>
    private bool TryBook(AuditEntry entry)
    {
        try
        {
            lock (_refusing)
            {
                if (_audit is null)
                {
                    Volatile.Write(ref _isAuditDown, true);
                    return false;
                }

                if (_refusals.TakeSum() is { } sum)
                {
                    _audit.Append(new AuditEntry { Kind = AuditKind.Refusals, Counts = sum });
                }

                _audit.Append(entry);
            }

            Volatile.Write(ref _isAuditDown, false);
            return true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            if (!Volatile.Read(ref _isAuditDown))
            {
                Log.AuditFailed(_log, e.Message);
                Volatile.Write(ref _isAuditDown, true);
            }

            return false;
        }
    }

    private void Remember(AuditEntry entry, DateTimeOffset now)
    {
        switch (entry)
        {
            case { Kind: AuditKind.Command, Id: { } id, Fingerprint: { } fingerprint, ExpiresAt: { } expiresAt }:
                if (_memory.TryMakeRoom(now))
                {
                    _memory.Begin(id, fingerprint, expiresAt);
                }

                break;
            case { Kind: AuditKind.Reply, Id: { } id, Outcome: { } outcome }:
                _memory.End(
                    id,
                    new CommandReply
                    {
                        Id = id,
                        Station = entry.Station ?? "",
                        Verb = entry.Verb ?? "",
                        Outcome = outcome,
                        Code = entry.Code ?? "",
                        Text = entry.Text ?? "",
                        At = entry.At,
                        Result = entry.Result,
                    }
                );
                break;
            default:
                break;
        }
    }

    private static string FingerprintOf(string station, string verb, CommandArguments arguments) =>
        Convert.ToHexStringLower(
            SHA256.HashData(
                [
                    .. Encoding.UTF8.GetBytes($"{station}\n{verb}\n"),
                    .. JsonSerializer.SerializeToUtf8Bytes(arguments, CommandJson.Default.CommandArguments),
                ]
            )
        );

    private static string Name(Role role) => role.ToString().ToLowerInvariant();

    /// <summary>A name from outside, fit for a line.</summary>
    private static string Shorten(string name) =>
        new([.. name.Take(LongestName).Select(c => char.IsControl(c) || char.IsSurrogate(c) ? '?' : c)]);
}
