using EdgeInspector.Line;
using EdgeInspector.Station;
using EdgeInspector.Telemetry;

namespace EdgeInspector.Hosting;

/// <summary>What the service as a whole says. Event ids 1 to 9; the next free one is 7.</summary>
internal static partial class Log
{
    [LoggerMessage(1, LogLevel.Information, "{Stations} station(s) inspecting with {Models}")]
    public static partial void StationsStarted(this ILogger log, int stations, string models);

    [LoggerMessage(3, LogLevel.Information, "{Station}: {From} -> {To} ({Happened})")]
    public static partial void StationMoved(this ILogger log, string station, StationState from, StationState to, StationEvent happened);

    [LoggerMessage(4, LogLevel.Warning, "{Station}: alarm {Code} {Name} {State}: {Text}")]
    public static partial void AlarmChanged(this ILogger log, string station, int code, string name, AlarmState state, string text);

    [LoggerMessage(5, LogLevel.Information, "{Station}: {Model} {Version} now runs on {Provider}")]
    public static partial void ModelReplaced(this ILogger log, string station, string model, string version, string provider);

    [LoggerMessage(6, LogLevel.Warning, "Orders: {Fault}")]
    public static partial void OrdersAmiss(this ILogger log, string fault);

    [LoggerMessage(2, LogLevel.Critical, "Stopping with outputs safe: {Fault}")]
    public static partial void Failed(this ILogger log, Exception exception, string fault);
}
