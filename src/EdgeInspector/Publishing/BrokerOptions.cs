using System.ComponentModel.DataAnnotations;
using System.Net;
using EdgeInspector.Line;

namespace EdgeInspector.Publishing;

/// <summary>The broker inside the process, for a station without a plant broker. Section <c>Broker</c>.</summary>
internal sealed class BrokerOptions : IValidatableObject
{
    /// <summary>Whether it runs. Off unless asked for: a plant has its own.</summary>
    public bool Enabled { get; set; }

    /// <summary>
    /// Address to listen on. Loopback unless changed: passwords cross the network unencrypted, so open it only to a
    /// network you trust.
    /// </summary>
    public string Address { get; set; } = "127.0.0.1";

    /// <summary>TCP port, 0 to 65535; 0 takes a free one. 1883 is MQTT's own.</summary>
    [Range(0, 65535)]
    public int Port { get; set; } = 1883;

    /// <summary>Who may connect. Nobody else can: there is no anonymous access.</summary>
    public IList<BrokerUser> Users { get; set; } = [];

    /// <summary>
    /// Messages waiting for one slow reader, 10 to 100,000; beyond it the oldest are dropped, so that a sleeping
    /// dashboard costs no memory.
    /// </summary>
    [Range(10, 100_000)]
    public int MaxPendingMessages { get; set; } = 1000;

    /// <summary>
    /// Largest packet taken, bytes, 1 KiB to 64 MiB; a larger one ends the connection before it is read. Pictures of a
    /// part are about 100 KB.
    /// </summary>
    [Range(1024, 64 * 1024 * 1024)]
    public int MaxPacketSize { get; set; } = 1024 * 1024;

    /// <summary>Connections at a time, 1 to 10,000; more are closed at once.</summary>
    [Range(1, 10_000)]
    public int MaxConnections { get; set; } = 100;

    /// <summary>
    /// Time a new connection has to say who it is, and any connection to take a packet, 1 s to 2 min: a silent one
    /// holds a place.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:01", "00:02:00")]
    public TimeSpan AnswerTimeout { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>
    /// Messages a second that one connection of a person may publish, 1 to 10,000; more end it. Commands are few; stations are not
    /// bound by it, since they send what has waited at a rate of their own.
    /// </summary>
    [Range(1, 10_000)]
    public int MaxMessagesPerSecond { get; set; } = 50;

    /// <summary>
    /// Whether pages reach the broker over WebSocket too, at /mqtt of section <c>Web</c>, with the same names and passwords.
    /// </summary>
    public bool WebSocket { get; set; } = true;

    /// <inheritdoc/>
    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (!Enabled)
        {
            yield break;
        }

        if (!IPAddress.TryParse(Address, out _))
        {
            yield return new ValidationResult($"Broker:Address: '{Address}' is not an IP address", [nameof(Address)]);
        }

        for (var i = 0; i < Users.Count; i++)
        {
            if (Users[i].Fault($"Broker:Users:{i}") is { } fault)
            {
                yield return new ValidationResult(fault, [nameof(Users)]);
            }
        }

        foreach (var twice in Users.GroupBy(user => user.Name).Where(group => group.Count() > 1))
        {
            yield return new ValidationResult($"Broker:Users: '{twice.Key}' is listed twice", [nameof(Users)]);
        }
    }
}

/// <summary>One who may connect to the embedded broker.</summary>
internal sealed class BrokerUser
{
    /// <summary>User name, 1 to 64 characters.</summary>
    public string Name { get; set; } = string.Empty;

    /// <summary>
    /// File whose first line is the password, or a hash as in <see cref="PasswordHash"/>; not readable by others.
    /// </summary>
    public string? PasswordFile { get; set; }

    /// <summary>Hash of the password, as <c>pbkdf2-sha512$iterations$salt$hash</c>; instead of a file.</summary>
    [Display(Name = "PasswordHash")]
    public string? PasswordHash { get; set; }

    /// <summary>What they may, as a person: Viewer sees everything and changes nothing.</summary>
    public Role Role { get; set; } = Role.Viewer;

    /// <summary>Whether they speak for stations instead of asking something of them.</summary>
    public bool IsStation { get; set; }

    /// <summary>What is wrong with this entry, in one line that names the key; null when it will do.</summary>
    internal string? Fault(string key) =>
        this switch
        {
            { Name.Length: 0 or > 64 } => $"{key}:Name must have 1 to 64 characters",
            { PasswordFile: not null, PasswordHash: not null } => $"{key}: give PasswordFile or PasswordHash, not both",
            { PasswordFile: { Length: > 0 } file } => SecretFile.Fault(file, $"{key}:PasswordFile"),
            { PasswordHash: { Length: > 0 } hash } => Publishing.PasswordHash.IsHash(hash)
                ? null
                : $"{key}:PasswordHash is not of the form pbkdf2-sha512$iterations$salt$hash",
            _ => $"{key}: '{Name}' has neither PasswordFile nor PasswordHash; nobody connects without a password",
        };
}
