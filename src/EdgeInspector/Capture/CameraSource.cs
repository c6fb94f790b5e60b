namespace EdgeInspector.Capture;

/// <summary>What kind of thing a source string names.</summary>
internal enum CameraKind
{
    /// <summary>The virtual line; opened by the program, not here.</summary>
    Virtual,

    /// <summary>A V4L2 device file.</summary>
    Device,

    /// <summary>An RTSP or HTTP stream.</summary>
    Stream,

    /// <summary>A GStreamer pipeline ending in an appsink.</summary>
    Pipeline,

    /// <summary>A video file, a picture or a folder of pictures.</summary>
    Recording,
}

/// <summary>Reads a source string; pure.</summary>
/// <param name="Kind">What it names.</param>
/// <param name="Address">The device, address, pipeline or path.</param>
/// <param name="Name">For messages: the source without a password.</param>
internal readonly record struct CameraSource(CameraKind Kind, string Address, string Name)
{
    private static readonly string[] StreamSchemes = ["rtsp://", "rtsps://", "http://", "https://"];

    /// <summary>Reads the source; only the file system tells whether a path exists.</summary>
    public static CameraSource Parse(string source)
    {
        if (source.StartsWith("virtual:", StringComparison.OrdinalIgnoreCase))
        {
            return new CameraSource(CameraKind.Virtual, source["virtual:".Length..], source);
        }

        if (source.StartsWith("gstreamer:", StringComparison.OrdinalIgnoreCase))
        {
            return new CameraSource(CameraKind.Pipeline, source["gstreamer:".Length..].Trim(), source);
        }

        if (source.StartsWith("v4l2:", StringComparison.OrdinalIgnoreCase))
        {
            return new CameraSource(CameraKind.Device, source["v4l2:".Length..], source["v4l2:".Length..]);
        }

        if (source.StartsWith("/dev/", StringComparison.Ordinal))
        {
            return new CameraSource(CameraKind.Device, source, source);
        }

        return Array.Exists(StreamSchemes, scheme => source.StartsWith(scheme, StringComparison.OrdinalIgnoreCase))
            ? new CameraSource(CameraKind.Stream, source, WithoutPassword(source))
            : new CameraSource(CameraKind.Recording, source, source);
    }

    /// <summary>
    /// What is wrong with the string itself, as a remark on a configuration key; null when nothing is.
    /// </summary>
    public static string? FaultIn(string source)
    {
        var parsed = Parse(source);
        if (parsed.Kind != CameraKind.Virtual && string.IsNullOrWhiteSpace(parsed.Address))
        {
            return $"'{source}' names nothing; give a device, an address, a pipeline or a path after the colon";
        }

        if (parsed.Kind == CameraKind.Stream
            && !(Uri.TryCreate(parsed.Address, UriKind.Absolute, out var address) && address.Host.Length > 0))
        {
            return $"'{parsed.Name}' is no address; write it like rtsp://host:554/path";
        }

        return parsed.Kind == CameraKind.Recording && source.Contains("://", StringComparison.Ordinal)
            ? $"'{source}' has a scheme that is not known; use rtsp, rtsps, http or https"
            : null;
    }

    private static string WithoutPassword(string source) =>
        Uri.TryCreate(source, UriKind.Absolute, out var address) && address.UserInfo.Length > 0
            ? source.Replace(address.UserInfo + "@", "", StringComparison.Ordinal)
            : source;
}
