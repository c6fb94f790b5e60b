using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace EdgeInspector.Tests.Publishing;

/// <summary>A network cable between a client and a broker: a TCP relay that can be pulled and plugged in again.</summary>
internal sealed class Cable : IAsyncDisposable
{
    private readonly int _target;
    private readonly ConcurrentDictionary<Socket, byte> _open = new();
    private readonly Socket _listening = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
    private readonly CancellationTokenSource _over = new();
    private readonly Task _accepting;
    private volatile bool _isPlugged;

    public Cable(int target, bool isPlugged = true)
    {
        (_target, _isPlugged) = (target, isPlugged);
        _listening.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        _listening.Listen();
        Port = ((IPEndPoint)_listening.LocalEndPoint!).Port;
        _accepting = AcceptAsync();
    }

    public int Port { get; }

    public void Pull()
    {
        _isPlugged = false;
        foreach (var socket in _open.Keys)
        {
            socket.Dispose();
        }
    }

    public void Plug() => _isPlugged = true;

    public async ValueTask DisposeAsync()
    {
        await _over.CancelAsync();
        _listening.Dispose();
        Pull();
        await _accepting;
        _over.Dispose();
    }

    private async Task AcceptAsync()
    {
        while (!_over.IsCancellationRequested)
        {
            try
            {
                var near = await _listening.AcceptAsync(_over.Token);
                if (!_isPlugged)
                {
                    near.Dispose();
                    continue;
                }

                _ = RelayAsync(near);
            }
            catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
            {
                return;
            }
        }
    }

    private async Task RelayAsync(Socket near)
    {
        var far = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        _open.TryAdd(near, 0);
        _open.TryAdd(far, 0);
        try
        {
            await far.ConnectAsync(IPAddress.Loopback, _target);
            await Task.WhenAny(CopyAsync(near, far), CopyAsync(far, near));
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // Pulled, or nobody at the other end.
        }
        finally
        {
            foreach (var socket in (Socket[])[near, far])
            {
                _open.TryRemove(socket, out _);
                socket.Dispose();
            }
        }
    }

    private static async Task CopyAsync(Socket from, Socket to)
    {
        var buffer = new byte[8192];
        try
        {
            while (await from.ReceiveAsync(buffer) is var n && n > 0)
            {
                await to.SendAsync(buffer.AsMemory(0, n));
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // Pulled.
        }
    }
}
