namespace EdgeInspector.Samples;

/// <summary>The room's log lines: changes of state only.</summary>
internal static partial class Log
{
    [LoggerMessage(LogLevel.Warning, "Pictures cannot be kept: {Trouble}. Inspection goes on; the disk is tried again.")]
    public static partial void Trouble(ILogger log, string trouble);

    [LoggerMessage(LogLevel.Information, "Pictures are kept in {Folder}: {Count} there, {Bytes} bytes")]
    public static partial void Keeping(ILogger log, string folder, int count, long bytes);
}
