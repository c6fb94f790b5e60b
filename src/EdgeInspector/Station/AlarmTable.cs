using EdgeInspector.Line;

namespace EdgeInspector.Station;

/// <summary>A station's alarms at one moment. Immutable; replaced whole whenever anything changes.</summary>
/// <param name="Standing">Every alarm that is not normal, the gravest first.</param>
/// <param name="StopsLine">Whether one of them asks for a line stop.</param>
/// <param name="New">How many have begun to stand since the start, ever: what un-mutes the buzzer.</param>
/// <param name="IsMuted">Whether the operator silenced the buzzer since the last new one.</param>
internal sealed record AlarmSummary(IReadOnlyList<AlarmRecord> Standing, bool StopsLine, long New, bool IsMuted)
{
    /// <summary>All is well.</summary>
    public static readonly AlarmSummary None = new([], StopsLine: false, New: 0, IsMuted: false);

    /// <summary>The worst severity that stands; null when nothing does.</summary>
    public AlarmSeverity? Worst { get; } = Standing.Count == 0 ? null : Standing.Max(alarm => alarm.Severity);

    /// <summary>The first alarm that asks for a line stop; null when none does.</summary>
    public AlarmRecord? FirstStop { get; } = Standing.FirstOrDefault(alarm => alarm.Severity == AlarmSeverity.Stop);

    /// <summary>Whether one of this severity stands.</summary>
    public bool Has(AlarmSeverity severity) => HasWhere(severity, unacknowledgedOnly: false);

    /// <summary>Whether one of this severity waits for somebody to say that they know.</summary>
    public bool HasUnacknowledged(AlarmSeverity severity) => HasWhere(severity, unacknowledgedOnly: true);

    // Asked by the panel on every turn: loops, not queries, so that it leaves nothing for the collector.
    private bool HasWhere(AlarmSeverity severity, bool unacknowledgedOnly)
    {
        for (var i = 0; i < Standing.Count; i++)
        {
            var alarm = Standing[i];
            if (alarm.Severity == severity && (!unacknowledgedOnly || alarm.State != AlarmState.ActiveAcknowledged))
            {
                return true;
            }
        }

        return false;
    }
}

/// <summary>
/// A station's alarms: which stand, since when, who knows. The one place where an alarm changes its state.
/// <para>
/// <code>
///                         raise                  clear                          acknowledge
/// Normal                  ActiveUnacknowledged   -                              -
/// ActiveUnacknowledged    - (counted)            latched: ClearedUnacknowledged momentary: Normal
///                                                else:    Normal                else:      ActiveAcknowledged
/// ActiveAcknowledged      - (counted)            Normal                         -
/// ClearedUnacknowledged   ActiveUnacknowledged   -                              Normal
/// </code>
/// A momentary alarm that is not latched clears itself <see cref="MomentaryHold"/> after it was last raised.
/// </para>
/// Any thread may call any member; they hold a lock for microseconds, which I/O never holds.
/// </summary>
internal sealed class AlarmTable
{
    /// <summary>How long a self-clearing alarm about a moment is shown: long enough to be looked up at.</summary>
    public static readonly TimeSpan MomentaryHold = TimeSpan.FromSeconds(10);

    private readonly Lock _gate = new();
    private readonly Dictionary<AlarmCode, Alarm> _alarms = [];
    private readonly Action<AlarmRecord> _changed;
    private readonly TimeProvider _time;
    private long _new;
    private bool _isMuted;
    private volatile AlarmSummary _summary = AlarmSummary.None;

    /// <summary>Makes a table in which all is normal.</summary>
    /// <param name="options">By name or number; what is not there behaves as its kind does.</param>
    /// <param name="changed">
    /// Told of each change of state, in order, on the thread that caused it and under the table's lock: it hands the record
    /// on and returns.
    /// </param>
    /// <param name="time">For wall-clock labels.</param>
    public AlarmTable(IEnumerable<KeyValuePair<string, AlarmOptions>> options, Action<AlarmRecord> changed, TimeProvider time)
    {
        _changed = changed;
        _time = time;
        var configured = options.ToDictionary(
            pair => AlarmKind.Find(pair.Key)?.Code
                ?? throw new ArgumentException($"'{pair.Key}' is no alarm", nameof(options)),
            pair => pair.Value
        );
        foreach (var kind in AlarmKind.All)
        {
            _alarms.Add(kind.Code, new Alarm(kind, configured.GetValueOrDefault(kind.Code)));
        }
    }

    /// <summary>How things stand, without waiting for anybody.</summary>
    public AlarmSummary Summary => _summary;

    /// <summary>
    /// Takes up what stood when an earlier run ended. A latched alarm that nobody had acknowledged stands until somebody
    /// does: a restart is no acknowledgement. Whether its cause persists is not known, so it counts as over until it is
    /// raised anew. Everything else is over. Call it once, before anything is raised.
    /// </summary>
    /// <param name="stood">As they stood, of this station.</param>
    /// <param name="now">The present.</param>
    /// <returns>Whether one of them stops the line.</returns>
    public bool Restore(IEnumerable<AlarmRecord> stood, Instant now)
    {
        lock (_gate)
        {
            foreach (var record in stood.OrderBy(record => record.RaisedAt))
            {
                if (record.State == AlarmState.Normal || !_alarms.TryGetValue(record.Code, out var alarm))
                {
                    continue;
                }

                if (alarm.State != AlarmState.Normal)
                {
                    // Two rows of one alarm: a crash came between them. The later one is what stands.
                    alarm.State = AlarmState.Normal;
                    _changed(Record(alarm));
                }

                (alarm.Text, alarm.Count) = (record.Text, record.Count);
                (alarm.RaisedAt, alarm.LastRaisedAt, alarm.LastRaised) = (record.RaisedAt, record.LastRaisedAt, now);
                (alarm.AcknowledgedAt, alarm.AcknowledgedBy) = (record.AcknowledgedAt, record.AcknowledgedBy);
                alarm.ClearedAt = record.ClearedAt;
                var isKnown = record.State == AlarmState.ActiveAcknowledged;
                if (alarm.IsLatched && !isKnown && alarm.Kind.IsMomentary)
                {
                    Move(alarm, AlarmState.ActiveUnacknowledged);
                }
                else
                {
                    alarm.ClearedAt ??= Label(now);
                    Move(alarm, alarm.IsLatched && !isKnown ? AlarmState.ClearedUnacknowledged : AlarmState.Normal);
                }

                _new += alarm.State == AlarmState.Normal ? 0 : 1;
            }

            Publish();
            return _summary.StopsLine;
        }
    }

    /// <summary>It happened, or it is so. Saying so again while it is so changes nothing; a moment is counted each time.</summary>
    /// <param name="code">Which alarm.</param>
    /// <param name="text">One line for an operator.</param>
    /// <param name="now">The present.</param>
    public void Raise(AlarmCode code, string text, Instant now)
    {
        lock (_gate)
        {
            var alarm = _alarms[code];
            if (alarm.State is AlarmState.ActiveUnacknowledged or AlarmState.ActiveAcknowledged)
            {
                if (alarm.Kind.IsMomentary)
                {
                    Count(alarm, text, now);
                    Publish();
                }

                return;
            }

            if (alarm.State == AlarmState.Normal)
            {
                alarm.RaisedAt = Label(now);
                alarm.Count = 0;
                _new++;
                _isMuted = false;
            }

            Count(alarm, text, now);
            alarm.ClearedAt = null;
            alarm.AcknowledgedAt = null;
            alarm.AcknowledgedBy = null;
            Move(alarm, AlarmState.ActiveUnacknowledged);
        }
    }

    /// <summary>Its cause is over. Nothing happens when it was not active.</summary>
    public void Clear(AlarmCode code, Instant now)
    {
        lock (_gate)
        {
            Clear(_alarms[code], now);
        }
    }

    /// <summary>Raises or clears, for what is so or not.</summary>
    public void Set(AlarmCode code, bool isSo, string text, Instant now)
    {
        if (isSo)
        {
            Raise(code, text, now);
        }
        else
        {
            Clear(code, now);
        }
    }

    /// <summary>
    /// Somebody knows of the alarm, or of all when <paramref name="code"/> is null. An alarm whose cause persists stays
    /// active.
    /// </summary>
    /// <returns>How many alarms changed.</returns>
    public int Acknowledge(AlarmCode? code, string who, Instant now)
    {
        lock (_gate)
        {
            var acknowledged = 0;
            foreach (var alarm in _alarms.Values)
            {
                if (
                    (code is null || alarm.Kind.Code == code)
                    && alarm.State is AlarmState.ActiveUnacknowledged or AlarmState.ClearedUnacknowledged
                )
                {
                    acknowledged++;
                    alarm.AcknowledgedAt = Label(now);
                    alarm.AcknowledgedBy = who;
                    alarm.ClearedAt ??= alarm.Kind.IsMomentary ? Label(now) : null;
                    Move(alarm, alarm.ClearedAt is null ? AlarmState.ActiveAcknowledged : AlarmState.Normal);
                }
            }

            return acknowledged;
        }
    }

    /// <summary>Silences the buzzer until an alarm begins to stand that does not stand now.</summary>
    public void Mute()
    {
        lock (_gate)
        {
            _isMuted = true;
            Publish();
        }
    }

    /// <summary>
    /// Lets go of moments that were shown long enough. Call it a few times a second; it does nothing while another thread is
    /// in the table, and so never waits.
    /// </summary>
    public void Step(Instant now)
    {
        if (!_gate.TryEnter())
        {
            return;
        }

        try
        {
            foreach (var alarm in _alarms.Values)
            {
                if (
                    alarm is { Kind.IsMomentary: true, IsLatched: false, State: AlarmState.ActiveUnacknowledged }
                    && now - alarm.LastRaised >= MomentaryHold
                )
                {
                    Clear(alarm, now);
                }
            }
        }
        finally
        {
            _gate.Exit();
        }
    }

    private void Clear(Alarm alarm, Instant now)
    {
        if (alarm.State is AlarmState.Normal or AlarmState.ClearedUnacknowledged)
        {
            return;
        }

        alarm.ClearedAt = Label(now);
        Move(
            alarm,
            alarm.IsLatched && alarm.State == AlarmState.ActiveUnacknowledged
                ? AlarmState.ClearedUnacknowledged
                : AlarmState.Normal
        );
    }

    private void Move(Alarm alarm, AlarmState state)
    {
        alarm.State = state;
        Publish();
        _changed(Record(alarm));
    }

    private void Publish()
    {
        var standing = _alarms
            .Values.Where(alarm => alarm.State != AlarmState.Normal)
            .OrderByDescending(alarm => alarm.Severity)
            .ThenBy(alarm => alarm.RaisedAt)
            .Select(Record)
            .ToArray();
        _summary = new AlarmSummary(
            standing,
            standing.Any(alarm => alarm.Severity == AlarmSeverity.Stop),
            _new,
            _isMuted
        );
    }

    private void Count(Alarm alarm, string text, Instant now)
    {
        alarm.Count++;
        alarm.Text = text;
        alarm.LastRaised = now;
        alarm.LastRaisedAt = Label(now);
    }

    /// <summary>The wall clock's time of an instant that is close to now.</summary>
    private DateTimeOffset Label(Instant at) => _time.GetUtcNow() - (_time.GetInstant() - at);

    private static AlarmRecord Record(Alarm alarm) =>
        new()
        {
            Code = alarm.Kind.Code,
            Name = alarm.Kind.Name,
            Severity = alarm.Severity,
            Text = alarm.Text,
            State = alarm.State,
            IsLatched = alarm.IsLatched,
            RaisedAt = alarm.RaisedAt,
            LastRaisedAt = alarm.LastRaisedAt,
            ClearedAt = alarm.ClearedAt,
            AcknowledgedAt = alarm.AcknowledgedAt,
            AcknowledgedBy = alarm.AcknowledgedBy,
            Count = alarm.Count,
        };

    private sealed class Alarm(AlarmKind kind, AlarmOptions? options)
    {
        public AlarmKind Kind { get; } = kind;

        public bool IsLatched { get; } = options?.Latched ?? kind.IsLatched;

        // Severity and line stop are one thing, so that nobody has to remember which alarm of which severity stops what.
        public AlarmSeverity Severity { get; } =
            options?.StopLine switch
            {
                true => AlarmSeverity.Stop,
                false when kind.Severity == AlarmSeverity.Stop => AlarmSeverity.Warning,
                _ => kind.Severity,
            };

        public AlarmState State { get; set; }

        public string Text { get; set; } = "";

        public long Count { get; set; }

        public Instant LastRaised { get; set; }

        public DateTimeOffset RaisedAt { get; set; }

        public DateTimeOffset LastRaisedAt { get; set; }

        public DateTimeOffset? ClearedAt { get; set; }

        public DateTimeOffset? AcknowledgedAt { get; set; }

        public string? AcknowledgedBy { get; set; }
    }
}
