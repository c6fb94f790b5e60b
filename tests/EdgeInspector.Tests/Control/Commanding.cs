using System.Globalization;
using System.Text;
using EdgeInspector.Control;
using EdgeInspector.Line;
using EdgeInspector.Tests.Publishing;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace EdgeInspector.Tests.Control;

/// <summary>A command desk with hands that only note what they are asked for.</summary>
internal sealed class Commanding : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private int _next;

    public Commanding(ControlOptions? options = null, ILogger<CommandDesk>? log = null)
    {
        Options = options ?? new ControlOptions();
        Log = log ?? NullLogger<CommandDesk>.Instance;
        Desk = Open();
    }

    public ControlOptions Options { get; }

    public ILogger<CommandDesk> Log { get; }

    public FakeTimeProvider Time { get; } = new(new DateTimeOffset(2026, 11, 23, 14, 48, 0, TimeSpan.Zero));

    public string Folder => _folder.Path;

    public List<CommandOrder> Done { get; } = [];

    public Func<CommandOrder, CommandEffect> Effect { get; set; } = order => CommandEffect.Done($"{order.Verb.Name} done");

    public CommandDesk Desk { get; private set; }

    public AuditReport Audit =>
        AuditVerification.Walk(
            CommandDesk.FolderOf(Folder),
            DeviceIdentity.Of(Folder),
            AuditLog.ReadAnchor(CommandDesk.AnchorOf(Folder, Options)) is { } head ? [head] : []
        );

    public IReadOnlyList<AuditEntry> Entries => [.. AuditLog.Tail(CommandDesk.FolderOf(Folder), DateTimeOffset.MinValue)];

    public void Restart()
    {
        Desk.Dispose();
        Desk = Open();
    }

    /// <summary>As a crash leaves it: nothing is noted, nothing is closed in order.</summary>
    public void Crash()
    {
        var copy = Path.Combine(Folder, "copy");
        Directory.CreateDirectory(copy);
        foreach (var (_, path) in AuditChain.Files(CommandDesk.FolderOf(Folder)))
        {
            File.Copy(path, Path.Combine(copy, Path.GetFileName(path)));
        }

        var anchor = File.ReadAllBytes(CommandDesk.AnchorOf(Folder, Options));
        Desk.Dispose();
        Directory.Delete(CommandDesk.FolderOf(Folder), recursive: true);
        Directory.Move(copy, CommandDesk.FolderOf(Folder));
        File.WriteAllBytes(CommandDesk.AnchorOf(Folder, Options), anchor);
        Desk = Open();
    }

    /// <summary>Crashes in the middle of a command.</summary>
    public CommandEffect Crashed()
    {
        Crash();
        throw new InvalidOperationException("crashed");
    }

    public string NextId() => string.Create(CultureInfo.InvariantCulture, $"c-{++_next}");

    public ValueTask<CommandReply> SendAsync(
        string verb,
        string? arguments = null,
        Role role = Role.Admin,
        string? id = null,
        TimeSpan? life = null,
        string station = "biscuit-1",
        string who = "anna"
    ) => RawAsync(verb, Payload(id ?? NextId(), life, arguments), role, station, who);

    public string Payload(string id, TimeSpan? life = null, string? arguments = null) =>
        $$"""{"id":"{{id}}","expiresAt":"{{Time.GetUtcNow() + (life ?? TimeSpan.FromSeconds(30)):O}}"{{(arguments is null ? "" : $",\"arguments\":{arguments}")}}}""";

    public ValueTask<CommandReply> RawAsync(
        string verb,
        string payload,
        Role role = Role.Admin,
        string station = "biscuit-1",
        string who = "anna"
    ) => Desk.TakeAsync(new CommandArrival(station, verb, Encoding.UTF8.GetBytes(payload), new CommandOrigin(who, role, "mqtt")));

    public void Dispose()
    {
        Desk.Dispose();
        _folder.Dispose();
    }

    private CommandDesk Open()
    {
        var desk = new CommandDesk(
            Options,
            Folder,
            station => station is "biscuit-1" or "biscuit-2",
            order =>
            {
                Done.Add(order);
                return ValueTask.FromResult(Effect(order));
            },
            Time,
            Log
        );
        desk.Open("1.0");
        return desk;
    }
}
