using System.Buffers;
using System.ComponentModel;
using System.Globalization;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using System.Threading.Channels;
using EdgeInspector.Line;
using EdgeInspector.Telemetry;
using EdgeInspector.Timing;
using MQTTnet;
using MQTTnet.Exceptions;
using MQTTnet.Formatter;
using MQTTnet.Packets;
using MQTTnet.Protocol;

namespace EdgeInspector.Publishing;

/// <summary>
/// One station's connection and its queues. A connection of its own, because the state topic is also the last will and
/// MQTT allows one will per connection. Owned by <see cref="Publisher"/>; offers come from any thread, everything else
/// happens in <see cref="RunAsync"/>.
/// </summary>
internal sealed class StationLink
{
    public const string Connected = "connected";
    public const string Connecting = "connecting";

    /// <summary>How soon a change of state is published.</summary>
    private static readonly TimeSpan Tick = TimeSpan.FromSeconds(1);

    /// <summary>An unchanged state is repeated this often: a broker that lost its memory learns it again.</summary>
    private static readonly TimeSpan StateRepeat = TimeSpan.FromSeconds(30);

    /// <summary>How long a stop may take to send what is queued and say good-bye; systemd waits much longer.</summary>
    private static readonly TimeSpan Farewell = TimeSpan.FromSeconds(3);

    /// <summary>Room for the topic and the properties beside a payload, bytes.</summary>
    private const int PacketOverhead = 1024;

    private readonly MqttOptions _options;
    private readonly string _station;
    private readonly Topics _topics;
    private readonly Func<string, StationSnapshot?> _snapshot;
    private readonly TimeProvider _time;
    private readonly ILogger _log;
    private readonly string _broker;
    private readonly Backoff _backoff;

    private readonly Channel<PartRecord> _records;
    private readonly Channel<EvidencePicture> _pictures;

    /// <summary>One token at most: something may be worth doing.</summary>
    private readonly Channel<bool> _wake = Channel.CreateBounded<bool>(
        new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite, SingleReader = true }
    );

    /// <summary>Sent, not acknowledged, oldest first. Outlives the connection: the next begins with these.</summary>
    private readonly Queue<PartRecord> _unacknowledged = new();

    private volatile string _state = Connecting;
    private long _shed;
    private long _acknowledged;

    public StationLink(
        MqttOptions options,
        PlantOptions plant,
        string station,
        Func<string, StationSnapshot?> snapshot,
        TimeProvider time,
        ILogger log
    )
    {
        _options = options;
        _station = station;
        _topics = new Topics(plant, station);
        _snapshot = snapshot;
        _time = time;
        _log = log;
        _broker = string.Create(CultureInfo.InvariantCulture, $"{options.Host}:{options.Port}");
        _backoff = new Backoff(options.ReconnectDelay, options.MaxReconnectDelay, Random.Shared);
        _records = Channel.CreateBounded<PartRecord>(
            new BoundedChannelOptions(options.QueueCapacity)
            {
                FullMode = BoundedChannelFullMode.DropOldest,
                SingleReader = true,
            },
            _ => Interlocked.Increment(ref _shed)
        );
        _pictures = Channel.CreateBounded<EvidencePicture>(
            new BoundedChannelOptions(options.PictureQueueCapacity)
            {
                FullMode = BoundedChannelFullMode.DropOldest,
                SingleReader = true,
            },
            _ => Interlocked.Increment(ref _shed)
        );
    }

    /// <summary>"connected", "connecting", or what is wrong in one line.</summary>
    public string State => _state;

    /// <summary>Records and pictures given up.</summary>
    public long Shed => Interlocked.Read(ref _shed);

    /// <summary>Records the broker has.</summary>
    public long Acknowledged => Interlocked.Read(ref _acknowledged);

    public void Offer(PartRecord record)
    {
        _records.Writer.TryWrite(record);
        Wake();
    }

    public void Offer(EvidencePicture picture)
    {
        _pictures.Writer.TryWrite(picture);
        Wake();
    }

    /// <summary>Connects, publishes and connects again until <paramref name="stopping"/>.</summary>
    public async Task RunAsync(CancellationToken stopping)
    {
        // What queues up before the caller's first await must not run on the caller's thread.
        await Task.Yield();
        while (!stopping.IsCancellationRequested)
        {
            var began = _time.GetTimestamp();
            try
            {
                await ServeAsync(stopping).ConfigureAwait(false);
                return;
            }
            catch (BrokerTroubleException e)
            {
                if (_state != e.Message)
                {
                    _state = e.Message;
                    Log.Trouble(_log, _station, e.Message);
                }
            }
            catch (OperationCanceledException) when (stopping.IsCancellationRequested)
            {
                return;
            }

            // A broker that takes the connection and drops it at once has not recovered: keep backing off.
            if (_time.GetElapsedTime(began) > _options.MaxReconnectDelay)
            {
                _backoff.Reset();
            }

            try
            {
                await Task.Delay(_backoff.Next(), _time, stopping).ConfigureAwait(false);
            }
            catch (OperationCanceledException)
            {
                return;
            }
        }
    }

    private void Wake() => _wake.Writer.TryWrite(true);

    /// <summary>One connection, from CONNECT to its end. Returns only after a clean good-bye.</summary>
    private async Task ServeAsync(CancellationToken stopping)
    {
        using var client = new MqttClientFactory().CreateMqttClient();
        var lost = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
        client.DisconnectedAsync += e =>
        {
            lost.TrySetResult(WhyLost(e));
            Wake();
            return Task.CompletedTask;
        };

        var (window, largest) = await ConnectAsync(client, stopping).ConfigureAwait(false);
        var acks = new Queue<Task<MqttClientPublishResult>>();
        try
        {
            await using var tick = _time.CreateTimer(_ => Wake(), null, Tick, Tick).ConfigureAwait(false);
            await using var stop = stopping.Register(Wake).ConfigureAwait(false);
            await PumpAsync(client, window, largest, acks, lost.Task, stopping).ConfigureAwait(false);
        }
        finally
        {
            Forget(acks);
        }
    }

    /// <summary>Connects and returns the send window and the largest packet the broker takes.</summary>
    private async Task<(int Window, long Largest)> ConnectAsync(IMqttClient client, CancellationToken stopping)
    {
        var clientOptions = ClientOptions();
        using var timeout = new CancellationTokenSource(_options.AnswerTimeout, _time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, stopping);
        MqttClientConnectResult result;
        try
        {
            result = await client.ConnectAsync(clientOptions, either.Token).ConfigureAwait(false);
        }
        catch (Exception e) when (!stopping.IsCancellationRequested && e is not ArgumentException)
        {
            throw new BrokerTroubleException($"cannot reach {_broker}: {Describe(e)}", e);
        }
        catch (Exception e) when (e is not ArgumentException)
        {
            throw new OperationCanceledException("stopping", e, stopping);
        }

        // A refusal is a result here, not an exception.
        if (result.ResultCode != MqttClientConnectResultCode.Success)
        {
            throw new BrokerTroubleException(
                result.ResultCode
                    is MqttClientConnectResultCode.BadUserNameOrPassword
                        or MqttClientConnectResultCode.NotAuthorized
                    ? $"{_broker} refused the login ({result.ResultCode}); check Mqtt:Username and Mqtt:PasswordFile"
                    : $"{_broker} refused the connection ({result.ResultCode} {result.ReasonString})".Replace(" )", ")")
            );
        }

        if (_state != Connected)
        {
            _state = Connected;
            Log.Connected(_log, _station, _broker);
        }

        var window = result.ReceiveMaximum is { } most and > 0 ? Math.Min(_options.Window, most) : _options.Window;
        return (window, result.MaximumPacketSize is { } size and > 0 ? size : _options.MaxPacketSize);
    }

    private MqttClientOptions ClientOptions()
    {
        var will = JsonSerializer.SerializeToUtf8Bytes(StatePayload.Lost(_station), PayloadJson.Default.StatePayload);
        var willDelay = (uint)_options.WillDelay.TotalSeconds;
        var builder = new MqttClientOptionsBuilder()
            .WithProtocolVersion(MqttProtocolVersion.V500)
            .WithTcpServer(_options.Host, _options.Port)
            .WithClientId($"{_options.ClientId}-{_station}")
            .WithTimeout(_options.AnswerTimeout)
            .WithKeepAlivePeriod(_options.KeepAlive)
            // The will waits no longer than the session lives, and a clean start would end the session and so send
            // the will at each reconnection (MQTT 5, 3.1.3.2.2). Nothing else is kept in it: we subscribe to nothing.
            .WithCleanStart(false)
            .WithSessionExpiryInterval(willDelay == 0 ? 0 : willDelay + 60)
            .WithWillDelayInterval(willDelay)
            .WithWillTopic(_topics.Of(Contract.State))
            .WithWillPayload(will)
            .WithWillQualityOfServiceLevel(Contract.State.Qos)
            .WithWillRetain(Contract.State.Retain)
            .WithWillContentType(Contract.State.ContentType)
            .WithWillUserProperty("schema", Encoding.UTF8.GetBytes(Contract.State.Schema));

        if (_options.Username is { Length: > 0 } username)
        {
            builder.WithCredentials(username, Password() ?? string.Empty);
        }

        if (_options.Tls)
        {
            builder.WithTlsOptions(ConfigureTls);
        }

        return builder.Build();
    }

    private string? Password()
    {
        try
        {
            return _options.PasswordFile is { Length: > 0 } file
                ? SecretFile.Read(file, "Mqtt:PasswordFile")
                : _options.Password;
        }
        catch (IOException e)
        {
            throw new BrokerTroubleException(e.Message, e);
        }
    }

    private void ConfigureTls(MqttClientTlsOptionsBuilder tls)
    {
        tls.UseTls().WithTargetHost(_options.Host).WithSslProtocols(SslProtocols.Tls12 | SslProtocols.Tls13);
        if (_options.CaFile is not { Length: > 0 } path)
        {
            return;
        }

        var authorities = new X509Certificate2Collection();
        try
        {
            authorities.ImportFromPemFile(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or CryptographicException)
        {
            throw new BrokerTroubleException($"Mqtt:CaFile: {path} cannot be read: {e.Message}", e);
        }

        if (authorities.Count == 0)
        {
            throw new BrokerTroubleException($"Mqtt:CaFile: {path} holds no certificate; expected PEM");
        }

        // A plant's own authority seldom has a reachable revocation list; the trust is in the one file.
        tls.WithTrustChain(authorities).WithIgnoreCertificateRevocationErrors();
    }

    private async Task PumpAsync(
        IMqttClient client,
        int window,
        long largest,
        Queue<Task<MqttClientPublishResult>> acks,
        Task<string> lost,
        CancellationToken stopping
    )
    {
        var published = default(StatePayload);
        var (lookedAt, stateAt, metricsAt, stopsAt) = (default(long?), 0L, default(long?), default(long?));

        // A new broker may hold an old state: ours comes first.
        foreach (var record in _unacknowledged)
        {
            acks.Enqueue(SendAsync(client, record));
        }

        while (true)
        {
            if (lost.IsCompleted)
            {
                throw new BrokerTroubleException(await lost.ConfigureAwait(false));
            }

            var now = _time.GetTimestamp();
            var isStopping = stopping.IsCancellationRequested;
            // Half a tick: a timer that comes a moment early must not cost a whole round.
            if (!isStopping && IsDue(lookedAt, Tick / 2))
            {
                lookedAt = now;
                if (_snapshot(_station) is { } snapshot)
                {
                    var state = StatePayload.From(snapshot);
                    var isNews = published is null || state != published with { At = state.At };
                    if (isNews || IsDue(stateAt, StateRepeat))
                    {
                        await SendAsync(client, Contract.State, state, PayloadJson.Default.StatePayload)
                            .ConfigureAwait(false);
                        (published, stateAt) = (state, now);
                    }

                    if (IsDue(metricsAt, _options.MetricsInterval))
                    {
                        metricsAt = now;
                        var metrics = MetricsPayload.From(snapshot);
                        await SendAsync(client, Contract.Metrics, metrics, PayloadJson.Default.MetricsPayload)
                            .ConfigureAwait(false);
                    }
                }
            }

            while (acks.Count < window && _records.Reader.TryRead(out var record))
            {
                _unacknowledged.Enqueue(record);
                acks.Enqueue(SendAsync(client, record));
            }

            // Records first: a picture goes out when no record waits for a place in the window.
            if (acks.Count < window && _pictures.Reader.TryRead(out var picture))
            {
                await SendAsync(client, picture, largest).ConfigureAwait(false);
                continue;
            }

            if (acks.Count > 0)
            {
                Settle(await acks.Peek().ConfigureAwait(false), Contract.Inspection);
                Interlocked.Increment(ref _acknowledged);
                _ = acks.Dequeue();
                _unacknowledged.Dequeue();
            }

            if (isStopping)
            {
                stopsAt ??= now;
                var isDrained = acks.Count == 0 && !_records.Reader.TryPeek(out _);
                if (isDrained || _time.GetElapsedTime(stopsAt.Value, now) >= Farewell)
                {
                    await SayGoodByeAsync(client).ConfigureAwait(false);
                    return;
                }
            }
            else if (acks.Count == 0)
            {
                await _wake.Reader.ReadAsync(CancellationToken.None).ConfigureAwait(false);
            }

            bool IsDue(long? since, TimeSpan interval) =>
                since is null || _time.GetElapsedTime(since.Value, now) >= interval;
        }
    }

    private async Task SayGoodByeAsync(IMqttClient client)
    {
        var state = StatePayload.Stopped(_station, _time.GetUtcNow());
        await SendAsync(client, Contract.State, state, PayloadJson.Default.StatePayload).ConfigureAwait(false);
        try
        {
            await client.DisconnectAsync(new MqttClientDisconnectOptions()).ConfigureAwait(false);
        }
        catch (Exception e) when (e is not ArgumentException)
        {
            throw new BrokerTroubleException($"{_broker}: {Describe(e)}", e);
        }
    }

    private async Task SendAsync<T>(IMqttClient client, MessageKind row, T payload, JsonTypeInfo<T> type) =>
        Settle(await CallAsync(client, Message(row, payload, type)).ConfigureAwait(false), row);

    private Task<MqttClientPublishResult> SendAsync(IMqttClient client, PartRecord record)
    {
        var payload = InspectionPayload.From(record);
        var message = Message(Contract.Inspection, payload, PayloadJson.Default.InspectionPayload, record.Model);
        return CallAsync(client, message);
    }

    private async Task SendAsync(IMqttClient client, EvidencePicture picture, long largest)
    {
        if (picture.Crop.Length + PacketOverhead > largest)
        {
            Interlocked.Increment(ref _shed);
            return;
        }

        await CallAsync(client, Message(Contract.Image, picture)).ConfigureAwait(false);
        if (picture.Verdict == Verdict.Reject)
        {
            await CallAsync(client, Message(Contract.LastImage, picture)).ConfigureAwait(false);
        }
    }

    /// <summary>Decides what an acknowledgement means; throws when the message has to be sent again.</summary>
    private void Settle(MqttClientPublishResult result, MessageKind row)
    {
        switch (result.ReasonCode)
        {
            case MqttClientPublishReasonCode.Success or MqttClientPublishReasonCode.NoMatchingSubscribers:
                return;

            // Sent again, it would be refused again, and everything behind it would wait for ever.
            case MqttClientPublishReasonCode.TopicNameInvalid or MqttClientPublishReasonCode.PayloadFormatInvalid:
                Interlocked.Increment(ref _shed);
                Log.Refused(_log, _station, _topics.Of(row), result.ReasonCode.ToString());
                return;

            default:
                throw new BrokerTroubleException(
                    $"{_broker} refused {_topics.Of(row)} ({result.ReasonCode}); check the broker's access list"
                );
        }
    }

    /// <summary>
    /// Publishes within the answer timeout. Whatever the client throws is the broker's or the network's doing
    /// (a broken connection surfaces as several kinds of exception), so it becomes trouble here and nowhere else.
    /// </summary>
    private async Task<MqttClientPublishResult> CallAsync(IMqttClient client, MqttApplicationMessage message)
    {
        using var timeout = new CancellationTokenSource(_options.AnswerTimeout, _time);
        try
        {
            return await client.PublishAsync(message, timeout.Token).ConfigureAwait(false);
        }
        catch (Exception e) when (e is not ArgumentException)
        {
            throw new BrokerTroubleException(
                timeout.IsCancellationRequested
                    ? $"{_broker} did not answer within {_options.AnswerTimeout.TotalSeconds:0.#} s"
                    : $"lost {_broker}: {Describe(e)}",
                e
            );
        }
    }

    private MqttApplicationMessage Message<T>(MessageKind row, T payload, JsonTypeInfo<T> type, string? model = null) =>
        Message(
            row,
            _topics.Of(row),
            JsonSerializer.SerializeToUtf8Bytes(payload, type),
            model is null ? [] : [Property("model", model)]
        );

    private MqttApplicationMessage Message(MessageKind row, EvidencePicture picture)
    {
        List<MqttUserProperty> about =
        [
            Property("resultId", picture.PartId),
            Property("verdict", picture.Verdict.ToString()),
            .. picture.Label is { } label ? [Property("label", label)] : Array.Empty<MqttUserProperty>(),
        ];
        return Message(row, _topics.Of(row, picture.PartId), picture.Crop, about);
    }

    private static MqttApplicationMessage Message(
        MessageKind row,
        string topic,
        ReadOnlyMemory<byte> payload,
        IEnumerable<MqttUserProperty> about
    ) =>
        new()
        {
            Topic = topic,
            Payload = new ReadOnlySequence<byte>(payload),
            QualityOfServiceLevel = row.Qos,
            Retain = row.Retain,
            ContentType = row.ContentType,
            MessageExpiryInterval = (uint)(row.Expiry?.TotalSeconds ?? 0),
            UserProperties = [Property("schema", row.Schema), .. about],
        };

    private static MqttUserProperty Property(string name, string value) =>
        new(name, Encoding.UTF8.GetBytes(value));

    private string WhyLost(MqttClientDisconnectedEventArgs e) =>
        e.Reason switch
        {
            MqttClientDisconnectReason.SessionTakenOver =>
                $"{_broker} gave the place to another client with the id {_options.ClientId}-{_station}; "
                    + "give each device its own Mqtt:ClientId",
            MqttClientDisconnectReason.NormalDisconnection => $"lost {_broker}: {Describe(e.Exception)}",
            _ => $"lost {_broker}: {(e.Exception is null ? e.Reason.ToString() : Describe(e.Exception))}",
        };

    /// <summary>The cause at the bottom of an exception, on one line.</summary>
    private static string Describe(Exception? exception)
    {
        if (exception is null)
        {
            return "connection closed";
        }

        for (var e = exception; e is not null; e = e.InnerException)
        {
            switch (e)
            {
                case SocketException
                {
                    SocketErrorCode: SocketError.HostNotFound or SocketError.TryAgain or SocketError.NoData
                }:
                    return "no such host name";
                // Its own message may repeat the address.
                case SocketException { NativeErrorCode: > 0 } socket:
                    return new Win32Exception(socket.NativeErrorCode).Message;
                case AuthenticationException:
                    return e.Message.ReplaceLineEndings(" ");
                case MqttClientUnexpectedDisconnectReceivedException refused:
                    return $"disconnected by the broker ({refused.ReasonCode})";
                case OperationCanceledException when e.InnerException is null:
                    return "no answer in time";
                default:
                    break;
            }
        }

        return exception.GetBaseException().Message.ReplaceLineEndings(" ");
    }

    private static void Forget(Queue<Task<MqttClientPublishResult>> acks)
    {
        // Their records stay in _unacknowledged and are sent again; their failures are the one already reported.
        foreach (var ack in acks)
        {
            _ = ack.ContinueWith(
                static task => task.Exception,
                CancellationToken.None,
                TaskContinuationOptions.OnlyOnFaulted | TaskContinuationOptions.ExecuteSynchronously,
                TaskScheduler.Default
            );
        }
    }

    /// <summary>The broker or the way to it; the message is one line for <see cref="State"/>.</summary>
    private sealed class BrokerTroubleException(string message, Exception? inner = null) : Exception(message, inner);
}
