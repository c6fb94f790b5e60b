namespace EdgeInspector.Hosting;

/// <summary>What the service as a whole says. Event ids 1 to 9; the next free one is 3.</summary>
internal static partial class Log
{
    [LoggerMessage(1, LogLevel.Information, "{Stations} station(s) inspecting with {Models}")]
    public static partial void StationsStarted(this ILogger log, int stations, string models);

    [LoggerMessage(2, LogLevel.Critical, "Stopping with outputs safe: {Fault}")]
    public static partial void Failed(this ILogger log, Exception exception, string fault);
}
