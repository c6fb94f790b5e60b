namespace EdgeInspector.Quantization.Packages;

/// <summary>How many of how many, with the 95 % interval of the share (E. B. Wilson, 1927).</summary>
public sealed record Share
{
    /// <summary>Two-sided 95 % of a normal distribution.</summary>
    private const double Z = 1.959964;

    public Share(int count, int of)
    {
        (Count, Of) = (count, of);
        Value = of > 0 ? (double)count / of : double.NaN;
        if (of == 0)
        {
            (Low, High) = (0, 1);
            return;
        }

        var (n, z2) = ((double)of, Z * Z);
        var centre = (Value + (z2 / (2 * n))) / (1 + (z2 / n));
        var half = Z / (1 + (z2 / n)) * Math.Sqrt((Value * (1 - Value) / n) + (z2 / (4 * n * n)));
        Low = count == 0 ? 0 : centre - half;
        High = count == of ? 1 : centre + half;
    }

    public int Count { get; }

    public int Of { get; }

    /// <summary>NaN where nothing was counted.</summary>
    public double Value { get; }

    public double Low { get; }

    public double High { get; }
}

/// <summary>Milliseconds per run of both models, medians of interleaved rounds, and the rounds' ratios.</summary>
public sealed record SpeedReport(
    double Before, double After, double Ratio, double RatioLow, double RatioHigh, int Rounds, int Threads);

/// <summary>One stage that was rewritten.</summary>
/// <param name="Stage">"detector" or "classifier" or "model".</param>
/// <param name="BytesBefore">Of the file.</param>
/// <param name="BytesAfter">Of the file.</param>
/// <param name="CompressedBefore">Of the file, through gzip.</param>
/// <param name="CompressedAfter">Of the file, through gzip.</param>
/// <param name="Changed">Nodes that were changed, by operator.</param>
/// <param name="Kept">Nodes left as they were, with the reason.</param>
/// <param name="CalibrationPictures">0 where none are needed.</param>
/// <param name="Speed">On this device's processor.</param>
public sealed record StageRewrite(
    string Stage,
    long BytesBefore,
    long BytesAfter,
    long CompressedBefore,
    long CompressedAfter,
    IReadOnlyDictionary<string, int> Changed,
    IReadOnlyList<KeptNode> Kept,
    int CalibrationPictures,
    SpeedReport Speed);

/// <summary>False negatives (a defect passed) and false positives (a good part rejected).</summary>
public sealed record ErrorRates(Share FalseNegatives, Share FalsePositives);

/// <summary>Both models on pictures that neither calibration nor pruning looked at.</summary>
/// <param name="Pictures">Looked at.</param>
/// <param name="PartsAlike">Parts found by both, of the parts found by either; IoU at least 0.5. Null where not asked.</param>
/// <param name="VerdictsAlike">Same verdict (or label, without a classifier), of the parts found by both and wholly in view.</param>
/// <param name="LargestDifference">Of the defect score (or detector's score).</param>
/// <param name="MeanDifference">Of the same.</param>
/// <param name="Truth">What the rates are against: "labels", or "the original".</param>
/// <param name="Before">Null where the truth is the original.</param>
/// <param name="After">Null where there is no classifier.</param>
public sealed record Agreement(
    int Pictures,
    Share? PartsAlike,
    Share VerdictsAlike,
    double LargestDifference,
    double MeanDifference,
    string Truth,
    ErrorRates? Before,
    ErrorRates? After);

/// <summary>What a rewriting came to.</summary>
/// <param name="Model">As named by the user.</param>
/// <param name="Out">Where the new one is.</param>
/// <param name="Method">In words.</param>
/// <param name="Processor">What it was timed on.</param>
/// <param name="Stages">What was rewritten.</param>
/// <param name="Frames">Both stages on whole pictures; null where none were at hand.</param>
/// <param name="Parts">The classifier on pictures of parts; null where none were at hand.</param>
/// <param name="Notes">What the reader ought to know.</param>
public sealed record RewriteReport(
    string Model,
    string Out,
    string Method,
    string Processor,
    IReadOnlyList<StageRewrite> Stages,
    Agreement? Frames,
    Agreement? Parts,
    IReadOnlyList<string> Notes);
