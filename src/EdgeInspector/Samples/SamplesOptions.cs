using System.ComponentModel.DataAnnotations;

namespace EdgeInspector.Samples;

/// <summary>Which evidence stays on the disk, and how much of it. Section <c>Samples</c>.</summary>
internal sealed class SamplesOptions
{
    /// <summary>Whether pictures are kept at all.</summary>
    public bool Enabled { get; set; } = true;

    /// <summary>Folder for them, inside the data folder unless absolute. Created when missing.</summary>
    [Required(ErrorMessage = "must name a folder")]
    public string Folder { get; set; } = "samples";

    /// <summary>
    /// Most they may take together, bytes, 1 MB to 10 TB; the oldest make room. The default is about ten thousand
    /// rejects.
    /// </summary>
    [Range(1_000_000L, 10_000_000_000_000L)]
    public long Quota { get; set; } = 2_000_000_000;

    /// <summary>How long they are kept, 1 h to 10 years. A month covers a complaint from the shops.</summary>
    [Range(typeof(TimeSpan), "01:00:00", "3650.00:00:00")]
    public TimeSpan MaxAge { get; set; } = TimeSpan.FromDays(30);

    /// <summary>
    /// Space left alone on the disk, bytes, 0 to 10 TB: pictures stop here, so that the ledger on the same disk goes on.
    /// </summary>
    [Range(0L, 10_000_000_000_000L)]
    public long MinFree { get; set; } = 500_000_000;

    /// <summary>Pictures waiting to be written, 1 to 1,000; more are shed and counted. One is about 200 KB.</summary>
    [Range(1, 1000)]
    public int QueueCapacity { get; set; } = 32;

    /// <summary>Wait before the disk is tried again after trouble, 100 ms to 10 min.</summary>
    [Range(typeof(TimeSpan), "00:00:00.1", "00:10:00")]
    public TimeSpan RetryInterval { get; set; } = TimeSpan.FromSeconds(5);
}
