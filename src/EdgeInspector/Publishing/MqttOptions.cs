using System.ComponentModel.DataAnnotations;

namespace EdgeInspector.Publishing;

/// <summary>How MQTT travels.</summary>
internal enum MqttTransport
{
    /// <summary>MQTT over TCP.</summary>
    Tcp,

    /// <summary>MQTT over WebSocket, where a plant's firewall lets only HTTP through.</summary>
    WebSocket,
}

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
    /// PEM file with the certificate that this device shows, where the broker asks for one; null for none. Read at each connection.
    /// </summary>
    public string? ClientCertificateFile { get; set; }

    /// <summary>PEM file with its key, unencrypted; refused when others than its owner can read it.</summary>
    public string? ClientKeyFile { get; set; }

    /// <summary>Tcp or WebSocket.</summary>
    public MqttTransport Transport { get; set; } = MqttTransport.Tcp;

    /// <summary>Path of the broker's WebSocket; /mqtt is what most brokers use.</summary>
    [RegularExpression("^/[A-Za-z0-9._~/-]*$", ErrorMessage = "must be a path that begins with '/'")]
    public string WebSocketPath { get; set; } = "/mqtt";

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
    /// Messages a second that a returned broker is given of what waited, 10 to 100,000. 2,500 send 100,000 records in 40 s and leave
    /// a broker room for others; less when many devices share one.
    /// </summary>
    [Range(10, 100_000)]
    public int DrainRate { get; set; } = 2500;

    /// <summary>
    /// Kilobytes of pictures a second at most, 10 to 1,000,000: pictures must not fill a thin line. The default is twenty crops of 100
    /// KB a second.
    /// </summary>
    [Range(10, 1_000_000)]
    public int PictureRate { get; set; } = 2000;

    /// <summary>When shifts begin, local time, in order, such as 06:00. Their figures are in kpi/shift; empty for none.</summary>
    public IList<TimeSpan> ShiftStarts { get; set; } = [];

    /// <summary>Time between two running figures of a shift, 10s to 1h; each counts the shift's parts anew.</summary>
    [Range(typeof(TimeSpan), "00:00:10", "01:00:00")]
    public TimeSpan ShiftInterval { get; set; } = TimeSpan.FromMinutes(5);

    /// <summary>Largest packet taken from the broker, bytes, 1 KiB to 16 MiB; commands are small.</summary>
    [Range(1024, 16 * 1024 * 1024)]
    public int MaxInboundPacketSize { get; set; } = 256 * 1024;

    /// <summary>Commands the broker may have on their way to us at a time, 1 to 1000.</summary>
    [Range(1, 1000)]
    public int InboundWindow { get; set; } = 32;

    /// <summary>
    /// Records sent and not yet acknowledged, 1 to 256; less when the broker asks for less. Enough that a distant broker
    /// keeps up with a fast line and an outage is soon made up for: 64 in flight over a round trip of 20 ms are 3,200 a second.
    /// </summary>
    [Range(1, 256)]
    public int Window { get; set; } = 64;

    /// <summary>
    /// Largest packet sent when the broker names no limit of its own, bytes, 16 KiB to 256 MiB. Larger pictures are made
    /// smaller.
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

        if (ClientCertificateFile is { Length: > 0 } != ClientKeyFile is { Length: > 0 })
        {
            yield return new ValidationResult(
                "Mqtt:ClientCertificateFile and Mqtt:ClientKeyFile belong together; one is missing",
                [nameof(ClientKeyFile)]
            );
        }
        else if (ClientCertificateFile is { Length: > 0 } certificate)
        {
            if (!Tls)
            {
                yield return new ValidationResult("Mqtt:ClientCertificateFile is given but Mqtt:Tls is not true", [nameof(Tls)]);
            }

            if (!File.Exists(certificate))
            {
                yield return new ValidationResult(
                    $"Mqtt:ClientCertificateFile: {certificate} does not exist",
                    [nameof(ClientCertificateFile)]
                );
            }

            if (SecretFile.Fault(ClientKeyFile!, "Mqtt:ClientKeyFile", SecretFile.LargestKey) is { } keyFault)
            {
                yield return new ValidationResult(keyFault, [nameof(ClientKeyFile)]);
            }
        }

        if (ShiftStarts.Any(start => start < TimeSpan.Zero || start >= TimeSpan.FromDays(1)))
        {
            yield return new ValidationResult("Mqtt:ShiftStarts must be times of day, 00:00 to 23:59", [nameof(ShiftStarts)]);
        }
        else if (ShiftStarts.Zip(ShiftStarts.Skip(1)).Any(pair => pair.Second <= pair.First))
        {
            yield return new ValidationResult("Mqtt:ShiftStarts must be in order, each once", [nameof(ShiftStarts)]);
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
