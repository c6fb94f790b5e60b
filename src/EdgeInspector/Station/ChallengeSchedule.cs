using System.Globalization;
using EdgeInspector.Line;

namespace EdgeInspector.Station;

/// <summary>Where a station stands with its challenge tests.</summary>
internal enum ChallengeState
{
    /// <summary>None is asked for.</summary>
    Off,

    /// <summary>The last one passed, the next is some way off.</summary>
    NotDue,

    /// <summary>One is to be made now.</summary>
    Due,

    /// <summary>One is under way.</summary>
    Running,

    /// <summary>One should have been made: an alarm.</summary>
    Overdue,

    /// <summary>The last one failed: an alarm, until one passes.</summary>
    Failed,
}

/// <summary>A station's challenge tests at one moment: what alarms, stack light, line stop and page are made of.</summary>
/// <param name="State">Where it stands.</param>
/// <param name="IsOverdue">The alarm <c>challenge-overdue</c>; goes on while a test is made, until it passes.</param>
/// <param name="IsFailed">The alarm <c>challenge-failed</c>; goes on while a test is made, until it passes.</param>
/// <param name="StopLine">Whether the line is to be stopped. Never while a test runs, which needs a moving belt.</param>
/// <param name="UntilDue">Time to the next one, negative when it is late; null when none is asked for.</param>
/// <param name="Running">The id of the one under way.</param>
/// <param name="Text">One line for an operator.</param>
internal sealed record ChallengeStanding(
    ChallengeState State,
    bool IsOverdue,
    bool IsFailed,
    bool StopLine,
    TimeSpan? UntilDue,
    string? Running,
    string Text
);

/// <summary>
/// Keeps a station's challenge tests: when one is due, which parts belong to it, whether it has passed. Parts belong to a
/// test by their numbers, not by the time at which somebody gets round to looking at them: those above the last number at
/// the start, up to the highest at the end. Driven by its caller's clock; any thread may call any member.
/// </summary>
/// <remarks>
/// A piece is found when a part judged defective was fired at and, where a confirm eye is fitted, seen in the bin: a
/// verdict alone throws nothing out. The test fails as soon as a part of it was to be rejected and was not, or more parts
/// than there are defective pieces are rejected although good pieces are among them; otherwise after
/// <see cref="ChallengeOptions.Timeout"/>. Without good pieces ordinary parts may run between the test pieces; a defective
/// one among them is taken for a piece, so lay the pieces on an empty stretch of belt.
/// </remarks>
internal sealed class ChallengeSchedule
{
    /// <summary>Tests whose late parts are still known by number: more than can be on one belt.</summary>
    private const int RememberedTests = 8;

    private readonly Lock _gate = new();
    private readonly ChallengeOptions _options;
    private readonly string _station;
    private readonly string _run;
    private readonly HashSet<string> _labels;
    private readonly HashSet<string> _goodLabels;
    private readonly TimeProvider _time;
    private readonly Action<ChallengeRecord> _recorded;
    private readonly Queue<(string Id, long After, long UpTo)> _past = new();
    private Test? _test;
    private Instant _dueAt;
    private string? _failure;
    private long _highest;
    private int _count;
    private volatile ChallengeStanding _standing;

    /// <summary>Takes up where earlier runs left off.</summary>
    /// <param name="options">Sound options.</param>
    /// <param name="station">The station's name.</param>
    /// <param name="run">The run's id, which the ids of its tests begin with.</param>
    /// <param name="labels">The classifier's labels.</param>
    /// <param name="goodLabels">Those of good parts.</param>
    /// <param name="history">What the ledger knows; null: a test is due at once.</param>
    /// <param name="now">The run's start.</param>
    /// <param name="time">For wall-clock labels only.</param>
    /// <param name="recorded">Receives each test's record at its start and again at its end; must not wait.</param>
    public ChallengeSchedule(
        ChallengeOptions options,
        string station,
        string run,
        IEnumerable<string> labels,
        IEnumerable<string> goodLabels,
        ChallengeHistory? history,
        Instant now,
        TimeProvider time,
        Action<ChallengeRecord> recorded
    )
    {
        _options = options;
        _station = station;
        _run = run;
        _labels = [.. labels];
        _goodLabels = [.. goodLabels];
        _time = time;
        _recorded = recorded;
        _failure = history?.FailedSince;
        if (options.Interval is { } interval)
        {
            // A clock that was set back must not put the next test off for ever: at most one interval.
            var left = history?.LastPassedAt is { } passed ? interval - (time.GetUtcNow() - passed) : TimeSpan.Zero;
            _dueAt = now + (left < TimeSpan.Zero ? TimeSpan.Zero : left > interval ? interval : left);

            // What became overdue while the station was off is given its grace anew: nobody could have tested meanwhile.
        }

        _standing = Stand(now);
    }

    /// <summary>The standing at the last <see cref="Step"/> or change.</summary>
    public ChallengeStanding Standing => _standing;

    /// <summary>Begins a test.</summary>
    /// <param name="who">Who asks for it; kept with the result.</param>
    /// <param name="defect">The one defect it is for, or null for the pieces in the options.</param>
    /// <param name="pieces">The pieces; null takes one piece of <paramref name="defect"/>, or those in the options.</param>
    /// <param name="lastPart">The highest part number given out so far.</param>
    /// <param name="now">Now.</param>
    /// <returns>Null when it has begun, otherwise why not, in one line.</returns>
    public string? Start(string who, string? defect, IReadOnlyList<ChallengePiece>? pieces, long lastPart, Instant now)
    {
        lock (_gate)
        {
            if (_test is not null)
            {
                return $"challenge test {_test.Id} is under way; wait for its end or abort it";
            }

            if (string.IsNullOrWhiteSpace(who))
            {
                return "a challenge test needs the name of who makes it";
            }

            pieces ??= defect is not null
                ? [new ChallengePiece(defect, 1)]
                : [.. _options.Pieces.Select(piece => new ChallengePiece(piece.Label, piece.Count))];
            if (Refusal(pieces) is { } refusal)
            {
                return refusal;
            }

            _test = new Test
            {
                Id = string.Create(CultureInfo.InvariantCulture, $"{_run}/c{++_count}"),
                Who = who.Trim(),
                Defect = defect,
                StartedAt = _time.GetUtcNow(),
                Started = now,
                After = Math.Max(lastPart, _highest),
                Slots = [.. pieces.SelectMany(Slots)],
            };
            _standing = Stand(now);
            _recorded(RecordOf(_test, ChallengeOutcome.Running));
            return null;
        }
    }

    /// <summary>
    /// The id of the test that a part belongs to, or null. Call it once for each part, when its decision is booked.
    /// </summary>
    public string? Enroll(long number)
    {
        lock (_gate)
        {
            _highest = Math.Max(_highest, number);
            if (_test is { } test && number > test.After)
            {
                if (number <= test.UpTo)
                {
                    test.Outstanding++;
                    return test.Id;
                }

                return null;
            }

            foreach (var (id, after, upTo) in _past)
            {
                if (number > after && number <= upTo)
                {
                    return id;
                }
            }

            return null;
        }
    }

    /// <summary>Takes the end of a part that belongs to a test; others are passed over.</summary>
    /// <param name="part">The part's record.</param>
    /// <param name="threshold">The defect threshold it was judged by.</param>
    /// <param name="now">Now.</param>
    public void Enter(PartRecord part, double threshold, Instant now)
    {
        lock (_gate)
        {
            if (_test is not { } test || part.Challenge != test.Id)
            {
                return;
            }

            test.Outstanding--;
            test.Fault ??= FaultOf(part, test) ?? Place(part, threshold, test);
            if (test.Fault is not null || test.Slots.TrueForAll(slot => slot.Part is not null))
            {
                CloseWindow(test, now);
            }

            Settle(test, now);
            _standing = Stand(now);
        }
    }

    /// <summary>Lets time pass. Call it a few times a second.</summary>
    public ChallengeStanding Step(Instant now)
    {
        lock (_gate)
        {
            if (_test is { } test)
            {
                if (test.UpTo == long.MaxValue && now - test.Started > _options.Timeout)
                {
                    CloseWindow(test, now);
                }

                Settle(test, now);
            }

            return _standing = Stand(now);
        }
    }

    /// <summary>Gives the test under way up; false when there is none.</summary>
    /// <param name="who">A person, or what stopped it.</param>
    /// <param name="now">Now.</param>
    public bool Abort(string who, Instant now)
    {
        lock (_gate)
        {
            if (_test is not { } test)
            {
                return false;
            }

            test.Fault = $"given up by {who}";
            CloseWindow(test, now);
            Conclude(test, ChallengeOutcome.Aborted);
            _standing = Stand(now);
            return true;
        }
    }

    private string? Refusal(IReadOnlyList<ChallengePiece> wanted)
    {
        if (wanted.Count == 0 || wanted.Any(piece => piece.Count is < 1 or > 100))
        {
            return "a challenge test needs pieces: name a defect, or 1 to 100 of each label";
        }

        return wanted.FirstOrDefault(piece => !_labels.Contains(piece.Label)) is { } unknown
            ? $"'{unknown.Label}' is no label of the model; it knows {string.Join(", ", _labels.Order(StringComparer.Ordinal))}"
            : null;
    }

    private IEnumerable<Slot> Slots(ChallengePiece piece) =>
        Enumerable.Range(0, piece.Count).Select(_ => new Slot(piece.Label, _goodLabels.Contains(piece.Label)));

    /// <summary>What is wrong with how the part ended, whichever piece it was.</summary>
    private static string? FaultOf(PartRecord part, Test test) =>
        part switch
        {
            { Confirmation: Confirmation.Missing } => $"part {part.Number} was fired at and not seen in the bin",
            { Reason: Reason.OutputFault } => $"the ejector's output refused the pulse for part {part.Number}",
            { Verdict: Verdict.Late } => $"part {part.Number} was not rejected in its window",
            { Verdict: Verdict.NotInspected } when test.HasGood => $"part {part.Number} was not inspected",
            _ => null,
        };

    /// <summary>Puts the part in the place of a piece; a fault when a good piece was thrown out.</summary>
    private static string? Place(PartRecord part, double threshold, Test test)
    {
        var rejected = part.Verdict == Verdict.Reject && part.Fired && part.Confirmation is not Confirmation.Pending;
        if (!rejected && !(part.Verdict == Verdict.Pass && part.Disposition == Disposition.Pass))
        {
            return null;
        }

        var free = test.Slots.FindIndex(slot => slot.IsGood != rejected && slot.Part is null);
        if (!rejected)
        {
            if (free >= 0)
            {
                test.Slots[free] = test.Slots[free] with { Part = part, Margin = threshold - part.Score };
            }

            return null;
        }

        if (free < 0)
        {
            return test.HasGood ? $"part {part.Number}, a good piece, was rejected as {part.Label ?? "unknown"}" : null;
        }

        // As many pieces as possible stand under their own names: a part that took this label's place moves on.
        var own = test.Slots.FindIndex(slot => !slot.IsGood && slot.Label == part.Label && slot.Part?.Label != part.Label);
        var taken = own >= 0 ? own : free;
        if (test.Slots[taken].Part is not null)
        {
            test.Slots[free] = test.Slots[taken] with { Label = test.Slots[free].Label };
        }

        test.Slots[taken] = test.Slots[taken] with { Part = part, Margin = part.Score - threshold };
        return null;
    }

    private void CloseWindow(Test test, Instant now)
    {
        if (test.UpTo == long.MaxValue)
        {
            test.UpTo = Math.Max(test.After, _highest);
            test.Closed = now;
        }
    }

    private void Settle(Test test, Instant now)
    {
        if (test.UpTo != long.MaxValue && (test.Outstanding <= 0 || now - test.Closed > _options.Settling))
        {
            var missing = test.Slots.Count(slot => slot.Part is null);
            test.Fault ??= missing == 0
                ? null
                : $"{missing} of {test.Slots.Count} pieces did not come within {_options.Timeout.TotalMinutes:0.#} min: "
                    + string.Join(", ", test.Slots.Where(slot => slot.Part is null).Select(slot => slot.Label).Distinct());
            Conclude(test, test.Fault is null ? ChallengeOutcome.Passed : ChallengeOutcome.Failed);
            if (test.Fault is null && _options.Interval is { } interval)
            {
                _dueAt = now + interval;
            }
        }
    }

    private void Conclude(Test test, ChallengeOutcome outcome)
    {
        _test = null;
        if (_past.Count == RememberedTests)
        {
            _past.Dequeue();
        }

        _past.Enqueue((test.Id, test.After, test.UpTo));
        _failure = outcome switch
        {
            ChallengeOutcome.Passed => null,
            ChallengeOutcome.Failed => test.Fault,
            _ => _failure,
        };
        _recorded(RecordOf(test, outcome));
    }

    private ChallengeStanding Stand(Instant now)
    {
        var until = _options.Interval is null ? (TimeSpan?)null : _dueAt - now;
        var overdue = until < -_options.Grace;
        var failed = _failure is not null;
        var state =
            _test is not null ? ChallengeState.Running
            : failed ? ChallengeState.Failed
            : overdue ? ChallengeState.Overdue
            : until is null ? ChallengeState.Off
            : until <= TimeSpan.Zero ? ChallengeState.Due
            : ChallengeState.NotDue;
        var stop = _test is null
            && ((failed && _options.StopLineWhenFailed) || (overdue && _options.StopLineWhenOverdue));
        var text = state switch
        {
            ChallengeState.Running => $"challenge test under way: {_test!.Slots.Count(slot => slot.Part is not null)} of "
                + $"{_test.Slots.Count} pieces found",
            ChallengeState.Failed => $"the challenge test failed: {_failure}; hold the parts since the last good one",
            ChallengeState.Overdue => $"a challenge test has been due for {-until!.Value.TotalMinutes:F0} min",
            ChallengeState.Due => "a challenge test is due",
            ChallengeState.NotDue => $"the next challenge test is due in {Math.Ceiling(until!.Value.TotalMinutes):F0} min",
            _ => "no challenge tests are asked for",
        };
        return new ChallengeStanding(state, overdue, failed, stop, until, _test?.Id, text);
    }

    private ChallengeRecord RecordOf(Test test, ChallengeOutcome outcome) =>
        new()
        {
            Id = test.Id,
            Run = _run,
            Station = _station,
            Who = test.Who,
            Defect = test.Defect,
            StartedAt = test.StartedAt,
            EndedAt = outcome == ChallengeOutcome.Running ? null : _time.GetUtcNow(),
            Outcome = outcome,
            Fault = test.Fault,
            AfterPart = test.After,
            LastPart = test.UpTo == long.MaxValue ? null : test.UpTo,
            Pieces =
            [
                .. test.Slots.Select(slot => new ChallengePieceResult(
                    slot.Label,
                    slot.IsGood,
                    slot.Part?.Number,
                    slot.Part?.Label,
                    slot.Part?.Score,
                    slot.Margin
                )),
            ],
        };

    /// <summary>The place of one piece, and the part that took it.</summary>
    private sealed record Slot(string Label, bool IsGood)
    {
        public PartRecord? Part { get; init; }

        public double? Margin { get; init; }
    }

    /// <summary>The test under way.</summary>
    private sealed class Test
    {
        public required string Id { get; init; }

        public required string Who { get; init; }

        public required string? Defect { get; init; }

        public required DateTimeOffset StartedAt { get; init; }

        public required Instant Started { get; init; }

        public required long After { get; init; }

        public required List<Slot> Slots { get; init; }

        public bool HasGood => Slots.Exists(slot => slot.IsGood);

        /// <summary>The last part of it; unlimited while parts still join.</summary>
        public long UpTo { get; set; } = long.MaxValue;

        public Instant Closed { get; set; }

        /// <summary>Parts that joined and have not come to their end.</summary>
        public int Outstanding { get; set; }

        public string? Fault { get; set; }
    }
}
