using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using OpenCvSharp;

namespace EdgeInspector.Capture;

/// <summary>
/// What this OpenCV build can do, and the settings that it reads from the environment alone. The .NET environment is a
/// copy that native code never sees, hence setenv.
/// </summary>
internal static partial class NativeVideo
{
    /// <summary>CAP_PROP_OPEN_TIMEOUT_MSEC; OpenCvSharp has no name for it.</summary>
    public const int OpenTimeoutMilliseconds = 53;

    /// <summary>CAP_PROP_READ_TIMEOUT_MSEC; OpenCvSharp has no name for it.</summary>
    public const int ReadTimeoutMilliseconds = 54;

    private static readonly Lock Gate = new();
    private static readonly Lazy<bool> Network = new(KnocksAtOurPort);
    private static bool _prepared;

    /// <summary>Whether pipelines can be opened. Without it OpenCV only answers that it could not.</summary>
    public static bool HasGStreamer { get; } = BuiltWith("GStreamer");

    /// <summary>
    /// Whether OpenCV's FFmpeg can connect to anything. The packaged build's is made without network and does not say
    /// so: it answers as if nobody were there. Found out once, by looking whether it knocks at a port of our own.
    /// </summary>
    public static bool HasNetwork => Network.Value;

    /// <summary>Whether devices can be opened.</summary>
    public static bool HasV4L2 { get; } = BuiltWith("v4l/v4l2");

    /// <summary>
    /// Called before each opening: bounds the wait for a device's picture, which OpenCV reads once per process, and
    /// silences what the libraries print by themselves. A variable set from outside is left as it is.
    /// </summary>
    public static void Prepare(TimeSpan readTimeout)
    {
        lock (Gate)
        {
            if (_prepared)
            {
                return;
            }

            var seconds = Math.Max(1, (int)Math.Ceiling(readTimeout.TotalSeconds));
            _ = SetEnv("OPENCV_VIDEOIO_V4L_SELECT_TIMEOUT", seconds.ToString(CultureInfo.InvariantCulture), 0);
            _ = SetEnv("OPENCV_FFMPEG_LOGLEVEL", "-8", 0);
            if (Environment.GetEnvironmentVariable("OPENCV_LOG_LEVEL") is null)
            {
                _ = Cv2.SetLogLevel(OpenCvSharp.LogLevel.SILENT);
            }

            _prepared = true;
        }
    }

    private static bool KnocksAtOurPort()
    {
        using var door = new TcpListener(IPAddress.Loopback, 0);
        door.Start();
        var address = string.Create(CultureInfo.InvariantCulture, $"http://{door.LocalEndpoint}/");
        using var visit = new VideoCapture(
            address, VideoCaptureAPIs.FFMPEG, [OpenTimeoutMilliseconds, 500, ReadTimeoutMilliseconds, 500]);
        return door.Pending();
    }

    private static bool BuiltWith(string feature)
    {
        foreach (var line in Cv2.GetBuildInformation().Split('\n'))
        {
            var colon = line.IndexOf(':', StringComparison.Ordinal);
            if (colon > 0 && line[..colon].Trim() == feature)
            {
                return line[(colon + 1)..].Trim().StartsWith("YES", StringComparison.Ordinal);
            }
        }

        return false;
    }

    [LibraryImport("libc", EntryPoint = "setenv", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int SetEnv(string name, string value, int overwrite);
}
