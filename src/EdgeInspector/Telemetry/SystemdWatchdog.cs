using System.Globalization;
using System.Net.Sockets;
using EdgeInspector.Line;
using EdgeInspector.Timing;

namespace EdgeInspector.Telemetry;

/// <summary>
/// Tells systemd that the service lives, and keeps silent when it does not: then systemd kills and restarts it
/// (<c>WatchdogSec=</c> with <c>Restart=on-failure</c>). <see cref="Step"/> is all it does; <see cref="Start"/> gives it a
/// thread of its own, so that no task that waits for a free pool thread can starve it.
/// </summary>
internal sealed class SystemdWatchdog : IDisposable
{
    private static readonly byte[] Alive = "WATCHDOG=1"u8.ToArray();

    private readonly Socket _socket;
    private readonly TimeSpan _interval;
    private readonly PreciseTimer _timer = new(TimeSpan.Zero);
    private Thread? _thread;
    private Instant _next;
    private volatile bool _stopping;

    private SystemdWatchdog(Socket socket, TimeSpan interval)
    {
        _socket = socket;
        _interval = interval;
    }

    /// <summary>How often it is told: half of what systemd waits for, as sd_watchdog_enabled(3) advises.</summary>
    public TimeSpan Interval => _interval;

    /// <summary>The watchdog that systemd asks for in the environment; null when it asks for none, or asks another process.</summary>
    public static SystemdWatchdog? FromEnvironment() => From(Environment.GetEnvironmentVariable, Environment.ProcessId);

    /// <summary>The same from given variables: <c>NOTIFY_SOCKET</c>, <c>WATCHDOG_USEC</c>, <c>WATCHDOG_PID</c>.</summary>
    public static SystemdWatchdog? From(Func<string, string?> variable, int processId)
    {
        var path = variable("NOTIFY_SOCKET");
        var process = variable("WATCHDOG_PID");
        if (
            path is not ['/' or '@', _, ..]
            || !long.TryParse(variable("WATCHDOG_USEC"), NumberStyles.None, CultureInfo.InvariantCulture, out var microseconds)
            || microseconds is <= 0 or > long.MaxValue / TimeSpan.TicksPerMicrosecond
            || (!string.IsNullOrEmpty(process) && process != processId.ToString(CultureInfo.InvariantCulture))
        )
        {
            return null;
        }

        // An address that begins with @ is an abstract one, which begins with a zero byte.
        var address = new UnixDomainSocketEndPoint(path[0] == '@' ? '\0' + path[1..] : path);
        var socket = new Socket(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified) { Blocking = false };
        try
        {
            socket.Connect(address);
        }
        catch (SocketException)
        {
            socket.Dispose();
            return null; // Nobody listens there: whoever set the variables is gone, and so is who would kill us.
        }

        return new SystemdWatchdog(socket, TimeSpan.FromMicroseconds(microseconds / 2));
    }

    /// <summary>
    /// Tells systemd when that is due and the service lives; returns when to come again. A service that has come back to
    /// life is told of at once.
    /// </summary>
    public Instant Step(Instant now, bool isAlive)
    {
        if (now < _next)
        {
            return _next;
        }

        if (isAlive && TrySend())
        {
            _next = now + _interval;
            return _next;
        }

        // Soon again, since what is silent now may live before systemd loses patience.
        return now + (_interval / 10);
    }

    /// <summary>Starts the thread.</summary>
    /// <param name="isAlive">Whether every station lives; must not wait for anybody.</param>
    /// <param name="time">The machine's clock.</param>
    public void Start(Func<Instant, bool> isAlive, TimeProvider time)
    {
        _thread = new Thread(() => Run(isAlive, time)) { Name = "watchdog", IsBackground = true };
        _thread.Start();
    }

    /// <summary>Stops telling. Stop it last: a slow end must not be taken for a hang.</summary>
    public void Dispose()
    {
        _stopping = true;
        _timer.Wake();
        _thread?.Join();
        _socket.Dispose();
    }

    private bool TrySend()
    {
        try
        {
            return _socket.Send(Alive) == Alive.Length;
        }
        catch (SocketException)
        {
            return false; // Its queue is full or it restarts: tried again.
        }
    }

    private void Run(Func<Instant, bool> isAlive, TimeProvider time)
    {
        while (!_stopping)
        {
            var now = time.GetInstant();
            _timer.WaitUntil(Step(now, isAlive(now)), spin: false);
        }
    }
}
