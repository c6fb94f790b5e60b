using System.ComponentModel.DataAnnotations;

namespace EdgeInspector.Publishing;

/// <summary>
/// How much may wait while the broker is away. Section <c>Outbox</c>. Inspection events wait in the ledger and are bounded by
/// its own settings; this is about everything else.
/// </summary>
internal sealed class OutboxOptions
{
    /// <summary>
    /// Megabytes that records (labels, final shift figures, notes of gaps) may take before the oldest go, 1 to 10,000. A record
    /// takes about half a kilobyte: the default holds 100,000.
    /// </summary>
    [Range(1, 10_000)]
    public int RecordMegabytes { get; set; } = 64;

    /// <summary>
    /// How long a record waits, 1h to 365d. Sites have been off line for ten to fifteen days, so longer than that.
    /// </summary>
    [Range(typeof(TimeSpan), "01:00:00", "365.00:00:00")]
    public TimeSpan RecordAge { get; set; } = TimeSpan.FromDays(30);

    /// <summary>
    /// Megabytes that pictures may take before the oldest go, 1 to 100,000. A crop takes about 10 KB: the default holds a day of
    /// rejects at one in two seconds.
    /// </summary>
    [Range(1, 100_000)]
    public int PictureMegabytes { get; set; } = 512;

    /// <summary>How long a picture waits, 1min to 365d. Three days are a long weekend without the plant's network.</summary>
    [Range(typeof(TimeSpan), "00:01:00", "365.00:00:00")]
    public TimeSpan PictureAge { get; set; } = TimeSpan.FromDays(3);

    /// <summary>
    /// Megabytes of the disk that pictures leave free, 0 to 1,000,000: below it they are shed, so that ledger and records
    /// still fit when something else fills the disk.
    /// </summary>
    [Range(0, 1_000_000)]
    public int ReserveMegabytes { get; set; } = 256;

    /// <summary>
    /// Records that wait in memory for the disk, 100 to 100,000; more are lost, and told as a gap. The default is a minute of
    /// anything a station says besides its parts.
    /// </summary>
    [Range(100, 100_000)]
    public int RecordQueue { get; set; } = 1000;

    /// <summary>Pictures that wait in memory for the disk, 1 to 1,000; more are shed. The default is 2 MB of crops.</summary>
    [Range(1, 1000)]
    public int PictureQueue { get; set; } = 64;
}
