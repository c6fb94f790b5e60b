using System.Runtime.ExceptionServices;
using EdgeInspector.Line;
using OpenCvSharp;

namespace EdgeInspector.Capture;

/// <summary>
/// A camera whose pictures arrive as bytes, read by a thread of its own so that a source that falls silent never blocks
/// the capture thread longer than the read timeout. Derived classes open the source, read one picture at a time from
/// it and, when told, cut it off so that a blocked read ends.
/// </summary>
internal abstract class ByteStreamCamera : ICamera
{
    /// <summary>
    /// Read timeouts until the first picture: an H.264 stream shows nothing before its next key picture.
    /// </summary>
    private const int FirstPicturePatience = 5;

    private readonly LatestPicture _latest = new();
    private readonly TimeProvider _time;
    private readonly TimeSpan _readTimeout;
    private readonly Thread _reader;
    private volatile ExceptionDispatchInfo? _unforeseen;

    protected ByteStreamCamera(string name, CameraOptions options, TimeProvider time)
    {
        Name = name;
        _time = time;
        _readTimeout = options.ReadTimeout;
        _reader = new Thread(ReadAll) { Name = $"stream-{name}", IsBackground = true };
    }

    /// <inheritdoc/>
    public string Name { get; }

    /// <inheritdoc/>
    public int Width { get; private set; }

    /// <inheritdoc/>
    public int Height { get; private set; }

    /// <inheritdoc/>
    public bool IsLive => true;

    /// <inheritdoc/>
    public string? Fault { get; private set; }

    /// <inheritdoc/>
    public ReadOutcome Read(Mat destination, out Instant capturedAt)
    {
        var outcome = _latest.Take(destination, _readTimeout, out capturedAt);
        if (outcome == ReadOutcome.Failed)
        {
            _unforeseen?.Throw();
            Fault = $"{Name}: {_latest.End}";
        }
        else if (outcome == ReadOutcome.Frame && (destination.Width != Width || destination.Height != Height))
        {
            Fault = $"{Name}: a picture is {destination.Width} x {destination.Height}, not {Width} x {Height}";
            return ReadOutcome.Failed;
        }

        return outcome;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        CutOff();
        if (_reader.IsAlive)
        {
            _reader.Join();
        }

        _latest.Dispose();
        DisposeSource();
    }

    /// <summary>Starts reading and waits for the first picture, whose size is the camera's.</summary>
    /// <exception cref="CameraException">None came, or of another size than configured.</exception>
    protected void Begin(CameraOptions options)
    {
        _reader.Start();
        using var first = new Mat();
        var patience = FirstPicturePatience * _readTimeout;
        var outcome = _latest.Take(first, patience, out _);
        if (outcome != ReadOutcome.Frame)
        {
            var what = outcome == ReadOutcome.TimedOut
                ? $"sends no picture within {patience.TotalSeconds:0.#} s"
                : _latest.End!;
            throw new CameraException(Name, what, "check address, user and network");
        }

        (Width, Height) = (first.Width, first.Height);
        if (options.Width is { } width && options.Height is { } height && (Width, Height) != (width, height))
        {
            throw new CameraException(
                Name, $"gives {Width} x {Height}, not {width} x {height}", "leave Width and Height out or correct them");
        }
    }

    /// <summary>
    /// Blocks until the next picture and writes it as 8-bit BGR; false at the end of the stream. An
    /// <see cref="IOException"/> says in its message why the stream broke. Reader thread.
    /// </summary>
    protected abstract bool ReadPicture(Mat destination);

    /// <summary>Makes a blocked <see cref="ReadPicture"/> return or throw. Any thread, more than once.</summary>
    protected abstract void CutOff();

    /// <summary>Frees the source, after the reader thread has ended.</summary>
    protected abstract void DisposeSource();

    private void ReadAll()
    {
        var buffer = new Mat();
        try
        {
            while (ReadPicture(buffer))
            {
                buffer = _latest.Exchange(buffer, _time.GetInstant());
            }

            _latest.Finish("the stream ended");
        }
        catch (Exception error) when (error is IOException or HttpRequestException or OperationCanceledException
            or ObjectDisposedException or OpenCVException or InvalidDataException)
        {
            var words = error.Message.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
            _latest.Finish(string.Join(' ', words).TrimEnd('.'));
        }
        catch (Exception error)
        {
            // Thrown again on the capture thread, which ends the program for it.
            _unforeseen = ExceptionDispatchInfo.Capture(error);
            _latest.Finish("failed");
        }
        finally
        {
            buffer.Dispose();
        }
    }
}
