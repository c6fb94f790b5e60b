using EdgeInspector.Line;
using EdgeInspector.Telemetry;

namespace EdgeInspector.Ledger;

/// <summary>What every record of a run has in common.</summary>
/// <param name="Station">The station's name.</param>
/// <param name="Run">Names the run: the station's start, in UTC.</param>
/// <param name="Recipe">The recipe in force.</param>
/// <param name="Model">Model package, name and version.</param>
/// <param name="Labels">The classifier's labels.</param>
/// <param name="IsSimulated">True on the virtual line and in replay.</param>
internal sealed record RunFacts(
    string Station,
    string Run,
    string Recipe,
    string Model,
    IReadOnlyList<string> Labels,
    bool IsSimulated
)
{
    /// <summary>What the ids of its parts begin with.</summary>
    public string Id => $"{Station}/{Run}";

    /// <summary>The stable id of a part of this run.</summary>
    public string IdOf(long number) => $"{Id}/{number}";
}

/// <summary>
/// Keeps the books: takes what happened to parts and ends each of them exactly once. Parts that pass end with their
/// decision; parts to be rejected wait for their pulse and, where a confirm eye is fitted, for its answer. Fed by one
/// task; counts may be read by any thread.
/// </summary>
internal sealed class PartBook
{
    /// <summary>
    /// What an edge of the confirm eye may take to get here: the sensor thread waits its turn on a busy machine, and a part
    /// must not be called missing while its proof is under way.
    /// </summary>
    private static readonly TimeSpan EyeReport = TimeSpan.FromMilliseconds(100);

    /// <summary>
    /// How long a number may be skipped before its part counts as lost: another thread's note may be under way.
    /// </summary>
    private static readonly TimeSpan GapPatience = TimeSpan.FromSeconds(1);

    /// <summary>
    /// How long a pulse may wait to learn whose it was: a network that hung for ten seconds has to work off what came
    /// meanwhile.
    /// </summary>
    private static readonly TimeSpan UndecidedPatience = TimeSpan.FromMinutes(1);

    /// <summary>Actuated parts that are remembered to tell a doubled event from one that fits no part.</summary>
    private const int Remembered = 256;

    /// <summary>Events that may wait for their decision. More means that decisions are lost, not late.</summary>
    private const int MostEarly = 4_096;

    private readonly Lock _gate = new();
    private readonly RunFacts _run;
    private readonly int _confirmEyes;
    private readonly TimeSpan _confirmFrom;
    private readonly TimeSpan _confirmUntil;
    private readonly TimeProvider _time;
    private readonly Action<PartRecord> _ended;
    private readonly Func<long, string?> _challengeOf;
    private readonly Dictionary<long, OpenPart> _open = [];
    private readonly Dictionary<long, PartEvent> _early = [];
    private readonly Dictionary<long, Instant> _gaps = [];
    private readonly HashSet<long> _gapsTold = [];

    // In the order of their pulses.
    private readonly List<OpenPart> _awaitingEye = [];

    // Pulses for what nobody had decided, in their order; the decision that names the part comes later.
    private readonly List<UndecidedPulse> _undecided = [];

    // What the eyes saw fall that may have been one of those, in its order.
    private readonly List<Fall> _falls = [];

    // Parts across several lanes that one lane's eye has confirmed: the other lanes' eyes may see them too.
    private readonly List<OpenPart> _answered = [];
    private readonly (long Number, bool Fired)[] _actuated = new (long, bool)[Remembered];
    private readonly Tally _production = new();
    private readonly Tally _challenges = new();
    private int _actuatedNext;
    private long _highest;
    private long _duplicates;
    private long _strays;
    private long _entryEye;
    private long _unexpected;
    private long _emptyPulses;

    /// <summary>Opens the book of one run.</summary>
    /// <param name="run">What every record of the run has in common.</param>
    /// <param name="confirmEyes">Eyes that watch the bins: none, one for all lanes, or one a lane.</param>
    /// <param name="confirmDelay">From pulse to eye.</param>
    /// <param name="confirmTolerance">How much earlier or later the eye may answer.</param>
    /// <param name="time">For labels and for the age of pulses.</param>
    /// <param name="ended">Receives each part's record once, when it has come to its end.</param>
    /// <param name="challengeOf">
    /// The challenge test that a part of this number belongs to, or null in production; asked once for each decided part.
    /// </param>
    public PartBook(
        RunFacts run,
        int confirmEyes,
        TimeSpan confirmDelay,
        TimeSpan confirmTolerance,
        TimeProvider time,
        Action<PartRecord> ended,
        Func<long, string?>? challengeOf = null
    )
    {
        _run = run;
        Recipe = run.Recipe;
        _confirmEyes = confirmEyes;
        _confirmFrom = confirmDelay - confirmTolerance;
        _confirmUntil = confirmDelay + confirmTolerance;
        _time = time;
        _ended = ended;
        _challengeOf = challengeOf ?? (_ => null);
    }

    /// <summary>
    /// Told what alarms are made of, on the task that feeds the book and while it is held: it must not wait.
    /// </summary>
    public Action<PartNotice>? Noticed { get; set; }

    /// <summary>The recipe in force, kept with each part. Changed while the belt is empty.</summary>
    public string Recipe { get; set; }

    /// <summary>The highest part number decided so far.</summary>
    public long LastNumber
    {
        get
        {
            lock (_gate)
            {
                return _highest;
            }
        }
    }

    /// <summary>The counts of production so far; the eyes' counts are of everything.</summary>
    public PartCounts Counts()
    {
        lock (_gate)
        {
            return _production.Counts with
            {
                EntryEye = _entryEye,
                UnexpectedBinEntries = _unexpected,
                EmptyPulses = _emptyPulses,
                Unaccounted = Unaccounted,
                ChallengeParts = _challenges.Parts,
            };
        }
    }

    /// <summary>The counts of parts that belong to challenge tests.</summary>
    public PartCounts ChallengeCounts()
    {
        lock (_gate)
        {
            return _challenges.Counts;
        }
    }

    /// <summary>What the run's records are reconciled with.</summary>
    /// <param name="entryEyes">How many entry eyes are fitted.</param>
    public RunTotals Totals(int entryEyes)
    {
        lock (_gate)
        {
            return new RunTotals(
                _production.Parts + _challenges.Parts,
                _challenges.Parts,
                Unaccounted,
                entryEyes,
                entryEyes > 0 ? _entryEye : null,
                _production.Pulses + _challenges.Pulses,
                _confirmEyes > 0 ? _production.Confirmed + _challenges.Confirmed : null,
                _confirmEyes > 0 ? _production.Unconfirmed + _challenges.Unconfirmed : null,
                _confirmEyes > 0 ? _unexpected : null
            );
        }
    }

    private long Unaccounted => _duplicates + _strays + _gaps.Count;

    /// <summary>Enters one event. Events that come twice change nothing the second time.</summary>
    public void Enter(in PartEvent happened)
    {
        lock (_gate)
        {
            switch (happened.Kind)
            {
                case PartEventKind.Decided:
                    Decided(happened.Decision);
                    break;
                case PartEventKind.EntryEye:
                    _entryEye++;
                    break;
                case PartEventKind.ConfirmEye:
                    // One eye across all chutes is lane 0's by its number, and anybody's by what it sees.
                    Confirmed(happened.At, _confirmEyes > 1 ? happened.Lane : -1);
                    break;
                case PartEventKind.FiredUndecided:
                    _undecided.Add(new UndecidedPulse(happened.At, happened.Lane));
                    break;
                default:
                    Actuated(happened);
                    break;
            }
        }
    }

    /// <summary>Ends the parts whose confirmation is overdue. Call it a few times a second.</summary>
    public void ExpireConfirmations(Instant now)
    {
        lock (_gate)
        {
            while (_awaitingEye.Count > 0 && now - _awaitingEye[0].FiredAt > _confirmUntil + EyeReport)
            {
                var part = _awaitingEye[0];
                _awaitingEye.RemoveAt(0);
                part.Tally.Unconfirmed++;
                End(part, Confirmation.Missing);
                Tell(PartNoticeKind.MissingConfirmation, part.Decision.PartId, part.Decision.Lane, part.FiredAt);
            }

            while (_undecided.Count > 0 && now - _undecided[0].At > UndecidedPatience)
            {
                Unclaimed(_undecided[0]);
                _undecided.RemoveAt(0);
            }

            // One that none of the pulses before it explains: the pulse was another part's.
            while (_falls.Count > 0 && now - _falls[0].At > UndecidedPatience)
            {
                Unexpected(_falls[0]);
                _falls.RemoveAt(0);
            }

            while (_answered.Count > 0 && now - _answered[0].FiredAt > _confirmUntil + EyeReport)
            {
                _answered.RemoveAt(0);
            }

            if (_gaps.Count > _gapsTold.Count)
            {
                foreach (var (number, noticed) in _gaps)
                {
                    if (now - noticed > GapPatience && _gapsTold.Add(number))
                    {
                        Tell(PartNoticeKind.Unaccounted, number, -1, noticed);
                    }
                }
            }
        }
    }

    /// <summary>The run is over: whatever is still open ends now, as far as it got.</summary>
    public void Close()
    {
        lock (_gate)
        {
            _awaitingEye.Clear();
            _answered.Clear();
            foreach (var part in _open.Values.OrderBy(part => part.Decision.PartId).ToArray())
            {
                if (part.LateBy is null && part.Decision.Disposition == Disposition.Reject)
                {
                    part.Verdict = Verdict.Late;
                    part.Reason = Reason.Stopped;
                }

                End(part, part.LateBy is null || _confirmEyes == 0 ? Confirmation.NotExpected : Confirmation.Pending);
            }

            foreach (var happened in _early.Values)
            {
                Stray(happened);
            }

            foreach (var pulse in _undecided)
            {
                Unclaimed(pulse);
            }

            foreach (var fall in _falls)
            {
                Unexpected(fall);
            }

            _undecided.Clear();
            _falls.Clear();
            _early.Clear();
        }
    }

    private void Decided(in Decision decision)
    {
        if (decision.PartId <= _highest && !_gaps.Remove(decision.PartId))
        {
            _duplicates++;
            Tell(PartNoticeKind.Unaccounted, decision.PartId, -1, decision.DecidedAt);
            return;
        }

        _gapsTold.Remove(decision.PartId);

        // Numbers count up without a gap; one that is skipped is an event that was lost, and stays visible.
        for (var missing = _highest + 1; missing < decision.PartId; missing++)
        {
            _gaps.Add(missing, decision.DecidedAt);
        }

        _highest = Math.Max(_highest, decision.PartId);
        var challenge = _challengeOf(decision.PartId);
        var part = new OpenPart(decision, challenge, challenge is null ? _production : _challenges);
        part.Tally.Parts++;
        if (decision.Disposition == Disposition.Pass)
        {
            End(part, Confirmation.NotExpected);
        }
        else
        {
            part.Tally.Open++;
            _open.Add(decision.PartId, part);
        }

        if (_early.Count > 0 && _early.Remove(decision.PartId, out var happened))
        {
            Actuated(happened);
        }
    }

    private void Actuated(in PartEvent happened)
    {
        if (happened.Kind == PartEventKind.Fired && TryAddPulse(happened))
        {
            return;
        }

        if (!_open.TryGetValue(happened.PartId, out var part))
        {
            ActuatedUnknown(happened);
            return;
        }

        if (part.LateBy is not null)
        {
            // It has been fired; only the eye or its silence ends it now. A second word of the same pulse is no second pulse.
            if (happened.Kind == PartEventKind.OutputFault)
            {
                part.Reason = Reason.OutputFault;
                Tell(PartNoticeKind.OutputFault, happened.PartId, part.Decision.Lane, happened.At);
            }

            return;
        }

        Remember(happened.PartId, happened.Kind == PartEventKind.Fired);
        switch (happened.Kind)
        {
            case PartEventKind.Fired:
                part.Tally.Pulses++;
                part.FiredAt = happened.At;
                part.LateBy = happened.Lateness;
                if (TakeUndecided(happened.At) && TakeFall(part.FiredAt, part.Decision.Lanes))
                {
                    part.Tally.Confirmed++;
                    End(part, Confirmation.Confirmed);
                }
                else if (_confirmEyes > 0)
                {
                    InsertByPulse(_awaitingEye, part);
                }
                else
                {
                    End(part, Confirmation.NotExpected);
                }

                break;
            case PartEventKind.Missed:
                part.Verdict = Verdict.Late;
                part.Reason = Reason.Deadline;
                End(part, Confirmation.NotExpected);
                Tell(PartNoticeKind.Late, happened.PartId, part.Decision.Lane, happened.At);
                break;
            default:
                part.Reason = Reason.OutputFault;
                End(part, Confirmation.NotExpected);
                Tell(PartNoticeKind.OutputFault, happened.PartId, part.Decision.Lane, happened.At);
                break;
        }
    }

    /// <summary>
    /// A further pulse for what nobody had decided turns out to have been at a part that was fired at already: one part of
    /// a row by the record, two by the ejector.
    /// </summary>
    private bool TryAddPulse(in PartEvent happened)
    {
        var number = happened.PartId;
        var isFired = _open.TryGetValue(number, out var part) ? part.LateBy is not null : _actuated.Contains((number, true));
        var at = happened.At;
        var index = isFired ? _undecided.FindIndex(pulse => pulse.At == at) : -1;
        if (index < 0)
        {
            return false;
        }

        _undecided.RemoveAt(index);
        if (part is not null && _awaitingEye.Contains(part) && TakeFall(at, part.Decision.Lanes))
        {
            _awaitingEye.Remove(part);
            part.Tally.Confirmed++;
            End(part, Confirmation.Confirmed);
        }

        return true;
    }

    private void ActuatedUnknown(in PartEvent happened)
    {
        if (happened is { Kind: PartEventKind.OutputFault, PartId: 0 })
        {
            // A release that was refused, or a pulse for what nobody has decided: an alarm, and no part's end.
            Tell(PartNoticeKind.OutputFault, 0, happened.Lane, happened.At);
            return;
        }

        if (happened.PartId > _highest || _gaps.ContainsKey(happened.PartId))
        {
            // The reject thread was quicker than the inspect thread's note.
            if (_early.Count >= MostEarly)
            {
                Stray(happened);
            }
            else
            {
                _early.TryAdd(happened.PartId, happened);
            }

            return;
        }

        // A doubled word is none; a pulse for a part that was let through, or had been given up, hit something else.
        foreach (var (number, fired) in _actuated)
        {
            if (number == happened.PartId && (fired || happened.Kind != PartEventKind.Fired))
            {
                return;
            }
        }

        Stray(happened);
    }

    private void Confirmed(Instant at, int lane)
    {
        var index = Matching(_awaitingEye, at, lane);
        if (index < 0 && MayBeOfAnUndecided(at, lane))
        {
            // A part that is known goes first: the blast before it may have met bare belt.
            _falls.Add(new Fall(at, lane));
            return;
        }

        if (index >= 0)
        {
            var part = _awaitingEye[index];
            _awaitingEye.RemoveAt(index);
            part.Tally.Confirmed++;
            part.LanesUnseen = lane < 0 ? 0 : part.LanesUnseen & ~(1 << lane);
            if (part.LanesUnseen != 0)
            {
                InsertByPulse(_answered, part);
            }

            End(part, Confirmation.Confirmed);
            return;
        }

        index = Matching(_answered, at, lane);
        if (index >= 0)
        {
            _answered[index].LanesUnseen = lane < 0 ? 0 : _answered[index].LanesUnseen & ~(1 << lane);
            if (_answered[index].LanesUnseen == 0)
            {
                _answered.RemoveAt(index);
            }

            return;
        }

        Unexpected(new Fall(at, lane));
    }

    private void Unexpected(in Fall fall)
    {
        _unexpected++;
        Tell(PartNoticeKind.UnexpectedBinEntry, 0, fall.Lane, fall.At);
    }

    /// <summary>Whether a pulse that nobody has claimed may have thrown out what an eye saw, and no other fall is its.</summary>
    private bool MayBeOfAnUndecided(Instant at, int lane)
    {
        var (isAnswer, spare) = (false, 0);
        foreach (var pulse in _undecided)
        {
            if ((lane < 0 || lane == pulse.Lane) && at - pulse.At >= _confirmFrom)
            {
                isAnswer |= IsAnswer(at - pulse.At);
                spare++;
            }
        }

        return isAnswer && spare > _falls.Count(fall => fall.Lane == lane);
    }

    /// <summary>The earliest pulse that the eye's word answers, or -1.</summary>
    private int Matching(List<OpenPart> fired, Instant at, int lane)
    {
        for (var i = 0; i < fired.Count; i++)
        {
            if (IsAnswer(at - fired[i].FiredAt) && (lane < 0 || (fired[i].LanesUnseen & (1 << lane)) != 0))
            {
                return i;
            }
        }

        return -1;
    }

    private bool IsAnswer(TimeSpan sincePulse) => sincePulse >= _confirmFrom && sincePulse <= _confirmUntil;

    /// <summary>Whether a pulse at this instant was for what nobody had decided. Once.</summary>
    private bool TakeUndecided(Instant at)
    {
        var index = _undecided.FindIndex(pulse => pulse.At == at);
        if (index >= 0)
        {
            _undecided.RemoveAt(index);
        }

        return index >= 0;
    }

    /// <summary>
    /// Whether something was seen to fall that such a pulse can have thrown out: the earliest of it, since parts come to be
    /// named in the order in which they fell. Once.
    /// </summary>
    private bool TakeFall(Instant firedAt, int lanes)
    {
        var index = _falls.FindIndex(fall => IsAnswer(fall.At - firedAt) && (fall.Lane < 0 || (lanes & (1 << fall.Lane)) != 0));
        if (index >= 0)
        {
            _falls.RemoveAt(index);
        }

        return index >= 0;
    }

    private static void InsertByPulse(List<OpenPart> fired, OpenPart part)
    {
        var at = fired.Count;
        while (at > 0 && fired[at - 1].FiredAt > part.FiredAt)
        {
            at--;
        }

        fired.Insert(at, part);
    }

    /// <summary>
    /// A pulse for what nobody had decided and nobody named since. Where nothing fell there was no part: edges of the entry
    /// eye had been lost, and the blast covered bare belt. Where something fell, a part is missing from the books.
    /// </summary>
    private void Unclaimed(in UndecidedPulse pulse)
    {
        if (_confirmEyes == 0 || TakeFall(pulse.At, 1 << pulse.Lane))
        {
            Stray(new PartEvent(PartEventKind.Fired, 0, pulse.At));
        }
        else
        {
            _emptyPulses++;
        }
    }

    private void Remember(long number, bool fired)
    {
        _actuated[_actuatedNext] = (number, fired);
        _actuatedNext = (_actuatedNext + 1) % Remembered;
    }

    private void Stray(in PartEvent happened)
    {
        _strays++;
        Remember(happened.PartId, happened.Kind == PartEventKind.Fired);
        Tell(PartNoticeKind.Unaccounted, happened.PartId, -1, happened.At);
    }

    private void Tell(PartNoticeKind kind, long part, int lane, Instant at)
    {
        if (Noticed is { } noticed)
        {
            noticed(new PartNotice(kind, part, part > 0 ? _run.IdOf(part) : null, lane, LabelOf(at)));
        }
    }

    /// <summary>The wall-clock time of a moment just past.</summary>
    private DateTimeOffset LabelOf(Instant at) => _time.GetUtcNow() - (_time.GetInstant() - at);

    private void End(OpenPart part, Confirmation confirmation)
    {
        var decision = part.Decision;
        if (_open.Remove(decision.PartId))
        {
            part.Tally.Open--;
        }

        var label = decision.Label >= 0 && decision.Label < _run.Labels.Count ? _run.Labels[decision.Label] : null;
        part.Tally.Ended(part.Verdict, label);
        _ended(
            new PartRecord
            {
                Id = _run.IdOf(decision.PartId),
                Number = decision.PartId,
                Station = _run.Station,
                Verdict = part.Verdict,
                Reason = part.Reason,
                Disposition = decision.Disposition,
                Label = label,
                Score = float.IsFinite(decision.Score) ? decision.Score : null,
                Views = decision.Views,
                Offset = decision.Offset,
                Across = decision.Across,
                Length = decision.Length,
                Lanes = decision.Lanes,
                EntrySeen = decision.EntrySeen,
                DecisionMilliseconds = decision.DecidedAt.MillisecondsSince(decision.CapturedAt),
                DecidedAt = LabelOf(decision.DecidedAt),
                FiredLateMicroseconds = part.LateBy?.TotalMicroseconds,
                Confirmation = confirmation,
                Challenge = part.Challenge,
                Recipe = Recipe,
                Model = _run.Model,
                IsSimulated = _run.IsSimulated,
            }
        );
    }

    /// <summary>A pulse for something the entry eye saw and nobody had decided.</summary>
    private readonly record struct UndecidedPulse(Instant At, byte Lane);

    /// <summary>Something that a lane's eye saw fall; lane −1 where one eye watches all.</summary>
    private readonly record struct Fall(Instant At, int Lane);

    private sealed class OpenPart(in Decision decision, string? challenge, Tally tally)
    {
        public Decision Decision { get; } = decision;

        public string? Challenge { get; } = challenge;

        public Tally Tally { get; } = tally;

        /// <summary>Its lanes whose eyes have not seen it fall.</summary>
        public int LanesUnseen { get; set; } = decision.Lanes;

        public Verdict Verdict { get; set; } = decision.Verdict;

        public Reason Reason { get; set; } = decision.Reason;

        public Instant FiredAt { get; set; } = Instant.Never;

        public TimeSpan? LateBy { get; set; }
    }

    /// <summary>Running sums, in production or of challenge tests.</summary>
    private sealed class Tally
    {
        private readonly SortedDictionary<string, long> _defects = new(StringComparer.Ordinal);

        // Counts are asked for many times a second and defects are rare: the copy is kept until one comes.
        private Dictionary<string, long>? _copy;
        private long _passed;
        private long _rejected;
        private long _notInspected;
        private long _late;

        public long Parts { get; set; }

        public long Open { get; set; }

        public long Pulses { get; set; }

        public long Confirmed { get; set; }

        public long Unconfirmed { get; set; }

        public PartCounts Counts =>
            new()
            {
                Parts = Parts,
                Passed = _passed,
                Rejected = _rejected,
                NotInspected = _notInspected,
                Late = _late,
                Open = Open,
                Pulses = Pulses,
                Confirmed = Confirmed,
                Unconfirmed = Unconfirmed,
                Defects = _copy ??= new(_defects),
            };

        public void Ended(Verdict verdict, string? label)
        {
            switch (verdict)
            {
                case Verdict.Pass:
                    _passed++;
                    break;
                case Verdict.Reject:
                    _rejected++;
                    _defects[label ?? "unknown"] = _defects.GetValueOrDefault(label ?? "unknown") + 1;
                    _copy = null;
                    break;
                case Verdict.NotInspected:
                    _notInspected++;
                    break;
                default:
                    _late++;
                    break;
            }
        }
    }
}
