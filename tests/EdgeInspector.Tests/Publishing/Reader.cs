using System.Buffers;
using System.Text;
using MQTTnet;
using MQTTnet.Formatter;
using MQTTnet.Protocol;
using Xunit;

namespace EdgeInspector.Tests.Publishing;

/// <summary>One message as a subscriber saw it.</summary>
internal sealed record Heard(
    string Topic,
    byte[] Payload,
    MqttQualityOfServiceLevel Qos,
    bool Retain,
    string? ContentType,
    bool Expires,
    string Properties,
    string? Correlation = null
)
{
    public string Text => Encoding.UTF8.GetString(Payload);
}

/// <summary>A subscriber that a test can wait on; holds every message against the contract.</summary>
internal sealed class Reader : IAsyncDisposable
{
    private readonly IMqttClient _client = new MqttClientFactory().CreateMqttClient();
    private readonly Lock _lock = new();
    private readonly List<Heard> _messages = [];
    private readonly List<string> _faults = [];
    private TaskCompletionSource _next = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public IReadOnlyList<Heard> Messages
    {
        get
        {
            lock (_lock)
            {
                return [.. _messages];
            }
        }
    }

    public static async Task<Reader> ConnectAsync(
        TestBroker broker,
        string filter = "ei/#",
        MqttQualityOfServiceLevel qos = MqttQualityOfServiceLevel.AtLeastOnce
    )
    {
        var reader = new Reader();
        reader._client.ApplicationMessageReceivedAsync += reader.HearAsync;
        var options = new MqttClientOptionsBuilder()
            .WithProtocolVersion(MqttProtocolVersion.V500)
            .WithTcpServer("127.0.0.1", broker.Port)
            .WithCredentials(TestBroker.ReaderName, TestBroker.ReaderPassword)
            .Build();
        var result = await reader._client.ConnectAsync(options);
        if (result.ResultCode != MqttClientConnectResultCode.Success)
        {
            throw new InvalidOperationException($"the reader was refused: {result.ResultCode}");
        }

        await reader._client.SubscribeAsync(
            new MqttClientSubscribeOptionsBuilder()
                .WithTopicFilter(f => f.WithTopic(filter).WithQualityOfServiceLevel(qos).WithRetainAsPublished())
                .Build()
        );
        return reader;
    }

    public async Task<IReadOnlyList<Heard>> WaitAsync(Func<IReadOnlyList<Heard>, bool> enough)
    {
        while (true)
        {
            Task next;
            lock (_lock)
            {
                if (enough(_messages))
                {
                    return [.. _messages];
                }

                next = _next.Task;
            }

            try
            {
                await next.Patiently();
            }
            catch (TimeoutException)
            {
                throw new TimeoutException(
                    $"heard only {Messages.Count}: {string.Join(", ", Messages.TakeLast(20).Select(m => m.Topic))}"
                );
            }
        }
    }

    public Task<IReadOnlyList<Heard>> WaitForAsync(string topicEnd, int times = 1) =>
        WaitAsync(all => all.Count(m => m.Topic.EndsWith(topicEnd, StringComparison.Ordinal)) >= times);

    /// <summary>Publishes a request.</summary>
    public Task SayAsync(string topic, string payload, string? responseTopic, bool retain = false)
    {
        var message = new MqttApplicationMessageBuilder()
            .WithTopic(topic)
            .WithPayload(payload)
            .WithQualityOfServiceLevel(MqttQualityOfServiceLevel.AtLeastOnce)
            .WithRetainFlag(retain)
            .WithCorrelationData("c-1"u8.ToArray());
        if (responseTopic is not null)
        {
            message.WithResponseTopic(responseTopic);
        }

        return _client.PublishAsync(message.Build()).Patiently();
    }

    /// <summary>Asks until somebody answers: whoever is to hear it may not have subscribed yet.</summary>
    public async Task SayUntilAsync(
        string topic,
        string payload,
        string? responseTopic,
        Func<IReadOnlyList<Heard>, bool> answered
    )
    {
        while (!answered(Messages))
        {
            var next = NextAsync();
            await SayAsync(topic, payload, responseTopic);
            await Task.WhenAny(next, Task.Delay(TimeSpan.FromMilliseconds(200), TestContext.Current.CancellationToken));
        }
    }

    private Task NextAsync()
    {
        lock (_lock)
        {
            return _next.Task;
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_client.IsConnected)
        {
            try
            {
                await _client.DisconnectAsync();
            }
            catch (MQTTnet.Exceptions.MqttCommunicationException)
            {
                // The broker went first.
            }
        }

        _client.Dispose();
        Assert.Empty(_faults);
    }

    private Task HearAsync(MqttApplicationMessageReceivedEventArgs e)
    {
        var m = e.ApplicationMessage;
        var properties = string.Join(
            "; ",
            (m.UserProperties ?? []).Select(p => $"{p.Name}={Encoding.UTF8.GetString(p.ValueBuffer.Span)}")
        );
        TaskCompletionSource heard;
        lock (_lock)
        {
            _faults.AddRange(Schemas.Faults(m.Topic, m.Payload.ToArray()));
            _messages.Add(
                new Heard(
                    m.Topic,
                    m.Payload.ToArray(),
                    m.QualityOfServiceLevel,
                    m.Retain,
                    m.ContentType,
                    m.MessageExpiryInterval > 0,
                    properties,
                    m.CorrelationData is { } data ? Encoding.UTF8.GetString(data) : null
                )
            );
            (heard, _next) = (_next, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
        }

        heard.SetResult();
        return Task.CompletedTask;
    }
}
