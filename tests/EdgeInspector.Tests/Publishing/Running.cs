using EdgeInspector.Ledger;
using EdgeInspector.Line;
using EdgeInspector.Publishing;
using EdgeInspector.Telemetry;
using Microsoft.Extensions.Logging.Abstractions;

namespace EdgeInspector.Tests.Publishing;

/// <summary>
/// A publisher at work, with a real ledger and a real outbox in a folder; disposing stops it cleanly and passes on what it threw.
/// </summary>
internal sealed class Running : IAsyncDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private readonly CancellationTokenSource _stopLedger = new();
    private readonly CancellationTokenSource _stopOutbox = new();
    private readonly TemporaryFolder? _ownFolder;
    private readonly LedgerFeed _feed;
    private readonly Task _writing;
    private readonly Task _keeping;

    public Running(
        int port,
        Action<MqttOptions>? change = null,
        Func<IReadOnlyList<StationSnapshot>>? snapshots = null,
        string? folder = null,
        OutboxOptions? outbox = null,
        Action<Publisher>? prepare = null,
        string[]? stations = null,
        TimeSpan? batch = null
    )
    {
        Options = new MqttOptions
        {
            Port = port,
            Username = TestBroker.StationName,
            Password = TestBroker.StationPassword,
            ReconnectDelay = TimeSpan.FromMilliseconds(20),
            MaxReconnectDelay = TimeSpan.FromMilliseconds(200),
            MetricsInterval = TimeSpan.FromHours(1),
        };
        change?.Invoke(Options);
        _ownFolder = folder is null ? new TemporaryFolder() : null;
        Folder = folder ?? _ownFolder!.Path;
        var ledgerOptions = new LedgerOptions { BatchInterval = batch ?? TimeSpan.FromMilliseconds(10) };
        Ledger = new LedgerStore(ledgerOptions, Folder, TimeProvider.System, NullLogger.Instance);
        Ledger.Open();
        _feed = new LedgerFeed(Ledger);
        Outbox = new Outbox(outbox ?? new OutboxOptions { ReserveMegabytes = 0 }, Folder, TimeProvider.System, NullLogger<Outbox>.Instance);
        Publisher = new Publisher(
            Options,
            Some.Plant,
            snapshots ?? (() => [Some.Snapshot()]),
            _feed,
            Outbox,
            shift: null,
            TimeProvider.System,
            Log
        );
        Ledger.Wrote = Publisher.PartsWritten;
        prepare?.Invoke(Publisher);
        foreach (var station in stations ?? ["biscuit-1"])
        {
            Publisher.Follow(station);
        }

        _writing = Ledger.RunAsync(_stopLedger.Token);
        _keeping = Outbox.RunAsync(_stopOutbox.Token);
        Task = Publisher.RunAsync(_stop.Token);
    }

    public MqttOptions Options { get; }

    public HeardLog<Publisher> Log { get; } = new();

    public string Folder { get; }

    public LedgerStore Ledger { get; }

    public Outbox Outbox { get; }

    public Publisher Publisher { get; }

    public Task Task { get; }

    /// <summary>A part has come to its end.</summary>
    public void Offer(PartRecord part) => Ledger.Offer(part);

    public void Offer(EvidencePicture picture) => Publisher.Offer(picture);

    public async ValueTask DisposeAsync()
    {
        await _stopLedger.CancelAsync();
        await _writing.Patiently();
        await _stop.CancelAsync();
        try
        {
            await Task.Patiently();
        }
        finally
        {
            await _stopOutbox.CancelAsync();
            await _keeping.Patiently();
            Outbox.Dispose();
            _feed.Dispose();
            Ledger.Dispose();
            _ownFolder?.Dispose();
            _stop.Dispose();
            _stopLedger.Dispose();
            _stopOutbox.Dispose();
        }
    }
}
