namespace EdgeInspector.Line;

/// <summary>Who someone is to a station. Each may what those before it may. The numbers are stored: never reuse one.</summary>
internal enum Role : byte
{
    /// <summary>Sees everything and changes nothing.</summary>
    Viewer = 0,

    /// <summary>Runs the line: arms, pauses, acknowledges, changes recipes.</summary>
    Operator = 1,

    /// <summary>Answers for the quality: challenge tests, labels.</summary>
    Qa = 2,

    /// <summary>Changes how it judges: thresholds, models, diagnostics.</summary>
    Engineer = 3,

    /// <summary>Changes who may what.</summary>
    Admin = 4,
}
