using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using EdgeInspector.Publishing;
using Xunit;

namespace EdgeInspector.Tests.Publishing;

/// <summary>Encrypted connections to a foreign broker with a certificate from a plant's own authority.</summary>
public sealed class TlsTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly X509Certificate2 _authority = Authority("the plant");

    public void Dispose()
    {
        _folder.Dispose();
        _authority.Dispose();
    }

    [Fact]
    public async Task ThePlantsOwnAuthorityIsTrusted()
    {
        await using var broker = await StartAsync("127.0.0.1");
        await using var running = Link(broker.Port, Path.Combine(_folder.Path, "ca.pem"));

        await running.Log.WaitForAsync("publishes to");
    }

    [Fact]
    public async Task AnotherAuthorityIsNot()
    {
        await using var broker = await StartAsync("127.0.0.1");
        using var stranger = Authority("a stranger");
        var ca = _folder.Write("stranger.pem", stranger.ExportCertificatePem());
        await using var running = Link(broker.Port, ca);

        await running.Log.WaitForAsync("cannot publish");

        Assert.Equal(
            $"127.0.0.1:{broker.Port} is not to be trusted: its certificate is not from the authority in Mqtt:CaFile",
            running.Publisher.BrokerState
        );
    }

    [Fact]
    public async Task ACertificateForAnotherHostIsNot()
    {
        await using var broker = await StartAsync("192.0.2.1");
        await using var running = Link(broker.Port, Path.Combine(_folder.Path, "ca.pem"));

        await running.Log.WaitForAsync("cannot publish");

        Assert.EndsWith(
            "its certificate is for another host; Mqtt:Host must be a name in it (192.0.2.1)",
            running.Publisher.BrokerState
        );
    }

    [Fact]
    public async Task AFileWithoutACertificateIsNamed()
    {
        var ca = _folder.Write("ca.pem", "nothing");
        await using var running = Link(1, ca);

        await running.Log.WaitForAsync("cannot publish");

        Assert.Equal($"Mqtt:CaFile: {ca} holds no certificate; expected PEM", running.Publisher.BrokerState);
    }

    [Fact]
    public async Task AnExpiredCertificateIsNamedWithItsDay()
    {
        var ended = TimeProvider.System.GetUtcNow().AddDays(-2);
        await using var broker = await StartAsync("127.0.0.1", until: ended);
        await using var running = Link(broker.Port, Path.Combine(_folder.Path, "ca.pem"));

        await running.Log.WaitForAsync("cannot publish");

        Assert.Equal(
            $"127.0.0.1:{broker.Port} is not to be trusted: its certificate expired on {ended:yyyy-MM-dd}; renew it there, "
                + "or set this machine's clock",
            running.Publisher.BrokerState
        );
    }

    [Theory]
    [InlineData("tlsv1.2")]
    [InlineData("tlsv1.3")]
    public async Task BothVersionsOfTlsAreSpoken(string version)
    {
        await using var broker = await StartAsync("127.0.0.1", extra: $"tls_version {version}");
        await using var running = Link(broker.Port, Path.Combine(_folder.Path, "ca.pem"));

        await running.Log.WaitForAsync("biscuit-1 publishes to");
    }

    [Fact]
    public async Task ACertificateStandsForNameAndPassword()
    {
        await using var broker = await StartAsync(
            "127.0.0.1",
            extra: $"cafile {Path.Combine(_folder.Path, "ca.pem")}\nrequire_certificate true\nuse_identity_as_username true"
        );
        var (certificate, key) = Device(TimeProvider.System.GetUtcNow().AddDays(5));
        await using var running = Link(
            broker.Port,
            Path.Combine(_folder.Path, "ca.pem"),
            o =>
            {
                (o.Username, o.Password) = (null, null);
                (o.ClientCertificateFile, o.ClientKeyFile) = (certificate, key);
            }
        );

        await running.Log.WaitForAsync("biscuit-1 publishes to");
    }

    [Fact]
    public async Task WithoutTheCertificateItIsNotLetIn()
    {
        await using var broker = await StartAsync(
            "127.0.0.1",
            extra: $"cafile {Path.Combine(_folder.Path, "ca.pem")}\nrequire_certificate true"
        );
        await using var running = Link(broker.Port, Path.Combine(_folder.Path, "ca.pem"));

        await running.Log.WaitForAsync("cannot publish");

        Assert.DoesNotContain(running.Log.Lines, line => line.Contains("publishes to", StringComparison.Ordinal));
    }

    [Fact]
    public async Task AnExpiredCertificateOfOurOwnIsNamedAndNotShown()
    {
        await using var broker = await StartAsync("127.0.0.1");
        var ended = TimeProvider.System.GetUtcNow().AddDays(-1);
        var (certificate, key) = Device(ended);
        await using var running = Link(
            broker.Port,
            Path.Combine(_folder.Path, "ca.pem"),
            o => (o.ClientCertificateFile, o.ClientKeyFile) = (certificate, key)
        );

        await running.Log.WaitForAsync("cannot publish");

        Assert.Equal(
            $"Mqtt:ClientCertificateFile: {certificate} expired on {ended:yyyy-MM-dd}; renew it, or set this machine's clock",
            running.Publisher.BrokerState
        );
    }

    [Fact]
    public async Task AKeyThatOthersCanReadIsRefused()
    {
        var (certificate, key) = (_folder.Write("device.pem", "x"), _folder.Write("device.key", "x", UnixFileMode.UserRead | UnixFileMode.GroupRead));
        await using var running = Link(1, certificate, o =>
            {
                o.CaFile = null;
                (o.ClientCertificateFile, o.ClientKeyFile) = (certificate, key);
            }
        );

        await running.Log.WaitForAsync("cannot publish");

        Assert.StartsWith($"Mqtt:ClientKeyFile: {key} can be read or changed by others (mode 440)", running.Publisher.BrokerState);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task WebSocketsReachAForeignBroker(bool isEncrypted)
    {
        var port = Mosquitto.FreePort();
        await using var broker = isEncrypted
            ? await StartAsync("127.0.0.1", before: $"listener {port} 127.0.0.1\nprotocol websockets\n")
            : await Mosquitto.StartWithAsync($"listener {port} 127.0.0.1\nprotocol websockets");
        await using var running = Link(
            port,
            Path.Combine(_folder.Path, "ca.pem"),
            o =>
            {
                (o.Transport, o.Tls) = (MqttTransport.WebSocket, isEncrypted);
                o.CaFile = isEncrypted ? o.CaFile : null;
            }
        );

        await running.Log.WaitForAsync("biscuit-1 publishes to");
        running.Offer(Some.Record(1));
        if (!isEncrypted)
        {
            await using var reader = await Reader.ConnectAsync(broker, "ei/v1/+/+/+/+/+/state");
            await reader.WaitForAsync("state");
        }
    }

    [Fact]
    public async Task AWebSocketIsToldFromAnotherBrokersDoor()
    {
        await using var broker = await TestBroker.StartAsync(BrokerKind.Mosquitto);
        await using var running = new Running(broker.Port, o => o.Transport = MqttTransport.WebSocket);

        await running.Log.WaitForAsync("cannot publish");

        Assert.StartsWith($"cannot reach 127.0.0.1:{broker.Port}: ", running.Publisher.BrokerState);
        Assert.DoesNotContain('\n', running.Publisher.BrokerState);
    }

    private async Task<Mosquitto> StartAsync(
        string address,
        DateTimeOffset? until = null,
        string extra = "",
        string before = ""
    )
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=broker", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddIpAddress(System.Net.IPAddress.Parse(address));
        request.CertificateExtensions.Add(names.Build());
        var end = until ?? _authority.NotAfter;
        using var certificate = request.Create(_authority, _authority.NotBefore, end, RandomNumberGenerator.GetBytes(8));
        _folder.Write("ca.pem", _authority.ExportCertificatePem());
        var certificateFile = _folder.Write("broker.pem", certificate.ExportCertificatePem());
        var keyFile = _folder.Write("broker.key", key.ExportPkcs8PrivateKeyPem());
        return await Mosquitto.StartWithAsync($"{before}certfile {certificateFile}\nkeyfile {keyFile}\n{extra}");
    }

    private (string Certificate, string Key) Device(DateTimeOffset until)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={TestBroker.StationName}", key, HashAlgorithmName.SHA256);
        using var certificate = request.Create(_authority, _authority.NotBefore, until, RandomNumberGenerator.GetBytes(8));
        return (
            _folder.Write("device.pem", certificate.ExportCertificatePem()),
            _folder.Write("device.key", key.ExportPkcs8PrivateKeyPem(), UnixFileMode.UserRead | UnixFileMode.UserWrite)
        );
    }

    private static X509Certificate2 Authority(string name)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign, true));
        var now = TimeProvider.System.GetUtcNow();
        return request.CreateSelfSigned(now.AddDays(-10), now.AddDays(30));
    }

    private static Running Link(int port, string ca, Action<MqttOptions>? change = null) =>
        new(
            port,
            o =>
            {
                (o.Tls, o.CaFile) = (true, ca);
                change?.Invoke(o);
            }
        );
}
