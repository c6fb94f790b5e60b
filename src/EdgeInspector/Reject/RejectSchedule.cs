using EdgeInspector.Line;

namespace EdgeInspector.Reject;

/// <summary>What the reject thread has to do now.</summary>
internal enum RejectAction : byte
{
    /// <summary>Nothing yet.</summary>
    Wait,

    /// <summary>Energise the lanes' ejectors for a part.</summary>
    Open,

    /// <summary>Energise the lanes' ejectors for something nobody has decided: its deadline is here.</summary>
    OpenUndecided,

    /// <summary>Energise them again for the rest of a blast that a stopped belt broke off.</summary>
    Reopen,

    /// <summary>Release the lanes' ejectors.</summary>
    Close,

    /// <summary>A part's window has passed: it is late.</summary>
    Miss,
}

/// <summary>One step of the schedule.</summary>
/// <param name="Action">What to do.</param>
/// <param name="Lanes">On which lanes, one bit a lane.</param>
/// <param name="PartId">For which part; 0 for a close and for what is undecided.</param>
/// <param name="Due">When it should happen.</param>
internal readonly record struct RejectStep(RejectAction Action, byte Lanes, long PartId, Instant Due);

/// <summary>What became of a decision that the schedule was given.</summary>
internal enum Acceptance : byte
{
    /// <summary>It is known; a part to be rejected waits for its pulse.</summary>
    Scheduled,

    /// <summary>Its part was thrown out before, undecided.</summary>
    ThrownOutBefore,

    /// <summary>Its part was to be thrown out before, undecided, and the output refused.</summary>
    RefusedBefore,

    /// <summary>There is no room: more parts between camera and ejector than were planned for.</summary>
    Full,
}

/// <summary>
/// Which part is due at which ejector, and when. Parts are held by their place on the belt, so a belt that slows down or
/// stops takes its rejects along. Pure: belt and time in, steps out; the reject thread does what they say.
/// <para>
/// The blast reaches the part <see cref="RejectOptions.Latency"/> after the output's edge and lasts
/// <see cref="RejectOptions.Dwell"/>; it is centred on the moment the part's centre is under the nozzle:
/// <c>open = t(offset + position) - latency - dwell / 2</c>. It is cut where a part that stays would be in the nozzle's
/// window, down to <see cref="RejectOptions.ShortestPulse"/>; pulses that overlap on one lane merge into one.
/// </para>
/// <para>
/// What the entry eyes saw has a deadline too: the moment its blast would have to begin. A stretch of belt that no
/// decision accounts for by then is thrown out or let go, as the recipe says.
/// </para>
/// </summary>
internal sealed class RejectSchedule
{
    /// <summary>
    /// Clearance between a blast and a neighbour that stays: several times the lateness of an output's edge measured on a
    /// loaded stock kernel, and 1.5 mm of belt at 3 m/s.
    /// </summary>
    private const long Guard = 500_000;

    /// <summary>The same in belt, mm, where a blast goes by travel.</summary>
    private const double Clearance = 1.5;

    /// <summary>How far past the ejector parts are remembered, mm: a belt that jogs back brings them once more.</summary>
    private const double Remembered = 300;

    private const int MostLanes = 8;
    private const long Never = long.MaxValue;

    private readonly IBelt _belt;
    private volatile Disposition _onLate;
    private readonly double _position;
    private readonly double _halfWindow;
    private readonly double _shortestPart;
    private readonly long _latency;
    private readonly long _dwell;
    private readonly long _shortestPulse;
    private readonly long _minimumGap;
    private readonly Known[] _parts;
    private readonly Expected[] _expected;
    private readonly ThrownOut[] _thrownOut;
    private readonly long[] _closeAt = new long[MostLanes];
    private readonly long[] _closedAt = new long[MostLanes];
    private readonly double[] _closeTravel = new double[MostLanes];
    private readonly double[] _resumeTravel = new double[MostLanes];
    private readonly double[] _brokenOffAt = new double[MostLanes];
    private int _count;
    private int _expectedCount;
    private int _thrownOutCount;
    private int _waiting;
    private double _typicalLength;
    private double _farthestAhead;

    /// <summary>Makes an empty schedule.</summary>
    /// <param name="options">Where the ejectors stand and how they behave.</param>
    /// <param name="belt">Turns places into times.</param>
    /// <param name="onLate">What becomes of parts whose verdict does not come in time.</param>
    /// <param name="shortestPart">Extent along the belt, mm, from which an undecided stretch is taken for a part.</param>
    /// <param name="capacity">Most parts between camera and ejector, and most stretches announced and not yet there.</param>
    public RejectSchedule(
        RejectOptions options,
        IBelt belt,
        Disposition onLate = Disposition.Reject,
        double shortestPart = 25,
        int capacity = 1024
    )
    {
        _belt = belt;
        OnLate = onLate;
        _position = options.Position;
        _halfWindow = options.Window / 2;
        _shortestPart = shortestPart;
        _typicalLength = 2 * shortestPart; // Until parts have shown theirs.
        _latency = options.Latency.Ticks * 100;
        _dwell = options.Dwell.Ticks * 100;
        _shortestPulse = Math.Min(options.ShortestPulse.Ticks * 100, _dwell);
        _minimumGap = options.MinimumGap.Ticks * 100;
        _parts = new Known[capacity];
        _expected = new Expected[capacity];
        _thrownOut = new ThrownOut[4 * capacity]; // Decisions may come seconds later, all at once.
        Array.Fill(_closeAt, Never);
        Array.Fill(_closedAt, long.MinValue / 2);
        Array.Fill(_closeTravel, double.NaN);
        Array.Fill(_resumeTravel, double.NaN);
    }

    /// <summary>What becomes of parts whose verdict does not come in time. Any thread may change it.</summary>
    public Disposition OnLate
    {
        get => _onLate;
        set => _onLate = value;
    }

    /// <summary>What was to be thrown out undecided by the last step was not: its output refused.</summary>
    public void RefuseThrownOut()
    {
        if (_thrownOutCount > 0)
        {
            _thrownOut[_thrownOutCount - 1].At = Instant.Never;
        }
    }

    /// <summary>False takes the deadlines out. For the laboratory, which must notice.</summary>
    public bool KeepsDeadlines { get; set; } = true;

    /// <summary>Opens a lane for one dwell, by hand.</summary>
    public void OpenByHand(int lane, Instant now) => _closeAt[lane] = now.Nanoseconds + _dwell;

    /// <summary>Parts waiting for their pulse.</summary>
    public int Count => _waiting;

    /// <summary>Edges of the entry eyes that found no room: their parts have no deadline of their own.</summary>
    public long Overflowed { get; private set; }

    /// <summary>
    /// Takes a decision, of a part that stays as well: it may lie beside one that goes.
    /// </summary>
    /// <param name="decision">The decision.</param>
    /// <param name="firedAt">When the part was thrown out undecided; only for <see cref="Acceptance.ThrownOutBefore"/>.</param>
    public Acceptance Add(in Decision decision, out Instant firedAt)
    {
        firedAt = Instant.Never;
        if (decision.IsCorrection)
        {
            Correct(decision);
            return Acceptance.Scheduled;
        }

        if (_count == _parts.Length)
        {
            return Acceptance.Full;
        }

        var rejected = decision.Disposition == Disposition.Reject;
        var thrownOut = TryClaimThrownOut(decision, out firedAt);
        if (decision.Views > 0)
        {
            _typicalLength += (decision.Length - _typicalLength) / 20;
        }

        // Sorted by place; parts come nearly in order, so the shift is short.
        var at = _count++;
        while (at > 0 && _parts[at - 1].Offset > decision.Offset)
        {
            _parts[at] = _parts[at - 1];
            at--;
        }

        if (!rejected)
        {
            Spare(decision);
        }

        var waits = rejected && !thrownOut;
        _farthestAhead = Math.Max(_farthestAhead, decision.Ahead);
        _waiting += waits ? 1 : 0;
        _parts[at] = new Known
        {
            PartId = decision.PartId,
            Offset = decision.Offset,
            HalfLength = decision.Length / 2,
            Lanes = decision.Lanes,
            Ahead = decision.Ahead,
            Behind = decision.Behind,
            Waits = waits,
            Stays = !rejected,
        };
        return !thrownOut ? Acceptance.Scheduled
            : firedAt == Instant.Never ? Acceptance.RefusedBefore
            : Acceptance.ThrownOutBefore;
    }

    /// <summary>A part that stays lies where a blast over undecided belt is going: the blast ends before it.</summary>
    private void Spare(in Decision decision)
    {
        var from = decision.Offset + _position - _halfWindow - Clearance;
        if (from < _belt.TravelAt(decision.DecidedAt))
        {
            return; // It has been there.
        }

        for (var lane = 0; lane < MostLanes; lane++)
        {
            if ((decision.Lanes & (1 << lane)) != 0 && _closeTravel[lane] > from)
            {
                _closeTravel[lane] = from;
                _closeAt[lane] = Math.Min(_closeAt[lane], Less(When(from), _latency));
            }
        }
    }

    private void Correct(in Decision news)
    {
        var at = 0;
        while (at < _count && _parts[at].PartId != news.PartId)
        {
            at++;
        }

        if (at == _count)
        {
            return; // Gone already.
        }

        var part = _parts[at];
        part.Offset = news.Offset;
        while (at > 0 && _parts[at - 1].Offset > part.Offset)
        {
            _parts[at] = _parts[--at];
        }

        while (at + 1 < _count && _parts[at + 1].Offset < part.Offset)
        {
            _parts[at] = _parts[++at];
        }

        _parts[at] = part;
    }

    /// <summary>Takes an edge of an entry eye.</summary>
    public void Expect(in EntryMark mark)
    {
        if (mark.Blocked)
        {
            if (_expectedCount == _expected.Length)
            {
                Overflowed++;
                return;
            }

            // One stretch of belt is announced once: an end that was lost is here at the latest.
            var from = mark.Offset;
            for (var i = 0; i < _expectedCount; i++)
            {
                if (_expected[i].Eye == mark.Eye)
                {
                    if (double.IsInfinity(_expected[i].To))
                    {
                        _expected[i].To = Math.Max(mark.Offset, _expected[i].Cursor);
                    }

                    from = Math.Max(from, _expected[i].To);
                }
            }

            _expected[_expectedCount++] = new Expected
            {
                Eye = mark.Eye,
                Lanes = mark.Lanes,
                Cursor = from,
                To = double.PositiveInfinity,
            };
            return;
        }

        for (var i = _expectedCount - 1; i >= 0; i--)
        {
            if (_expected[i].Eye == mark.Eye)
            {
                _expected[i].To = Math.Min(_expected[i].To, mark.Offset);
                return;
            }
        }
    }

    /// <summary>What is due at or before <paramref name="now"/>, one step a call; <see cref="RejectAction.Wait"/> when nothing is.</summary>
    public RejectStep Next(Instant now)
    {
        Forget(now);
        if (Resume(now.Nanoseconds) is var resumed and not 0)
        {
            return new(RejectAction.Reopen, resumed, 0, now);
        }

        var open = FirstPulse();
        var deadline = FirstDeadline(out var undecided);
        var close = FirstClose(out var closing);
        if (close <= now.Nanoseconds && close < open.Plan.Open)
        {
            return Close(closing, close) is var lanes and not 0
                ? new(RejectAction.Close, lanes, 0, new Instant(close))
                : Next(now); // Kept open for a neighbour that goes as well.
        }

        if (deadline <= now.Nanoseconds && deadline <= open.Plan.Open && undecided >= 0)
        {
            return PassDeadline(undecided, now.Nanoseconds, deadline);
        }

        if (open.Index >= 0 && open.Plan.Open <= now.Nanoseconds)
        {
            ref var part = ref _parts[open.Index];
            part.Waits = false;
            _waiting--;
            if (now.Nanoseconds > open.Plan.LastChance && KeepsDeadlines)
            {
                return new(RejectAction.Miss, part.Lanes, part.PartId, new Instant(open.Plan.Open));
            }

            KeepOpen(part.Lanes, open.Plan, now.Nanoseconds);
            return new(RejectAction.Open, part.Lanes, part.PartId, new Instant(open.Plan.Open));
        }

        return new(RejectAction.Wait, 0, 0, new Instant(Math.Min(Math.Min(open.Plan.Open, deadline), close)));
    }

    /// <summary>Takes out a waiting part, when the line stops for good.</summary>
    public bool TryAbandon(out long partId)
    {
        for (var i = 0; i < _count; i++)
        {
            if (_parts[i].Waits)
            {
                _parts[i].Waits = false;
                _waiting--;
                partId = _parts[i].PartId;
                return true;
            }
        }

        partId = 0;
        return false;
    }

    /// <summary>
    /// The pulse for something centred at an offset, or up to so far ahead and behind, and until when firing late still
    /// takes it and nothing else.
    /// </summary>
    private Pulse Plan(double offset, double ahead, double behind, byte lanes, int self)
    {
        var centre = When(offset + _position);
        var (from, to) = (Less(centre, _dwell / 2), More(centre, _dwell / 2));

        // Not before the centre has been under the nozzle: a belt that brakes harder than foreseen gets there later.
        var closeTravel = offset + behind + _position;
        var isSpread = ahead + behind > 0;
        if (isSpread)
        {
            from = Math.Min(from, When(offset - ahead + _position));
            to = Math.Max(to, When(offset + behind + _position));
        }

        var (clearFrom, clearTo) = (long.MinValue, Never);
        var near = (2 * _halfWindow) + Math.Max(ahead, behind) + Math.Abs(_belt.Speed * _dwell * 1e-9) + 1;
        for (var i = FirstAtOrAfter(offset - near); i < _count && _parts[i].Offset <= offset + near; i++)
        {
            ref readonly var other = ref _parts[i];
            if (i == self || !other.Stays || (other.Lanes & lanes) == 0)
            {
                continue;
            }

            if (other.Offset < offset)
            {
                clearFrom = Math.Max(clearFrom, More(When(other.Offset + _position + _halfWindow), Guard));
            }
            else
            {
                clearTo = Math.Min(clearTo, Less(When(other.Offset + _position - _halfWindow), Guard));
                closeTravel = Math.Min(closeTravel, other.Offset + _position - _halfWindow - Clearance);
            }
        }

        // Of what is spread, the likeliest place, with some millimetres for the guess.
        var exit = When(offset + _position + (isSpread ? _halfWindow / 2 : _halfWindow));
        var (cutFrom, cutTo) = (Math.Max(from, clearFrom), Math.Min(to, clearTo));
        if (cutTo != Never && cutFrom != Never && cutTo - cutFrom < _shortestPulse)
        {
            // Nearer than the window is wide: the defect goes, and the eye in the chute tells what went with it.
            (cutFrom, cutTo) = (Less(centre, _shortestPulse / 2), More(centre, _shortestPulse / 2));
            (clearTo, closeTravel) = (Never, double.NaN);
        }

        return new Pulse(
            Less(cutFrom, _latency),
            Less(cutTo, _latency),
            Less(Math.Min(exit, clearTo), _latency + (isSpread ? Guard : _shortestPulse)),
            closeTravel
        );
    }

    private (int Index, Pulse Plan) FirstPulse()
    {
        var first = (Index: -1, Plan: new Pulse(Never, Never, Never, double.NaN));
        for (var i = 0; i < _count; i++)
        {
            if (!_parts[i].Waits)
            {
                continue;
            }

            // Those behind come later, but for how far ahead of their middle a blast may begin.
            if (Less(When(_parts[i].Offset - _farthestAhead + _position), _latency + (_dwell / 2)) > first.Plan.Open)
            {
                break;
            }

            var plan = AfterRest(Plan(_parts[i], i), _parts[i].Lanes);
            if (plan.Open < first.Plan.Open)
            {
                first = (i, plan);
            }
        }

        return first;
    }

    /// <summary>A valve that has just closed rests first, unless it is still open.</summary>
    private Pulse AfterRest(Pulse plan, byte lanes)
    {
        var rested = long.MinValue;
        for (var lane = 0; lane < MostLanes; lane++)
        {
            if ((lanes & (1 << lane)) != 0 && _closeAt[lane] == Never)
            {
                rested = Math.Max(rested, _closedAt[lane] + _minimumGap);
            }
        }

        return plan.Open < rested ? plan with { Open = rested } : plan;
    }

    private void KeepOpen(byte lanes, in Pulse plan, long now)
    {
        var close = plan.Close == Never ? now + _dwell : Math.Max(plan.Close, now + _shortestPulse);
        if (!double.IsNaN(plan.CloseTravel))
        {
            // Travel says when to close, and is asked again; a time foreseen by a belt that all but stood is not.
            close = Math.Min(close, now + Math.Max(_dwell, _shortestPulse));
        }

        for (var lane = 0; lane < MostLanes; lane++)
        {
            if ((lanes & (1 << lane)) != 0)
            {
                _closeAt[lane] = _closeAt[lane] == Never ? close : Math.Max(_closeAt[lane], close);
                _closeTravel[lane] = double.IsNaN(plan.CloseTravel) ? _closeTravel[lane] : plan.CloseTravel;
            }
        }
    }

    private long FirstClose(out byte lanes)
    {
        var first = Never;
        lanes = 0;
        for (var lane = 0; lane < MostLanes; lane++)
        {
            var at = CloseAt(lane);
            if (at < first)
            {
                (first, lanes) = (at, (byte)(1 << lane));
            }
            else if (at == first && first != Never)
            {
                lanes |= (byte)(1 << lane);
            }
        }

        return first;
    }

    /// <summary>When a lane's valve closes: when its time is over and the belt has got where it must.</summary>
    private long CloseAt(int lane)
    {
        if (_closeAt[lane] == Never || double.IsNaN(_closeTravel[lane]))
        {
            return _closeAt[lane];
        }

        // A belt that stops in the middle is not blown at for as long as it stands: the rest of the blast waits for it.
        var there = When(_closeTravel[lane]);
        return there == Never ? _closeAt[lane] : Math.Max(there - _latency, _closeAt[lane]);
    }

    /// <summary>Lanes whose blast was broken off by a belt that stopped and now runs again.</summary>
    private byte Resume(long now)
    {
        byte lanes = 0;
        for (var lane = 0; lane < MostLanes; lane++)
        {
            if (double.IsNaN(_resumeTravel[lane]) || When(_resumeTravel[lane]) is var there && there == Never)
            {
                continue;
            }

            // A belt that jogged back first brings what has passed already.
            if (When(_brokenOffAt[lane]) - _latency > now)
            {
                continue;
            }

            if (there - _latency > now)
            {
                lanes |= (byte)(1 << lane);
                _closeAt[lane] = now + _shortestPulse;
                _closeTravel[lane] = _resumeTravel[lane];
            }

            _resumeTravel[lane] = double.NaN;
        }

        return lanes;
    }

    /// <summary>Closes lanes, except those whose next reject comes before the valve would have rested; returns those closed.</summary>
    private byte Close(byte lanes, long at)
    {
        for (var lane = 0; lane < MostLanes; lane++)
        {
            if ((lanes & (1 << lane)) == 0)
            {
                continue;
            }

            _resumeTravel[lane] = When(_closeTravel[lane]) == Never ? _closeTravel[lane] : double.NaN;
            _brokenOffAt[lane] = _belt.TravelAt(new Instant(at));
            _closeTravel[lane] = double.NaN;
            _closeAt[lane] = NextWithinRest((byte)(1 << lane), at);
            if (_closeAt[lane] == Never)
            {
                _closedAt[lane] = at;
            }
            else
            {
                lanes &= (byte)~(1 << lane);
            }
        }

        return lanes;
    }

    /// <summary>When a lane's next reject opens, if that is within the valve's rest and nothing that stays lies between.</summary>
    private long NextWithinRest(byte lane, long closed)
    {
        for (var i = 0; i < _count; i++)
        {
            ref readonly var part = ref _parts[i];
            if ((part.Lanes & lane) == 0 || !part.Waits)
            {
                continue;
            }

            var open = Plan(part, i).Open;
            if (open <= closed || open >= closed + _minimumGap)
            {
                return Never;
            }

            for (var j = 0; j < _count; j++)
            {
                ref readonly var other = ref _parts[j];
                if (
                    other.Stays
                    && (other.Lanes & lane) != 0
                    && When(other.Offset + _position + _halfWindow) > closed + _latency
                    && When(other.Offset + _position - _halfWindow) < open + _latency
                )
                {
                    return Never;
                }
            }

            return open;
        }

        return Never;
    }

    /// <summary>
    /// When the first stretch that an eye saw and no decision accounts for must go, and which it is. Moves every stretch's
    /// cursor over what has been decided.
    /// </summary>
    private long FirstDeadline(out int index)
    {
        index = -1;
        var first = Never;
        for (var i = 0; i < _expectedCount && KeepsDeadlines; i++)
        {
            ref var expected = ref _expected[i];
            var end = NextUndecided(ref expected);
            if (end <= expected.Cursor)
            {
                continue;
            }

            var open = Plan(Piece(expected, end), expected.Lanes).Open;
            if (open < first)
            {
                (first, index) = (open, i);
            }
        }

        return first;
    }

    /// <summary>
    /// Moves the cursor to the next stretch long enough to be a part that no decision covers, and returns its end; a
    /// returned end at the cursor means that there is none.
    /// </summary>
    private double NextUndecided(ref Expected expected)
    {
        while (expected.Cursor < expected.To)
        {
            var end = expected.To;
            var covered = expected.Cursor;
            for (var i = 0; i < _count && _parts[i].Offset - _parts[i].HalfLength < end; i++)
            {
                ref readonly var part = ref _parts[i];
                if ((part.Lanes & expected.Lanes) == 0)
                {
                    continue;
                }

                if (part.Offset - part.HalfLength <= expected.Cursor)
                {
                    covered = Math.Max(covered, part.Offset + part.HalfLength);
                }
                else
                {
                    end = Math.Min(end, part.Offset - part.HalfLength);
                }
            }

            if (covered > expected.Cursor)
            {
                expected.Continues = false;
                expected.Cursor = Math.Min(covered, expected.To);
            }
            else if (end - expected.Cursor >= _shortestPart)
            {
                return end;
            }
            else
            {
                expected.Cursor = end; // Too short for a part: the eye's edge and the picture's do not agree to the millimetre.
            }
        }

        return expected.Cursor;
    }

    private RejectStep PassDeadline(int index, long now, long due)
    {
        ref var expected = ref _expected[index];
        var piece = Piece(expected, NextUndecided(ref expected));
        var plan = Plan(piece, expected.Lanes);
        expected.Cursor += 2 * piece.HalfLength;
        expected.Continues = piece.Continues;
        if (_onLate == Disposition.Pass || now > plan.LastChance)
        {
            // Let go by the recipe, or gone already; its decision, when it comes, is late either way.
            return new(RejectAction.Miss, expected.Lanes, 0, new Instant(due));
        }

        if (_thrownOutCount == _thrownOut.Length)
        {
            Array.Copy(_thrownOut, 1, _thrownOut, 0, --_thrownOutCount); // The oldest has waited for minutes: its decision never came.
        }

        // Fired late, a blast finds the front of its piece gone.
        var underNozzle = _belt.TravelAt(new Instant(now + _latency)) - _position - _halfWindow;
        _thrownOut[_thrownOutCount++] = new ThrownOut
        {
            Centre = piece.Centre,
            HalfLength = piece.HalfLength,
            From = Math.Max(piece.Centre - piece.HalfLength, underNozzle),
            Lanes = expected.Lanes,
            At = new Instant(now),
        };
        KeepOpen(expected.Lanes, plan, now);
        return new(RejectAction.OpenUndecided, expected.Lanes, 0, new Instant(due));
    }

    /// <summary>
    /// The first part, by guess, of an undecided stretch: as many of equal length as parts have had so far. Its blast
    /// reaches wherever a part's centre can be: half the shortest part from the stretch's ends, and without a gap within.
    /// </summary>
    private Undecided Piece(in Expected expected, double end)
    {
        var whole = end - expected.Cursor;
        var pieces = double.IsInfinity(whole) ? 2 : Math.Max(1, Math.Round(whole / _typicalLength));
        var length = double.IsInfinity(whole) ? _typicalLength : whole / pieces;
        var toEnd = Math.Max(0, (length - _shortestPart) / 2);
        return new Undecided(
            expected.Cursor + (length / 2),
            length / 2,
            expected.Continues ? length / 2 : toEnd,
            pieces > 1 ? length / 2 : toEnd,
            Continues: pieces > 1
        );
    }

    private Pulse Plan(in Undecided piece, byte lanes) => Plan(piece.Centre, piece.Ahead, piece.Behind, lanes, self: -1);

    private Pulse Plan(in Known part, int index) => Plan(part.Offset, part.Ahead, part.Behind, part.Lanes, index);

    /// <summary>
    /// Finds what was thrown out undecided at a part's place: the nearest blast that nobody has claimed, else one that
    /// covered the part's centre beside another's. A row is cut into parts by guess, here and by whoever decides, and the
    /// guesses need not agree; its blasts leave no gap.
    /// </summary>
    private bool TryClaimThrownOut(in Decision decision, out Instant firedAt)
    {
        DropClaimed(decision.Offset - Remembered);
        var (nearest, best, distance) = (-1, Claim.None, double.MaxValue);
        for (var i = 0; i < _thrownOutCount; i++)
        {
            var apart = Math.Abs(_thrownOut[i].Centre - decision.Offset);
            var claim = (_thrownOut[i].Lanes & decision.Lanes) == 0 ? Claim.None : ClaimOn(_thrownOut[i], decision, apart);
            if (claim != Claim.None && (claim > best || (claim == best && apart < distance)))
            {
                (nearest, best, distance) = (i, claim, apart);
            }
        }

        if (nearest < 0)
        {
            firedAt = Instant.Never;
            return false;
        }

        _thrownOut[nearest].IsClaimed = true;
        firedAt = _thrownOut[nearest].At;
        return true;
    }

    /// <summary>How well a blast over undecided belt fits a part whose centre is so far from the blast's.</summary>
    private static Claim ClaimOn(in ThrownOut gone, in Decision decision, double apart)
    {
        if (gone.IsClaimed)
        {
            return decision.Offset >= gone.From && apart <= gone.HalfLength ? Claim.Beside : Claim.None;
        }

        // Where the eye lost edges, a part's place is a guess to within what is ahead and behind of it.
        var reach = Math.Max(gone.HalfLength, decision.Length / 2);
        return apart < reach ? Claim.Own
            : decision.Views == 0 && apart < reach + Math.Max(decision.Ahead, decision.Behind) ? Claim.ByGuess
            : Claim.None;
    }

    /// <summary>
    /// A further blast at a part that nobody saw and that was thrown out undecided: its row was cut into more parts here
    /// than by whoever decided. Once for each.
    /// </summary>
    public bool TryClaimMore(in Decision decision, out Instant firedAt)
    {
        for (var i = 0; decision.Views == 0 && i < _thrownOutCount; i++)
        {
            ref var gone = ref _thrownOut[i];
            if (
                !gone.IsClaimed
                && gone.At != Instant.Never
                && (gone.Lanes & decision.Lanes) != 0
                && Math.Abs(gone.Centre - decision.Offset) <= decision.Length / 2
            )
            {
                gone.IsClaimed = true;
                firedAt = gone.At;
                return true;
            }
        }

        firedAt = Instant.Never;
        return false;
    }

    /// <summary>Lets go of blasts that have their parts, behind an offset that later parts do not reach.</summary>
    private void DropClaimed(double before)
    {
        var keep = 0;
        for (var i = 0; i < _thrownOutCount; i++)
        {
            if (!_thrownOut[i].IsClaimed || _thrownOut[i].Centre >= before)
            {
                _thrownOut[keep++] = _thrownOut[i];
            }
        }

        _thrownOutCount = keep;
    }

    /// <summary>Lets go of what the ejector is far behind of.</summary>
    private void Forget(Instant now)
    {
        var gone = _belt.TravelAt(now) - _position - Remembered;
        var keep = 0;
        while (keep < _count && _parts[keep].Offset < gone && !_parts[keep].Waits)
        {
            keep++;
        }

        if (keep > 0)
        {
            _count -= keep;
            Array.Copy(_parts, keep, _parts, 0, _count);
        }

        keep = 0;
        while (keep < _expectedCount && _expected[keep].Cursor >= _expected[keep].To && _expected[keep].To < gone)
        {
            keep++;
        }

        if (keep > 0)
        {
            _expectedCount -= keep;
            Array.Copy(_expected, keep, _expected, 0, _expectedCount);
        }
    }

    private int FirstAtOrAfter(double offset)
    {
        var (low, high) = (0, _count);
        while (low < high)
        {
            var middle = (low + high) / 2;
            (low, high) = _parts[middle].Offset < offset ? (middle + 1, high) : (low, middle);
        }

        return low;
    }

    private long When(double travel) => _belt.WhenTravelReaches(travel).Nanoseconds;

    private static long Less(long at, long time) => at == Never ? Never : at - time;

    private static long More(long at, long time) => at == Never ? Never : at + time;

    /// <summary>When an output goes on and off, and the last moment at which it is not yet too late; nanoseconds.</summary>
    /// <remarks><c>CloseTravel</c>: not before the belt has got there, mm; NaN where time alone decides.</remarks>
    private readonly record struct Pulse(long Open, long Close, long LastChance, double CloseTravel);

    /// <summary>A part by guess, and where its blast goes; mm.</summary>
    private readonly record struct Undecided(double Centre, double HalfLength, double Ahead, double Behind, bool Continues);

    /// <summary>A part that has been decided.</summary>
    private struct Known
    {
        public long PartId;
        public double Offset;
        public double HalfLength;
        public double Ahead;
        public double Behind;
        public byte Lanes;
        public bool Waits;
        public bool Stays;
    }

    /// <summary>Something an entry eye saw: from the cursor on, nothing is known of it yet.</summary>
    private struct Expected
    {
        public byte Eye;
        public byte Lanes;
        public double Cursor;
        public double To;
        public bool Continues;
    }

    /// <summary>How well a blast over undecided belt fits a part; the later the better.</summary>
    private enum Claim : byte
    {
        None,

        /// <summary>Nobody else's, and as near as the guess of the part's place is good.</summary>
        ByGuess,

        /// <summary>Another part's, which covered this one as well.</summary>
        Beside,

        /// <summary>At the part, and nobody else's.</summary>
        Own,
    }

    /// <summary>Something thrown out before anybody decided it: its place on the belt, mm, and when.</summary>
    private struct ThrownOut
    {
        public double Centre;
        public double HalfLength;

        /// <summary>The least offset at which the blast still found something.</summary>
        public double From;
        public byte Lanes;

        /// <summary><see cref="Instant.Never"/> where the output refused.</summary>
        public Instant At;
        public bool IsClaimed;
    }
}
