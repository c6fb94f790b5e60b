using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using EdgeInspector.Publishing;
using Xunit;

namespace EdgeInspector.Tests.Publishing;

/// <summary>Encrypted connections to a foreign broker with a certificate from a plant's own authority.</summary>
public sealed class TlsTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task ThePlantsOwnAuthorityIsTrusted()
    {
        await using var broker = await StartAsync("IP:127.0.0.1");
        await using var running = new Link(broker.Port, Path.Combine(_folder.Path, "ca.pem"));

        await running.Log.WaitForAsync("publishes to");
    }

    [Fact]
    public async Task AnotherAuthorityIsNot()
    {
        await using var broker = await StartAsync("IP:127.0.0.1");
        using var stranger = Authority("a stranger");
        var ca = _folder.Write("stranger.pem", stranger.ExportCertificatePem());
        await using var running = new Link(broker.Port, ca);

        await running.Log.WaitForAsync("cannot publish");

        Assert.StartsWith($"cannot reach 127.0.0.1:{broker.Port}: The remote certificate", running.Publisher.BrokerState);
        Assert.DoesNotContain('\n', running.Publisher.BrokerState);
    }

    [Fact]
    public async Task ACertificateForAnotherHostIsNot()
    {
        await using var broker = await StartAsync("IP:192.0.2.1");
        await using var running = new Link(broker.Port, Path.Combine(_folder.Path, "ca.pem"));

        await running.Log.WaitForAsync("cannot publish");

        Assert.Contains("certificate", running.Publisher.BrokerState);
    }

    [Fact]
    public async Task AFileWithoutACertificateIsNamed()
    {
        var ca = _folder.Write("ca.pem", "nothing");
        await using var running = new Link(1, ca);

        await running.Log.WaitForAsync("cannot publish");

        Assert.Equal($"Mqtt:CaFile: {ca} holds no certificate; expected PEM", running.Publisher.BrokerState);
    }

    private async Task<Mosquitto> StartAsync(string subject)
    {
        using var authority = Authority("the plant");
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=broker", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddIpAddress(System.Net.IPAddress.Parse(subject["IP:".Length..]));
        request.CertificateExtensions.Add(names.Build());
        using var certificate = request.Create(
            authority,
            authority.NotBefore,
            authority.NotAfter,
            RandomNumberGenerator.GetBytes(8)
        );
        _folder.Write("ca.pem", authority.ExportCertificatePem());
        var certificateFile = _folder.Write("broker.pem", certificate.ExportCertificatePem());
        var keyFile = _folder.Write("broker.key", key.ExportPkcs8PrivateKeyPem());
        return await Mosquitto.StartWithAsync($"certfile {certificateFile}\nkeyfile {keyFile}");
    }

    private static X509Certificate2 Authority(string name)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign, true));
        var now = TimeProvider.System.GetUtcNow();
        return request.CreateSelfSigned(now.AddDays(-1), now.AddDays(30));
    }

    private sealed class Link : IAsyncDisposable
    {
        private readonly CancellationTokenSource _stop = new();
        private readonly Task _task;

        public Link(int port, string ca)
        {
            var options = new MqttOptions
            {
                Port = port,
                Tls = true,
                CaFile = ca,
                Username = TestBroker.StationName,
                Password = TestBroker.StationPassword,
            };
            Publisher = new Publisher(options, Some.Plant, () => [Some.Snapshot()], TimeProvider.System, Log);
            _task = Publisher.RunAsync(_stop.Token);
        }

        public HeardLog<Publisher> Log { get; } = new();

        public Publisher Publisher { get; }

        public async ValueTask DisposeAsync()
        {
            await _stop.CancelAsync();
            await _task.Patiently();
            _stop.Dispose();
        }
    }
}
