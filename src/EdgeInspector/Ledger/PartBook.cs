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
    private readonly Lock _gate = new();
    private readonly RunFacts _run;
    private readonly bool _hasConfirmEye;
    private readonly TimeSpan _confirmFrom;
    private readonly TimeSpan _confirmUntil;
    private readonly TimeProvider _time;
    private readonly Action<PartRecord> _ended;
    private readonly Dictionary<long, OpenPart> _open = [];
    private readonly Dictionary<long, PartEvent> _early = [];
    private readonly List<OpenPart> _awaitingEye = [];
    private readonly SortedDictionary<string, long> _defects = new(StringComparer.Ordinal);
    private readonly HashSet<long> _gaps = [];
    private PartCounts _counts = new();
    private long _highest;
    private long _duplicates;

    /// <summary>Opens the book of one run.</summary>
    /// <param name="run">What every record of the run has in common.</param>
    /// <param name="hasConfirmEye">Whether an eye watches the bin.</param>
    /// <param name="confirmDelay">From pulse to eye.</param>
    /// <param name="confirmTolerance">How much earlier or later the eye may answer.</param>
    /// <param name="time">For labels and for the age of pulses.</param>
    /// <param name="ended">Receives each part's record once, when it has come to its end.</param>
    public PartBook(
        RunFacts run,
        bool hasConfirmEye,
        TimeSpan confirmDelay,
        TimeSpan confirmTolerance,
        TimeProvider time,
        Action<PartRecord> ended
    )
    {
        _run = run;
        _hasConfirmEye = hasConfirmEye;
        _confirmFrom = confirmDelay - confirmTolerance;
        _confirmUntil = confirmDelay + confirmTolerance;
        _time = time;
        _ended = ended;
    }

    /// <summary>The counts so far.</summary>
    public PartCounts Counts()
    {
        lock (_gate)
        {
            return _counts with
            {
                Open = _open.Count,
                Unaccounted = _duplicates + _gaps.Count,
                Defects = new Dictionary<string, long>(_defects),
            };
        }
    }

    /// <summary>Enters one event.</summary>
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
                    _counts = _counts with { EntryEye = _counts.EntryEye + 1 };
                    break;
                case PartEventKind.ConfirmEye:
                    Confirmed(happened.At);
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
            while (_awaitingEye.Count > 0 && now - _awaitingEye[0].FiredAt > _confirmUntil)
            {
                var part = _awaitingEye[0];
                _awaitingEye.RemoveAt(0);
                _counts = _counts with { Unconfirmed = _counts.Unconfirmed + 1 };
                End(part, Confirmation.Missing);
            }
        }
    }

    /// <summary>The run is over: whatever is still open ends now, as far as it got.</summary>
    public void Close()
    {
        lock (_gate)
        {
            _awaitingEye.Clear();
            foreach (var part in _open.Values.OrderBy(part => part.Decision.PartId).ToArray())
            {
                if (part.LateBy is null && part.Decision.Disposition == Disposition.Reject)
                {
                    part.Verdict = Verdict.Late;
                    part.Reason = Reason.Stopped;
                }

                End(part, part.LateBy is null ? Confirmation.NotExpected : Confirmation.Pending);
            }
        }
    }

    private void Decided(in Decision decision)
    {
        if (decision.PartId <= _highest && !_gaps.Remove(decision.PartId))
        {
            _duplicates++;
            return;
        }

        // Numbers count up without a gap; one that is skipped is an event that was lost, and stays visible.
        for (var missing = _highest + 1; missing < decision.PartId; missing++)
        {
            _gaps.Add(missing);
        }

        _highest = Math.Max(_highest, decision.PartId);
        _counts = _counts with { Parts = _counts.Parts + 1 };
        var part = new OpenPart(decision);
        if (decision.Disposition == Disposition.Pass)
        {
            End(part, Confirmation.NotExpected);
            return;
        }

        _open.Add(decision.PartId, part);
        if (_early.Remove(decision.PartId, out var happened))
        {
            Actuated(happened);
        }
    }

    private void Actuated(in PartEvent happened)
    {
        if (!_open.TryGetValue(happened.PartId, out var part))
        {
            if (happened.PartId > _highest)
            {
                _early[happened.PartId] = happened; // The reject thread was quicker than the inspect thread's note.
            }

            return;
        }

        switch (happened.Kind)
        {
            case PartEventKind.Fired:
                _counts = _counts with { Pulses = _counts.Pulses + 1 };
                part.FiredAt = happened.At;
                part.LateBy = happened.Lateness;
                if (_hasConfirmEye)
                {
                    _awaitingEye.Add(part);
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
                break;
            default:
                part.Reason = Reason.OutputFault;
                End(part, Confirmation.NotExpected);
                break;
        }
    }

    private void Confirmed(Instant at)
    {
        for (var i = 0; i < _awaitingEye.Count; i++)
        {
            var since = at - _awaitingEye[i].FiredAt;
            if (since >= _confirmFrom && since <= _confirmUntil)
            {
                var part = _awaitingEye[i];
                _awaitingEye.RemoveAt(i);
                _counts = _counts with { Confirmed = _counts.Confirmed + 1 };
                End(part, Confirmation.Confirmed);
                return;
            }
        }

        _counts = _counts with { UnexpectedBinEntries = _counts.UnexpectedBinEntries + 1 };
    }

    private void End(OpenPart part, Confirmation confirmation)
    {
        var decision = part.Decision;
        _open.Remove(decision.PartId);
        var label = decision.Label >= 0 && decision.Label < _run.Labels.Count ? _run.Labels[decision.Label] : null;
        _counts = part.Verdict switch
        {
            Verdict.Pass => _counts with { Passed = _counts.Passed + 1 },
            Verdict.Reject => _counts with { Rejected = _counts.Rejected + 1 },
            Verdict.NotInspected => _counts with { NotInspected = _counts.NotInspected + 1 },
            _ => _counts with { Late = _counts.Late + 1 },
        };
        if (part.Verdict == Verdict.Reject)
        {
            _defects[label ?? "unknown"] = _defects.GetValueOrDefault(label ?? "unknown") + 1;
        }

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
                DecidedAt = _time.GetUtcNow() - (_time.GetInstant() - decision.DecidedAt),
                FiredLateMicroseconds = part.LateBy?.TotalMicroseconds,
                Confirmation = confirmation,
                Recipe = _run.Recipe,
                Model = _run.Model,
                IsSimulated = _run.IsSimulated,
            }
        );
    }

    private sealed class OpenPart(in Decision decision)
    {
        public Decision Decision { get; } = decision;

        public Verdict Verdict { get; set; } = decision.Verdict;

        public Reason Reason { get; set; } = decision.Reason;

        public Instant FiredAt { get; set; } = Instant.Never;

        public TimeSpan? LateBy { get; set; }
    }
}
