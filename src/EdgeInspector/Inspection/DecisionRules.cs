using EdgeInspector.Line;

namespace EdgeInspector.Inspection;

/// <summary>What the rules make of a part.</summary>
internal readonly record struct Judgement(Verdict Verdict, Reason Reason, Disposition Disposition, int Label, float Score);

/// <summary>
/// From scores to a verdict. Values in, a value out; touches nothing. The consensus is the mean defect score of the
/// views: each view is an independent reading of the same part, so the mean has the smallest error, and a single odd
/// view moves it by a third at most.
/// </summary>
/// <param name="recipe">The recipe in force.</param>
/// <param name="packageThreshold">The model package's defect threshold, used where the recipe names none.</param>
/// <param name="goodLabel">Index of the label for good parts, or -1.</param>
internal sealed class DecisionRules(Recipe recipe, double packageThreshold, int goodLabel)
{
    /// <summary>The recipe in force.</summary>
    public Recipe Recipe => recipe;

    /// <summary>Score from which a part is defective.</summary>
    public double Threshold { get; } = recipe.DefectThreshold ?? packageThreshold;

    /// <summary>Judges a part by its views.</summary>
    public Judgement Judge(in Track track)
    {
        if (track.Views < recipe.MinimumViews || track.Views == 0)
        {
            return NotInspected(track.ScoreMissing ? Reason.NoScore : Reason.TooFewViews);
        }

        var score = (float)(track.ScoreSum / track.Views);
        var defective = score >= Threshold;
        if (recipe.UnsureMargin > 0 && Math.Abs(score - Threshold) < recipe.UnsureMargin)
        {
            var rejected = recipe.OnUnsure == Disposition.Reject;
            return new(rejected ? Verdict.Reject : Verdict.Pass, Reason.Unsure, recipe.OnUnsure, track.Label, score);
        }

        return defective
            ? new(Verdict.Reject, Reason.Defect, Disposition.Reject, track.Label, score)
            : new(Verdict.Pass, Reason.None, Disposition.Pass, goodLabel >= 0 ? goodLabel : track.Label, score);
    }

    /// <summary>A part that could not be judged.</summary>
    public Judgement NotInspected(Reason reason) =>
        new(Verdict.NotInspected, reason, recipe.OnNotInspected, Label: -1, float.NaN);
}
