namespace EdgeInspector.Vision.Detectors;

/// <summary>
/// What a network proposes before overlapping proposals are removed. Allocated once for as many proposals as the
/// network has cells, so nothing is ever dropped here.
/// </summary>
internal sealed class Candidates(int capacity)
{
    private readonly Detection[] _proposals = new Detection[capacity];
    private readonly float[] _keys = new float[capacity];
    private readonly int[] _order = new int[capacity];

    public int Count { get; private set; }

    public void Clear() => Count = 0;

    /// <summary>A box that is no box (NaN, infinity, no area) is not a proposal.</summary>
    public void Add(in Detection proposal)
    {
        if (proposal.Box.IsSound)
        {
            _proposals[Count++] = proposal;
        }
    }

    /// <summary>
    /// Greedy non-maximum suppression per label: best first, a proposal that overlaps a better one of its label by
    /// more than <paramref name="overlap"/> goes. Fills the span with the best that remain and returns how many.
    /// </summary>
    public int Suppress(float overlap, Span<Detection> kept)
    {
        for (var i = 0; i < Count; i++)
        {
            _keys[i] = -_proposals[i].Score;
            _order[i] = i;
        }

        _keys.AsSpan(0, Count).Sort(_order.AsSpan(0, Count));
        var count = 0;
        for (var i = 0; i < Count && count < kept.Length; i++)
        {
            ref readonly var proposal = ref _proposals[_order[i]];
            if (!IsCovered(proposal, kept[..count], overlap))
            {
                kept[count++] = proposal;
            }
        }

        return count;
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
