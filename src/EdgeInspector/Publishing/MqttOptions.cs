using System.ComponentModel.DataAnnotations;

namespace EdgeInspector.Publishing;

/// <summary>How results reach the broker. Section <c>Mqtt</c>.</summary>
internal sealed class MqttOptions : IValidatableObject
{
    /// <summary>Whether anything is published at all.</summary>
    public bool Enabled { get; set; } = true;

    /// <summary>The broker's host name or address; the embedded broker listens on the loopback address.</summary>
    [Required(ErrorMessage = "must name the broker's host")]
    public string Host { get; set; } = "127.0.0.1";

    /// <summary>The broker's TCP port, 1 to 65535. 1883 is MQTT's own, 8883 the one for TLS.</summary>
    [Range(1, 65535)]
    public int Port { get; set; } = 1883;

    /// <summary>User name; null to connect without one, which a careful broker refuses.</summary>
    public string? Username { get; set; }

    /// <summary>
    /// File whose first line is the password. Refused when others can read it, since whoever reads it can speak for
    /// the station. Read at each connection, so that a changed password needs no restart.
    /// </summary>
    public string? PasswordFile { get; set; }

    /// <summary>The password itself, for a broker in the same process. Not a setting: files do not hold it.</summary>
    internal string? Password { get; set; }

    /// <summary>Encrypts the connection with TLS 1.2 or 1.3.</summary>
    public bool Tls { get; set; }

    /// <summary>PEM file with the authority behind the broker's certificate; null for the system's own.</summary>
    public string? CaFile { get; set; }

    /// <summary>
    /// Client id, 1 to 64 of A-Z a-z 0-9 . _ and -. Each station connects as <c>{ClientId}-{station}</c>, because MQTT
    /// allows one last will per connection. Two devices with the same id push each other out.
    /// </summary>
    [RegularExpression("^[A-Za-z0-9._-]{1,64}$", ErrorMessage = "must be 1 to 64 of A-Z, a-z, 0-9, '.', '_' and '-'")]
    public string ClientId { get; set; } = "edge-inspector";

    /// <summary>
    /// Longest silence on the connection, 1 s to 10 min. A broker that vanished without a word is noticed after one and
    /// a half of these at the latest.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:01", "00:10:00")]
    public TimeSpan KeepAlive { get; set; } = TimeSpan.FromSeconds(15);

    /// <summary>
    /// Longest wait for an answer (connection, acknowledgement), 100 ms to 2 min. Long enough for a mobile network.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:00.1", "00:02:00")]
    public TimeSpan AnswerTimeout { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>
    /// First wait before another attempt to connect, 10 ms to 1 min; doubles up to <see cref="MaxReconnectDelay"/>.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:00.01", "00:01:00")]
    public TimeSpan ReconnectDelay { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>
    /// Longest wait before another attempt, 10 ms to 10 min. Short enough that a plant is whole again soon after its
    /// broker is.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:00.01", "00:10:00")]
    public TimeSpan MaxReconnectDelay { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// How long the broker waits before it tells others that the station is gone, 0 to 1 h. Longer than a brief loss of
    /// the network, so that one does not raise alarms.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:00", "01:00:00")]
    public TimeSpan WillDelay { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>Time between two metrics messages, 1 s to 1 h. A dashboard needs one each few seconds.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "01:00:00")]
    public TimeSpan MetricsInterval { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>
    /// Inspection records kept per station while the broker is away, 1 to 1,000,000. The default is a quarter of an
    /// hour at 10 parts per second, about 5 MB; beyond it the oldest are dropped and counted.
    /// </summary>
    [Range(1, 1_000_000)]
    public int QueueCapacity { get; set; } = 10_000;

    /// <summary>
    /// Pictures kept per station while the broker is away, 1 to 1,000. Pictures are large and the first to be shed.
    /// </summary>
    [Range(1, 1000)]
    public int PictureQueueCapacity { get; set; } = 16;

    /// <summary>
    /// Records sent and not yet acknowledged, 1 to 256; less when the broker asks for less. Enough that a distant broker
    /// keeps up with a fast line: 16 in flight over a round trip of 200 ms are 80 records per second.
    /// </summary>
    [Range(1, 256)]
    public int Window { get; set; } = 16;

    /// <summary>
    /// Largest packet sent when the broker names no limit of its own, bytes, 16 KiB to 256 MiB. Larger pictures are
    /// shed.
    /// </summary>
    [Range(16 * 1024, 256 * 1024 * 1024)]
    public int MaxPacketSize { get; set; } = 1024 * 1024;

    /// <inheritdoc/>
    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (!Enabled)
        {
            yield break;
        }

        if (PasswordFile is { Length: > 0 } file && SecretFile.Fault(file, "Mqtt:PasswordFile") is { } fault)
        {
            yield return new ValidationResult(fault, [nameof(PasswordFile)]);
        }

        if (PasswordFile is { Length: > 0 } && string.IsNullOrEmpty(Username))
        {
            yield return new ValidationResult("Mqtt:Username is missing beside Mqtt:PasswordFile", [nameof(Username)]);
        }

        if (CaFile is { Length: > 0 } ca && !File.Exists(ca))
        {
            yield return new ValidationResult($"Mqtt:CaFile: {ca} does not exist", [nameof(CaFile)]);
        }

        if (CaFile is { Length: > 0 } && !Tls)
        {
            yield return new ValidationResult("Mqtt:CaFile is given but Mqtt:Tls is not true", [nameof(Tls)]);
        }

        if (MaxReconnectDelay < ReconnectDelay)
        {
            yield return new ValidationResult(
                "Mqtt:MaxReconnectDelay is shorter than Mqtt:ReconnectDelay",
                [nameof(MaxReconnectDelay)]
            );
        }
    }
}
