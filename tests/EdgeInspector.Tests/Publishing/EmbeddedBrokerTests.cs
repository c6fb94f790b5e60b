using System.Net;
using System.Net.Sockets;
using EdgeInspector.Line;
using EdgeInspector.Publishing;
using EdgeInspector.Web;
using Microsoft.Extensions.Logging.Abstractions;
using MQTTnet;
using MQTTnet.Formatter;
using Xunit;

namespace EdgeInspector.Tests.Publishing;

public sealed class EmbeddedBrokerTests
{
    [Fact]
    public async Task NobodyEntersWithoutANameAndPassword()
    {
        await using var broker = await StartAsync();

        Assert.Equal(MqttClientConnectResultCode.BadUserNameOrPassword, await ConnectAsync(broker.Port, null, null));
        Assert.Equal(MqttClientConnectResultCode.BadUserNameOrPassword, await ConnectAsync(broker.Port, "eve", "guess"));
        Assert.Equal(MqttClientConnectResultCode.BadUserNameOrPassword, await ConnectAsync(broker.Port, "ann", "guess"));
        Assert.Equal(MqttClientConnectResultCode.BadUserNameOrPassword, await ConnectAsync(broker.Port, "ann", ""));
        Assert.Equal(4, broker.RefusedLogins);
        Assert.Equal(MqttClientConnectResultCode.Success, await ConnectAsync(broker.Port, "ann", "right"));
        Assert.Equal(4, broker.RefusedLogins);
    }

    [Fact]
    public async Task OldProtocolVersionsAreAskedForAPasswordToo()
    {
        await using var broker = await StartAsync();

        Assert.NotEqual(
            MqttClientConnectResultCode.Success,
            await ConnectAsync(broker.Port, null, null, MqttProtocolVersion.V311)
        );
        Assert.Equal(
            MqttClientConnectResultCode.Success,
            await ConnectAsync(broker.Port, "ann", "right", MqttProtocolVersion.V311)
        );
    }

    [Fact]
    public async Task UsersComeFromHashesAndFromFiles()
    {
        using var folder = new TemporaryFolder();
        var file = folder.Write("password", "of-the-file\n", UnixFileMode.UserRead);
        var hashed = folder.Write("hash", PasswordHash.Create("of-the-hashed-file", 1000), UnixFileMode.UserRead);
        await using var broker = await StartAsync(o =>
        {
            o.Users.Add(new BrokerUser { Name = "file", PasswordFile = file });
            o.Users.Add(new BrokerUser { Name = "hashed", PasswordFile = hashed });
            o.Users.Add(new BrokerUser { Name = "hash", PasswordHash = PasswordHash.Create("of-the-hash", 1000) });
        });

        Assert.Equal(MqttClientConnectResultCode.Success, await ConnectAsync(broker.Port, "file", "of-the-file"));
        Assert.Equal(MqttClientConnectResultCode.Success, await ConnectAsync(broker.Port, "hashed", "of-the-hashed-file"));
        Assert.Equal(MqttClientConnectResultCode.Success, await ConnectAsync(broker.Port, "hash", "of-the-hash"));
        Assert.Equal(MqttClientConnectResultCode.Success, await ConnectAsync(broker.Port, "hash", "of-the-hash"));
        Assert.NotEqual(MqttClientConnectResultCode.Success, await ConnectAsync(broker.Port, "hash", "of-the-file"));
    }

    [Fact]
    public async Task ABusyPortIsNamedInOneLine()
    {
        await using var first = await StartAsync();

        var e = await Assert.ThrowsAsync<SettingException>(() => StartAsync(o => o.Port = first.Port));

        Assert.Equal(
            $"Broker:Port {first.Port} is in use on 127.0.0.1; choose another, or 0 for a free one",
            e.Message
        );
    }

    [Fact]
    public async Task AnAddressThatIsNotOursIsNamedInOneLine()
    {
        var e = await Assert.ThrowsAsync<SettingException>(() => StartAsync(o => o.Address = "192.0.2.1"));

        Assert.Equal("Broker:Address 192.0.2.1 is not an address of this machine; choose one that is", e.Message);
    }

    [Fact]
    public async Task WithoutUsersItDoesNotStart()
    {
        await using var broker = new EmbeddedBroker(new BrokerOptions { Port = 0 }, NullLogger<EmbeddedBroker>.Instance);

        var e = await Assert.ThrowsAsync<SettingException>(() => broker.StartAsync(CancellationToken.None));

        Assert.StartsWith("Broker:Users is empty", e.Message);
    }

    [Fact]
    public async Task APasswordFileThatOthersCanReadIsRefused()
    {
        using var folder = new TemporaryFolder();
        var file = folder.Write("password", "open", UnixFileMode.UserRead | UnixFileMode.OtherRead);

        var e = await Assert.ThrowsAsync<SettingException>(() =>
            StartAsync(o => o.Users.Add(new BrokerUser { Name = "bob", PasswordFile = file }))
        );

        Assert.Equal(
            $"Broker:Users:0:PasswordFile: {file} can be read or changed by others (mode 404); run: chmod 600 {file}",
            e.Message
        );
    }

    [Fact]
    public async Task AnOversizedPacketEndsTheConnectionBeforeItIsGivenMemory()
    {
        await using var broker = await StartAsync();
        var before = GC.GetTotalAllocatedBytes();
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(IPAddress.Loopback, broker.Port, TestContext.Current.CancellationToken);

        // A PUBLISH whose length says 268,435,455 bytes.
        await socket.SendAsync((byte[])[0x30, 0xFF, 0xFF, 0xFF, 0x7F], TestContext.Current.CancellationToken);
        var read = await ReceiveAsync(socket);

        Assert.Equal(0, read);
        Assert.Equal(1, broker.RefusedConnections);
        Assert.InRange(GC.GetTotalAllocatedBytes() - before, 0, 50_000_000);
    }

    [Fact]
    public async Task TheLimitIsAnnouncedToClients()
    {
        await using var broker = await StartAsync(o => o.MaxPacketSize = 123_456);
        using var client = new MqttClientFactory().CreateMqttClient();

        var result = await client.ConnectAsync(Options(broker.Port, "ann", "right"), TestContext.Current.CancellationToken);

        Assert.Equal(123_456u, result.MaximumPacketSize);
    }

    [Fact]
    public async Task MoreConnectionsThanAllowedAreClosed()
    {
        await using var broker = await StartAsync(o => o.MaxConnections = 1);
        using var client = new MqttClientFactory().CreateMqttClient();
        await client.ConnectAsync(Options(broker.Port, "ann", "right"), TestContext.Current.CancellationToken);
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(IPAddress.Loopback, broker.Port, TestContext.Current.CancellationToken);

        Assert.Equal(0, await ReceiveAsync(socket));
        Assert.True(client.IsConnected);
    }

    [Fact]
    public async Task PagesReachItOverWebSocketAndOnlyOurOwn()
    {
        await using var broker = await StartAsync();
        await using var web = new WebServer(
            new WebOptions { Address = "http://127.0.0.1:0" },
            new RecentPictures(),
            () => [],
            NullLoggerFactory.Instance
        )
        {
            Mqtt = broker.ServeAsync,
        };
        await web.StartAsync(TestContext.Current.CancellationToken);
        var address = web.Url!["http://".Length..];

        Assert.Equal(MqttClientConnectResultCode.Success, await ConnectOverWebAsync("ann", "right", null));
        Assert.Equal(MqttClientConnectResultCode.Success, await ConnectOverWebAsync("ann", "right", $"http://{address}"));
        Assert.Equal(MqttClientConnectResultCode.BadUserNameOrPassword, await ConnectOverWebAsync("ann", "wrong", null));
        // A page from elsewhere, in a browser that reaches us.
        await Assert.ThrowsAnyAsync<Exception>(() => ConnectOverWebAsync("ann", "right", "http://evil.example"));

        async Task<MqttClientConnectResultCode> ConnectOverWebAsync(string name, string password, string? origin)
        {
            using var client = new MqttClientFactory().CreateMqttClient();
            var result = await client.ConnectAsync(
                new MqttClientOptionsBuilder()
                    .WithProtocolVersion(MqttProtocolVersion.V500)
                    .WithWebSocketServer(o =>
                        o.WithUri($"ws://{address}/mqtt")
                            .WithRequestHeaders(origin is null ? new Dictionary<string, string>() : new() { ["Origin"] = origin })
                    )
                    .WithCredentials(name, password)
                    .Build(),
                TestContext.Current.CancellationToken
            );
            return result.ResultCode;
        }
    }

    private static async Task<int> ReceiveAsync(Socket socket)
    {
        try
        {
            return await socket.ReceiveAsync(new byte[1]).Patiently();
        }
        catch (SocketException)
        {
            // Reset instead of closed: as good.
            return 0;
        }
    }

    private static async Task<EmbeddedBroker> StartAsync(Action<BrokerOptions>? change = null)
    {
        var options = new BrokerOptions { Enabled = true, Port = 0 };
        change?.Invoke(options);
        var broker = new EmbeddedBroker(options, NullLogger<EmbeddedBroker>.Instance);
        broker.AddUser("ann", "right");
        await broker.StartAsync(CancellationToken.None);
        return broker;
    }

    private static async Task<MqttClientConnectResultCode> ConnectAsync(
        int port,
        string? name,
        string? password,
        MqttProtocolVersion version = MqttProtocolVersion.V500
    )
    {
        using var client = new MqttClientFactory().CreateMqttClient();
        var result = await client.ConnectAsync(
            Options(port, name, password, version),
            TestContext.Current.CancellationToken
        );
        return result.ResultCode;
    }

    private static MqttClientOptions Options(
        int port,
        string? name,
        string? password,
        MqttProtocolVersion version = MqttProtocolVersion.V500
    )
    {
        var builder = new MqttClientOptionsBuilder().WithTcpServer("127.0.0.1", port).WithProtocolVersion(version);
        return (name is null ? builder : builder.WithCredentials(name, password)).Build();
    }
}
