namespace EdgeInspector.Vision.Detectors;

/// <summary>The highest of a row of scores.</summary>
internal static class BestLabel
{
    /// <summary>Its score and place; (0, −1) when none is above 0. Scores that are no numbers are counted.</summary>
    public static (float Score, int Label) Of(ReadOnlySpan<float> scores, Candidates candidates)
    {
        var (best, label) = (0f, -1);
        for (var i = 0; i < scores.Length; i++)
        {
            if (!float.IsFinite(scores[i]))
            {
                candidates.AddUnreadable();
            }
            else if (scores[i] > best)
            {
                (best, label) = (scores[i], i);
            }
        }

        return (best, label);
    }
}
