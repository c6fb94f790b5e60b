using OpenCvSharp;

namespace EdgeInspector.Capture;

/// <summary>Opens what a source string names.</summary>
internal static class Cameras
{
    /// <summary>
    /// Opens the camera; blocks for at most a few read timeouts. The virtual line is the program's to open, since
    /// this room does not know it.
    /// </summary>
    /// <exception cref="CameraException">It cannot be opened, in one line.</exception>
    public static ICamera Open(CameraOptions options, TimeProvider time)
    {
        NativeVideo.Prepare(options.ReadTimeout);
        var source = CameraSource.Parse(options.Source);
        return source.Kind switch
        {
            CameraKind.Device => OpenDevice(source, options, time),
            CameraKind.Stream => OpenStream(source, options, time),
            CameraKind.Pipeline => OpenPipeline(source, options, time),
            CameraKind.Recording => OpenRecording(source, options, time),
            _ => throw new CameraException(
                source.Name, "the virtual line has no camera here", "start it with the demo verb"),
        };
    }

    private static LiveCamera OpenDevice(CameraSource source, CameraOptions options, TimeProvider time)
    {
        if (!File.Exists(source.Address))
        {
            var devices = Directory.GetFiles("/dev", "video*").Order(StringComparer.Ordinal).ToArray();
            throw new CameraException(
                source.Name,
                "there is no such device",
                devices.Length == 0 ? "plug the camera in" : $"plug it in or use one of {string.Join(", ", devices)}");
        }

        try
        {
            using var handle = File.OpenHandle(source.Address, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite);
        }
        catch (UnauthorizedAccessException)
        {
            throw new CameraException(source.Name, "may not be opened by this user", "add the user to the group video");
        }
        catch (IOException error)
        {
            throw new CameraException(source.Name, error.Message.TrimEnd('.'), "plug the camera in again");
        }

        if (!NativeVideo.HasV4L2)
        {
            throw new CameraException(source.Name, "this OpenCV build has no V4L2", "use a build with it");
        }

        var capture = new VideoCapture(source.Address, VideoCaptureAPIs.V4L2);
        if (!capture.IsOpened())
        {
            capture.Dispose();
            throw new CameraException(source.Name, "is no camera, or another program uses it", "stop the other program");
        }

        try
        {
            DeviceSettings.Apply(capture, source.Name, options);
            return new LiveCamera(capture, source.Name, options, time, kernelStamps: true);
        }
        catch
        {
            capture.Dispose();
            throw;
        }
    }

    private static ICamera OpenStream(CameraSource source, CameraOptions options, TimeProvider time)
    {
        if (source.Address.StartsWith("http", StringComparison.OrdinalIgnoreCase)
            && HttpCamera.TryOpen(source, options, time) is { } camera)
        {
            return camera;
        }

        if (!NativeVideo.HasNetwork)
        {
            return FfmpegCamera.Open(source, options, time);
        }

        var timeout = (int)options.ReadTimeout.TotalMilliseconds;
        var capture = new VideoCapture(
            source.Address,
            VideoCaptureAPIs.FFMPEG,
            [NativeVideo.OpenTimeoutMilliseconds, timeout, NativeVideo.ReadTimeoutMilliseconds, timeout]);
        return Opened(
            capture, source, options, time, "does not answer with a video stream", "check address, user and network");
    }

    private static LiveCamera OpenPipeline(CameraSource source, CameraOptions options, TimeProvider time)
    {
        if (!NativeVideo.HasGStreamer)
        {
            throw new CameraException(
                source.Name,
                "this OpenCV build has no GStreamer",
                "use v4l2:, rtsp:// or http://, or point the program at an OpenCV built with GStreamer");
        }

        var capture = new VideoCapture(source.Address, VideoCaptureAPIs.GSTREAMER);
        return Opened(
            capture, source, options, time, "does not start", "try it with gst-launch-1.0, and end it with: ! appsink");
    }

    private static LiveCamera Opened(
        VideoCapture capture,
        CameraSource source,
        CameraOptions options,
        TimeProvider time,
        string what,
        string remedy)
    {
        if (!capture.IsOpened())
        {
            capture.Dispose();
            throw new CameraException(source.Name, what, remedy);
        }

        try
        {
            return new LiveCamera(capture, source.Name, options, time, kernelStamps: false);
        }
        catch
        {
            capture.Dispose();
            throw;
        }
    }

    private static ICamera OpenRecording(CameraSource source, CameraOptions options, TimeProvider time)
    {
        if (Directory.Exists(source.Address) || (File.Exists(source.Address) && PictureFile.IsPicture(source.Address)))
        {
            return new PictureFolder(source.Address, options, time);
        }

        if (!File.Exists(source.Address))
        {
            throw new CameraException(source.Name, "there is no such file or folder", "check the path");
        }

        var video = new VideoFile(source.Address, time, options.Loop);
        if (options.Width is { } width && options.Height is { } height && (video.Width, video.Height) != (width, height))
        {
            var size = $"{video.Width} x {video.Height}";
            video.Dispose();
            throw new CameraException(
                source.Name,
                $"its pictures are {size}, not {width} x {height}",
                "leave Width and Height out or correct them");
        }

        return video;
    }
}
