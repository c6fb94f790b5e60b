using System.Buffers;
using System.Text;
using System.Text.Json;
using System.Threading.Channels;
using EdgeInspector.Line;
using EdgeInspector.Telemetry;
using MQTTnet;
using MQTTnet.Packets;
using MQTTnet.Protocol;

namespace EdgeInspector.Publishing;

/// <summary>What the links of all stations have in common.</summary>
/// <param name="Snapshot">A station seen from outside, by its name; null before there is one.</param>
/// <param name="Parts">The ledger, where inspection events wait.</param>
/// <param name="Outbox">Where everything else waits.</param>
/// <param name="Shift">A station's figures from one time to another; null where nobody counts them.</param>
/// <param name="Handlers">Who takes what others send.</param>
internal sealed record LinkParts(
    Func<string, StationSnapshot?> Snapshot,
    IPartFeed Parts,
    Outbox Outbox,
    Func<string, DateTimeOffset, DateTimeOffset, ShiftFigures>? Shift,
    IReadOnlyDictionary<MessageKind, Func<IncomingMessage, CancellationToken, Task>> Handlers
);

/// <summary>
/// One station's connection. A connection of its own, because the state topic is also the last will and MQTT allows one will per
/// connection. What waits, waits in the ledger and in the outbox; here are only the latest word on each retained topic, and
/// what is on its way. Owned by <see cref="Publisher"/>; messages are handed over from any thread, everything else
/// happens in <see cref="RunAsync"/>.
/// </summary>
internal sealed class StationLink
{
    /// <summary>What a timer can wait at least.</summary>
    private static readonly TimeSpan ShortestWait = TimeSpan.FromMilliseconds(1);

    /// <summary>How soon a change of state is published.</summary>
    private static readonly TimeSpan Tick = TimeSpan.FromSeconds(1);

    /// <summary>An unchanged state is repeated this often: a broker that lost its memory learns it again.</summary>
    private static readonly TimeSpan StateRepeat = TimeSpan.FromSeconds(30);

    /// <summary>How long a stop may take to send what is queued and say good-bye; systemd waits much longer.</summary>
    private static readonly TimeSpan Farewell = TimeSpan.FromSeconds(3);

    /// <summary>Room for the topic and the properties beside a payload, bytes.</summary>
    private const int PacketOverhead = 1024;

    /// <summary>Parts read at a time: bounds memory, whatever waits.</summary>
    private const int PartPage = 256;

    /// <summary>Outbox messages read at a time.</summary>
    private const int OutboxPage = 64;

    /// <summary>Bytes of outbox messages read at a time.</summary>
    private const int OutboxPageBytes = 1024 * 1024;

    /// <summary>A mark that only passes over other stations' parts is moved each time it has passed over so many.</summary>
    private const int MarkStride = 10_000;

    /// <summary>Replies, and requests, that wait: beyond it somebody floods.</summary>
    private const int PassingCapacity = 256;

    private static readonly Task<MqttClientPublishResult> NotSent = Task.FromResult(
        new MqttClientPublishResult(null, MqttClientPublishReasonCode.UnspecifiedError, null, [])
    );

    private readonly MqttOptions _options;
    private readonly string _station;
    private readonly Topics _topics;
    private readonly LinkParts _shared;
    private readonly TimeProvider _time;
    private readonly ILogger _log;
    private readonly BrokerConnection _connection;
    private readonly TokenBucket _drain;
    private readonly TokenBucket _pictureBytes;
    private readonly ShiftClock _shifts;

    /// <summary>Replies.</summary>
    private readonly Channel<OutgoingMessage> _passing = Channel.CreateBounded<OutgoingMessage>(
        new BoundedChannelOptions(PassingCapacity) { SingleReader = true }
    );

    private readonly Channel<IncomingMessage> _requests = Channel.CreateBounded<IncomingMessage>(
        new BoundedChannelOptions(PassingCapacity) { SingleReader = true }
    );

    /// <summary>One token at most: something may be worth doing.</summary>
    private readonly Channel<bool> _wake = Channel.CreateBounded<bool>(
        new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite, SingleReader = true }
    );

    /// <summary>The latest word on each retained topic, and whether this connection has said it. Under its own lock.</summary>
    private readonly Dictionary<string, Latest> _latest = new(StringComparer.Ordinal);

    private readonly HashSet<string> _refused = new(StringComparer.Ordinal);
    private volatile bool _partNews = true;
    private volatile bool _outboxNews = true;
    private long _acknowledged;
    private long _requestsRefused;
    private DateTimeOffset? _shiftTold;
    private int _partsOnTheirWay;

    public StationLink(MqttOptions options, PlantOptions plant, string station, LinkParts shared, TimeProvider time, ILogger log)
    {
        _options = options;
        _station = station;
        _topics = new Topics(plant, station);
        _shared = shared;
        _time = time;
        _log = log;
        _connection = new BrokerConnection(options, $"{options.ClientId}-{station}", station, time, log);
        _drain = new TokenBucket(options.DrainRate, Math.Max(1, options.DrainRate / 10.0));
        _pictureBytes = new TokenBucket(options.PictureRate * 1000.0, options.PictureRate * 1000.0);
        _shifts = new ShiftClock(options.ShiftStarts, time.LocalTimeZone);
        shared.Outbox.Follow(station);
        // Whatever a broker may still hold from before is cleared, once: nobody would ever acknowledge it.
        foreach (var kind in AlarmKind.All)
        {
            Clear(Contract.Alarm, kind.Name);
        }
    }

    /// <summary>"connected", "connecting", or what is wrong in one line.</summary>
    public string State => _connection.State;

    /// <summary>Inspection events the broker has.</summary>
    public long Acknowledged => Interlocked.Read(ref _acknowledged);

    /// <summary>Requests that were not understood, not of the contract, or too many at a time.</summary>
    public long RequestsRefused => Interlocked.Read(ref _requestsRefused);

    /// <summary>Something new may be in the ledger.</summary>
    public void PartNews()
    {
        _partNews = true;
        Wake();
    }

    /// <summary>Something new may be in the outbox.</summary>
    public void OutboxNews()
    {
        _outboxNews = true;
        Wake();
    }

    /// <summary>The latest word on a retained topic: said now, and again at each connection. A later one replaces it.</summary>
    public void Report(OutgoingMessage message)
    {
        lock (_latest)
        {
            _latest[_topics.Of(message.Kind, message.Parameter)] = new Latest(message);
        }

        Wake();
    }

    /// <summary>Takes back what was said on a retained topic.</summary>
    public void Clear(MessageKind kind, string? parameter) =>
        Report(new OutgoingMessage { Kind = kind, Station = _station, Parameter = parameter, Payload = ReadOnlyMemory<byte>.Empty });

    /// <summary>Says something that is worth something now or never; dropped when the broker is away.</summary>
    public void Say(OutgoingMessage message)
    {
        if (State == BrokerConnection.Connected && _passing.Writer.TryWrite(message))
        {
            Wake();
        }
    }

    /// <summary>Connects, publishes and connects again until <paramref name="stopping"/>.</summary>
    public async Task RunAsync(CancellationToken stopping)
    {
        using var over = CancellationTokenSource.CreateLinkedTokenSource(stopping);
        var handling = HandleAsync(over);
        try
        {
            await _connection.RunAsync(Shape, session => ServeAsync(session, over.Token), Heard, over.Token).ConfigureAwait(false);
        }
        finally
        {
            await over.CancelAsync().ConfigureAwait(false);
        }

        await handling.ConfigureAwait(false);
    }

    private void Wake() => _wake.Writer.TryWrite(true);

    private void Shape(MqttClientOptionsBuilder builder)
    {
        var will = JsonSerializer.SerializeToUtf8Bytes(StatePayload.Lost(_station), PayloadJson.Default.StatePayload);
        var willDelay = (uint)_options.WillDelay.TotalSeconds;
        builder
            // The will waits no longer than the session lives, and a clean start would end the session and so send
            // the will at each reconnection (MQTT 5, 3.1.3.2.2). What is kept in it besides is a command or two.
            .WithCleanStart(false)
            .WithSessionExpiryInterval(willDelay == 0 ? 0 : willDelay + 60)
            .WithWillDelayInterval(willDelay)
            .WithWillTopic(_topics.Of(Contract.State))
            .WithWillPayload(will)
            .WithWillQualityOfServiceLevel(Contract.State.Qos)
            .WithWillRetain(Contract.State.Retain)
            .WithWillContentType(Contract.State.ContentType)
            .WithWillUserProperty("schema", Encoding.UTF8.GetBytes(Contract.State.Schema));
    }

    /// <summary>On the connection's task: only sorts.</summary>
    private void Heard(MqttApplicationMessage message)
    {
        var request = IncomingMessage.From(message, _topics, _station);
        if (request is null || !_shared.Handlers.ContainsKey(request.Kind) || !_requests.Writer.TryWrite(request))
        {
            Interlocked.Increment(ref _requestsRefused);
        }
    }

    private async Task HandleAsync(CancellationTokenSource over)
    {
        try
        {
            await foreach (var request in _requests.Reader.ReadAllAsync(over.Token).ConfigureAwait(false))
            {
                await _shared.Handlers[request.Kind](request, over.Token).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException) when (over.IsCancellationRequested)
        {
            // Stopping.
        }
        finally
        {
            // A handler that threw ends the link, and what it threw is thrown from there: nobody would hear commands any more.
            await over.CancelAsync().ConfigureAwait(false);
        }
    }

    /// <summary>One connection. Returns only after a clean good-bye.</summary>
    private async Task ServeAsync(BrokerSession session, CancellationToken stopping)
    {
        while (_passing.Reader.TryRead(out _))
        {
            // Replies to questions of the last connection.
        }

        _partsOnTheirWay = 0;
        lock (_latest)
        {
            foreach (var latest in _latest.Values)
            {
                // What has been cleared stays so.
                latest.IsSaid = latest.IsSettled && latest.Message.Payload.IsEmpty;
            }
        }

        _ = session.Lost.ContinueWith(
            _ => Wake(),
            CancellationToken.None,
            TaskContinuationOptions.ExecuteSynchronously,
            TaskScheduler.Default
        );
        await using var tick = _time.CreateTimer(_ => Wake(), null, Tick, Tick).ConfigureAwait(false);
        await using var stop = stopping.Register(Wake).ConfigureAwait(false);
        var inFlight = new Queue<InFlight>();
        try
        {
            var refused = await session
                .SubscribeAsync([.. _shared.Handlers.Keys.Select(_topics.Filter)])
                .ConfigureAwait(false);
            foreach (var filter in refused.Where(_refused.Add))
            {
                Log.Refused(_log, _station, filter, "not to be subscribed to");
            }

            await PumpAsync(session, inFlight, stopping).ConfigureAwait(false);
        }
        finally
        {
            Forget(inFlight);
        }
    }

    private async Task PumpAsync(BrokerSession session, Queue<InFlight> inFlight, CancellationToken stopping)
    {
        var waiting = new Waiting(this);
        var published = default(StatePayload);
        var (lookedAt, stateAt, metricsAt, stopsAt) = (default(long?), 0L, default(long?), default(long?));
        while (true)
        {
            if (session.Lost.IsCompleted)
            {
                throw new BrokerTroubleException(await session.Lost.ConfigureAwait(false));
            }

            var now = _time.GetTimestamp();
            var isStopping = stopping.IsCancellationRequested;
            // Half a tick: a timer that comes a moment early must not cost a whole round.
            if (!isStopping && IsDue(lookedAt, Tick / 2))
            {
                lookedAt = now;
                waiting.LookAgain();
                if (_shared.Snapshot(_station) is { } snapshot)
                {
                    var state = StatePayload.From(snapshot, _shared.Outbox.State);
                    var isNews = published is null || state != published with { At = state.At };
                    if (isNews || IsDue(stateAt, StateRepeat))
                    {
                        Report(OutgoingMessage.Of(Contract.State, _station, state));
                        (published, stateAt) = (state, now);
                    }

                    if (IsDue(metricsAt, _options.MetricsInterval))
                    {
                        metricsAt = now;
                        var figures = _shared.Outbox.Figures;
                        var metrics = MetricsPayload.From(
                            snapshot,
                            figures.Records + figures.Pictures,
                            figures.RecordBytes + figures.PictureBytes
                        );
                        Report(OutgoingMessage.Of(Contract.Metrics, _station, metrics));
                    }

                    ReportAlarms(snapshot);
                }

                ReportShift();
            }

            // A bound on what is on its way bounds memory and what a lost connection repeats.
            var limit = TimeSpan.Zero;
            while (inFlight.Count < session.Window && Next(waiting, session.LargestPacket, isStopping, out limit) is { } next)
            {
                inFlight.Enqueue(next with { Answer = session.PublishAsync(next.Message) });
            }

            if (inFlight.Count > 0)
            {
                var first = inFlight.Peek();
                Settle(session, await first.Answer.ConfigureAwait(false), first);
                inFlight.Dequeue();
                continue;
            }

            if (isStopping)
            {
                stopsAt ??= now;
                if (limit == TimeSpan.Zero || _time.GetElapsedTime(stopsAt.Value, now) >= Farewell)
                {
                    await SayGoodByeAsync(session).ConfigureAwait(false);
                    return;
                }
            }

            if (limit > TimeSpan.Zero)
            {
                // A timer counts in milliseconds: less would be no wait at all, and this loop would turn as fast as it can.
                var wait = limit < ShortestWait ? ShortestWait : limit;
                await Task.Delay(wait, _time, CancellationToken.None).ConfigureAwait(false);
            }
            else
            {
                await _wake.Reader.ReadAsync(CancellationToken.None).ConfigureAwait(false);
            }

            bool IsDue(long? since, TimeSpan interval) =>
                since is null || _time.GetElapsedTime(since.Value, now) >= interval;
        }
    }

    /// <summary>
    /// What to send next: the latest words, replies, records of the outbox, inspection events, pictures. Null when there is
    /// nothing, or when <paramref name="limit"/> has to pass first.
    /// </summary>
    private InFlight? Next(Waiting waiting, long largest, bool isStopping, out TimeSpan limit)
    {
        limit = TimeSpan.Zero;
        if (NextLatest(largest) is { } latest)
        {
            return latest;
        }

        if (_passing.Reader.TryRead(out var reply))
        {
            return new InFlight(reply.Kind, Message(reply), null) { IsKept = false };
        }

        var now = _time.GetInstant();
        if (waiting.HasRecord || waiting.HasPart)
        {
            limit = _drain.WaitFor(now);
            if (limit > TimeSpan.Zero)
            {
                return null;
            }

            _drain.TryTake(now);
            if (waiting.HasRecord)
            {
                var record = waiting.TakeRecord();
                if (record.Message.Payload.Length > largest - PacketOverhead)
                {
                    TooLarge(record.Message);
                    _shared.Outbox.Acknowledge(record.Sequence);
                    _shared.Outbox.NoteGap(GapKind.Records, 1, "larger than the broker takes");
                    return Next(waiting, largest, isStopping, out limit);
                }

                return new InFlight(record.Message.Kind, Message(record.Message), () => _shared.Outbox.Acknowledge(record.Sequence));
            }

            var part = waiting.TakePart();
            _partsOnTheirWay++;
            return new InFlight(
                Contract.Inspection,
                Message(part.Part),
                () =>
                {
                    _partsOnTheirWay--;
                    _shared.Parts.Acknowledge(_station, part.Sequence);
                    Interlocked.Increment(ref _acknowledged);
                }
            );
        }

        // Pictures stay behind at a stop: they are on the disk.
        return isStopping ? null : NextPicture(waiting, now, largest, out limit);
    }

    private InFlight? NextPicture(Waiting waiting, Instant now, long largest, out TimeSpan limit)
    {
        limit = TimeSpan.Zero;
        while (waiting.HasPicture)
        {
            var size = waiting.PeekPicture().Message.Payload.Length;
            limit = _pictureBytes.WaitFor(now, size);
            if (limit > TimeSpan.Zero)
            {
                return null;
            }

            _pictureBytes.TryTake(now, size);
            var picture = waiting.TakePicture();
            if (PictureFit.Within(picture.Message.Payload, largest - PacketOverhead) is { } fitting)
            {
                return new InFlight(
                    picture.Message.Kind,
                    Message(picture.Message with { Payload = fitting }),
                    () => _shared.Outbox.Acknowledge(picture.Sequence)
                );
            }

            _shared.Outbox.Acknowledge(picture.Sequence);
            _shared.Outbox.NoteGap(GapKind.Pictures, 1, "larger than the broker takes");
        }

        return null;
    }

    private InFlight? NextLatest(long largest)
    {
        lock (_latest)
        {
            // The state before all else: a new broker may hold an old one.
            Latest? next = null;
            foreach (var latest in _latest.Values)
            {
                if (!latest.IsSaid && (next is null || latest.Message.Kind == Contract.State))
                {
                    next = latest;
                }
            }

            if (next is null)
            {
                return null;
            }

            next.IsSaid = true;
            var payload = next.Message.Kind.Payload is null
                ? PictureFit.Within(next.Message.Payload, largest - PacketOverhead)
                : next.Message.Payload;
            if (payload is null || payload.Value.Length > largest - PacketOverhead)
            {
                // The broker would end the connection, again and again.
                TooLarge(next.Message);
                return null;
            }

            return new InFlight(next.Message.Kind, Message(next.Message with { Payload = payload.Value }), () => next.IsSettled = true) { IsKept = false };
        }
    }

    private void TooLarge(OutgoingMessage message)
    {
        if (_refused.Add(message.Kind.Name))
        {
            Log.Refused(_log, _station, _topics.Of(message.Kind, message.Parameter), "larger than the broker takes");
        }
    }

    private void ReportAlarms(StationSnapshot snapshot)
    {
        foreach (var kind in AlarmKind.All)
        {
            AlarmRecord? alarm = null;
            foreach (var standing in snapshot.Alarms)
            {
                alarm = standing.Code == kind.Code ? standing : alarm;
            }

            lock (_latest)
            {
                var said = _latest[_topics.Of(Contract.Alarm, kind.Name)];
                if (Equals(said.Of, alarm))
                {
                    continue;
                }
            }

            if (alarm is null)
            {
                Clear(Contract.Alarm, kind.Name);
                continue;
            }

            Report(OutgoingMessage.Of(Contract.Alarm, _station, AlarmPayload.From(_station, alarm), parameter: alarm.Name));
            lock (_latest)
            {
                _latest[_topics.Of(Contract.Alarm, kind.Name)].Of = alarm;
            }
        }
    }

    /// <summary>Figures of the running shift, and of one that is over.</summary>
    private void ReportShift()
    {
        var now = _time.GetUtcNow();
        if (_shared.Shift is not { } count || _shifts.At(now) is not { } shift)
        {
            return;
        }

        try
        {
            // Also at the start: a shift may have ended while nobody was here to say so, and a second word is a duplicate by its id.
            if (_shiftTold is not { } told || (told > DateTimeOffset.MinValue && told < shift.From))
            {
                var past = _shifts.At(shift.From.AddTicks(-1))!.Value;
                var final = Figures(past, isFinal: true);
                _shared.Outbox.Offer(OutgoingMessage.Of(Contract.ShiftEnd, _station, final, final.Id));
                _shiftTold = DateTimeOffset.MinValue;
            }

            if (now - _shiftTold >= _options.ShiftInterval || now < _shiftTold)
            {
                _shiftTold = now;
                Report(OutgoingMessage.Of(Contract.Shift, _station, Figures(shift, isFinal: false)));
            }
        }
        catch (IOException)
        {
            // The ledger says itself that it cannot be read; figures come when it can.
        }

        ShiftPayload Figures((DateTimeOffset From, DateTimeOffset To) shift, bool isFinal)
        {
            var figures = count(_station, shift.From, shift.To);
            return new ShiftPayload
            {
                Id = $"{_station}/shift/{shift.From.UtcDateTime:yyyyMMdd'T'HHmmss'Z'}",
                Station = _station,
                From = shift.From,
                To = shift.To,
                At = now,
                IsFinal = isFinal,
                Parts = figures.Passed + figures.Rejected + figures.NotInspected + figures.Late,
                Passed = figures.Passed,
                Rejected = figures.Rejected,
                NotInspected = figures.NotInspected,
                Late = figures.Late,
                ChallengeParts = figures.ChallengeParts,
                Defects = figures.Defects,
            };
        }
    }

    private async Task SayGoodByeAsync(BrokerSession session)
    {
        var state = OutgoingMessage.Of(Contract.State, _station, StatePayload.Stopped(_station, _time.GetUtcNow()));
        var message = new InFlight(Contract.State, Message(state), null) { IsKept = false };
        Settle(session, await session.PublishAsync(message.Message).ConfigureAwait(false), message);
        await session.SayGoodByeAsync().ConfigureAwait(false);
    }

    /// <summary>Decides what an acknowledgement means; throws when the message has to be sent again.</summary>
    private void Settle(BrokerSession session, MqttClientPublishResult result, InFlight sent)
    {
        switch (result.ReasonCode)
        {
            case MqttClientPublishReasonCode.Success or MqttClientPublishReasonCode.NoMatchingSubscribers:
                sent.Acknowledged?.Invoke();
                return;

            // Sent again, it would be refused again, and everything behind it would wait for ever.
            case MqttClientPublishReasonCode.TopicNameInvalid or MqttClientPublishReasonCode.PayloadFormatInvalid:
                Refused();
                if (sent.IsKept)
                {
                    sent.Acknowledged?.Invoke();
                    _shared.Outbox.NoteGap(GapOf(sent.Kind), 1, $"the broker refuses it ({result.ReasonCode})");
                }

                return;

            // A plant's access list that is older than a topic must not silence the others.
            case MqttClientPublishReasonCode.NotAuthorized
                when !sent.IsKept && sent.Kind != Contract.State:
                Refused();
                return;

            default:
                throw session.Refused(sent.Message.Topic, result.ReasonCode);
        }

        void Refused()
        {
            if (_refused.Add(sent.Message.Topic))
            {
                Log.Refused(_log, _station, sent.Message.Topic, result.ReasonCode.ToString());
            }
        }
    }

    private static GapKind GapOf(MessageKind kind) =>
        kind.Keeping switch
        {
            Keeping.Ledger => GapKind.Inspections,
            Keeping.Picture => GapKind.Pictures,
            _ => GapKind.Records,
        };

    private MqttApplicationMessage Message(PartRecord part) =>
        Message(
            OutgoingMessage.Of(Contract.Inspection, _station, InspectionPayload.From(part), part.Id) with
            {
                Properties = new Dictionary<string, string> { ["model"] = part.Model },
            }
        );

    private MqttApplicationMessage Message(OutgoingMessage message)
    {
        var kind = message.Kind;
        List<MqttUserProperty> about = [Property("schema", kind.Schema)];
        if (message.Id is { } id)
        {
            about.Add(Property("id", id));
        }

        foreach (var (name, value) in message.Properties)
        {
            about.Add(Property(name, value));
        }

        return new MqttApplicationMessage
        {
            Topic = _topics.Of(kind, message.Parameter),
            Payload = new ReadOnlySequence<byte>(message.Payload),
            QualityOfServiceLevel = kind.Qos,
            Retain = kind.Retain,
            ContentType = kind.ContentType,
            PayloadFormatIndicator =
                kind.Payload is null || message.Payload.IsEmpty
                    ? MqttPayloadFormatIndicator.Unspecified
                    : MqttPayloadFormatIndicator.CharacterData,
            MessageExpiryInterval = (uint)(kind.Expiry?.TotalSeconds ?? 0),
            CorrelationData = message.CorrelationData,
            UserProperties = about,
        };
    }

    private static MqttUserProperty Property(string name, string value) => new(name, Encoding.UTF8.GetBytes(value));

    private static void Forget(Queue<InFlight> inFlight)
    {
        // They are read again from where they wait; their failures are the one already reported.
        foreach (var sent in inFlight)
        {
            _ = sent.Answer.ContinueWith(
                static task => task.Exception,
                CancellationToken.None,
                TaskContinuationOptions.OnlyOnFaulted | TaskContinuationOptions.ExecuteSynchronously,
                TaskScheduler.Default
            );
        }
    }

    /// <summary>The latest word on a retained topic.</summary>
    private sealed class Latest(OutgoingMessage message)
    {
        public OutgoingMessage Message { get; } = message;

        public bool IsSaid { get; set; }

        /// <summary>Whether a broker has acknowledged it.</summary>
        public bool IsSettled { get; set; }

        /// <summary>The alarm it tells of; null for everything else, and for no alarm.</summary>
        public AlarmRecord? Of { get; set; }
    }

    /// <summary>A message on its way, and what its acknowledgement does.</summary>
    private sealed record InFlight(MessageKind Kind, MqttApplicationMessage Message, Action? Acknowledged)
    {
        /// <summary>Whether it waits in ledger or outbox, where a refusal must end the waiting.</summary>
        public bool IsKept { get; init; } = true;

        /// <summary>The broker's answer.</summary>
        public Task<MqttClientPublishResult> Answer { get; init; } = NotSent;
    }

    /// <summary>What one connection has read and not sent yet: a page of each kind, from where the broker's knowledge ends.</summary>
    private sealed class Waiting
    {
        private readonly StationLink _link;
        private readonly Queue<NumberedPart> _parts = new();
        private readonly Queue<StoredMessage> _records = new();
        private readonly Queue<StoredMessage> _pictures = new();
        private long? _partsThrough;
        private long _marked;
        private long _recordsAfter;
        private long _picturesAfter;
        private bool _recordsRead;
        private bool _picturesRead;

        public Waiting(StationLink link)
        {
            _link = link;
            LookAgain();
        }

        public bool HasPart => _parts.Count > 0 || ReadParts();

        public bool HasRecord => _records.Count > 0 || ReadOutbox(Keeping.Record, _records, ref _recordsAfter, ref _recordsRead);

        public bool HasPicture =>
            _pictures.Count > 0 || ReadOutbox(Keeping.Picture, _pictures, ref _picturesAfter, ref _picturesRead);

        public NumberedPart TakePart() => _parts.Dequeue();

        public StoredMessage TakeRecord() => _records.Dequeue();

        public StoredMessage PeekPicture() => _pictures.Peek();

        public StoredMessage TakePicture() => _pictures.Dequeue();

        /// <summary>Asks ledger and outbox even if nobody has said that there is news.</summary>
        public void LookAgain() => (_link._partNews, _link._outboxNews) = (true, true);

        private bool ReadParts()
        {
            if (!_link._partNews)
            {
                return false;
            }

            // First the flag: what is written from here on sets it again.
            _link._partNews = false;
            var feed = _link._shared.Parts;
            try
            {
                _partsThrough ??= _marked = feed.Mark(_link._station);
                var mayGoOn = false;
                while (_parts.Count == 0)
                {
                    var from = _partsThrough.Value;
                    var stretch = feed.Read(_link._station, from, PartPage);
                    if (stretch.Removed > 0)
                    {
                        _link._shared.Outbox.NoteGap(GapKind.Inspections, stretch.Removed, "the ledger no longer held them");
                    }

                    foreach (var part in stretch.Parts)
                    {
                        _parts.Enqueue(part);
                    }

                    _partsThrough = stretch.Through;
                    mayGoOn = stretch.MayGoOn;
                    if (stretch.Through == from)
                    {
                        return false;
                    }

                    if (_parts.Count == 0 && stretch.Through - _marked >= MarkStride)
                    {
                        _marked = stretch.Through;
                        if (_link._partsOnTheirWay == 0)
                        {
                            feed.Acknowledge(_link._station, _marked);
                        }
                    }
                }

                _link._partNews |= mayGoOn;
                return true;
            }
            catch (IOException)
            {
                // The ledger says itself what is wrong; the next tick asks again.
                return false;
            }
        }

        private bool ReadOutbox(Keeping kept, Queue<StoredMessage> into, ref long after, ref bool wasRead)
        {
            if (_link._outboxNews)
            {
                _link._outboxNews = false;
                (_recordsRead, _picturesRead) = (false, false);
            }

            if (wasRead)
            {
                return false;
            }

            try
            {
                foreach (var message in _link._shared.Outbox.Read(_link._station, kept, after, OutboxPage, OutboxPageBytes))
                {
                    into.Enqueue(message);
                    after = message.Sequence;
                }
            }
            catch (IOException)
            {
                // The outbox says itself what is wrong; the next tick asks again.
            }

            // Nothing more until there is news.
            wasRead = into.Count == 0;
            return into.Count > 0;
        }
    }
}
