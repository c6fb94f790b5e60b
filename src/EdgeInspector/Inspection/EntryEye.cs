using System.Runtime.CompilerServices;
using EdgeInspector.Line;

namespace EdgeInspector.Inspection;

/// <summary>A stretch of belt, mm of offset.</summary>
internal readonly record struct Stretch(double From, double To)
{
    /// <summary>Its extent, mm.</summary>
    public double Length => To - From;

    /// <summary>Its middle, mm of offset.</summary>
    public double Centre => (From + To) / 2;
}

/// <summary>Stretches in place, so that a block carries its own without allocating.</summary>
[InlineArray(Capacity)]
internal struct Stretches
{
    /// <summary>More parts than ever touch in one row; a longer row is claimed in part, and the rest stays visible.</summary>
    public const int Capacity = 32;

    private Stretch _first;
}

/// <summary>One blockage of the entry eye, in belt coordinates: one part, or several that touch.</summary>
internal struct EntryBlock
{
    /// <summary>From its leading end to its trailing end; the latter is infinite while it lasts.</summary>
    public Stretch Seen;

    /// <summary>The parts that the camera found within it, in no order.</summary>
    public Stretches Claims;

    /// <summary>How many of <see cref="Claims"/> are set.</summary>
    public int Parts;

    /// <summary>
    /// How many blockages it stands for: 1, or, where edges were lost, as many as there must have been within.
    /// </summary>
    public int Blockages;

    /// <summary>The leading end was lost: <see cref="Seen"/> begins as early as it can have been.</summary>
    public bool FromIsGuess;

    /// <summary>The trailing end was lost: <see cref="Seen"/> ends as late as it can have been.</summary>
    public bool ToIsGuess;

    /// <summary>Farthest trailing end it has had: the beam may be interrupted again by what flutters, or by a belt that jogs back.</summary>
    internal double Reach;

    /// <summary>Whether its end has been told.</summary>
    internal bool Told;

    /// <summary>
    /// Whether edges were lost: <see cref="Seen"/> covers all that can have been blocked, and belt between parts with it.
    /// </summary>
    public readonly bool IsDoubtful => FromIsGuess || ToIsGuess || Blockages > 1;

    /// <summary>
    /// Where edges were lost: how many parts were there beyond those that the camera found. Their place is a guess:
    /// see <see cref="Guess"/>.
    /// </summary>
    public readonly int PartsMissing => IsDoubtful ? Math.Max(0, Blockages - Parts) : 0;

    /// <summary>
    /// Where edges were lost: the likeliest place of a part that no camera saw, one of <see cref="PartsMissing"/>. At an end
    /// that is known and unclaimed; else evenly over what can have been blocked.
    /// </summary>
    /// <param name="missing">Which of them, from 0.</param>
    /// <param name="length">How long a part is, mm.</param>
    public readonly Stretch Guess(int missing, double length)
    {
        length = Math.Min(length, Seen.Length);
        var atFront = new Stretch(Seen.From, Seen.From + length);
        var atRear = new Stretch(Seen.To - length, Seen.To);
        var front = !FromIsGuess && !IsClaimed(atFront.Centre);
        var rear = !ToIsGuess && !IsClaimed(atRear.Centre);
        if (front && missing == 0)
        {
            return atFront;
        }

        if (rear && missing == (front ? 1 : 0))
        {
            return atRear;
        }

        var centre = Seen.From + (Seen.Length * (missing + 1) / (PartsMissing + 1));
        return new Stretch(centre - (length / 2), centre + (length / 2));
    }

    /// <summary>
    /// Takes the next stretch of at least <paramref name="shortest"/> mm, from <paramref name="from"/> on, that no part
    /// accounts for; a block without any part is one such stretch, however short. False when there is none left, and where
    /// edges were lost: there an unclaimed stretch may be bare belt (see <see cref="PartsMissing"/>).
    /// </summary>
    public readonly bool TryFindUnclaimed(double from, double shortest, out Stretch unclaimed)
    {
        unclaimed = Seen;
        if (IsDoubtful)
        {
            return false;
        }

        if (Parts == 0)
        {
            // An eighth of the shortest part is a flicker of the beam, and no part.
            return from <= Seen.From && Seen.Length >= shortest / 8;
        }

        while (from < Seen.To)
        {
            // The claim that begins first at or after here ends the stretch; one that covers here moves it on.
            var end = Seen.To;
            var next = from;
            for (var i = 0; i < Parts; i++)
            {
                var claim = Claims[i];
                if (claim.From <= from && claim.To > next)
                {
                    next = claim.To;
                }
                else if (claim.From > from && claim.From < end)
                {
                    end = claim.From;
                }
            }

            if (next > from)
            {
                from = next;
            }
            else if (end - from >= shortest)
            {
                unclaimed = new Stretch(from, end);
                return true;
            }
            else
            {
                from = end;
            }
        }

        return false;
    }

    private readonly bool IsClaimed(double offset)
    {
        for (var i = 0; i < Parts; i++)
        {
            if (offset >= Claims[i].From && offset <= Claims[i].To)
            {
                return true;
            }
        }

        return false;
    }
}

/// <summary>
/// What the entry eye saw and the camera has yet to account for. The sensor thread writes edges, the inspect thread reads
/// blocks; the lock is held for a few instructions and never across I/O. A part that no frame shows still gets a
/// verdict, because this remembers it.
/// <para>
/// Edges are kept as places on the belt, so that a belt that stands still under a fluttering edge, or jogs back through
/// the beam, makes no parts. A lost edge never merges two parts unnoticed and never loses one: the blocks cover all that
/// can have been blocked, and say how many blockages there must have been.
/// </para>
/// </summary>
/// <param name="belt">Gives edges their place on the belt.</param>
/// <param name="position">Where the eye looks, mm along the line from the camera's centre; upstream is negative.</param>
/// <param name="tolerance">How far a part may lie from its block, mm.</param>
/// <param name="mark">Told of each end of a blockage, by whether it begins and its offset; null when nobody else listens.</param>
internal sealed class EntryEye(IBelt belt, double position, double tolerance, Action<bool, double>? mark = null)
{
    /// <summary>Blockages until a network that hangs for ten seconds goes on, on a belt of 3 m/s with a part every 40 mm, and some.</summary>
    private const int Capacity = 1024;

    /// <summary>
    /// How far apart, mm, the edges of one end lie where it is crumbly or the eye flickers. What is no longer than that
    /// belongs to its neighbour; two that are longer are never made one, however little belt is between them.
    /// </summary>
    private const double Flutter = 1;

    /// <summary>How far off, mm, an end may be found by a belt that comes back to it: the encoder's error after a reversal.</summary>
    private readonly double _afterJog = Math.Max(3, tolerance / 5);

    private readonly Lock _gate = new();
    private readonly EntryBlock[] _blocks = new EntryBlock[Capacity];
    private int _count;
    private bool _blocked;
    private double _edgeOffset = double.NaN;
    private double _retiredTo = double.NegativeInfinity;
    private double _longest;
    private bool _marked;

    /// <summary>Blockages so far.</summary>
    public long Seen { get; private set; }

    /// <summary>Blockages that found no room: the line runs and the inspect thread does not.</summary>
    public long Overflowed { get; private set; }

    /// <summary>Blocks in which edges were lost.</summary>
    public long Doubtful { get; private set; }

    /// <summary>Whether the last blockage has not ended yet.</summary>
    public bool IsBlocked
    {
        get
        {
            lock (_gate)
            {
                return OpenBlock() >= 0;
            }
        }
    }

    /// <summary>Takes an edge of the eye's beam; true when it ended a blockage. Sensor thread.</summary>
    /// <param name="blocked">Whether the beam is now interrupted. The same as before without a loss is no news.</param>
    /// <param name="at">When.</param>
    /// <param name="lost">Edges that are known to have been lost just before.</param>
    public bool Edge(bool blocked, Instant at, int lost = 0)
    {
        var before = _blocked;
        var same = blocked == before;
        _blocked = blocked;
        if ((same && lost == 0) || !belt.IsKnown)
        {
            return false; // What passed before the first counts cannot be placed; the camera still sees it.
        }

        var offset = belt.TravelAt(at) - position;
        var since = double.IsNaN(_edgeOffset) ? offset : _edgeOffset;
        _edgeOffset = offset;
        lock (_gate)
        {
            if (lost > 0)
            {
                // An odd number of edges would have changed the level.
                return Bridge(before, blocked, same ? lost | 1 : lost + (lost & 1), since, offset);
            }

            if (!blocked)
            {
                return TryClose(offset, hidden: 0);
            }

            Open(offset);
            return false;
        }
    }

    /// <summary>Claims a stretch of the block at an offset for a part; false when the eye saw nothing there. Inspect thread.</summary>
    public bool Claim(double offset, double length)
    {
        lock (_gate)
        {
            for (var i = 0; i < _count; i++)
            {
                ref var block = ref _blocks[i];
                if (Covers(block, offset))
                {
                    if (block.Parts < Stretches.Capacity)
                    {
                        block.Claims[block.Parts++] = new Stretch(offset - (length / 2), offset + (length / 2));
                    }

                    return true;
                }
            }

            return false;
        }
    }

    /// <summary>Whether the eye saw something at an offset. Inspect thread.</summary>
    public bool Saw(double offset)
    {
        lock (_gate)
        {
            for (var i = 0; i < _count; i++)
            {
                if (Covers(_blocks[i], offset))
                {
                    return true;
                }
            }

            return false;
        }
    }

    /// <summary>
    /// Takes the oldest block whose trailing end lies before <paramref name="offset"/>: by now the camera has said all it
    /// will. Inspect thread.
    /// </summary>
    public bool TryRetire(double offset, out EntryBlock block)
    {
        lock (_gate)
        {
            if (_count == 0 || _blocks[0].Seen.To + tolerance >= offset)
            {
                block = default;
                return false;
            }

            block = _blocks[0];
            _retiredTo = Math.Max(_retiredTo, block.Seen.To);
            _count--;
            Array.Copy(_blocks, 1, _blocks, 0, _count);
            return true;
        }
    }

    /// <summary>Takes an edge before which others were lost; <paramref name="lost"/> of them, which fits the levels.</summary>
    private bool Bridge(bool before, bool blocked, int lost, double since, double offset)
    {
        var open = OpenBlock();
        if (Math.Abs(offset - since) <= Flutter)
        {
            // Nothing that matters fits in between.
            if (blocked && open < 0 && !before)
            {
                Open(offset);
            }

            return !blocked && TryClose(offset, hidden: 0);
        }

        var ended = false;
        if (open >= 0)
        {
            // Something ended since, and for every two edges more, another came and went.
            ended = TryClose(offset, hidden: lost / 2, toIsGuess: blocked);
            Doubtful++;
        }
        else if ((before ? lost : lost + 1) / 2 is var hidden and > 0)
        {
            // Something came since, at least once, and went.
            var from = Math.Max(Math.Min(since, offset), _retiredTo);
            var to = Math.Max(from, Math.Max(since, offset));
            ended = Add(
                new EntryBlock
                {
                    Seen = new Stretch(from, to),
                    Reach = to,
                    Blockages = hidden,
                    FromIsGuess = true,
                    ToIsGuess = blocked,
                    Told = true,
                }
            );
            if (ended)
            {
                Seen += hidden;
                Doubtful++;
                mark?.Invoke(true, hidden == 1 && !blocked ? Math.Max(from, to - Likely) : from);
                mark?.Invoke(false, to);
            }
        }

        if (blocked)
        {
            Open(offset, joins: false);
        }

        return ended;
    }

    /// <summary>How long a blockage with one end unknown is announced to be: half as long again as any so far.</summary>
    private double Likely => _longest > 0 ? 1.5 * _longest : double.PositiveInfinity;

    /// <summary>Begins a block, or goes on with one that was left a moment or a jog ago.</summary>
    private void Open(double offset, bool joins = true)
    {
        if (offset <= _retiredTo)
        {
            return; // The belt has come back to what is accounted for.
        }

        var near = belt.Speed < 0 ? _afterJog : -Flutter;
        for (var i = _count - 1; joins && i >= 0; i--)
        {
            ref var block = ref _blocks[i];
            var reach = IsFragment(block.Seen) ? Math.Max(near, Flutter) : near;
            if (offset >= block.Seen.From - reach && offset <= block.Seen.To + reach)
            {
                block.Seen = new Stretch(Math.Min(block.Seen.From, offset), double.PositiveInfinity);
                block.ToIsGuess = false;
                Mark(offset > block.Reach - Flutter, block.Reach);
                return;
            }
        }

        // A row of touching parts may be longer than the way to the camera: its first part is claimed while its last
        // still blocks the beam.
        Mark(
            Add(new EntryBlock { Seen = new Stretch(offset, double.PositiveInfinity), Reach = offset, Blockages = 1 }),
            offset
        );
    }

    private void Mark(bool begins, double offset)
    {
        _marked = begins;
        if (begins)
        {
            mark?.Invoke(true, offset);
        }
    }

    /// <summary>Adds a block in order of place; false when there is no room.</summary>
    private bool Add(in EntryBlock block)
    {
        if (_count == Capacity)
        {
            Overflowed++;
            return false;
        }

        var at = _count++;
        while (at > 0 && _blocks[at - 1].Seen.From > block.Seen.From)
        {
            _blocks[at] = _blocks[at - 1];
            at--;
        }

        _blocks[at] = block;
        return true;
    }

    /// <summary>Ends the open block; true when that is news.</summary>
    /// <param name="offset">Where.</param>
    /// <param name="hidden">Blockages within it besides the first, of which no edge was told.</param>
    /// <param name="toIsGuess">Its end was lost: it ended somewhere before.</param>
    private bool TryClose(double offset, int hidden, bool toIsGuess = false)
    {
        var open = OpenBlock();
        if (open < 0)
        {
            return false; // The eye was blocked when the station started, or there was no room: the beginning is unknown.
        }

        ref var block = ref _blocks[open];
        var known = block.Reach;
        block.Reach = Math.Max(known, offset);
        block.Seen = new Stretch(Math.Min(block.Seen.From, offset), block.Reach);
        block.Blockages += hidden;
        block.ToIsGuess = toIsGuess;
        Announce(block, known);
        if (TryMerge(open))
        {
            return hidden > 0;
        }

        if (!block.IsDoubtful)
        {
            _longest = Math.Max(_longest, block.Seen.Length);
        }

        var news = hidden + (block.Told ? 0 : 1);
        block.Told = true;
        Seen += news;
        return news > 0;
    }

    /// <summary>
    /// Adds a block that has ended to the one it belongs to: what flutters at another's end, and what the belt came back to.
    /// </summary>
    private bool TryMerge(int index)
    {
        ref var block = ref _blocks[index];
        for (var i = 0; i < _count; i++)
        {
            ref var other = ref _blocks[i];
            var overlap = Math.Min(block.Seen.To, other.Seen.To) - Math.Max(block.Seen.From, other.Seen.From);
            if (i == index || overlap < (IsFragment(block.Seen) ? -Flutter : Flutter))
            {
                continue;
            }

            // Where the other's end was lost and this goes on beyond, here it was.
            other.ToIsGuess &= block.Seen.To <= other.Seen.To;
            other.Seen = new Stretch(Math.Min(block.Seen.From, other.Seen.From), Math.Max(block.Seen.To, other.Seen.To));
            other.Reach = other.Seen.To;
            other.Blockages += block.Blockages - 1;
            Seen += block.Blockages - 1;
            for (var claim = 0; claim < block.Parts && other.Parts < Stretches.Capacity; claim++)
            {
                other.Claims[other.Parts++] = block.Claims[claim];
            }

            _count--;
            Array.Copy(_blocks, index + 1, _blocks, index, _count - index);
            return true;
        }

        return false;
    }

    private static bool IsFragment(in Stretch seen) => seen.Length <= 2 * Flutter;

    /// <summary>Tells how far a block goes, where it goes farther than was told.</summary>
    private void Announce(in EntryBlock block, double known)
    {
        if (!_marked && block.Reach > known + Flutter)
        {
            Mark(true, known);
        }

        if (_marked)
        {
            mark?.Invoke(false, block.ToIsGuess && block.Blockages == 1 ? Math.Min(block.Reach, block.Seen.From + Likely) : block.Reach);
        }

        _marked = false;
    }

    private int OpenBlock()
    {
        for (var i = _count - 1; i >= 0; i--)
        {
            if (double.IsPositiveInfinity(_blocks[i].Seen.To))
            {
                return i;
            }
        }

        return -1;
    }

    private bool Covers(in EntryBlock block, double offset) =>
        offset >= block.Seen.From - tolerance && offset <= block.Seen.To + tolerance;
}
