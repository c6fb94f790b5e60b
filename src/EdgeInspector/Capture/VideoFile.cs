using EdgeInspector.Line;
using OpenCvSharp;

namespace EdgeInspector.Capture;

/// <summary>
/// A recorded video. Its pictures are stamped with the media time that has passed since its beginning, whatever pace
/// it is read at. A file that is cut off is refused when the container tells, and otherwise reported where it ends.
/// </summary>
internal sealed class VideoFile : ICamera
{
    /// <summary>Containers count a picture or two that edit lists hide: 374 for 372 in a phone's recording.</summary>
    private const int CountTolerance = 3;

    private readonly string _path;
    private readonly TimeProvider _time;
    private readonly bool _loop;
    private readonly Mat _first = new();
    private VideoCapture _capture;
    private Instant _start;
    private TimeSpan _earlierRounds;
    private TimeSpan _position;
    private bool _firstWaits;
    private bool _ended;

    /// <exception cref="CameraException">Not a whole video with pictures that can be decoded.</exception>
    public VideoFile(string path, TimeProvider time, bool loop)
    {
        NativeVideo.Prepare(TimeSpan.FromSeconds(2));
        _path = path;
        _time = time;
        _loop = loop;
        if (VideoContainer.FaultIn(path) is { } fault)
        {
            throw new CameraException(path, fault, "copy or record it again");
        }

        _capture = new VideoCapture(path, VideoCaptureAPIs.FFMPEG);
        if (!_capture.IsOpened() || !_capture.Read(_first) || _first.Empty())
        {
            _capture.Dispose();
            _first.Dispose();
            throw new CameraException(path, "is no video that can be read", "use MP4, MKV or AVI, or record it again");
        }

        _firstWaits = true;
        Width = _first.Width;
        Height = _first.Height;
        FrameCount = Math.Max(0, _capture.FrameCount);
        FramesPerSecond = _capture.Fps is > 0 and < 10_000 ? _capture.Fps : 25;
        _start = time.GetInstant();
    }

    /// <inheritdoc/>
    public string Name => _path;

    /// <inheritdoc/>
    public int Width { get; }

    /// <inheritdoc/>
    public int Height { get; }

    /// <inheritdoc/>
    public bool IsLive => false;

    /// <inheritdoc/>
    public string? Fault { get; private set; }

    /// <summary>Pictures according to the container, about; 0 when it does not tell.</summary>
    public int FrameCount { get; }

    /// <summary>Pictures per second according to the container.</summary>
    public double FramesPerSecond { get; }

    /// <summary>Pictures read since the beginning, in this round.</summary>
    public int FramesRead { get; private set; }

    /// <inheritdoc/>
    public ReadOutcome Read(Mat destination, out Instant capturedAt)
    {
        capturedAt = _start + _earlierRounds + _position;
        if (_ended)
        {
            return ReadOutcome.Ended;
        }

        if (!Next(destination))
        {
            if (FrameCount - FramesRead > Math.Max(CountTolerance, FrameCount / 100))
            {
                _ended = true;
                Fault = $"{_path}: ends after {FramesRead} of {FrameCount} pictures; copy or record it again.";
                return ReadOutcome.Failed;
            }

            if (!_loop || FramesRead == 0 || !Rewind() || !Next(destination))
            {
                _ended = true;
                return ReadOutcome.Ended;
            }
        }

        FramesRead++;
        var expected = FramesRead == 1 ? TimeSpan.Zero : _position + TimeSpan.FromSeconds(1 / FramesPerSecond);
        var told = TimeSpan.FromMilliseconds(Math.Max(0, _capture.Get(VideoCaptureProperties.PosMsec)));

        // Some containers carry no times, or jump back: then the nominal rate counts.
        _position = FramesRead == 1 || told > _position ? told : expected;
        capturedAt = _start + _earlierRounds + _position;
        return ReadOutcome.Frame;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _first.Dispose();
        _capture.Dispose();
    }

    private bool Next(Mat destination)
    {
        if (_firstWaits)
        {
            _firstWaits = false;
            _first.CopyTo(destination);
            return true;
        }

        try
        {
            return _capture.Read(destination) && !destination.Empty();
        }
        catch (OpenCVException)
        {
            // A damaged packet that OpenCV asserts on: what follows cannot be read either, and the count tells.
            return false;
        }
    }

    private bool Rewind()
    {
        _capture.Dispose();
        _capture = new VideoCapture(_path, VideoCaptureAPIs.FFMPEG);
        _earlierRounds += _position + TimeSpan.FromSeconds(1 / FramesPerSecond);
        _position = TimeSpan.Zero;
        FramesRead = 0;
        return _capture.IsOpened();
    }
}
