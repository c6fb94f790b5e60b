using System.ComponentModel;
using System.Globalization;
using System.Net.Sockets;
using System.Net.WebSockets;
using System.Security.Authentication;
using EdgeInspector.Timing;
using MQTTnet;
using MQTTnet.Exceptions;
using MQTTnet.Formatter;
using MQTTnet.Packets;

namespace EdgeInspector.Publishing;

/// <summary>The broker or the way to it; the message is one line for <see cref="BrokerConnection.State"/>.</summary>
internal sealed class BrokerTroubleException(string message, Exception? inner = null) : Exception(message, inner);

/// <summary>
/// One connection to the broker of section <c>Mqtt</c>, made again whenever it is lost, with a growing, jittered wait. What is
/// said on it is the business of whoever owns it; a last will, a session or a protocol of its own (as Sparkplug asks) need
/// a connection of their own.
/// </summary>
/// <param name="options">Broker, login, encryption, times.</param>
/// <param name="clientId">Client id, unique at the broker.</param>
/// <param name="name">Who this is, for log lines.</param>
/// <param name="time">Waits and timeouts.</param>
/// <param name="log">Changes of state only.</param>
internal sealed class BrokerConnection(MqttOptions options, string clientId, string name, TimeProvider time, ILogger log)
{
    public const string Connected = "connected";
    public const string Connecting = "connecting";

    private readonly string _broker = string.Create(CultureInfo.InvariantCulture, $"{options.Host}:{options.Port}");
    private readonly Backoff _backoff = new(options.ReconnectDelay, options.MaxReconnectDelay, Random.Shared);
    private volatile string _state = Connecting;

    /// <summary>"connected", "connecting", or what is wrong in one line.</summary>
    public string State => _state;

    /// <summary>Connections made since the start.</summary>
    public long Connections { get; private set; }

    /// <summary>
    /// Connects, serves, and connects again until <paramref name="stopping"/> or until <paramref name="serve"/> returns, which is a
    /// clean good-bye.
    /// </summary>
    /// <param name="shape">Adds to each CONNECT: clean start, session, last will.</param>
    /// <param name="serve">
    /// What to do with a connection. Watches <see cref="BrokerSession.Lost"/>; its <see cref="BrokerTroubleException"/> leads to
    /// the next connection, any other exception out of here.
    /// </param>
    /// <param name="heard">
    /// Gets each message that arrives, on the connection's task: must be quick and must not throw. Null when nothing is
    /// subscribed to. A resumed session may bring messages before <paramref name="serve"/> is called.
    /// </param>
    /// <param name="stopping">Ends the waiting between connections; <paramref name="serve"/> ends itself.</param>
    public async Task RunAsync(
        Action<MqttClientOptionsBuilder> shape,
        Func<BrokerSession, Task> serve,
        Action<MqttApplicationMessage>? heard,
        CancellationToken stopping
    )
    {
        // What queues up before the caller's first await must not run on the caller's thread.
        await Task.Yield();
        while (!stopping.IsCancellationRequested)
        {
            var began = time.GetTimestamp();
            try
            {
                using var client = new MqttClientFactory().CreateMqttClient();
                var session = new BrokerSession(client, options, clientId, _broker, heard, time);
                await ConnectAsync(session, client, shape, stopping).ConfigureAwait(false);
                await serve(session).ConfigureAwait(false);
                return;
            }
            catch (BrokerTroubleException e)
            {
                if (_state != e.Message)
                {
                    _state = e.Message;
                    Log.Trouble(log, name, e.Message);
                }
            }
            catch (OperationCanceledException) when (stopping.IsCancellationRequested)
            {
                return;
            }

            // A broker that takes the connection and drops it at once has not recovered: keep backing off.
            if (time.GetElapsedTime(began) > options.MaxReconnectDelay)
            {
                _backoff.Reset();
            }

            try
            {
                await Task.Delay(_backoff.Next(), time, stopping).ConfigureAwait(false);
            }
            catch (OperationCanceledException)
            {
                return;
            }
        }
    }

    private async Task ConnectAsync(
        BrokerSession session,
        IMqttClient client,
        Action<MqttClientOptionsBuilder> shape,
        CancellationToken stopping
    )
    {
        var tls = options.Tls ? new BrokerTls(options, time) : null;
        var clientOptions = ClientOptions(shape, tls);
        using var timeout = new CancellationTokenSource(options.AnswerTimeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, stopping);
        MqttClientConnectResult result;
        try
        {
            result = await client.ConnectAsync(clientOptions, either.Token).ConfigureAwait(false);
        }
        catch (Exception e) when (!stopping.IsCancellationRequested && e is not ArgumentException)
        {
            throw new BrokerTroubleException(
                tls?.Fault is { } fault ? $"{_broker} is not to be trusted: {fault}" : $"cannot reach {_broker}: {Describe(e)}",
                e
            );
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

        session.Began(result);
        Connections++;
        if (_state != Connected)
        {
            _state = Connected;
            Log.Connected(log, name, _broker);
        }
    }

    private MqttClientOptions ClientOptions(Action<MqttClientOptionsBuilder> shape, BrokerTls? tls)
    {
        var builder = new MqttClientOptionsBuilder()
            .WithProtocolVersion(MqttProtocolVersion.V500)
            .WithClientId(clientId)
            .WithTimeout(options.AnswerTimeout)
            .WithKeepAlivePeriod(options.KeepAlive)
            // What others may send us at a time, and how large: a station takes commands, not floods.
            .WithReceiveMaximum((ushort)options.InboundWindow)
            .WithMaximumPacketSize((uint)options.MaxInboundPacketSize);
        if (options.Transport == MqttTransport.WebSocket)
        {
            var scheme = options.Tls ? "wss" : "ws";
            builder.WithWebSocketServer(web =>
                web.WithUri(string.Create(CultureInfo.InvariantCulture, $"{scheme}://{_broker}{options.WebSocketPath}"))
            );
        }
        else
        {
            builder.WithTcpServer(options.Host, options.Port);
        }

        if (options.Username is { Length: > 0 } username)
        {
            builder.WithCredentials(username, Password() ?? string.Empty);
        }

        if (tls is not null)
        {
            builder.WithTlsOptions(tls.Configure);
        }

        shape(builder);
        return builder.Build();
    }

    private string? Password()
    {
        try
        {
            return options.PasswordFile is { Length: > 0 } file
                ? SecretFile.Read(file, "Mqtt:PasswordFile")
                : options.Password;
        }
        catch (IOException e)
        {
            throw new BrokerTroubleException(e.Message, e);
        }
    }

    /// <summary>The cause at the bottom of an exception, on one line.</summary>
    internal static string Describe(Exception? exception)
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
                case WebSocketException { WebSocketErrorCode: WebSocketError.NotAWebSocket }:
                    return "no MQTT over WebSocket there; check Mqtt:Port and Mqtt:WebSocketPath";
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
}

/// <summary>One connection while it lasts. Everything that goes wrong on it is a <see cref="BrokerTroubleException"/>.</summary>
internal sealed class BrokerSession
{
    private readonly IMqttClient _client;
    private readonly MqttOptions _options;
    private readonly string _clientId;
    private readonly string _broker;
    private readonly TimeProvider _time;
    private readonly TaskCompletionSource<string> _lost = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public BrokerSession(
        IMqttClient client,
        MqttOptions options,
        string clientId,
        string broker,
        Action<MqttApplicationMessage>? heard,
        TimeProvider time
    )
    {
        (_client, _options, _clientId, _broker, _time) = (client, options, clientId, broker, time);
        client.DisconnectedAsync += e =>
        {
            _lost.TrySetResult(WhyLost(e));
            return Task.CompletedTask;
        };
        client.ApplicationMessageReceivedAsync += e =>
        {
            heard?.Invoke(e.ApplicationMessage);
            return Task.CompletedTask;
        };
        Window = options.Window;
        LargestPacket = options.MaxPacketSize;
    }

    /// <summary>Ends when the connection does, with the reason in one line.</summary>
    public Task<string> Lost => _lost.Task;

    /// <summary>Messages of QoS 1 that the broker takes at a time before it has acknowledged the first.</summary>
    public int Window { get; private set; }

    /// <summary>The largest packet that the broker takes, bytes.</summary>
    public long LargestPacket { get; private set; }

    /// <summary>Takes what the broker said in CONNACK.</summary>
    public void Began(MqttClientConnectResult result)
    {
        Window = result.ReceiveMaximum is { } most and > 0 ? Math.Min(_options.Window, most) : _options.Window;
        LargestPacket = result.MaximumPacketSize is { } size and > 0 ? size : _options.MaxPacketSize;
    }

    /// <summary>
    /// Publishes within the answer timeout; for QoS 1 done with the acknowledgement. Messages go out in the order of the calls.
    /// Whatever the client throws is the broker's or the network's doing (a broken connection surfaces as several kinds of
    /// exception), so it becomes trouble here and nowhere else.
    /// </summary>
    public async Task<MqttClientPublishResult> PublishAsync(MqttApplicationMessage message)
    {
        using var timeout = new CancellationTokenSource(_options.AnswerTimeout, _time);
        try
        {
            return await _client.PublishAsync(message, timeout.Token).ConfigureAwait(false);
        }
        catch (Exception e) when (e is not ArgumentException)
        {
            throw Trouble(e, timeout.IsCancellationRequested);
        }
    }

    /// <summary>Subscribes with QoS 1; returns the filters that the broker refused.</summary>
    public async Task<IReadOnlyList<string>> SubscribeAsync(IReadOnlyCollection<string> filters)
    {
        if (filters.Count == 0)
        {
            return [];
        }

        var subscription = new MqttClientSubscribeOptions
        {
            TopicFilters =
            [
                .. filters.Select(filter => new MqttTopicFilter
                {
                    Topic = filter,
                    QualityOfServiceLevel = MQTTnet.Protocol.MqttQualityOfServiceLevel.AtLeastOnce,
                    // A retained command must be known for what it is.
                    RetainAsPublished = true,
                }),
            ],
        };
        using var timeout = new CancellationTokenSource(_options.AnswerTimeout, _time);
        MqttClientSubscribeResult result;
        try
        {
            result = await _client.SubscribeAsync(subscription, timeout.Token).ConfigureAwait(false);
        }
        catch (Exception e) when (e is not ArgumentException)
        {
            throw Trouble(e, timeout.IsCancellationRequested);
        }

        return
        [
            .. result.Items.Where(item => item.ResultCode > MqttClientSubscribeResultCode.GrantedQoS2).Select(item => item.TopicFilter.Topic),
        ];
    }

    /// <summary>Disconnects in peace: no last will is sent.</summary>
    public async Task SayGoodByeAsync()
    {
        try
        {
            await _client.DisconnectAsync(new MqttClientDisconnectOptions()).ConfigureAwait(false);
        }
        catch (Exception e) when (e is not ArgumentException)
        {
            throw new BrokerTroubleException($"{_broker}: {BrokerConnection.Describe(e)}", e);
        }
    }

    /// <summary>The broker refuses something that will not get better by itself.</summary>
    public BrokerTroubleException Refused(string topic, MqttClientPublishReasonCode reason) =>
        new($"{_broker} refused {topic} ({reason}); check the broker's access list");

    private BrokerTroubleException Trouble(Exception e, bool isLate) =>
        new(
            isLate
                ? $"{_broker} did not answer within {_options.AnswerTimeout.TotalSeconds:0.#} s"
                : $"lost {_broker}: {BrokerConnection.Describe(e)}",
            e
        );

    private string WhyLost(MqttClientDisconnectedEventArgs e) =>
        e.Reason switch
        {
            MqttClientDisconnectReason.SessionTakenOver =>
                $"{_broker} gave the place to another client with the id {_clientId}; give each device its own Mqtt:ClientId",
            MqttClientDisconnectReason.NormalDisconnection => $"lost {_broker}: {BrokerConnection.Describe(e.Exception)}",
            _ => $"lost {_broker}: {(e.Exception is null ? e.Reason.ToString() : BrokerConnection.Describe(e.Exception))}",
        };
}
