namespace EdgeInspector.Capture;

/// <summary>
/// The order in which people number files: <c>9.png</c> before <c>10.png</c>. Digits compare as numbers, everything
/// else by its code, so that the order is the same on every machine.
/// </summary>
internal sealed class NaturalOrder : IComparer<string>
{
    private static readonly NaturalOrder Instance = new();

    /// <summary>A sorted copy.</summary>
    public static IReadOnlyList<string> Sort(IEnumerable<string> names) => [.. names.Order(Instance)];

    /// <inheritdoc/>
    public int Compare(string? x, string? y)
    {
        var (left, right) = (x ?? "", y ?? "");
        var (i, j) = (0, 0);
        while (i < left.Length && j < right.Length)
        {
            int order;
            if (char.IsAsciiDigit(left[i]) && char.IsAsciiDigit(right[j]))
            {
                var first = Number(left, ref i);
                var second = Number(right, ref j);
                order = first.Length != second.Length ? first.Length - second.Length : first.SequenceCompareTo(second);
            }
            else
            {
                order = left[i++].CompareTo(right[j++]);
            }

            if (order != 0)
            {
                return order;
            }
        }

        var rest = (left.Length - i) - (right.Length - j);
        return rest != 0 ? rest : string.CompareOrdinal(left, right);
    }

    /// <summary>The digits from here on, without leading zeros.</summary>
    private static ReadOnlySpan<char> Number(string text, ref int at)
    {
        var start = at;
        while (at < text.Length && char.IsAsciiDigit(text[at]))
        {
            at++;
        }

        return text.AsSpan(start, at - start).TrimStart('0');
    }
}
