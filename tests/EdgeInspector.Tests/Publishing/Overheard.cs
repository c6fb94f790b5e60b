using System.Buffers;
using System.Threading.Channels;
using EdgeInspector.Publishing;
using MQTTnet;
using MQTTnet.Formatter;

namespace EdgeInspector.Tests.Publishing;

/// <summary>A subscriber to topics that are not of the contract.</summary>
internal sealed class Overheard : IAsyncDisposable
{
    private readonly IMqttClient _client = new MqttClientFactory().CreateMqttClient();
    private readonly Channel<(string Topic, byte[] Payload, bool Retain)> _messages = Channel.CreateUnbounded<(string, byte[], bool)>();

    /// <summary>How a station logs in at the broker, with impatient waits.</summary>
    public static MqttOptions Station(TestBroker broker) =>
        new()
        {
            Port = broker.Port,
            Username = TestBroker.StationName,
            Password = TestBroker.StationPassword,
            ReconnectDelay = TimeSpan.FromMilliseconds(20),
            MaxReconnectDelay = TimeSpan.FromMilliseconds(200),
        };

    public static async Task<Overheard> ConnectAsync(TestBroker broker, string filter)
    {
        var overheard = new Overheard();
        overheard._client.ApplicationMessageReceivedAsync += e =>
        {
            var message = e.ApplicationMessage;
            overheard._messages.Writer.TryWrite((message.Topic, message.Payload.ToArray(), message.Retain));
            return Task.CompletedTask;
        };
        await overheard._client.ConnectAsync(
            new MqttClientOptionsBuilder()
                .WithProtocolVersion(MqttProtocolVersion.V500)
                .WithTcpServer("127.0.0.1", broker.Port)
                .WithCredentials(TestBroker.ReaderName, TestBroker.ReaderPassword)
                .Build()
        );
        await overheard._client.SubscribeAsync(
            new MqttClientSubscribeOptionsBuilder()
                .WithTopicFilter(f => f.WithTopic(filter).WithAtLeastOnceQoS().WithRetainAsPublished().WithNoLocal())
                .Build()
        );
        return overheard;
    }

    public async Task<(string Topic, byte[] Payload, bool Retain)> NextAsync() => await _messages.Reader.ReadAsync().AsTask().Patiently();

    /// <summary>Passes over what does not end so.</summary>
    public async Task<(string Topic, byte[] Payload, bool Retain)> NextAsync(string levels)
    {
        while (true)
        {
            var message = await NextAsync();
            if (message.Topic.Contains(levels, StringComparison.Ordinal))
            {
                return message;
            }
        }
    }

    public Task SayAsync(string topic, byte[] payload) =>
        _client
            .PublishAsync(new MqttApplicationMessageBuilder().WithTopic(topic).WithPayload(payload).WithQualityOfServiceLevel(MQTTnet.Protocol.MqttQualityOfServiceLevel.AtLeastOnce).Build())
            .Patiently();

    public async ValueTask DisposeAsync()
    {
        await _client.DisconnectAsync();
        _client.Dispose();
    }
}
