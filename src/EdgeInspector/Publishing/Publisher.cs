using System.Collections.Concurrent;
using EdgeInspector.Line;
using EdgeInspector.Telemetry;

namespace EdgeInspector.Publishing;

/// <summary>
/// Sends what the stations have to say to the broker. <see cref="Offer(PartRecord)"/> and
/// <see cref="Offer(EvidencePicture)"/> may be called from any thread; they never block and never throw, and shed the
/// oldest when full. Records wait in memory until the broker has acknowledged them. Whatever the broker or the network
/// does ends up in <see cref="BrokerState"/> and nowhere else.
/// </summary>
internal sealed class Publisher(
    MqttOptions options,
    PlantOptions plant,
    Func<IReadOnlyList<StationSnapshot>> snapshots,
    TimeProvider time,
    ILogger<Publisher> log
)
{
    /// <summary>How often stations that appeared since are given a connection.</summary>
    private static readonly TimeSpan LookAround = TimeSpan.FromSeconds(1);

    private readonly ConcurrentDictionary<string, StationLink> _links = new(StringComparer.Ordinal);

    /// <summary>"connected" when every station is, "off", or one line on what is wrong.</summary>
    public string BrokerState
    {
        get
        {
            if (!options.Enabled)
            {
                return "off";
            }

            var states = _links.Values.Select(link => link.State).ToList();
            return states.Find(state => state != StationLink.Connected)
                ?? (states.Count == 0 ? StationLink.Connecting : StationLink.Connected);
        }
    }

    /// <summary>Records and pictures dropped: a queue was full, or the broker will never take them.</summary>
    public long Shed => _links.Values.Sum(link => link.Shed);

    /// <summary>Records the broker has acknowledged.</summary>
    public long Acknowledged => _links.Values.Sum(link => link.Acknowledged);

    /// <summary>Queues a record for publishing.</summary>
    public void Offer(PartRecord record)
    {
        if (options.Enabled)
        {
            LinkOf(record.Station).Offer(record);
        }
    }

    /// <summary>Queues a picture for publishing.</summary>
    public void Offer(EvidencePicture picture)
    {
        if (options.Enabled)
        {
            LinkOf(picture.Station).Offer(picture);
        }
    }

    /// <summary>
    /// Publishes until <paramref name="stopping"/>, then takes the stations off line with a last message and returns.
    /// Trouble with the broker never ends it; anything else is thrown.
    /// </summary>
    public async Task RunAsync(CancellationToken stopping)
    {
        if (!options.Enabled)
        {
            // A task that ended by itself would look like one that failed.
            await Task.Delay(Timeout.InfiniteTimeSpan, time, stopping)
                .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            return;
        }

        var running = new Dictionary<StationLink, Task>();
        using var failed = CancellationTokenSource.CreateLinkedTokenSource(stopping);
        try
        {
            while (!failed.IsCancellationRequested)
            {
                foreach (var snapshot in snapshots())
                {
                    LinkOf(snapshot.Station);
                }

                foreach (var link in _links.Values.Where(link => !running.ContainsKey(link)))
                {
                    running.Add(link, link.RunAsync(failed.Token));
                }

                var pause = Task.Delay(LookAround, time, failed.Token);
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
            : _links.GetOrAdd(station, name => new StationLink(options, plant, name, SnapshotOf, time, log));

    private StationSnapshot? SnapshotOf(string station)
    {
        foreach (var snapshot in snapshots())
        {
            if (snapshot.Station == station)
            {
                return snapshot;
            }
        }

        return null;
    }
}
