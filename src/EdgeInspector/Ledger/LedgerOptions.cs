using System.ComponentModel.DataAnnotations;

namespace EdgeInspector.Ledger;

/// <summary>How long the ledger remembers and how much of the disk it may take.</summary>
internal sealed class LedgerOptions
{
    /// <summary>
    /// How long a part is kept, 1h to 3650d. 90 days outlive the shelf of most bakery goods and the delay of a complaint; at
    /// 10 parts a second the size comes first.
    /// </summary>
    [Range(typeof(TimeSpan), "01:00:00", "3650.00:00:00")]
    public TimeSpan Retention { get; set; } = TimeSpan.FromDays(90);

    /// <summary>
    /// Megabytes the file may grow to before the oldest parts go, 1 to 1,000,000. A part takes about 250 bytes with its
    /// indexes: at 10 parts a second 4,000 MB hold three weeks.
    /// </summary>
    [Range(1, 1_000_000)]
    public int MaximumMegabytes { get; set; } = 4_000;

    /// <summary>
    /// How long challenge tests, alarms, gaps and notes of what was removed are kept, 1d to 3650d. Three years: retailers'
    /// auditors ask for the tests of past years, and one an hour for so long is some 15 MB.
    /// </summary>
    [Range(typeof(TimeSpan), "1.00:00:00", "3650.00:00:00")]
    public TimeSpan HistoryRetention { get; set; } = TimeSpan.FromDays(1095);

    /// <summary>
    /// Parts that wait in memory while the disk is in trouble, 200 to 1,000,000; more are lost, and counted. 100,000
    /// are nearly three hours at 10 parts a second and about 50 MB.
    /// </summary>
    [Range(200, 1_000_000)]
    public int QueueLength { get; set; } = 100_000;

    /// <summary>Longest wait before parts are written, 10ms to 10s: what a crash of the process can cost.</summary>
    [Range(typeof(TimeSpan), "00:00:00.01", "00:00:10")]
    public TimeSpan BatchInterval { get; set; } = TimeSpan.FromMilliseconds(100);

    /// <summary>
    /// Longest wait before written parts are forced onto the disk, 1s to 10min: what a power cut can cost. Every
    /// forcing rewrites flash blocks, and ten a second wear an eMMC out in months.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:01", "00:10:00")]
    public TimeSpan SyncInterval { get; set; } = TimeSpan.FromSeconds(5);
}
