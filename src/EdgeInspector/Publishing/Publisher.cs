using System.Collections.Concurrent;
using System.Globalization;
using EdgeInspector.Line;
using EdgeInspector.Telemetry;

namespace EdgeInspector.Publishing;

/// <summary>
/// Sends what the stations have to say to the broker, and takes what it sends to them. Inspection events come from the ledger,
/// records and pictures from the outbox; whatever is handed over here may come from any thread, never blocks and never throws.
/// Whatever the broker or the network does ends up in <see cref="BrokerState"/> and nowhere else.
/// </summary>
internal sealed class Publisher
{
    /// <summary>How often stations that appeared since are given a connection.</summary>
    private static readonly TimeSpan LookAround = TimeSpan.FromSeconds(1);

    private readonly ConcurrentDictionary<string, StationLink> _links = new(StringComparer.Ordinal);
    private readonly Dictionary<MessageKind, Func<IncomingMessage, CancellationToken, Task>> _handlers = [];
    private readonly MqttOptions _options;
    private readonly PlantOptions _plant;
    private readonly Func<IReadOnlyList<StationSnapshot>> _snapshots;
    private readonly TimeProvider _time;
    private readonly ILogger<Publisher> _log;
    private readonly LinkParts _shared;

    /// <param name="options">The broker.</param>
    /// <param name="plant">The upper levels of every topic.</param>
    /// <param name="snapshots">Every station seen from outside.</param>
    /// <param name="parts">The ledger; whoever writes it calls <see cref="PartsWritten"/>.</param>
    /// <param name="outbox">Opened, run and disposed of by the caller, and longer than this.</param>
    /// <param name="shift">A station's figures between two times, for kpi/shift; null for none.</param>
    /// <param name="time">Intervals.</param>
    /// <param name="log">Changes of state.</param>
    public Publisher(
        MqttOptions options,
        PlantOptions plant,
        Func<IReadOnlyList<StationSnapshot>> snapshots,
        IPartFeed parts,
        Outbox outbox,
        Func<string, DateTimeOffset, DateTimeOffset, ShiftFigures>? shift,
        TimeProvider time,
        ILogger<Publisher> log
    )
    {
        (_options, _plant, _snapshots, _time, _log) = (options, plant, snapshots, time, log);
        _shared = new LinkParts(SnapshotOf, parts, outbox, shift, _handlers);
        outbox.Wrote = () =>
        {
            foreach (var link in _links.Values)
            {
                link.OutboxNews();
            }
        };
    }

    /// <summary>"connected" when every station is, "off", or one line on what is wrong.</summary>
    public string BrokerState
    {
        get
        {
            if (!_options.Enabled)
            {
                return "off";
            }

            var states = _links.Values.Select(link => link.State).ToList();
            return states.Find(state => state != BrokerConnection.Connected)
                ?? (states.Count == 0 ? BrokerConnection.Connecting : BrokerConnection.Connected);
        }
    }

    /// <summary>Records and pictures given up.</summary>
    public long Shed => _shared.Outbox.GivenUp;

    /// <summary>Inspection events the broker has acknowledged.</summary>
    public long Acknowledged => _links.Values.Sum(link => link.Acknowledged);

    /// <summary>Requests from others that were refused before anybody looked at them.</summary>
    public long RequestsRefused => _links.Values.Sum(link => link.RequestsRefused);

    /// <summary>
    /// Subscribes every station to a kind of message from others. The handler gets one at a time for each station, off every
    /// real-time thread, and must not throw for anything that the message holds.
    /// </summary>
    /// <remarks>Before <see cref="RunAsync"/>.</remarks>
    /// <exception cref="ArgumentException">The kind goes the other way, or has a handler.</exception>
    public void Handle(MessageKind kind, Func<IncomingMessage, CancellationToken, Task> handler)
    {
        if (!kind.IsInbound)
        {
            throw new ArgumentException($"'{kind.Name}' is what stations say.", nameof(kind));
        }

        _handlers.Add(kind, handler);
    }

    /// <summary>A station that is to be published from now on: marks where its parts begin. Before its first part.</summary>
    public void Follow(string station)
    {
        if (!_options.Enabled)
        {
            return;
        }

        LinkOf(station);
        try
        {
            _shared.Parts.Mark(station);
        }
        catch (IOException)
        {
            // The ledger says itself what is wrong with it; the mark is asked for again.
        }
    }

    /// <summary>There are new parts in the ledger.</summary>
    public void PartsWritten()
    {
        foreach (var link in _links.Values)
        {
            link.PartNews();
        }
    }

    /// <summary>Queues a picture for publishing; the crop of a rejected part is also its station's last reject.</summary>
    public void Offer(EvidencePicture picture)
    {
        if (!_options.Enabled)
        {
            return;
        }

        var properties = new Dictionary<string, string>
        {
            ["resultId"] = picture.PartId,
            ["verdict"] = picture.Verdict.ToString(),
        };
        if (picture.Label is { } label)
        {
            properties["label"] = label;
        }

        var message = new OutgoingMessage
        {
            Kind = Contract.Image,
            Station = picture.Station,
            Parameter = picture.PartId,
            Id = string.Create(CultureInfo.InvariantCulture, $"{picture.PartId}/image"),
            Payload = picture.Crop,
            Properties = properties,
        };
        _shared.Outbox.Offer(message);
        if (picture.Verdict == Verdict.Reject)
        {
            LinkOf(picture.Station).Report(message with { Kind = Contract.LastImage, Parameter = null });
        }
    }

    /// <summary>
    /// Queues a record or a picture in the outbox; false when it was not taken. Whoever needs to know that it is on the disk
    /// appends to the <see cref="Outbox"/> directly.
    /// </summary>
    /// <exception cref="ArgumentException">The message has no id, or its kind does not wait in the outbox.</exception>
    public bool Offer(OutgoingMessage message) => !_options.Enabled || _shared.Outbox.Offer(message);

    /// <summary>The latest word on a retained topic (<see cref="Keeping.Latest"/>): said now and at each connection.</summary>
    public void Report(OutgoingMessage message)
    {
        if (_options.Enabled)
        {
            LinkOf(message.Station).Report(message);
        }
    }

    /// <summary>Answers a request: to its response topic, or to <c>reply/all</c>. Dropped when the broker is away.</summary>
    public void Reply(IncomingMessage request, CommandReply reply) =>
        LinkOf(request.Station)
            .Say(
                OutgoingMessage.Of(Contract.Reply, request.Station, reply, parameter: request.ReplyTo ?? "all") with
                {
                    CorrelationData = request.CorrelationData,
                }
            );

    /// <summary>
    /// Publishes until <paramref name="stopping"/>, then takes the stations off line with a last message and returns.
    /// Trouble with the broker never ends it; anything else is thrown.
    /// </summary>
    public async Task RunAsync(CancellationToken stopping)
    {
        if (!_options.Enabled)
        {
            // A task that ended by itself would look like one that failed.
            await Task.Delay(Timeout.InfiniteTimeSpan, _time, stopping)
                .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            return;
        }

        var running = new Dictionary<StationLink, Task>();
        using var failed = CancellationTokenSource.CreateLinkedTokenSource(stopping);
        try
        {
            while (!failed.IsCancellationRequested)
            {
                foreach (var snapshot in _snapshots())
                {
                    LinkOf(snapshot.Station);
                }

                foreach (var link in _links.Values.Where(link => !running.ContainsKey(link)))
                {
                    running.Add(link, link.RunAsync(failed.Token));
                }

                var pause = Task.Delay(LookAround, _time, failed.Token);
                if (await Task.WhenAny([pause, .. running.Values]).ConfigureAwait(false) != pause)
                {
                    break;
                }
            }
        }
        finally
        {
            // A link that failed takes the others along: the process ends, and each says good-bye first.
            await failed.CancelAsync().ConfigureAwait(false);
            await Task.WhenAll(running.Values).ConfigureAwait(false);
        }
    }

    private StationLink LinkOf(string station) =>
        _links.TryGetValue(station, out var link)
            ? link
            : _links.GetOrAdd(station, name => new StationLink(_options, _plant, name, _shared, _time, _log));

    private StationSnapshot? SnapshotOf(string station)
    {
        foreach (var snapshot in _snapshots())
        {
            if (snapshot.Station == station)
            {
                return snapshot;
            }
        }

        return null;
    }
}
