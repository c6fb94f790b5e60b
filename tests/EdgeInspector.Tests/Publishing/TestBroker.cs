using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using EdgeInspector.Line;
using EdgeInspector.Publishing;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace EdgeInspector.Tests.Publishing;

/// <summary>Which broker a test runs against: ours, and one that others wrote.</summary>
public enum BrokerKind
{
    Embedded,
    Mosquitto,
}

/// <summary>A real broker that can be killed and started again on its port.</summary>
internal abstract class TestBroker : IAsyncDisposable
{
    public const string StationName = "station";
    public const string StationPassword = "s3cret-of-the-station";
    public const string ReaderName = "reader";
    public const string ReaderPassword = "s3cret-of-the-reader";

    public int Port { get; protected set; }

    public static async Task<TestBroker> StartAsync(BrokerKind kind)
    {
        TestBroker broker = kind == BrokerKind.Embedded ? new InProcess() : Mosquitto.Prepare();
        await broker.StartAsync();
        return broker;
    }

    public abstract Task StartAsync();

    /// <summary>Without a word to anyone, as a crash would.</summary>
    public abstract Task KillAsync();

    public abstract ValueTask DisposeAsync();

    private sealed class InProcess : TestBroker
    {
        private EmbeddedBroker? _broker;

        public override async Task StartAsync()
        {
            _broker = new EmbeddedBroker(new BrokerOptions { Port = Port }, NullLogger<EmbeddedBroker>.Instance);
            _broker.AddUser(StationName, StationPassword, isStation: true);
            _broker.AddUser(ReaderName, ReaderPassword, Role.Admin);
            await _broker.StartAsync(CancellationToken.None);
            Port = _broker.Port;
        }

        public override async Task KillAsync()
        {
            if (_broker is { } broker)
            {
                _broker = null;
                await broker.DisposeAsync();
            }
        }

        public override async ValueTask DisposeAsync() => await KillAsync();
    }
}

/// <summary>Debian's mosquitto as a child process.</summary>
internal sealed class Mosquitto : TestBroker
{
    private const string Binary = "/usr/sbin/mosquitto";
    private const string PasswordTool = "/usr/bin/mosquitto_passwd";

    private readonly string _folder = Directory.CreateTempSubdirectory("mosquitto-").FullName;
    private readonly string _extra;
    private string _accounts = string.Empty;
    private Process? _process;

    private Mosquitto(string extra) => _extra = extra;

    public static Mosquitto Prepare(string extra = "")
    {
        Assert.SkipUnless(
            File.Exists(Binary) && File.Exists(PasswordTool),
            $"{Binary} is not installed (apt install mosquitto)"
        );
        return new Mosquitto(extra);
    }

    /// <summary>With further settings, and further accounts with one password.</summary>
    public static async Task<Mosquitto> StartWithAsync(string extra, IEnumerable<string>? accounts = null, string password = "")
    {
        var broker = Prepare(extra);
        broker._accounts = string.Concat((accounts ?? []).Select(name => $"{name}:{password}\n"));
        await broker.StartAsync();
        return broker;
    }

    public override async Task StartAsync()
    {
        if (Port == 0)
        {
            Port = FreePort();
            var passwords = Path.Combine(_folder, "passwords");
            await File.WriteAllTextAsync(
                passwords,
                $"{StationName}:{StationPassword}\n{ReaderName}:{ReaderPassword}\n{_accounts}"
            );
            using var tool = Process.Start(PasswordTool, ["-U", passwords]);
            await tool.WaitForExitAsync();
            await File.WriteAllTextAsync(
                Path.Combine(_folder, "mosquitto.conf"),
                // It gives up root for a user who cannot read a temporary folder unless it is told to stay.
                $"user {Environment.UserName}\nlistener {Port} 127.0.0.1\nallow_anonymous false\n"
                    + $"password_file {passwords}\nmax_queued_messages 100000\n{_extra}\n"
            );
        }

        var start = new ProcessStartInfo(Binary, ["-c", Path.Combine(_folder, "mosquitto.conf")])
        {
            RedirectStandardError = true,
        };
        var running = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var said = new List<string>();
        _process = new Process { StartInfo = start, EnableRaisingEvents = true };
        _process.ErrorDataReceived += (_, e) =>
        {
            lock (said)
            {
                said.Add(e.Data ?? string.Empty);
            }

            if (e.Data?.EndsWith(" running", StringComparison.Ordinal) == true)
            {
                running.TrySetResult();
            }
        };
        _process.Exited += (_, _) =>
        {
            lock (said)
            {
                running.TrySetException(new InvalidOperationException("mosquitto ended: " + string.Join(" | ", said)));
            }
        };
        _process.Start();
        _process.BeginErrorReadLine();
        await running.Task.Patiently();
    }

    public override async Task KillAsync()
    {
        if (_process is { } process)
        {
            _process = null;
            process.Kill();
            await process.WaitForExitAsync();
            process.Dispose();
        }
    }

    /// <summary>Leaves it alive and deaf: connections stand, nothing is answered.</summary>
    public Task FreezeAsync() => SignalAsync("-STOP");

    public Task ThawAsync() => SignalAsync("-CONT");

    public override async ValueTask DisposeAsync()
    {
        await KillAsync();
        Directory.Delete(_folder, recursive: true);
    }

    private async Task SignalAsync(string signal)
    {
        using var kill = Process.Start("kill", [signal, $"{_process!.Id}"]);
        await kill.WaitForExitAsync();
    }

    public static int FreePort()
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return ((IPEndPoint)socket.LocalEndPoint!).Port;
    }
}
