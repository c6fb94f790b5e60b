using System.Buffers;
using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Net.WebSockets;
using System.Security.Cryptography.X509Certificates;
using MQTTnet.Adapter;
using MQTTnet.Channel;
using MQTTnet.Diagnostics.Logger;
using MQTTnet.Exceptions;
using MQTTnet.Formatter;
using MQTTnet.Implementations;
using MQTTnet.Server;

namespace EdgeInspector.Publishing;

/// <summary>
/// Accepts the embedded broker's connections. MQTTnet's own listener allocates whatever size a packet announces
/// (five bytes from a stranger cost 256 MB) and takes any number of connections; this one bounds both.
/// </summary>
internal sealed class BrokerListener(IPAddress address, BrokerOptions options, ILogger log) : IMqttServerAdapter
{
    private readonly CancellationTokenSource _stop = new();
    private readonly ConcurrentDictionary<Socket, byte> _open = new();
    private Socket? _socket;
    private IMqttNetLogger _mqttLog = new MqttNetNullLogger();
    private long _refused;
    private int _webSockets;

    /// <inheritdoc/>
    public Func<IMqttChannelAdapter, Task>? ClientHandler { get; set; }

    /// <summary>The port in use once started.</summary>
    public int Port { get; private set; }

    /// <summary>Connections closed by a limit.</summary>
    public long Refused => Interlocked.Read(ref _refused);

    /// <inheritdoc/>
    public Task StartAsync(MqttServerOptions serverOptions, IMqttNetLogger logger)
    {
        _mqttLog = logger;
        var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            // .NET sets SO_REUSEADDR on Unix by itself: a restart does not wait for old connections to fade.
            socket.Bind(new IPEndPoint(address, options.Port));
            socket.Listen(backlog: 64);
        }
        catch
        {
            socket.Dispose();
            throw;
        }

        Port = ((IPEndPoint)socket.LocalEndPoint!).Port;
        _socket = socket;
        _ = AcceptAsync(socket);
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public Task StopAsync()
    {
        Dispose();
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _stop.Cancel();
        _socket?.Dispose();
        foreach (var socket in _open.Keys)
        {
            socket.Dispose();
        }
    }

    private async Task AcceptAsync(Socket listening)
    {
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                var socket = await listening.AcceptAsync(_stop.Token).ConfigureAwait(false);
                if (_open.Count >= options.MaxConnections)
                {
                    Interlocked.Increment(ref _refused);
                    socket.Dispose();
                    continue;
                }

                _open.TryAdd(socket, 0);
                _ = ServeAsync(socket);
            }
            catch (Exception e) when (e is OperationCanceledException or ObjectDisposedException)
            {
                return;
            }
            catch (SocketException e)
            {
                // Out of file descriptors, or a connection that was gone before it was taken: others may still come.
                Log.AcceptFailed(log, e.Message);
                await Task.Delay(TimeSpan.FromMilliseconds(200)).ConfigureAwait(false);
            }
        }
    }

    /// <summary>Serves a connection over a WebSocket until it ends, within the same limits.</summary>
    public async Task ServeAsync(WebSocket socket, EndPoint? remote)
    {
        if (Interlocked.Increment(ref _webSockets) + _open.Count > options.MaxConnections)
        {
            Interlocked.Decrement(ref _webSockets);
            Interlocked.Increment(ref _refused);
            return;
        }

        try
        {
            using var over = _stop.Token.Register(socket.Abort);
            await ServeAsync(new MqttWebSocketChannel(socket, remote, false, null), remote).ConfigureAwait(false);
        }
        catch (Exception e) when (IsGone(e))
        {
            // A client that went away is no event.
        }
        finally
        {
            Interlocked.Decrement(ref _webSockets);
        }
    }

    private static bool IsGone(Exception e) =>
        e
            is MqttCommunicationException
                or SocketException
                or WebSocketException
                or IOException
                or ObjectDisposedException
                or OperationCanceledException;

    private async Task ServeAsync(IMqttChannel inner, EndPoint? remote)
    {
        using var channel = new LimitedChannel(
            inner,
            options.MaxPacketSize,
            size =>
            {
                Interlocked.Increment(ref _refused);
                Log.PacketTooLarge(log, $"{remote}", size);
            }
        );
        using var adapter = new MqttChannelAdapter(
            channel,
            new MqttPacketFormatterAdapter(new MqttBufferWriter(4096, 65535)),
            _mqttLog
        );
        if (ClientHandler is { } handler)
        {
            await handler(adapter).ConfigureAwait(false);
        }
    }

    private async Task ServeAsync(Socket socket)
    {
        await Task.Yield();
        try
        {
            socket.NoDelay = true;
            var remote = socket.RemoteEndPoint;
            await using var stream = new NetworkStream(socket, ownsSocket: false);
            await ServeAsync(new MqttTcpChannel(stream, socket.LocalEndPoint, remote, null), remote).ConfigureAwait(false);
        }
        catch (Exception e) when (IsGone(e))
        {
            // A client that went away is no event.
        }
        finally
        {
            _open.TryRemove(socket, out _);
            socket.Dispose();
        }
    }

    /// <summary>
    /// Reads along the fixed headers (type byte, then the remaining length in up to four bytes of seven bits, least
    /// significant first; MQTT 5, 2.1.4) and breaks off before a packet larger than allowed is given any memory.
    /// </summary>
    private sealed class LimitedChannel(IMqttChannel inner, int maxPacketSize, Action<long> tooLarge) : IMqttChannel
    {
        private long _bodyLeft;
        private long _length;
        private int _headerBytes;

        public X509Certificate2? ClientCertificate => inner.ClientCertificate;

        public EndPoint? RemoteEndPoint => inner.RemoteEndPoint;

        public EndPoint? LocalEndPoint => inner.LocalEndPoint;

        public bool IsSecureConnection => inner.IsSecureConnection;

        public Task ConnectAsync(CancellationToken cancellationToken) => inner.ConnectAsync(cancellationToken);

        public Task DisconnectAsync(CancellationToken cancellationToken) => inner.DisconnectAsync(cancellationToken);

        public Task WriteAsync(ReadOnlySequence<byte> buffer, bool isEndOfPacket, CancellationToken cancellationToken) =>
            inner.WriteAsync(buffer, isEndOfPacket, cancellationToken);

        public async Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken)
        {
            var read = await inner.ReadAsync(buffer, offset, count, cancellationToken).ConfigureAwait(false);
            Follow(buffer.AsSpan(offset, read));
            return read;
        }

        public void Dispose() => inner.Dispose();

        private void Follow(ReadOnlySpan<byte> bytes)
        {
            while (!bytes.IsEmpty)
            {
                if (_bodyLeft > 0)
                {
                    var body = (int)Math.Min(_bodyLeft, bytes.Length);
                    _bodyLeft -= body;
                    bytes = bytes[body..];
                    continue;
                }

                var next = bytes[0];
                bytes = bytes[1..];
                if (_headerBytes++ == 0)
                {
                    _length = 0;
                    continue;
                }

                _length |= (long)(next & 0x7F) << (7 * (_headerBytes - 2));
                if (_length + _headerBytes > maxPacketSize)
                {
                    tooLarge(_length);
                    throw new MqttCommunicationException("The packet is larger than allowed.", null);
                }

                // Four length bytes at most; MQTTnet itself refuses a fifth.
                if ((next & 0x80) == 0 || _headerBytes == 5)
                {
                    (_bodyLeft, _headerBytes) = (_length, 0);
                }
            }
        }
    }
}
