using System.ComponentModel.DataAnnotations;

namespace EdgeInspector.Control;

/// <summary>Commands and the audit log. Section <c>Control</c>.</summary>
internal sealed class ControlOptions
{
    /// <summary>
    /// Whether commands are taken from a broker outside this process. Off: whoever may publish there may then command the
    /// line, and only the broker knows who that is. Turn it on where its access list holds each <c>cmd/…</c> topic to the
    /// roles that may use it. The embedded broker does so by itself and needs no leave.
    /// </summary>
    public bool TrustBrokerRoles { get; set; }

    /// <summary>
    /// How far ahead a command's expiry may lie, 1 s to 1 h. Two minutes: a person's click is worth nothing later, and a
    /// queue that a broken network filled must not start a line when it drains.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:01", "01:00:00")]
    public TimeSpan LongestLife { get; set; } = TimeSpan.FromMinutes(2);

    /// <summary>
    /// Commands whose ids are remembered, 100 to 100,000, so that a repeated one is not done twice: at least for a day, and
    /// always until they have expired. 10,000 take about 10 MB.
    /// </summary>
    [Range(100, 100_000)]
    public int RememberedCommands { get; set; } = 10_000;

    /// <summary>Most that the audit log may take, MB, 4 to 100,000; the oldest goes first, and an entry says so. An entry is about 300 bytes.</summary>
    [Range(4, 100_000)]
    public int AuditMegabytes { get; set; } = 64;

    /// <summary>
    /// File that holds the audit log's last number and hash, by which a log that was cut short is known. In the data folder
    /// unless absolute; on another disk it serves better.
    /// </summary>
    [Required(AllowEmptyStrings = false)]
    public string AuditAnchor { get; set; } = "audit.anchor";
}
