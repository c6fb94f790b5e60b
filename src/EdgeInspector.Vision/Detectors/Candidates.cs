namespace EdgeInspector.Vision.Detectors;

/// <summary>
/// What a network proposes before overlapping proposals are removed. Allocated once, for as many proposals as the
/// network has cells, up to <see cref="Most"/>.
/// </summary>
internal sealed class Candidates(int cells)
{
    /// <summary>Every cell of a 1280 × 1280 picture twice; a network that proposes more is out of its mind.</summary>
    public const int Most = 65_536;

    /// <summary>
    /// The best ones are compared with those already kept, at most 1,024: four million overlaps and no more.
    /// </summary>
    private const int MostCompared = 4096;

    private readonly Detection[] _proposals = new Detection[Math.Min(cells, Most)];
    private readonly float[] _keys = new float[Math.Min(cells, Most)];
    private readonly int[] _order = new int[Math.Min(cells, Most)];

    public int Count { get; private set; }

    /// <summary>Scores and boxes that were no numbers, since the beginning.</summary>
    public long Unreadable { get; private set; }

    /// <summary>Proposals beyond what can be held or compared, since the beginning.</summary>
    public long Surplus { get; private set; }

    public void Clear() => Count = 0;

    public void AddUnreadable() => Unreadable++;

    /// <summary>A box that is no box (NaN, infinity, no area) or a score that is none is not a proposal.</summary>
    public void Add(in Detection proposal)
    {
        if (!proposal.Box.IsSound || !float.IsFinite(proposal.Score))
        {
            var box = proposal.Box;
            if (!float.IsFinite(proposal.Score + box.X1 + box.Y1 + box.X2 + box.Y2))
            {
                Unreadable++;
            }
        }
        else if (Count == _proposals.Length)
        {
            Surplus++;
        }
        else
        {
            // Half a precision's sigmoid may round to just above 1.
            _proposals[Count++] = proposal.Score > 1 ? proposal with { Score = 1 } : proposal;
        }
    }

    /// <summary>
    /// Greedy non-maximum suppression per label: best first, a proposal that overlaps a better one of its label by
    /// more than <paramref name="overlap"/> goes. Fills the span with the best that remain and returns how many.
    /// </summary>
    public int Suppress(float overlap, Span<Detection> kept)
    {
        Sort();
        var count = 0;
        var compared = Math.Min(Count, MostCompared);
        for (var i = 0; i < compared && count < kept.Length; i++)
        {
            ref readonly var proposal = ref _proposals[_order[i]];
            if (!IsCovered(proposal, kept[..count], overlap))
            {
                kept[count++] = proposal;
            }
        }

        Surplus += count < kept.Length ? Count - compared : 0;
        return count;
    }

    /// <summary>Fills the span with the best, overlapping or not, and returns how many.</summary>
    public int Best(Span<Detection> kept)
    {
        Sort();
        var count = Math.Min(Count, kept.Length);
        for (var i = 0; i < count; i++)
        {
            kept[i] = _proposals[_order[i]];
        }

        return count;
    }

    private void Sort()
    {
        for (var i = 0; i < Count; i++)
        {
            _keys[i] = -_proposals[i].Score;
            _order[i] = i;
        }

        _keys.AsSpan(0, Count).Sort(_order.AsSpan(0, Count));
    }

    private static bool IsCovered(in Detection proposal, ReadOnlySpan<Detection> better, float overlap)
    {
        foreach (ref readonly var other in better)
        {
            if (other.Label == proposal.Label && other.Box.IoU(proposal.Box) > overlap)
            {
                return true;
            }
        }

        return false;
    }
}
