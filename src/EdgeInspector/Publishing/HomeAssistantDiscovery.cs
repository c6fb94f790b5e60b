using System.Threading.Channels;
using EdgeInspector.Line;
using MQTTnet;
using MQTTnet.Protocol;

namespace EdgeInspector.Publishing;

/// <summary>
/// Introduces every station to Home Assistant: one retained document each, at each connection and whenever Home Assistant says
/// that it has just started. On a connection of its own, since it speaks for all stations.
/// </summary>
internal sealed class HomeAssistantDiscovery
{
    private readonly MqttOptions _mqtt;
    private readonly string _statusTopic;
    private readonly IReadOnlyList<HomeAssistantDevice> _devices;
    private readonly BrokerConnection _connection;
    private readonly ILogger _log;

    /// <summary>One token at most: something may be worth doing.</summary>
    private readonly Channel<bool> _wake = Channel.CreateBounded<bool>(
        new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite, SingleReader = true }
    );

    private volatile bool _isAsked;

    /// <param name="options">Where discovery looks.</param>
    /// <param name="mqtt">The broker.</param>
    /// <param name="plant">Where the stations stand.</param>
    /// <param name="stations">What stations there are.</param>
    /// <param name="version">The program's version.</param>
    /// <param name="time">Waits.</param>
    /// <param name="log">Changes of state.</param>
    public HomeAssistantDiscovery(
        HomeAssistantOptions options,
        MqttOptions mqtt,
        PlantOptions plant,
        IReadOnlyList<HomeAssistantStation> stations,
        string version,
        TimeProvider time,
        ILogger<HomeAssistantDiscovery> log
    )
    {
        (_mqtt, _log) = (mqtt, log);
        _statusTopic = $"{options.Prefix}/status";
        _devices = [.. stations.Select(station => new HomeAssistantDevice(options, plant, station, version))];
        _connection = new BrokerConnection(mqtt, $"{mqtt.ClientId}-homeassistant", "Home Assistant discovery", time, log);
    }

    /// <summary>"connected", "connecting", or what is wrong in one line.</summary>
    public string State => _connection.State;

    /// <summary>Introduces the stations until <paramref name="stopping"/>. Trouble with the broker never ends it.</summary>
    public Task RunAsync(CancellationToken stopping) =>
        _mqtt.Enabled
            ? _connection.RunAsync(
                builder => builder.WithCleanStart().WithSessionExpiryInterval(0),
                session => ServeAsync(session, stopping),
                Heard,
                stopping
            )
            : Task.CompletedTask;

    /// <summary>Whether a topic is discovery's, and if so, whether stations say it or Home Assistant does; null otherwise.</summary>
    internal static bool? IsOfStations(string topic) =>
        topic == "homeassistant/status" ? false
        : topic.StartsWith("homeassistant/device/", StringComparison.Ordinal) && topic.EndsWith("/config", StringComparison.Ordinal) ? true
        : null;

    private void Heard(MqttApplicationMessage message)
    {
        if (message.Topic == _statusTopic && message.ConvertPayloadToString() == "online")
        {
            _isAsked = true;
            _wake.Writer.TryWrite(true);
        }
    }

    private async Task ServeAsync(BrokerSession session, CancellationToken stopping)
    {
        await using var stop = stopping.Register(() => _wake.Writer.TryWrite(true)).ConfigureAwait(false);
        foreach (var refused in await session.SubscribeAsync([_statusTopic]).ConfigureAwait(false))
        {
            Log.Refused(_log, "Home Assistant discovery", refused, "not to be subscribed to");
        }

        _ = session.Lost.ContinueWith(
            _ => _wake.Writer.TryWrite(true),
            CancellationToken.None,
            TaskContinuationOptions.ExecuteSynchronously,
            TaskScheduler.Default
        );
        _isAsked = true;
        while (!stopping.IsCancellationRequested)
        {
            if (session.Lost.IsCompleted)
            {
                throw new BrokerTroubleException(await session.Lost.ConfigureAwait(false));
            }

            if (_isAsked)
            {
                _isAsked = false;
                await IntroduceAsync(session).ConfigureAwait(false);
            }

            await _wake.Reader.ReadAsync(CancellationToken.None).ConfigureAwait(false);
        }

        await session.SayGoodByeAsync().ConfigureAwait(false);
    }

    private async Task IntroduceAsync(BrokerSession session)
    {
        foreach (var device in _devices)
        {
            var message = new MqttApplicationMessageBuilder()
                .WithTopic(device.Topic)
                .WithPayload(device.Document())
                .WithContentType(Contract.Json)
                .WithQualityOfServiceLevel(MqttQualityOfServiceLevel.AtLeastOnce)
                .WithRetainFlag()
                .Build();
            var result = await session.PublishAsync(message).ConfigureAwait(false);
            if (!result.IsSuccess)
            {
                Log.Refused(_log, "Home Assistant discovery", device.Topic, result.ReasonCode.ToString());
            }
        }
    }
}
