using OpenCvSharp;

namespace EdgeInspector.Capture;

/// <summary>Sets a V4L2 device to what the options ask for, and refuses one that does something else.</summary>
internal static class DeviceSettings
{
    /// <summary>
    /// V4L2_EXPOSURE_MANUAL (linux/v4l2-controls.h), which CAP_PROP_AUTO_EXPOSURE passes on as it is.
    /// </summary>
    private const double ManualExposure = 1;

    /// <summary>V4L2_CID_EXPOSURE_ABSOLUTE counts in 100 us.</summary>
    private const double ExposureStepsPerSecond = 10_000;

    /// <exception cref="CameraException">The device does not obey.</exception>
    public static void Apply(VideoCapture capture, string name, CameraOptions options)
    {
        // The format comes first: it decides which sizes and rates there are.
        if (options.PixelFormat is { } format)
        {
            var code = VideoWriter.FourCC(format[0], format[1], format[2], format[3]);
            Set(capture, name, VideoCaptureProperties.FourCC, code, 0, $"PixelFormat {format}");
        }

        if (options.Width is { } width && options.Height is { } height)
        {
            _ = capture.Set(VideoCaptureProperties.FrameWidth, width);
            _ = capture.Set(VideoCaptureProperties.FrameHeight, height);
            if ((capture.FrameWidth, capture.FrameHeight) != (width, height))
            {
                throw new CameraException(
                    name,
                    $"gives {capture.FrameWidth} x {capture.FrameHeight}, not {width} x {height}",
                    "set Width and Height to a size that v4l2-ctl --list-formats-ext names");
            }
        }

        if (options.FramesPerSecond is { } rate)
        {
            Set(capture, name, VideoCaptureProperties.Fps, rate, 0.02 * rate, $"FramesPerSecond {rate}");
        }

        if (options.Exposure is { } exposure)
        {
            Set(capture, name, VideoCaptureProperties.AutoExposure, ManualExposure, 0, "a fixed exposure");
            var steps = Math.Max(1, Math.Round(exposure.TotalSeconds * ExposureStepsPerSecond));
            var setting = $"Exposure {exposure.TotalMilliseconds} ms";
            Set(capture, name, VideoCaptureProperties.Exposure, steps, 0.1 * steps, setting);
        }
    }

    private static void Set(
        VideoCapture capture,
        string name,
        VideoCaptureProperties property,
        double value,
        double tolerance,
        string setting)
    {
        _ = capture.Set(property, value);
        if (!(Math.Abs(capture.Get(property) - value) <= tolerance))
        {
            throw new CameraException(
                name, $"does not take {setting}", "choose a value that v4l2-ctl --all --list-formats-ext names");
        }
    }
}
