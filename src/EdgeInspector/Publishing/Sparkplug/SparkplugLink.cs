using System.Buffers;
using System.Threading.Channels;
using EdgeInspector.Line;
using EdgeInspector.Telemetry;
using MQTTnet;
using MQTTnet.Protocol;

namespace EdgeInspector.Publishing.Sparkplug;

/// <summary>
/// The edge node's connection, with its own last will, clean start and no session, as Sparkplug asks. Looks at the stations each
/// <see cref="SparkplugOptions.Interval"/>; while the broker is away, looks are kept and told later as history.
/// </summary>
internal sealed class SparkplugLink
{
    private readonly SparkplugOptions _options;
    private readonly MqttOptions _mqtt;
    private readonly Func<IReadOnlyList<StationSnapshot>> _snapshots;
    private readonly TimeProvider _time;
    private readonly ILogger _log;
    private readonly SparkplugNode _node;
    private readonly BrokerConnection _connection;

    /// <summary>Looks that wait, the oldest first. Under its own lock.</summary>
    private readonly LinkedList<SparkplugLook> _looks = [];

    /// <summary>Said lately, and with QoS 0: a connection that breaks may have swallowed it. Touched by the connection's task alone.</summary>
    private readonly Queue<SparkplugLook> _lately = [];

    /// <summary>One token at most: something may be worth doing.</summary>
    private readonly Channel<bool> _wake = Channel.CreateBounded<bool>(
        new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite, SingleReader = true }
    );

    private volatile bool _isOnline;
    private volatile bool _isAskedForRebirth;
    private long _forgotten;

    /// <param name="options">The node.</param>
    /// <param name="mqtt">The broker.</param>
    /// <param name="plant">What the node is called after.</param>
    /// <param name="snapshots">Every station seen from outside.</param>
    /// <param name="version">The program's version.</param>
    /// <param name="time">Intervals.</param>
    /// <param name="log">Changes of state.</param>
    public SparkplugLink(
        SparkplugOptions options,
        MqttOptions mqtt,
        PlantOptions plant,
        Func<IReadOnlyList<StationSnapshot>> snapshots,
        string version,
        TimeProvider time,
        ILogger<SparkplugLink> log
    )
    {
        (_options, _mqtt, _snapshots, _time, _log) = (options, mqtt, snapshots, time, log);
        _node = new SparkplugNode(
            options.Group ?? $"{plant.Enterprise}-{plant.Site}-{plant.Area}",
            options.Node ?? plant.Line,
            version
        );
        _connection = new BrokerConnection(mqtt, $"{mqtt.ClientId}-sparkplug", "Sparkplug node", time, log);
    }

    /// <summary>"connected", "connecting", or what is wrong in one line.</summary>
    public string State => _connection.State;

    /// <summary>Looks given up because the broker was away for too long.</summary>
    public long Forgotten => Interlocked.Read(ref _forgotten);

    /// <summary>Speaks until <paramref name="stopping"/>, then tells its own death. Trouble with the broker never ends it.</summary>
    public async Task RunAsync(CancellationToken stopping)
    {
        if (!_mqtt.Enabled)
        {
            return;
        }

        using var timer = new PeriodicTimer(_options.Interval, _time);
        var looking = LookAsync(timer, stopping);
        await _connection.RunAsync(Shape, session => ServeAsync(session, stopping), Heard, stopping).ConfigureAwait(false);
        await looking.ConfigureAwait(false);
    }

    private void Shape(MqttClientOptionsBuilder builder) =>
        builder
            .WithCleanStart()
            .WithSessionExpiryInterval(0)
            .WithWillTopic(_node.DeathTopic)
            .WithWillPayload(_node.BeginConnection())
            .WithWillQualityOfServiceLevel(MqttQualityOfServiceLevel.AtLeastOnce)
            .WithWillRetain(false);

    private void Heard(MqttApplicationMessage message)
    {
        if (message.Topic == _node.CommandTopic && SparkplugNode.AsksForRebirth(message.Payload.ToArray()))
        {
            _isAskedForRebirth = true;
            _wake.Writer.TryWrite(true);
        }
    }

    private async Task LookAsync(PeriodicTimer timer, CancellationToken stopping)
    {
        var lookedAt = _time.GetTimestamp();
        try
        {
            while (await timer.WaitForNextTickAsync(stopping).ConfigureAwait(false))
            {
                var now = _time.GetTimestamp();
                // Half an interval: a timer that comes a moment early must not cost a whole round.
                if (_isOnline || _time.GetElapsedTime(lookedAt, now) >= _options.HistoryInterval - (_options.Interval / 2))
                {
                    lookedAt = now;
                    Keep(Look());
                    _wake.Writer.TryWrite(true);
                }
            }
        }
        catch (OperationCanceledException)
        {
            // Stopping.
        }
    }

    private SparkplugLook Look() => new(_time.GetUtcNow(), _snapshots());

    private void Keep(SparkplugLook look)
    {
        lock (_looks)
        {
            _looks.AddLast(look);
            Bound();
        }
    }

    private void Bound()
    {
        while (_looks.Count > _options.HistoryLimit)
        {
            _looks.RemoveFirst();
            Interlocked.Increment(ref _forgotten);
        }
    }

    private SparkplugLook? Next()
    {
        lock (_looks)
        {
            if (_looks.First is not { } first)
            {
                return null;
            }

            _looks.RemoveFirst();
            return first.Value;
        }
    }

    private async Task ServeAsync(BrokerSession session, CancellationToken stopping)
    {
        await using var stop = stopping.Register(() => _wake.Writer.TryWrite(true)).ConfigureAwait(false);
        _ = session.Lost.ContinueWith(
            _ => _wake.Writer.TryWrite(true),
            CancellationToken.None,
            TaskContinuationOptions.ExecuteSynchronously,
            TaskScheduler.Default
        );
        PutBack();
        try
        {
            foreach (var refused in await session.SubscribeAsync([_node.CommandTopic]).ConfigureAwait(false))
            {
                Log.Refused(_log, "Sparkplug node", refused, "not to be subscribed to");
            }

            _isAskedForRebirth = true;
            _isOnline = true;
            while (!stopping.IsCancellationRequested)
            {
                await SpeakAsync(session, stopping).ConfigureAwait(false);
                await _wake.Reader.ReadAsync(CancellationToken.None).ConfigureAwait(false);
            }

            // A disconnect on purpose sends no last will, and hosts must know all the same.
            await SayAsync(session, new SparkplugMessage(_node.DeathTopic, _node.Death())).ConfigureAwait(false);
            await session.SayGoodByeAsync().ConfigureAwait(false);
        }
        finally
        {
            _isOnline = false;
        }
    }

    private async Task SpeakAsync(BrokerSession session, CancellationToken stopping)
    {
        do
        {
            if (session.Lost.IsCompleted)
            {
                throw new BrokerTroubleException(await session.Lost.ConfigureAwait(false));
            }

            if (_isAskedForRebirth)
            {
                _isAskedForRebirth = false;
                await SayAllAsync(session, _node.Births(Look())).ConfigureAwait(false);
            }

            if (Next() is not { } look)
            {
                return;
            }

            if (look.At >= _node.BornAt && !_node.Knows(look))
            {
                // A station that came later, or a kind of defect that was never seen before.
                await SayAllAsync(session, _node.Births(look)).ConfigureAwait(false);
            }

            _lately.Enqueue(look);
            while (_lately.TryPeek(out var old) && look.At - old.At > 2 * _mqtt.KeepAlive)
            {
                _lately.Dequeue();
            }

            await SayAllAsync(session, _node.Changes(look)).ConfigureAwait(false);
        } while (!stopping.IsCancellationRequested);
    }

    /// <summary>What the last connection may have swallowed is told once more: a host that had it gets the same value at the same time.</summary>
    private void PutBack()
    {
        lock (_looks)
        {
            foreach (var look in _lately.Reverse())
            {
                _looks.AddFirst(look);
            }

            Bound();
        }

        _lately.Clear();
    }

    private static async Task SayAllAsync(BrokerSession session, IReadOnlyList<SparkplugMessage> messages)
    {
        foreach (var message in messages)
        {
            await SayAsync(session, message).ConfigureAwait(false);
        }
    }

    private static Task<MqttClientPublishResult> SayAsync(BrokerSession session, SparkplugMessage message) =>
        session.PublishAsync(
            new MqttApplicationMessageBuilder()
                .WithTopic(message.Topic)
                .WithPayload(message.Payload)
                .WithQualityOfServiceLevel(MqttQualityOfServiceLevel.AtMostOnce)
                .Build()
        );
}
