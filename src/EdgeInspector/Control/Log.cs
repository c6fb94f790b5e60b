using EdgeInspector.Line;

namespace EdgeInspector.Control;

/// <summary>What the control room says. Event ids 80 to 89; the next free one is 85.</summary>
internal static partial class Log
{
    // With the audit log's head: the journal keeps it apart from the log.
    [LoggerMessage(80, LogLevel.Information, "{Station}: {Verb} by {Who} over {Via}: {Outcome}, {Text} (audit {Audit})")]
    public static partial void CommandTaken(
        ILogger log, string station, string verb, string who, string via, CommandOutcome outcome, string text, string audit);

    [LoggerMessage(81, LogLevel.Warning, "{Station}: {Verb} by {Who} over {Via} refused: {Text}")]
    public static partial void CommandRefused(ILogger log, string station, string verb, string who, string via, string text);

    [LoggerMessage(82, LogLevel.Error, "{Station}: {Verb} failed")]
    public static partial void CommandFailed(ILogger log, Exception exception, string station, string verb);

    [LoggerMessage(83, LogLevel.Warning, "Audit log: {Fault}")]
    public static partial void AuditAmiss(ILogger log, string fault);

    [LoggerMessage(84, LogLevel.Error, "Audit log cannot be written, so only pause is taken: {Fault}")]
    public static partial void AuditFailed(ILogger log, string fault);
}
