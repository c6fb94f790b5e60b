using EdgeInspector.Publishing.Sparkplug.Proto;
using EdgeInspector.Telemetry;
using Google.Protobuf;
using Metric = EdgeInspector.Publishing.Sparkplug.Proto.Payload.Types.Metric;

namespace EdgeInspector.Publishing.Sparkplug;

/// <summary>One message of an edge node; always QoS 0 and not retained, but for the last will.</summary>
/// <param name="Topic">Where it goes.</param>
/// <param name="Payload">Encoded.</param>
internal sealed record SparkplugMessage(string Topic, byte[] Payload);

/// <summary>
/// What an edge node says and in what order (Sparkplug 3.0): births, changes and deaths of the node and of its devices, with
/// sequence numbers and aliases. Touches nothing and waits for nobody; <see cref="SparkplugLink"/> sends what it makes. One
/// task calls it.
/// </summary>
internal sealed class SparkplugNode
{
    /// <summary>What a host writes to have everything said again.</summary>
    public const string Rebirth = "Node Control/Rebirth";

    private const string Namespace = "spBv1.0";
    private const string NodeDevice = "";

    private readonly string _group;
    private readonly string _node;
    private readonly string _version;

    /// <summary>Unique in the whole node, and the same in every birth of this process.</summary>
    private readonly Dictionary<(string Device, string Name), ulong> _aliases = [];

    /// <summary>What hosts know since the last birth.</summary>
    private readonly Dictionary<ulong, object?> _said = [];

    /// <summary>What they will know of the past once what waits is said.</summary>
    private readonly Dictionary<ulong, object?> _saidOfPast = [];

    private byte _bdSeq = byte.MaxValue;
    private byte _seq;

    /// <param name="group">Group id.</param>
    /// <param name="node">Edge node id.</param>
    /// <param name="version">The program's version.</param>
    public SparkplugNode(string group, string node, string version) => (_group, _node, _version) = (group, node, version);

    /// <summary>Where hosts write to this node.</summary>
    public string CommandTopic => Topic("NCMD");

    /// <summary>Where its death is told: also the last will's topic.</summary>
    public string DeathTopic => Topic("NDEATH");

    /// <summary>When the last birth was said; what is older is historical.</summary>
    public DateTimeOffset BornAt { get; private set; } = DateTimeOffset.MaxValue;

    /// <summary>A connection is about to be made: it gets the next birth and death number. Returns its last will's payload.</summary>
    public byte[] BeginConnection()
    {
        _bdSeq++;
        return Death();
    }

    /// <summary>The payload that tells the death of this connection: one number, and no sequence number.</summary>
    public byte[] Death()
    {
        var payload = new Payload();
        payload.Metrics.Add(BirthNumber(null));
        return payload.ToByteArray();
    }

    /// <summary>Whether a message on <see cref="CommandTopic"/> asks for a rebirth; false for one that is none of ours.</summary>
    public static bool AsksForRebirth(ReadOnlySpan<byte> payload)
    {
        try
        {
            return Payload
                .Parser.ParseFrom(payload)
                .Metrics.Any(metric => metric.Name == Rebirth && metric.HasBooleanValue && metric.BooleanValue);
        }
        catch (InvalidProtocolBufferException)
        {
            return false;
        }
    }

    /// <summary>Whether hosts have been told all of a look's names.</summary>
    public bool Knows(SparkplugLook look) =>
        look.Stations.All(station =>
            SparkplugMetric.Of(station).All(metric => _aliases.TryGetValue((station.Station, metric.Name), out var alias) && _said.ContainsKey(alias))
        );

    /// <summary>The births of the node and of each device: everything by name, with what it is now.</summary>
    public IReadOnlyList<SparkplugMessage> Births(SparkplugLook now)
    {
        // What was known before the broker went away is where the history goes on from.
        _saidOfPast.Clear();
        foreach (var (alias, value) in _said)
        {
            _saidOfPast[alias] = value;
        }

        _said.Clear();
        _seq = 0;
        BornAt = now.At;
        var at = Milliseconds(now.At);
        var birth = Begin(at);
        birth.Metrics.Add(BirthNumber(at));
        birth.Metrics.Add(Born(NodeDevice, new SparkplugMetric(Rebirth, SparkplugType.Boolean, false), at));
        birth.Metrics.Add(Born(NodeDevice, new SparkplugMetric("Properties/Version", SparkplugType.Text, _version), at));
        List<SparkplugMessage> messages = [new(Topic("NBIRTH"), birth.ToByteArray())];
        foreach (var station in now.Stations)
        {
            var device = Begin(at);
            device.Metrics.AddRange(SparkplugMetric.Of(station).Select(metric => Born(station.Station, metric, at)));
            messages.Add(new(Topic("DBIRTH", station.Station), device.ToByteArray()));
        }

        return messages;
    }

    /// <summary>
    /// What a look brings that hosts do not know, by alias; nothing when nothing has changed. A look from before the last birth is
    /// told as history, and changes nothing of what is so now.
    /// </summary>
    public IReadOnlyList<SparkplugMessage> Changes(SparkplugLook look)
    {
        var isPast = look.At < BornAt;
        var known = isPast ? _saidOfPast : _said;
        var at = Milliseconds(look.At);
        List<SparkplugMessage> messages = [];
        foreach (var station in look.Stations)
        {
            List<Metric> changed = [];
            foreach (var metric in SparkplugMetric.Of(station))
            {
                var alias = AliasOf(station.Station, metric.Name);
                if (known.TryGetValue(alias, out var before) && Equals(before, metric.Value))
                {
                    continue;
                }

                known[alias] = metric.Value;
                var change = metric.Encode(at);
                change.Alias = alias;
                if (isPast)
                {
                    change.IsHistorical = true;
                }

                changed.Add(change);
            }

            if (changed.Count > 0)
            {
                var payload = Begin(at);
                payload.Metrics.AddRange(changed);
                messages.Add(new(Topic("DDATA", station.Station), payload.ToByteArray()));
            }
        }

        return messages;
    }

    private Payload Begin(ulong at)
    {
        // 0 to 255 and 0 again, over all messages of the node and its devices; a birth of the node begins at 0.
        var payload = new Payload { Timestamp = at, Seq = _seq };
        _seq++;
        return payload;
    }

    private Metric BirthNumber(ulong? at)
    {
        var metric = new Metric { Name = "bdSeq", Datatype = (uint)SparkplugType.Int64, LongValue = _bdSeq };
        if (at is { } known)
        {
            metric.Timestamp = known;
        }

        return metric;
    }

    private Metric Born(string device, SparkplugMetric metric, ulong at)
    {
        var born = metric.Encode(at);
        born.Name = metric.Name;
        born.Alias = AliasOf(device, metric.Name);
        _said[born.Alias] = metric.Value;
        return born;
    }

    private ulong AliasOf(string device, string name)
    {
        if (!_aliases.TryGetValue((device, name), out var alias))
        {
            alias = (ulong)_aliases.Count;
            _aliases.Add((device, name), alias);
        }

        return alias;
    }

    private string Topic(string type, string? device = null) =>
        device is null ? $"{Namespace}/{_group}/{type}/{_node}" : $"{Namespace}/{_group}/{type}/{_node}/{device}";

    private static ulong Milliseconds(DateTimeOffset at) => (ulong)Math.Max(0, at.ToUnixTimeMilliseconds());

    /// <summary>Whether a topic is Sparkplug's, and if so, whether nodes say it or hosts do; null otherwise.</summary>
    internal static bool? IsOfStations(string topic)
    {
        var levels = topic.Split('/');
        return levels[0] != Namespace || levels.Length is < 4 or > 5 ? null
            : levels[2] switch
            {
                "NBIRTH" or "NDEATH" or "NDATA" or "DBIRTH" or "DDEATH" or "DDATA" => true,
                "NCMD" => false,
                _ => null,
            };
    }
}

/// <summary>All stations at one moment.</summary>
/// <param name="At">When.</param>
/// <param name="Stations">Seen from outside.</param>
internal sealed record SparkplugLook(DateTimeOffset At, IReadOnlyList<StationSnapshot> Stations);
