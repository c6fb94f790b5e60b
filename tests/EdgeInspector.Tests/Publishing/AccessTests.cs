using System.Diagnostics;
using EdgeInspector.Line;
using EdgeInspector.Publishing;
using EdgeInspector.Tests.Conventions;
using MQTTnet;
using MQTTnet.Formatter;
using MQTTnet.Protocol;
using Xunit;

namespace EdgeInspector.Tests.Publishing;

/// <summary>Who may say and hear what: at the broker within the service and at a plant's mosquitto alike.</summary>
public sealed class AccessTests
{
    private const string Root = "ei/v1/acme/lyon/hall2/l1/biscuit-1/";

    [Fact]
    public void TheCommittedAccessListIsTheOneThatTheContractMakes() =>
        Assert.Equal(
            ContractDocuments.AccessList("+/+/+"),
            File.ReadAllText(Path.Combine(SourceTree.Root, "firmware-config/mosquitto/edge-inspector.acl"))
        );

    /// <summary>Every topic of the contract, every role, both brokers: the same answers.</summary>
    [Theory]
    [InlineData(BrokerKind.Embedded)]
    [InlineData(BrokerKind.Mosquitto)]
    public async Task EachAccountMaySayWhatItsRoleSays(BrokerKind kind)
    {
        await using var broker = await StartAsync(kind);
        foreach (var (name, role) in People)
        {
            using var client = await ConnectAsync(broker.Port, name);
            foreach (var suffix in Suffixes())
            {
                var isGranted = await PublishAsync(client, Root + suffix) is null;
                Assert.True(isGranted == Contract.MayPublish(role, suffix), $"{name} {suffix}: {isGranted}");
            }

            Assert.NotNull(await PublishAsync(client, "ei/v1/anything"));
            Assert.NotNull(await PublishAsync(client, "elsewhere"));
        }

        using var station = await ConnectAsync(broker.Port, "l1");
        foreach (var suffix in Suffixes())
        {
            var isOurs = Contract.Match(suffix)!.Value.Kind is { IsInbound: false };
            Assert.True(isOurs == await PublishAsync(station, Root + suffix) is null, suffix);
        }

        if (kind == BrokerKind.Mosquitto)
        {
            Assert.NotNull(await PublishAsync(station, Root.Replace("/l1/", "/l2/", StringComparison.Ordinal) + "state"));
        }
    }

    [Theory]
    [InlineData(BrokerKind.Embedded)]
    [InlineData(BrokerKind.Mosquitto)]
    public async Task PeopleHearStationsAndStationsHearPeople(BrokerKind kind)
    {
        await using var broker = await StartAsync(kind);
        using var station = await ConnectAsync(broker.Port, "l1");
        using var viewer = await ConnectAsync(broker.Port, "viewer");
        using var engineer = await ConnectAsync(broker.Port, "engineer");
        // Retained before anyone subscribes, and said while they listen.
        Assert.Null(await PublishAsync(engineer, Root + "model/desired", retain: true));
        Assert.Null(await PublishAsync(station, Root + "state", retain: true));
        var heardByViewer = await HearAsync(viewer, "ei/v1/#");
        var heardByStation = await HearAsync(station, Root + "#");
        Assert.Null(await PublishAsync(engineer, Root + "cmd/threshold"));
        Assert.Null(await PublishAsync(station, Root + "event/gap"));
        await heardByStation.WaitAsync(2);
        await heardByViewer.WaitAsync(2);

        Assert.Equal([Root + "cmd/threshold", Root + "model/desired"], heardByStation.Topics);
        Assert.Equal([Root + "event/gap", Root + "state"], heardByViewer.Topics);
    }

    [Fact]
    public async Task ARetainedCommandIsRefusedByTheEmbeddedBroker()
    {
        await using var broker = await StartAsync(BrokerKind.Embedded);
        using var engineer = await ConnectAsync(broker.Port, "engineer");

        Assert.Equal("NotAuthorized", await PublishAsync(engineer, Root + "cmd/arm", retain: true));
    }

    [Fact]
    public async Task TheEmbeddedBrokerSaysWhoSentACommandWhateverTheySay()
    {
        await using var broker = await StartAsync(BrokerKind.Embedded);
        using var station = await ConnectAsync(broker.Port, "l1");
        var heard = await HearAsync(station, Root + "cmd/+");
        using var people = await ConnectAsync(broker.Port, "operator");
        await people.PublishAsync(
            new MqttApplicationMessageBuilder()
                .WithTopic(Root + "cmd/arm")
                .WithUserProperty("user", "admin"u8.ToArray())
                .WithUserProperty("role", "Admin"u8.ToArray())
                .Build(),
            TestContext.Current.CancellationToken
        );
        await heard.WaitAsync(1);

        Assert.Equal("user=operator; role=Operator", heard.Properties[0]);
    }

    [Fact]
    public async Task WhoSendsTooMuchIsSentAway()
    {
        await using var broker = new EmbeddedBroker(
            new BrokerOptions { Port = 0, MaxMessagesPerSecond = 5 },
            Microsoft.Extensions.Logging.Abstractions.NullLogger<EmbeddedBroker>.Instance
        );
        broker.AddUser("operator", Password, Role.Operator);
        await broker.StartAsync(TestContext.Current.CancellationToken);
        using var client = await ConnectAsync(broker.Port, "operator");
        var gone = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        client.DisconnectedAsync += _ =>
        {
            gone.TrySetResult();
            return Task.CompletedTask;
        };

        for (var n = 0; n < 50 && !gone.Task.IsCompleted; n++)
        {
            try
            {
                await PublishAsync(client, Root + "cmd/arm");
            }
            catch (Exception e) when (e is MQTTnet.Exceptions.MqttCommunicationException or OperationCanceledException)
            {
                break;
            }
        }

        await gone.Task.Patiently();
        Assert.InRange(broker.RefusedMessages, 1, 45);
    }

    [Fact]
    public async Task NobodyTakesAnothersClientId()
    {
        await using var broker = await StartAsync(BrokerKind.Embedded);
        using var station = await ConnectAsync(broker.Port, "l1", clientId: "the-station");

        var e = await Assert.ThrowsAsync<InvalidOperationException>(() => ConnectAsync(broker.Port, "viewer", clientId: "the-station"));

        Assert.Contains("ClientIdentifierNotValid", e.Message);
        Assert.True(station.IsConnected);
    }

    [Fact]
    public async Task MosquittosOwnClientHearsAStation()
    {
        const string Tool = "/usr/bin/mosquitto_sub";
        Assert.SkipUnless(File.Exists(Tool), $"{Tool} is not installed (apt install mosquitto-clients)");
        await using var broker = await TestBroker.StartAsync(BrokerKind.Mosquitto);
        await using var running = new Running(broker.Port);
        using var listener = Process.Start(
            new ProcessStartInfo(
                Tool,
                [
                    "-p", $"{broker.Port}", "-u", TestBroker.ReaderName, "-P", TestBroker.ReaderPassword, "-V", "5", "-t",
                    Root + "event/inspection", "-C", "3", "-W", "20", "-F", "%t %C %P %p",
                ]
            )
            {
                RedirectStandardOutput = true,
            }
        )!;
        var text = listener.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        for (var n = 1; !text.IsCompleted && n < 2000; n++)
        {
            running.Offer(Some.Record(n));
            await Task.WhenAny(text, Task.Delay(TimeSpan.FromMilliseconds(50), TestContext.Current.CancellationToken));
        }

        var line = (await text.Patiently()).Split('\n')[0];
        Assert.StartsWith($"{Root}event/inspection application/json schema:ei.inspection/1", line);
        Assert.Contains("\"resultId\":\"biscuit-1/20261123T144800Z/", line);
    }

    private const string Password = "s3cret-of-everyone";

    private static readonly (string Name, Role Role)[] People =
    [
        ("viewer", Role.Viewer),
        ("operator", Role.Operator),
        ("qa", Role.Qa),
        ("engineer", Role.Engineer),
        ("admin", Role.Admin),
    ];

    private static IEnumerable<string> Suffixes() =>
        Contract
            .All.Where(kind => kind != Contract.Command)
            .Select(kind => kind.SuffixOf("a"))
            .Concat(Contract.Verbs.Select(verb => $"cmd/{verb.Name}"));

    private static async Task<Started> StartAsync(BrokerKind kind)
    {
        if (kind == BrokerKind.Mosquitto)
        {
            var list = Path.Combine(SourceTree.Root, "firmware-config/mosquitto/edge-inspector.acl");
            var mosquitto = await Mosquitto.StartWithAsync(
                $"acl_file {list}",
                [.. People.Select(person => person.Name), "l1"],
                Password
            );
            return new Started(mosquitto.Port, mosquitto);
        }

        var broker = new EmbeddedBroker(
            new BrokerOptions { Port = 0, MaxMessagesPerSecond = 10_000 },
            Microsoft.Extensions.Logging.Abstractions.NullLogger<EmbeddedBroker>.Instance
        );
        foreach (var (name, role) in People)
        {
            broker.AddUser(name, Password, role);
        }

        broker.AddUser("l1", Password, isStation: true);
        await broker.StartAsync(TestContext.Current.CancellationToken);
        return new Started(broker.Port, broker);
    }

    private static async Task<IMqttClient> ConnectAsync(int port, string user, string? clientId = null)
    {
        var client = new MqttClientFactory().CreateMqttClient();
        var result = await client.ConnectAsync(
            new MqttClientOptionsBuilder()
                .WithProtocolVersion(MqttProtocolVersion.V500)
                .WithTcpServer("127.0.0.1", port)
                .WithClientId(clientId ?? $"test-{user}")
                .WithCredentials(user, Password)
                .Build(),
            TestContext.Current.CancellationToken
        );
        return result.ResultCode == MqttClientConnectResultCode.Success
            ? client
            : throw new InvalidOperationException($"{user} was refused: {result.ResultCode}");
    }

    /// <summary>Null when the broker took it, else its reason.</summary>
    private static async Task<string?> PublishAsync(IMqttClient client, string topic, bool retain = false)
    {
        var result = await client.PublishAsync(
            new MqttApplicationMessageBuilder()
                .WithTopic(topic)
                .WithPayload("{}")
                .WithRetainFlag(retain)
                .WithQualityOfServiceLevel(MqttQualityOfServiceLevel.AtLeastOnce)
                .Build(),
            TestContext.Current.CancellationToken
        );
        return result.ReasonCode is MqttClientPublishReasonCode.Success or MqttClientPublishReasonCode.NoMatchingSubscribers
            ? null
            : result.ReasonCode.ToString();
    }

    private static async Task<Ear> HearAsync(IMqttClient client, string filter)
    {
        var ear = new Ear();
        client.ApplicationMessageReceivedAsync += e =>
        {
            ear.Add(e.ApplicationMessage);
            return Task.CompletedTask;
        };
        await client.SubscribeAsync(filter, MqttQualityOfServiceLevel.AtLeastOnce, TestContext.Current.CancellationToken);
        return ear;
    }

    private sealed record Started(int Port, IAsyncDisposable Broker) : IAsyncDisposable
    {
        public ValueTask DisposeAsync() => Broker.DisposeAsync();
    }

    private sealed class Ear
    {
        private readonly List<MqttApplicationMessage> _heard = [];
        private TaskCompletionSource _next = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public IReadOnlyList<string> Topics
        {
            get
            {
                lock (_heard)
                {
                    return [.. _heard.Select(message => message.Topic).Order(StringComparer.Ordinal)];
                }
            }
        }

        public IReadOnlyList<string> Properties
        {
            get
            {
                lock (_heard)
                {
                    return
                    [
                        .. _heard.Select(message =>
                            string.Join(
                                "; ",
                                message.UserProperties.Select(p => $"{p.Name}={System.Text.Encoding.UTF8.GetString(p.ValueBuffer.Span)}")
                            )
                        ),
                    ];
                }
            }
        }

        public void Add(MqttApplicationMessage message)
        {
            lock (_heard)
            {
                _heard.Add(message);
                _next.TrySetResult();
                _next = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            }
        }

        public async Task WaitAsync(int count)
        {
            while (true)
            {
                Task next;
                lock (_heard)
                {
                    if (_heard.Count >= count)
                    {
                        return;
                    }

                    next = _next.Task;
                }

                await next.Patiently();
            }
        }
    }
}
