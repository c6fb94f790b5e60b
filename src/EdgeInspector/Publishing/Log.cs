namespace EdgeInspector.Publishing;

/// <summary>The room's log lines: changes of state only, never one per message.</summary>
internal static partial class Log
{
    [LoggerMessage(LogLevel.Information, "{Station} publishes to {Broker}")]
    public static partial void Connected(ILogger log, string station, string broker);

    [LoggerMessage(LogLevel.Warning, "{Station} cannot publish: {Trouble}. Results are kept and sent later.")]
    public static partial void Trouble(ILogger log, string station, string trouble);

    [LoggerMessage(LogLevel.Warning, "{Station}: the broker refuses {Topic} ({Reason}); check its access list")]
    public static partial void Refused(ILogger log, string station, string topic, string reason);

    [LoggerMessage(LogLevel.Information, "Broker listens on {EndPoint} for {Users} users")]
    public static partial void Listening(ILogger log, string endPoint, int users);

    [LoggerMessage(LogLevel.Warning, "Broker refused {Client} from {EndPoint}: {Reason}")]
    public static partial void LoginRefused(ILogger log, string client, string endPoint, string reason);

    [LoggerMessage(LogLevel.Warning, "Broker closed {EndPoint}: a packet of {Size} bytes, over Broker:MaxPacketSize")]
    public static partial void PacketTooLarge(ILogger log, string endPoint, long size);

    [LoggerMessage(LogLevel.Error, "Broker cannot accept connections: {Trouble}")]
    public static partial void AcceptFailed(ILogger log, string trouble);

    [LoggerMessage(LogLevel.Information, "Outbox {Path}: in use; {Records} records and {Pictures} pictures wait")]
    public static partial void OutboxWell(ILogger log, string path, long records, long pictures);

    [LoggerMessage(LogLevel.Warning, "Outbox {Path}: {What}; records wait in memory, pictures are shed")]
    public static partial void OutboxTrouble(ILogger log, string path, string what);

    [LoggerMessage(LogLevel.Error, "Outbox {Path}: {Why}; a new one is begun")]
    public static partial void OutboxLost(ILogger log, string path, string why);

    [LoggerMessage(LogLevel.Warning, "Outbox {Path}: less than {Megabytes} MB of the disk are free; pictures are shed")]
    public static partial void DiskReserve(ILogger log, string path, int megabytes);
}
