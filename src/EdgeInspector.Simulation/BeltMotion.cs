namespace EdgeInspector.Simulation;

/// <summary>
/// How the belt moves: travel in millimetres since the start, at any time. Pieces of constant acceleration, none of
/// which changes direction, are made one after another as far as anybody asks: the same profile and seed give the same
/// motion however it is asked about. A look-up is a binary search. The belt is never further than <see cref="Reach"/>
/// behind the furthest it has been, so what it has left that far behind is past for good. Safe from any thread.
/// </summary>
public sealed class BeltMotion
{
    /// <summary>When something happens that never does.</summary>
    public static readonly TimeSpan Never = TimeSpan.MaxValue;

    // Pieces kept when the line has no more use for the older ones: hours of them.
    private const int Kept = 65_536;

    private readonly Lock _gate = new();
    private readonly IEnumerator<BeltPiece>? _more;
    private readonly BeltPiece _only;
    private readonly bool _scripted;
    private BeltPiece[] _pieces = new BeltPiece[64];
    private int _count;
    private int _recent;
    private bool _complete;
    private bool _forgotten;

    /// <summary>A belt that runs at one speed for ever.</summary>
    /// <param name="metresPerSecond">Belt speed, above 0.</param>
    public BeltMotion(double metresPerSecond)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(metresPerSecond);
        _only = new BeltPiece(0, 0, metresPerSecond * 1000, 0, 0);
        _pieces[_count++] = _only;
        _complete = true;
    }

    /// <summary>A belt that moves as the profile says.</summary>
    /// <exception cref="ArgumentException">A value of the profile is out of range.</exception>
    public BeltMotion(BeltProfile profile, int seed)
    {
        ArgumentNullException.ThrowIfNull(profile);
        if (profile.Validate().FirstOrDefault() is { } fault)
        {
            throw new ArgumentException(fault, nameof(profile));
        }

        Reach =
            profile.Script is not null ? LongestWayBack(new BeltDrive(profile, seed).Run())
            : profile.ReversalShare > 0 ? profile.LongestReversal
            : 0;
        _scripted = profile.Script is not null;
        _more = new BeltDrive(profile, seed).Run().GetEnumerator();
        Extend();
    }

    /// <summary>How far behind the furthest it has been the belt can ever be, in millimetres.</summary>
    public double Reach { get; }

    /// <summary>
    /// When the belt comes to rest for good; <see cref="Never"/> for one that runs on. Only a scripted belt stops.
    /// </summary>
    public TimeSpan StopsAt
    {
        get
        {
            lock (_gate)
            {
                // A script is short, so its end can be looked up at once; random legs never end.
                while (!_complete && _scripted)
                {
                    Extend();
                }

                return _complete && _pieces[_count - 1].Speed == 0
                    ? TimeSpan.FromTicks(_pieces[_count - 1].From)
                    : Never;
            }
        }
    }

    /// <summary>
    /// Millimetres the belt has moved since the start; negative before it, where the first speed is taken to have held
    /// always.
    /// </summary>
    public double TravelAt(TimeSpan t)
    {
        return _more is null ? _only.TravelAt(t.Ticks) : At(t).TravelAt(t.Ticks);
    }

    /// <summary>Millimetres per second at <paramref name="t"/>; negative when running backwards.</summary>
    public double SpeedAt(TimeSpan t)
    {
        return _more is null ? _only.Speed : At(t).SpeedAt(t.Ticks);
    }

    /// <summary>The largest travel up to <paramref name="t"/>.</summary>
    public double FurthestAt(TimeSpan t)
    {
        if (_more is null)
        {
            return _only.TravelAt(t.Ticks);
        }

        var piece = At(t);
        var travel = piece.TravelAt(t.Ticks);
        return t.Ticks < piece.From ? travel : Math.Max(piece.Furthest, travel);
    }

    /// <summary>
    /// The first time at which the belt has moved <paramref name="travel"/> millimetres; <see cref="Never"/> where it
    /// stops before.
    /// </summary>
    public TimeSpan TimeAt(double travel)
    {
        if (_more is null)
        {
            return TimeSpan.FromTicks(_only.TicksAt(travel));
        }

        lock (_gate)
        {
            var i = FirstTo(travel);
            return i < 0 ? Never : TimeSpan.FromTicks(_pieces[i].TicksAt(travel));
        }
    }

    /// <summary>
    /// Adds every time at which the travel passes a value, both ways, in order; the first one is forward. None where
    /// the belt never gets there.
    /// </summary>
    public void Crossings(double travel, List<BeltCrossing> crossings)
    {
        ArgumentNullException.ThrowIfNull(crossings);
        lock (_gate)
        {
            var i = FirstTo(travel);
            if (i < 0)
            {
                return;
            }

            var beyond = travel <= _pieces[i].Travel;
            if (beyond)
            {
                crossings.Add(new BeltCrossing(TimeSpan.FromTicks(_pieces[i].TicksAt(travel)), true));
            }

            for (; ; i++)
            {
                if (EndOf(i) >= travel != beyond)
                {
                    beyond = !beyond;
                    crossings.Add(new BeltCrossing(TimeSpan.FromTicks(_pieces[i].TicksAt(travel)), beyond));
                }

                if (IsPast(i, travel))
                {
                    return;
                }
            }
        }
    }

    /// <summary>
    /// Adds every stretch of time during which the travel is from <paramref name="low"/> to <paramref name="high"/>, in
    /// order. A belt that stops there for good leaves a stretch without end.
    /// </summary>
    public void Within(double low, double high, List<BeltInterval> intervals)
    {
        ArgumentNullException.ThrowIfNull(intervals);
        ArgumentOutOfRangeException.ThrowIfLessThan(high, low);
        lock (_gate)
        {
            var i = FirstTo(low);
            if (i < 0)
            {
                return;
            }

            TimeSpan? from = null;
            var at = low <= _pieces[i].Travel ? double.NegativeInfinity : _pieces[i].Travel;
            for (; ; i++)
            {
                var end = EndOf(i);
                if (at < low && end >= low)
                {
                    from = TimeSpan.FromTicks(_pieces[i].TicksAt(low));
                }
                else if (at > high && end <= high)
                {
                    from = TimeSpan.FromTicks(_pieces[i].TicksAt(high));
                }

                if (from is { } since && (end < low || end > high))
                {
                    intervals.Add(
                        new BeltInterval(since, TimeSpan.FromTicks(_pieces[i].TicksAt(end < low ? low : high)))
                    );
                    from = null;
                }

                if (IsPast(i, high))
                {
                    if (from is { } still)
                    {
                        intervals.Add(new BeltInterval(still, Never));
                    }

                    return;
                }

                at = end;
            }
        }
    }

    /// <summary>
    /// Lets go of what lies before a time and before a travel was first reached, where that is a great deal. Asking
    /// about it afterwards is an error.
    /// </summary>
    internal void Forget(TimeSpan before, double travel)
    {
        lock (_gate)
        {
            if (_count < 2 * Kept)
            {
                return;
            }

            var gone = 0;
            while (
                gone < _count - Kept && _pieces[gone + 1].From < before.Ticks && _pieces[gone + 1].Furthest < travel
            )
            {
                gone++;
            }

            Array.Copy(_pieces, gone, _pieces, 0, _count - gone);
            _count -= gone;
            _recent = 0;
            _forgotten |= gone > 0;
        }
    }

    /// <summary>How far the belt falls behind the furthest it has been.</summary>
    private static double LongestWayBack(IEnumerable<BeltPiece> pieces)
    {
        var longest = 0.0;
        foreach (var piece in pieces)
        {
            longest = Math.Max(longest, piece.Furthest - piece.Travel);
        }

        return longest;
    }

    private BeltPiece At(TimeSpan t)
    {
        lock (_gate)
        {
            while (!_complete && _pieces[_count - 1].From <= t.Ticks)
            {
                Extend();
            }

            if (_forgotten && t.Ticks < _pieces[0].From)
            {
                throw new ArgumentOutOfRangeException(nameof(t), t, "The belt no longer knows how it moved then.");
            }

            // Most callers ask about times near the last one.
            for (var i = _recent; i <= _recent + 1 && i < _count; i++)
            {
                if (_pieces[i].From <= t.Ticks && (i + 1 == _count || t.Ticks < _pieces[i + 1].From))
                {
                    _recent = i;
                    return _pieces[i];
                }
            }

            var (low, high) = (0, _count - 1);
            while (low < high)
            {
                var middle = (low + high + 1) / 2;
                (low, high) = _pieces[middle].From <= t.Ticks ? (middle, high) : (low, middle - 1);
            }

            _recent = low;
            return _pieces[low];
        }
    }

    /// <summary>The piece in which the belt first gets to a travel; -1 where it never does. Under the lock.</summary>
    private int FirstTo(double travel)
    {
        while (!_complete && _pieces[_count - 1].Furthest < travel)
        {
            Extend();
        }

        var (low, high) = (0, _count);
        while (low < high)
        {
            var middle = (low + high) / 2;
            (low, high) = _pieces[middle].Furthest >= travel ? (low, middle) : (middle + 1, high);
        }

        if (low == 0)
        {
            return _forgotten
                ? throw new ArgumentOutOfRangeException(nameof(travel), travel, "The belt has forgotten being there.")
                : 0;
        }

        return low < _count || _pieces[_count - 1].Speed > 0 ? low - 1 : -1;
    }

    /// <summary>Travel at the end of a piece. Under the lock.</summary>
    private double EndOf(int piece)
    {
        if (piece + 1 == _count && !_complete)
        {
            Extend();
        }

        return piece + 1 < _count ? _pieces[piece + 1].Travel
            : _pieces[piece].Speed > 0 ? double.PositiveInfinity
            : _pieces[piece].Travel;
    }

    /// <summary>Whether the belt never again gets back to a travel after a piece. Under the lock.</summary>
    private bool IsPast(int piece, double travel)
    {
        // A hundredth more than the reach, so that rounding never hides a crossing.
        return piece + 1 == _count || _pieces[piece + 1].Furthest > travel + Reach + 0.01;
    }

    private void Extend()
    {
        if (!_more!.MoveNext())
        {
            _complete = true;
            return;
        }

        if (_count == _pieces.Length)
        {
            Array.Resize(ref _pieces, _count * 2);
        }

        _pieces[_count++] = _more.Current;
    }
}
