namespace EdgeInspector.Configuration;

/// <summary>Finds what a mistyped name was probably meant to be.</summary>
internal static class NearestName
{
    /// <summary>
    /// The known name with the fewest slips (a letter added, left out, wrong, or two swapped) from the given one, or
    /// null when more than a third of the letters would have to change.
    /// </summary>
    public static string? Of(string name, IReadOnlyList<string> known)
    {
        string? nearest = null;
        var fewest = Math.Max(2, name.Length / 3) + 1;
        foreach (var candidate in known)
        {
            var slips = Slips(name.ToUpperInvariant(), candidate.ToUpperInvariant());
            if (slips < fewest && slips < candidate.Length)
            {
                fewest = slips;
                nearest = candidate;
            }
        }

        return nearest;
    }

    /// <summary>Damerau-Levenshtein distance (optimal string alignment).</summary>
    private static int Slips(string from, string to)
    {
        var cost = new int[from.Length + 1, to.Length + 1];
        for (var i = 0; i <= from.Length; i++)
        {
            cost[i, 0] = i;
        }

        for (var j = 0; j <= to.Length; j++)
        {
            cost[0, j] = j;
        }

        for (var i = 1; i <= from.Length; i++)
        {
            for (var j = 1; j <= to.Length; j++)
            {
                var changed = from[i - 1] == to[j - 1] ? 0 : 1;
                cost[i, j] = Math.Min(
                    Math.Min(cost[i - 1, j] + 1, cost[i, j - 1] + 1),
                    cost[i - 1, j - 1] + changed);
                if (i > 1 && j > 1 && from[i - 1] == to[j - 2] && from[i - 2] == to[j - 1])
                {
                    cost[i, j] = Math.Min(cost[i, j], cost[i - 2, j - 2] + 1);
                }
            }
        }

        return cost[from.Length, to.Length];
    }
}
