namespace EdgeInspector.Line;

/// <summary>What is known about a part. Every part ends in exactly one of these.</summary>
internal enum Verdict : byte
{
    /// <summary>Judged good.</summary>
    Pass,

    /// <summary>Judged defective.</summary>
    Reject,

    /// <summary>Never judged, see <see cref="Reason"/>; the recipe says what becomes of it.</summary>
    NotInspected,

    /// <summary>Judged, or given up, after its last chance to be rejected; the recipe says what becomes of it.</summary>
    Late,
}

/// <summary>Why a part has its <see cref="Verdict"/>. The numbers are stored: never reuse one.</summary>
internal enum Reason : byte
{
    /// <summary>A plain pass.</summary>
    None = 0,

    /// <summary>The classifier's consensus is at or above the defect threshold.</summary>
    Defect = 1,

    /// <summary>The consensus lies in the recipe's unsure band.</summary>
    Unsure = 2,

    /// <summary>The entry eye saw it and no frame showed it.</summary>
    NotSeen = 3,

    /// <summary>It left the view with fewer usable views than the recipe asks for.</summary>
    TooFewViews = 4,

    /// <summary>The classifier returned no number (NaN or infinity).</summary>
    NoScore = 5,

    /// <summary>The verdict came after the reject window had closed.</summary>
    Deadline = 6,

    /// <summary>The ejector output refused the pulse (not an output, driver fault).</summary>
    OutputFault = 7,

    /// <summary>The service stopped while the part was between camera and ejector.</summary>
    Stopped = 8,
}

/// <summary>What the line does with a part, from its verdict and the recipe.</summary>
internal enum Disposition : byte
{
    /// <summary>Let it through.</summary>
    Pass,

    /// <summary>Fire the ejector when it gets there.</summary>
    Reject,
}

/// <summary>What the reject-confirm eye says of a part.</summary>
internal enum Confirmation : byte
{
    /// <summary>Not rejected, or no confirm eye fitted: nothing to wait for.</summary>
    NotExpected,

    /// <summary>The ejector fired; the eye has not spoken yet.</summary>
    Pending,

    /// <summary>The eye saw it fall within the window.</summary>
    Confirmed,

    /// <summary>The window closed and the eye saw nothing: an alarm.</summary>
    Missing,
}
