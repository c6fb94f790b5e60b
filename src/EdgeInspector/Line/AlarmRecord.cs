namespace EdgeInspector.Line;

/// <summary>
/// One alarm at the moment its state changed: for the ledger, the topics and the page. Times are wall-clock labels.
/// </summary>
internal sealed record AlarmRecord
{
    /// <summary>Its number.</summary>
    public required AlarmCode Code { get; init; }

    /// <summary>Its name, see <see cref="AlarmKind"/>.</summary>
    public required string Name { get; init; }

    /// <summary>How much it matters here, as configured.</summary>
    public required AlarmSeverity Severity { get; init; }

    /// <summary>One line for an operator: what exactly, where known which part or pin.</summary>
    public required string Text { get; init; }

    /// <summary>Its state from now on.</summary>
    public required AlarmState State { get; init; }

    /// <summary>Whether it stands until acknowledged.</summary>
    public required bool IsLatched { get; init; }

    /// <summary>When it began to stand.</summary>
    public required DateTimeOffset RaisedAt { get; init; }

    /// <summary>When it was last raised.</summary>
    public required DateTimeOffset LastRaisedAt { get; init; }

    /// <summary>When its cause was over; null while it is not.</summary>
    public DateTimeOffset? ClearedAt { get; init; }

    /// <summary>When somebody acknowledged it; null while nobody has.</summary>
    public DateTimeOffset? AcknowledgedAt { get; init; }

    /// <summary>Who acknowledged it.</summary>
    public string? AcknowledgedBy { get; init; }

    /// <summary>How often it was raised since it began to stand.</summary>
    public required long Count { get; init; }

    /// <summary>Whether anything is still to be seen or done.</summary>
    public bool IsStanding => State != AlarmState.Normal;
}
