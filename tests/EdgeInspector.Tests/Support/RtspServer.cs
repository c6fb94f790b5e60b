using System.Buffers.Binary;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace EdgeInspector.Tests.Support;

/// <summary>
/// A camera that speaks RTSP (RFC 2326) and sends JPEG pictures as RTP (RFC 2435) inside the same connection. One
/// client at a time.
/// </summary>
internal sealed class RtspServer : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _running;

    public RtspServer()
    {
        _listener.Start();
        _running = ServeAsync();
    }

    public string Address => string.Create(CultureInfo.InvariantCulture, $"rtsp://{_listener.LocalEndpoint}/belt");

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Dispose();
        await _running;
        _stop.Dispose();
    }

    private async Task ServeAsync()
    {
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                using var client = await _listener.AcceptTcpClientAsync(_stop.Token);
                await ServeAsync(client.GetStream());
            }
            catch (Exception error) when (error is IOException or OperationCanceledException or SocketException)
            {
                // The client has gone, or the server stops.
            }
        }
    }

    private async Task ServeAsync(NetworkStream stream)
    {
        using var reader = new StreamReader(stream, Encoding.ASCII, leaveOpen: true);
        while (await reader.ReadLineAsync(_stop.Token) is { } request)
        {
            var sequence = "0";
            while (await reader.ReadLineAsync(_stop.Token) is { Length: > 0 } line)
            {
                if (line.StartsWith("CSeq:", StringComparison.OrdinalIgnoreCase))
                {
                    sequence = line["CSeq:".Length..].Trim();
                }
            }

            var method = request.Split(' ')[0];
            var (headers, body) = method switch
            {
                "OPTIONS" => ("Public: OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN\r\n", ""),
                "DESCRIBE" => (
                    "Content-Type: application/sdp\r\n",
                    "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=belt\r\nt=0 0\r\nm=video 0 RTP/AVP 26\r\nc=IN IP4 0.0.0.0\r\n"
                    + "a=control:track1\r\n"),
                "SETUP" => ("Transport: RTP/AVP/TCP;unicast;interleaved=0-1\r\nSession: 1\r\n", ""),
                _ => ("Session: 1\r\n", ""),
            };
            var answer = $"RTSP/1.0 200 OK\r\nCSeq: {sequence}\r\n{headers}Content-Length: {body.Length}\r\n\r\n{body}";
            await stream.WriteAsync(Encoding.ASCII.GetBytes(answer), _stop.Token);
            if (method == "PLAY")
            {
                await PlayAsync(stream);
            }
        }
    }

    private async Task PlayAsync(NetworkStream stream)
    {
        ushort sequence = 0;
        for (var number = 0; ; number++)
        {
            await stream.WriteAsync(Packet(Pictures.Jpeg(number), sequence++, (uint)number * 1_800), _stop.Token);
            await Task.Delay(20, _stop.Token);
        }
    }

    /// <summary>One small picture in one packet: RTP header, JPEG header, quantization tables, coded data.</summary>
    private static byte[] Packet(ReadOnlySpan<byte> jpeg, ushort sequence, uint timestamp)
    {
        var tables = new List<byte>();
        var at = 2;
        while (jpeg[at + 1] != 0xDA)
        {
            var length = BinaryPrimitives.ReadUInt16BigEndian(jpeg[(at + 2)..]);
            if (jpeg[at + 1] == 0xDB)
            {
                for (var table = at + 4; table < at + 2 + length; table += 65)
                {
                    tables.AddRange(jpeg.Slice(table + 1, 64));
                }
            }

            at += 2 + length;
        }

        var scan = jpeg[(at + 2 + BinaryPrimitives.ReadUInt16BigEndian(jpeg[(at + 2)..]))..^2];
        var payload = 12 + 8 + 4 + tables.Count + scan.Length;
        var packet = new byte[4 + payload];
        packet[0] = (byte)'$';
        BinaryPrimitives.WriteUInt16BigEndian(packet.AsSpan(2), (ushort)payload);
        packet[4] = 0x80;
        packet[5] = 0x80 | 26;
        BinaryPrimitives.WriteUInt16BigEndian(packet.AsSpan(6), sequence);
        BinaryPrimitives.WriteUInt32BigEndian(packet.AsSpan(8), timestamp);
        packet[12] = 1;
        packet[20] = 1;
        packet[21] = 255;
        packet[22] = Pictures.Width / 8;
        packet[23] = Pictures.Height / 8;
        BinaryPrimitives.WriteUInt16BigEndian(packet.AsSpan(26), (ushort)tables.Count);
        tables.CopyTo(packet, 28);
        scan.CopyTo(packet.AsSpan(28 + tables.Count));
        return packet;
    }
}
