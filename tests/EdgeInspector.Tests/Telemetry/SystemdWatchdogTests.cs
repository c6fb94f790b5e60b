using System.Net.Sockets;
using System.Text;
using EdgeInspector.Line;
using EdgeInspector.Telemetry;
using EdgeInspector.Tests.Support;
using Xunit;

namespace EdgeInspector.Tests.Telemetry;

/// <summary>Over a real datagram socket, as systemd listens on one.</summary>
public sealed class SystemdWatchdogTests : IDisposable
{
    private readonly TempFolder _folder = new();
    private readonly string _path;
    private readonly Socket _systemd = new(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);

    public SystemdWatchdogTests()
    {
        _path = Path.Combine(_folder.Path, "notify");
        _systemd.Bind(new UnixDomainSocketEndPoint(_path));
        _systemd.ReceiveTimeout = 10_000;
    }

    [Fact]
    public void LivingServiceSaysSoTwiceInSystemdsPatience()
    {
        using var watchdog = Watchdog("2000000")!;
        Assert.Equal(TimeSpan.FromSeconds(1), watchdog.Interval);
        Assert.Equal(Some.At(1000), watchdog.Step(Some.At(0), isAlive: true));
        Assert.Equal("WATCHDOG=1", Heard());
        watchdog.Step(Some.At(999), isAlive: true);
        Assert.Null(Heard());
        watchdog.Step(Some.At(1000), isAlive: true);
        Assert.Equal("WATCHDOG=1", Heard());
    }

    [Fact]
    public void ServiceThatDoesNotLiveSaysNothingAndSpeaksAgainAsSoonAsItDoes()
    {
        using var watchdog = Watchdog("2000000")!;
        for (var now = 0; now < 10_000; now += 100)
        {
            Assert.Equal(Some.At(now + 100), watchdog.Step(Some.At(now), isAlive: false));
        }

        Assert.Null(Heard());
        watchdog.Step(Some.At(10_000), isAlive: true);
        Assert.Equal("WATCHDOG=1", Heard());
    }

    [Fact]
    public void ThreadTellsSystemdWhileTheServiceLives()
    {
        using var watchdog = Watchdog("20000")!;
        watchdog.Start(_ => true, TimeProvider.System);
        var buffer = new byte[64];
        for (var i = 0; i < 3; i++)
        {
            Assert.Equal(10, _systemd.Receive(buffer));
        }
    }

    [Fact]
    public void AbstractAddressIsReached()
    {
        using var systemd = new Socket(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
        var name = $"edge-inspector-{Guid.NewGuid():N}";
        systemd.Bind(new UnixDomainSocketEndPoint('\0' + name));
        using var watchdog = Watchdog("2000000", path: "@" + name)!;
        watchdog.Step(Some.At(0), isAlive: true);
        Assert.Equal("WATCHDOG=1", Heard(systemd));
    }

    [Theory]
    [InlineData(null, null)]
    [InlineData("0", null)]
    [InlineData("-5", null)]
    [InlineData("soon", null)]
    [InlineData("2000000", "4711")]
    public void WhereSystemdAsksForNoneThereIsNone(string? microseconds, string? process) =>
        Assert.Null(Watchdog(microseconds, process));

    [Theory]
    [InlineData("")]
    [InlineData("/nowhere/notify")]
    [InlineData("vsock:2:1234")]
    public void WhereNobodyListensThereIsNone(string path) => Assert.Null(Watchdog("2000000", path: path));

    [Fact]
    public void SystemdThatGoesAwayEndsNothing()
    {
        using var watchdog = Watchdog("2000000")!;
        _systemd.Dispose();
        Assert.Equal(Some.At(100), watchdog.Step(Some.At(0), isAlive: true));
    }

    public void Dispose()
    {
        _systemd.Dispose();
        _folder.Dispose();
    }

    private SystemdWatchdog? Watchdog(string? microseconds, string? process = null, string? path = null) =>
        SystemdWatchdog.From(
            name =>
                name switch
                {
                    "NOTIFY_SOCKET" => path ?? _path,
                    "WATCHDOG_USEC" => microseconds,
                    "WATCHDOG_PID" => process,
                    _ => null,
                },
            processId: 12
        );

    private string? Heard(Socket? systemd = null)
    {
        systemd ??= _systemd;
        if (!systemd.Poll(0, SelectMode.SelectRead))
        {
            return null;
        }

        var buffer = new byte[64];
        return Encoding.ASCII.GetString(buffer, 0, systemd.Receive(buffer));
    }
}
