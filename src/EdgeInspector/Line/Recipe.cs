using System.ComponentModel.DataAnnotations;

namespace EdgeInspector.Line;

/// <summary>
/// What is made and how strictly it is judged: the rules between the model's scores and the ejector. One recipe is in
/// force at a station at a time.
/// </summary>
internal sealed class Recipe : IValidatableObject
{
    /// <summary>Name shown to operators and kept with every part.</summary>
    [Required, StringLength(64, MinimumLength = 1)]
    public string Name { get; set; } = "default";

    /// <summary>
    /// Views that make a verdict, 1 to 16. Three: one bad view (glare, an insect) cannot outvote the others, and a part at
    /// 0.8 m/s still gives them within 100 mm of belt.
    /// </summary>
    [Range(1, 16)]
    public int Views { get; set; } = 3;

    /// <summary>Fewest views a part that leaves the picture is still judged on, 1 to <see cref="Views"/>; below it, it is NotInspected.</summary>
    [Range(1, 16)]
    public int MinimumViews { get; set; } = 1;

    /// <summary>Belt travel between two views of a part, mm, 0 to 1000. Far enough apart that the light falls differently.</summary>
    [Range(0.0, 1000.0)]
    public double ViewSpacing { get; set; } = 25;

    /// <summary>
    /// Consensus defect score from which a part is rejected, 0 to 1; null takes the model package's threshold, which was
    /// chosen with its figures.
    /// </summary>
    [Range(0.0, 1.0)]
    public double? DefectThreshold { get; set; }

    /// <summary>
    /// Lowest defect threshold that a command may set, 0 to 1; null, the default, lets no command change it. To be chosen
    /// with the figures of the model in hand.
    /// </summary>
    [Range(0.0, 1.0)]
    public double? LowestThreshold { get; set; }

    /// <summary>Highest defect threshold that a command may set, 0 to 1; null lets no command change it.</summary>
    [Range(0.0, 1.0)]
    public double? HighestThreshold { get; set; }

    /// <summary>A score closer to the threshold than this is unsure, 0 to 0.5; 0 turns the band off.</summary>
    [Range(0.0, 0.5)]
    public double UnsureMargin { get; set; }

    /// <summary>What becomes of a part in the unsure band. Reject: an unsure part is not proven good.</summary>
    public Disposition OnUnsure { get; set; } = Disposition.Reject;

    /// <summary>What becomes of a part that could not be judged. Reject: an unjudged part is not proven good.</summary>
    public Disposition OnNotInspected { get; set; } = Disposition.Reject;

    /// <summary>
    /// What becomes of a part whose verdict has not come by the time its ejector must open. Reject: it is not proven good.
    /// Needs an entry eye, which is what knows of the part.
    /// </summary>
    public Disposition OnLate { get; set; } = Disposition.Reject;

    /// <summary>
    /// Least distance between the centres of two parts of a lane, mm, 1 to 10,000: ejector window and dwell must fit into
    /// it. 40 mm: two biscuits of 60 mm that touch askew.
    /// </summary>
    [Range(1.0, 10_000.0)]
    public double Pitch { get; set; } = 40;

    /// <summary>
    /// Rejects in a row that raise an alarm, 0 to 10,000; 0 is off. 20: at one defect in ten it comes by chance once in 1e20
    /// parts, so it means a fouled lens, a wrong recipe or an oven on fire.
    /// </summary>
    [Range(0, 10_000)]
    public int ConsecutiveRejectLimit { get; set; } = 20;

    /// <summary>Share of rejects among the last <see cref="RejectRateParts"/> that raises an alarm, 0 to 1; 0 is off.</summary>
    [Range(0.0, 1.0)]
    public double RejectRateLimit { get; set; }

    /// <summary>Over how many parts the share is taken, 10 to 100,000. 500: at a true tenth it wavers by 1.3 percentage points.</summary>
    [Range(10, 100_000)]
    public int RejectRateParts { get; set; } = 500;

    /// <summary>Parts in a row not inspected that ask for a line stop, 0 to 10,000; 0 never asks.</summary>
    [Range(0, 10_000)]
    public int StopAfterNotInspected { get; set; }

    /// <summary>Late parts in a row that ask for a line stop, 0 to 10,000; 0 never asks.</summary>
    [Range(0, 10_000)]
    public int StopAfterLate { get; set; }

    /// <summary>Unsure parts in a row that ask for a line stop, 0 to 10,000; 0 never asks.</summary>
    [Range(0, 10_000)]
    public int StopAfterUnsure { get; set; }

    /// <summary>The same recipe with another threshold.</summary>
    public Recipe With(double defectThreshold)
    {
        var other = (Recipe)MemberwiseClone();
        other.DefectThreshold = defectThreshold;
        return other;
    }

    /// <summary>Whether a command may set this threshold.</summary>
    public bool Allows(double defectThreshold) => defectThreshold >= LowestThreshold && defectThreshold <= HighestThreshold;

    /// <inheritdoc/>
    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (MinimumViews > Views)
        {
            yield return new($"must be at most Views ({Views})", [nameof(MinimumViews)]);
        }

        if (LowestThreshold is null != HighestThreshold is null)
        {
            yield return new("give LowestThreshold and HighestThreshold both, or neither", [nameof(LowestThreshold)]);
        }
        else if (LowestThreshold > HighestThreshold)
        {
            yield return new($"must be at most HighestThreshold ({HighestThreshold})", [nameof(LowestThreshold)]);
        }
    }
}
