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

    /// <summary>A score closer to the threshold than this is unsure, 0 to 0.5; 0 turns the band off.</summary>
    [Range(0.0, 0.5)]
    public double UnsureMargin { get; set; }

    /// <summary>What becomes of a part in the unsure band. Reject: an unsure part is not proven good.</summary>
    public Disposition OnUnsure { get; set; } = Disposition.Reject;

    /// <summary>What becomes of a part that could not be judged. Reject: an unjudged part is not proven good.</summary>
    public Disposition OnNotInspected { get; set; } = Disposition.Reject;

    /// <inheritdoc/>
    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (MinimumViews > Views)
        {
            yield return new($"must be at most Views ({Views})", [nameof(MinimumViews)]);
        }
    }
}
