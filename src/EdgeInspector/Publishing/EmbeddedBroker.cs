using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Net.WebSockets;
using System.Security.Cryptography;
using System.Text;
using EdgeInspector.Line;
using MQTTnet.Packets;
using MQTTnet.Protocol;
using MQTTnet.Server;

namespace EdgeInspector.Publishing;

/// <summary>
/// An MQTT broker inside the process: the demo's, and that of a station without a plant broker. It holds everything in
/// memory, lets in only the users it knows, and bounds what each can take.
/// </summary>
internal sealed class EmbeddedBroker : IAsyncDisposable
{
    private readonly BrokerOptions _options;
    private readonly ILogger<EmbeddedBroker> _log;
    private readonly ConcurrentDictionary<string, (BrokerAccount Account, Secret Secret)> _users = new(StringComparer.Ordinal);

    /// <summary>Whose a client id is, for as long as its session lives.</summary>
    private readonly ConcurrentDictionary<string, Client> _clients = new(StringComparer.Ordinal);

    /// <summary>What an unknown user's password is checked against, so that no clock gives names away.</summary>
    private readonly Secret _nobody = Secret.Of(Guid.NewGuid().ToString());

    private BrokerListener? _listener;
    private MqttServer? _server;
    private long _refusedLogins;
    private long _refusedMessages;

    public EmbeddedBroker(BrokerOptions options, ILogger<EmbeddedBroker> log)
    {
        _options = options;
        _log = log;
    }

    /// <summary>The port it listens on; 0 before it does.</summary>
    public int Port => _listener?.Port ?? 0;

    /// <summary>Connections refused for want of a known user and password.</summary>
    public long RefusedLogins => Interlocked.Read(ref _refusedLogins);

    /// <summary>Connections ended because a packet was too large, or refused because there were too many.</summary>
    public long RefusedConnections => _listener?.Refused ?? 0;

    /// <summary>Messages and subscriptions refused: not theirs to send, or too many.</summary>
    public long RefusedMessages => Interlocked.Read(ref _refusedMessages);

    /// <summary>Lets someone in from now on, or changes what they may.</summary>
    public void AddUser(string name, string password, Role role = Role.Viewer, bool isStation = false) =>
        _users[name] = (new BrokerAccount(name, role, isStation), Secret.Of(password));

    /// <summary>Serves an MQTT connection over a WebSocket until it ends; the socket stays the caller's.</summary>
    public Task ServeAsync(WebSocket socket, EndPoint? remote) =>
        _listener is { } listener ? listener.ServeAsync(socket, remote) : Task.CompletedTask;

    /// <summary>Starts listening.</summary>
    /// <exception cref="SettingException">Port taken, address not ours, or password file unusable; one line.</exception>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        ReadUsers();
        if (_users.IsEmpty)
        {
            throw new SettingException("Broker:Users is empty; nobody could connect, add a name and a password file");
        }

        if (!IPAddress.TryParse(_options.Address, out var address))
        {
            throw new SettingException($"Broker:Address: '{_options.Address}' is not an IP address");
        }

        var listener = new BrokerListener(address, _options, _log);
        var serverOptions = new MqttServerOptionsBuilder()
            .WithoutDefaultEndpoint()
            .WithMaxPendingMessagesPerClient(_options.MaxPendingMessages)
            .WithPendingMessagesOverflowStrategy(MqttPendingMessagesOverflowStrategy.DropOldestQueuedMessage)
            .WithDefaultCommunicationTimeout(_options.AnswerTimeout)
            .Build();
        var server = new MqttServerFactory().CreateMqttServer(serverOptions, [listener]);
        server.ValidatingConnectionAsync += ValidateAsync;
        server.InterceptingOutboundPacketAsync += CheckOutbound;
        server.InterceptingPublishAsync += CheckPublish;
        server.InterceptingClientEnqueueAsync += CheckDelivery;
        server.SessionDeletedAsync += e =>
        {
            _clients.TryRemove(e.Id, out _);
            return Task.CompletedTask;
        };
        try
        {
            await server.StartAsync().ConfigureAwait(false);
        }
        catch (SocketException e)
        {
            server.Dispose();
            throw new SettingException(
                e.SocketErrorCode switch
                {
                    SocketError.AddressAlreadyInUse =>
                        $"Broker:Port {_options.Port} is in use on {_options.Address}; choose another, "
                            + "or 0 for a free one",
                    SocketError.AccessDenied =>
                        $"Broker:Port {_options.Port} needs privileges that are missing; choose one above 1023",
                    SocketError.AddressNotAvailable =>
                        $"Broker:Address {_options.Address} is not an address of this machine; choose one that is",
                    _ => $"Broker: cannot listen on {_options.Address}:{_options.Port}: {e.Message}",
                },
                e
            );
        }

        (_listener, _server) = (listener, server);
        Log.Listening(_log, $"{_options.Address}:{listener.Port}", _users.Count);
    }

    /// <summary>Closes all connections and the port. May be started again; what was retained is gone.</summary>
    public async Task StopAsync()
    {
        if (Interlocked.Exchange(ref _server, null) is { } server)
        {
            await server.StopAsync(new MqttServerStopOptions()).ConfigureAwait(false);
            server.Dispose();
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync() => await StopAsync().ConfigureAwait(false);

    private void ReadUsers()
    {
        for (var i = 0; i < _options.Users.Count; i++)
        {
            var (user, key) = (_options.Users[i], $"Broker:Users:{i}");
            if (user.Fault(key) is { } fault)
            {
                throw new SettingException(fault);
            }

            try
            {
                var secret = user.PasswordHash ?? SecretFile.Read(user.PasswordFile!, $"{key}:PasswordFile");
                _users[user.Name] = (
                    new BrokerAccount(user.Name, user.Role, user.IsStation),
                    PasswordHash.IsHash(secret) ? Secret.OfHash(secret) : Secret.Of(secret)
                );
            }
            catch (IOException e)
            {
                throw new SettingException(e.Message, e);
            }
        }
    }

    private async Task ValidateAsync(ValidatingConnectionEventArgs e)
    {
        var isKnown = _users.TryGetValue(e.UserName ?? string.Empty, out var user);
        isKnown &= await (user.Secret ?? _nobody)
            .IsAsync(e.Password ?? string.Empty, e.CancellationToken)
            .ConfigureAwait(false);
        if (!isKnown)
        {
            Interlocked.Increment(ref _refusedLogins);
            e.ReasonCode = MqttConnectReasonCode.BadUserNameOrPassword;
            Log.LoginRefused(_log, Shorten(e.ClientId), $"{e.RemoteEndPoint}", "unknown user or wrong password");
            return;
        }

        // Whoever takes another's client id would push them out and inherit what they have subscribed to.
        var client = _clients.GetOrAdd(
            e.ClientId,
            _ => new Client(user.Account, new TokenBucket(_options.MaxMessagesPerSecond, _options.MaxMessagesPerSecond))
        );
        if (client.Account != user.Account)
        {
            Interlocked.Increment(ref _refusedLogins);
            e.ReasonCode = MqttConnectReasonCode.ClientIdentifierNotValid;
            Log.LoginRefused(_log, Shorten(e.ClientId), $"{e.RemoteEndPoint}", "the client id is another user's");
        }
    }

    /// <summary>Says in CONNACK what packets are taken, which the server itself does not, and holds retained messages back.</summary>
    private Task CheckOutbound(InterceptingPacketEventArgs e)
    {
        if (e.Packet is MqttConnAckPacket connAck)
        {
            connAck.MaximumPacketSize = (uint)_options.MaxPacketSize;
        }
        else if (e.Packet is MqttPublishPacket { Retain: true } retained && !MayHear(e.ClientId, retained.Topic))
        {
            // A subscription brings retained messages past the check of each delivery.
            e.ProcessPacket = false;
        }

        return Task.CompletedTask;
    }

    private Task CheckPublish(InterceptingPublishEventArgs e)
    {
        var message = e.ApplicationMessage;
        if (!_clients.TryGetValue(e.ClientId, out var client))
        {
            Refuse(close: true);
            return Task.CompletedTask;
        }

        var account = client.Account;
        if (!account.IsStation && !client.IsWithinRate())
        {
            Refuse(close: true);
        }
        else if (!BrokerAccess.MayPublish(account, message.Topic, message.Retain))
        {
            Refuse(close: false);
        }
        else if (!account.IsStation)
        {
            // What a station reads as the sender is what the broker knows, not what the sender says.
            message.UserProperties =
            [
                .. (message.UserProperties ?? []).Where(property => property.Name is not ("user" or "role")),
                new MqttUserProperty("user", Encoding.UTF8.GetBytes(account.Name)),
                new MqttUserProperty("role", Encoding.UTF8.GetBytes(account.Role.ToString())),
            ];
        }

        return Task.CompletedTask;

        void Refuse(bool close)
        {
            Interlocked.Increment(ref _refusedMessages);
            e.ProcessPublish = false;
            e.CloseConnection = close;
            e.Response.ReasonCode = close ? MqttPubAckReasonCode.QuotaExceeded : MqttPubAckReasonCode.NotAuthorized;
        }
    }

    private Task CheckDelivery(InterceptingClientApplicationMessageEnqueueEventArgs e)
    {
        e.AcceptEnqueue = MayHear(e.ReceiverClientId, e.ApplicationMessage.Topic);
        return Task.CompletedTask;
    }

    private bool MayHear(string clientId, string topic) =>
        _clients.TryGetValue(clientId, out var client) && BrokerAccess.MayHear(client.Account, topic);

    /// <summary>A name from outside, fit for a log line.</summary>
    private static string Shorten(string? name) =>
        new([.. (name ?? string.Empty).Take(64).Select(c => char.IsControl(c) ? '?' : c)]);

    /// <summary>One client id: whose it is, and how much it has sent lately.</summary>
    private sealed class Client(BrokerAccount account, TokenBucket messages)
    {
        private readonly Lock _lock = new();

        public BrokerAccount Account { get; } = account;

        public bool IsWithinRate()
        {
            lock (_lock)
            {
                return messages.TryTake(TimeProvider.System.GetInstant());
            }
        }
    }

    /// <summary>
    /// What is known of one user's password. A stored hash is slow to check on purpose (half a second of a core on a
    /// small machine), which a station that inspects cannot spend each time a dashboard comes back: once a password has
    /// been proven, or was known to begin with, a keyed digest that lives in this process alone stands for it.
    /// </summary>
    private sealed class Secret
    {
        private static readonly byte[] Key = RandomNumberGenerator.GetBytes(32);

        /// <summary>One slow check at a time: guessing must not cost more than one core.</summary>
        private static readonly SemaphoreSlim Slow = new(1, 1);

        private readonly string? _hash;
        private volatile byte[]? _digest;

        private Secret(string? hash, byte[]? digest) => (_hash, _digest) = (hash, digest);

        public static Secret Of(string password) => new(null, Digest(password));

        public static Secret OfHash(string hash) => new(hash, null);

        public async Task<bool> IsAsync(string password, CancellationToken cancellationToken)
        {
            var digest = Digest(password);
            if (_digest is { } known && CryptographicOperations.FixedTimeEquals(digest, known))
            {
                return true;
            }

            if (_hash is null)
            {
                return false;
            }

            await Slow.WaitAsync(cancellationToken).ConfigureAwait(false);
            try
            {
                if (!PasswordHash.Verify(password, _hash))
                {
                    return false;
                }
            }
            finally
            {
                Slow.Release();
            }

            _digest = digest;
            return true;
        }

        private static byte[] Digest(string password) => HMACSHA256.HashData(Key, Encoding.UTF8.GetBytes(password));
    }
}
