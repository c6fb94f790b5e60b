using System.ComponentModel.DataAnnotations;

namespace EdgeInspector.Capture;

/// <summary>
/// A camera that an entry eye triggers, by a wire of its own: this says how the two have been set up, so that a picture
/// that does not come is noticed.
/// </summary>
internal sealed class TriggerOptions
{
    /// <summary>Which of the entry eyes, from 0.</summary>
    [Range(0, 7)]
    public int Eye { get; set; }

    /// <summary>
    /// What the belt moves from the eye's leading edge to the exposure, mm, 0 to 5000: of a camera that waits for a time, that
    /// time's worth of belt. 290 has the middle of a part of 60 mm under a camera 260 mm past the eye.
    /// </summary>
    [Range(0.0, 5000.0)]
    public double Distance { get; set; } = 290;
}

/// <summary>One station's camera, or the recording that stands in for it.</summary>
internal sealed class CameraOptions : IValidatableObject
{
    /// <summary>
    /// Where the pictures come from: <c>v4l2:/dev/video0</c> (or just the device), <c>rtsp://...</c>,
    /// <c>http://...</c>,
    /// <c>gstreamer:PIPELINE</c>, a video file, a picture, a folder of pictures, or <c>virtual:</c> for the virtual
    /// line.
    /// </summary>
    [Required]
    public string Source { get; set; } = "virtual:";

    /// <summary>
    /// Pixels, 16 to 8192. A device is set to it and refused when it does not obey; a stream or a recording of another
    /// size is refused. Left out: whatever the source delivers.
    /// </summary>
    [Range(16, 8192)]
    public int? Width { get; set; }

    /// <summary>Pixels, 16 to 8192; goes with <see cref="Width"/>.</summary>
    [Range(16, 8192)]
    public int? Height { get; set; }

    /// <summary>
    /// Pictures per second, 0.1 to 1000: asked of a device, and the pace that a folder of pictures is given. Left out:
    /// whatever the device does, and 10 for a folder.
    /// </summary>
    [Range(0.1, 1000.0)]
    public double? FramesPerSecond { get; set; }

    /// <summary>
    /// What makes the camera take a picture. Null: it runs free, the newest picture wins, and a part is judged on several.
    /// Set: one picture a part, every one of which is inspected in turn; a part whose picture is lost is NotInspected.
    /// </summary>
    public TriggerOptions? Trigger { get; set; }

    /// <summary>
    /// A device's exposure time, 10us to 1s, in steps of 100 us; switches its automatic exposure off. A moving belt
    /// needs a short one: at 0.8 m/s and 0.5 mm per pixel 1 ms smears a part by 1.6 pixels.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:00.0001", "00:00:01")]
    public TimeSpan? Exposure { get; set; }

    /// <summary>
    /// A device's pixel format as its four letters, such as <c>MJPG</c> or <c>YUYV</c>. USB cameras often reach their
    /// full rate only with MJPG.
    /// </summary>
    [RegularExpression("^[A-Z0-9 ]{4}$", ErrorMessage = "must be four capital letters or digits such as MJPG")]
    public string? PixelFormat { get; set; }

    /// <summary>How long one read may block, 100ms to 60s; devices count in whole seconds.</summary>
    [Range(typeof(TimeSpan), "00:00:00.1", "00:01:00")]
    public TimeSpan ReadTimeout { get; set; } = TimeSpan.FromSeconds(2);

    /// <summary>
    /// How long a live camera may bring no picture, or the very same one over and over, before it counts as lost and is
    /// opened again; 200ms to 1h. Sensor noise makes two true pictures differ.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:00.2", "01:00:00")]
    public TimeSpan StaleAfter { get; set; } = TimeSpan.FromSeconds(3);

    /// <summary>
    /// Whether the very same picture over and over means a lost camera. Off for sources without noise that may show a
    /// standing belt, such as a rendered stream.
    /// </summary>
    public bool DetectFrozenPicture { get; set; } = true;

    /// <summary>First wait before a lost camera is opened again, doubled each time; 10ms to 1min.</summary>
    [Range(typeof(TimeSpan), "00:00:00.01", "00:01:00")]
    public TimeSpan ReconnectDelay { get; set; } = TimeSpan.FromMilliseconds(500);

    /// <summary>Longest wait before a lost camera is opened again; 10ms to 10min.</summary>
    [Range(typeof(TimeSpan), "00:00:00.01", "00:10:00")]
    public TimeSpan MaximumReconnectDelay { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>
    /// Frames allocated at the first opening, 3 to 256: one being captured, one waiting, one being inspected, the rest
    /// for evidence on its way to the encoder. At 640 × 480 each takes 0.9 MB. Of a triggered camera all but three may wait.
    /// </summary>
    [Range(3, 256)]
    public int FramePoolSize { get; set; } = 8;

    /// <summary>Frames that may wait to be inspected.</summary>
    internal int MostWaiting => Trigger is null ? 1 : Math.Max(1, FramePoolSize - 3);

    /// <summary>
    /// Whether a recording plays at its own pace, as a camera would bring it. Off: as fast as it is inspected; its
    /// pictures are then stamped later than they are read, and durations mean nothing.
    /// </summary>
    public bool Pace { get; set; } = true;

    /// <summary>Whether a recording starts again when it is over.</summary>
    public bool Loop { get; set; }

    /// <inheritdoc/>
    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (Width is null != Height is null)
        {
            yield return new ValidationResult(
                "goes with the other side; set both Width and Height or neither",
                [Width is null ? nameof(Width) : nameof(Height)]);
        }

        if (MaximumReconnectDelay < ReconnectDelay)
        {
            yield return new ValidationResult(
                "is shorter than ReconnectDelay; make it at least as long",
                [nameof(MaximumReconnectDelay)]);
        }

        if (CameraSource.FaultIn(Source) is { } fault)
        {
            yield return new ValidationResult(fault, [nameof(Source)]);
        }
    }
}
