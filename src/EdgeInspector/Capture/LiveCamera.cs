using EdgeInspector.Line;
using OpenCvSharp;

namespace EdgeInspector.Capture;

/// <summary>A device, stream or pipeline read through OpenCV. Owns the capture.</summary>
internal sealed class LiveCamera : ICamera
{
    /// <summary>A kernel stamp older than this is no stamp of the picture just read.</summary>
    private static readonly TimeSpan OldestStamp = TimeSpan.FromSeconds(1);

    private readonly VideoCapture _capture;
    private readonly TimeProvider _time;
    private readonly TimeSpan _readTimeout;
    private readonly bool _kernelStamps;
    private readonly bool _sizeIsFixed;
    private Mat? _raw;

    /// <param name="capture">Opened; owned from here on.</param>
    /// <param name="name">For messages.</param>
    /// <param name="options">Size and read timeout.</param>
    /// <param name="time">The monotonic clock.</param>
    /// <param name="kernelStamps">Whether POS_MSEC is the V4L2 buffer's own stamp on the monotonic clock.</param>
    /// <exception cref="CameraException">Another size than configured.</exception>
    public LiveCamera(VideoCapture capture, string name, CameraOptions options, TimeProvider time, bool kernelStamps)
    {
        Name = name;
        Width = capture.FrameWidth;
        Height = capture.FrameHeight;
        _capture = capture;
        _time = time;
        _readTimeout = options.ReadTimeout;
        _kernelStamps = kernelStamps;
        _sizeIsFixed = Width > 0 && Height > 0;
        if (options.Width is { } width && options.Height is { } height)
        {
            if (_sizeIsFixed && (Width, Height) != (width, height))
            {
                throw new CameraException(
                    name,
                    $"gives {Width} x {Height}, not {width} x {height}",
                    "leave Width and Height out or correct them");
            }

            (Width, Height, _sizeIsFixed) = (width, height, true);
        }

        if (!_sizeIsFixed)
        {
            throw new CameraException(name, "does not tell its picture size", "set Width and Height");
        }
    }

    /// <inheritdoc/>
    public string Name { get; }

    /// <inheritdoc/>
    public int Width { get; }

    /// <inheritdoc/>
    public int Height { get; }

    /// <inheritdoc/>
    public bool IsLive => true;

    /// <inheritdoc/>
    public string? Fault { get; private set; }

    /// <inheritdoc/>
    public ReadOutcome Read(Mat destination, out Instant capturedAt)
    {
        var asked = _time.GetInstant();
        bool read;
        try
        {
            read = _capture.Read(destination) && !destination.Empty();
        }
        catch (OpenCVException error)
        {
            // OpenCV asserts on some damaged streams; opening again is the cure.
            capturedAt = asked;
            return Fail($"{Name}: {OneLine(error.Message)}");
        }

        var now = _time.GetInstant();
        capturedAt = now;
        if (!read)
        {
            var waited = now - asked;
            return waited >= 0.8 * _readTimeout
                ? ReadOutcome.TimedOut
                : Fail($"{Name}: the connection ended");
        }

        if (destination.Type() != MatType.CV_8UC3)
        {
            ToBgr(destination);
        }

        if (destination.Width != Width || destination.Height != Height)
        {
            return Fail($"{Name}: a picture is {destination.Width} x {destination.Height}, not {Width} x {Height}");
        }

        if (_kernelStamps)
        {
            capturedAt = StampOr(now, _capture.Get(VideoCaptureProperties.PosMsec));
        }

        return ReadOutcome.Frame;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _raw?.Dispose();
        _capture.Dispose();
    }

    /// <summary>The kernel's stamp when it can be one of a picture just read, otherwise now. Pure.</summary>
    internal static Instant StampOr(Instant now, double stampMilliseconds)
    {
        if (!double.IsFinite(stampMilliseconds) || stampMilliseconds <= 0)
        {
            return now;
        }

        var stamp = new Instant((long)(stampMilliseconds * 1e6));
        return stamp <= now && stamp > now - OldestStamp ? stamp : now;
    }

    private ReadOutcome Fail(string fault)
    {
        Fault = fault;
        return ReadOutcome.Failed;
    }

    /// <summary>
    /// Grey cameras: the destination keeps its own memory, so that the pool's frames stay what they are.
    /// </summary>
    private void ToBgr(Mat destination)
    {
        _raw ??= new Mat();
        destination.CopyTo(_raw);
        var conversion = _raw.Channels() == 1 ? ColorConversionCodes.GRAY2BGR : ColorConversionCodes.BGRA2BGR;
        if (_raw.Depth() != MatType.CV_8U)
        {
            _raw.ConvertTo(_raw, MatType.CV_8U, 1.0 / 256);
        }

        Cv2.CvtColor(_raw, destination, conversion);
    }

    private static string OneLine(string text) =>
        string.Join(' ', text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));
}
