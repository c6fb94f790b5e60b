using EdgeInspector.Line;
using OpenCvSharp;

namespace EdgeInspector.Capture;

/// <summary>
/// A picture, or the pictures of a folder and its sub-folders in the order of their names, as a recording at a fixed
/// rate. A file that cannot be read is reported and stepped over; its place in time stays.
/// </summary>
internal sealed class PictureFolder : ICamera
{
    /// <summary>The rate when none is configured: slow enough to watch.</summary>
    private const double DefaultRate = 10;

    private readonly IReadOnlyList<string> _pictures;
    private readonly Instant _start;
    private readonly TimeSpan _step;
    private readonly bool _loop;
    private int _next;
    private long _place;
    private int _readInRound;

    /// <exception cref="CameraException">No picture, or the first that can be read is none.</exception>
    public PictureFolder(string path, CameraOptions options, TimeProvider time)
    {
        Name = path;
        try
        {
            _pictures = Directory.Exists(path) ? PictureFile.In(path) : [path];
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new CameraException(path, $"cannot be read ({error.Message.TrimEnd('.')})", "let this user read it");
        }

        if (_pictures.Count == 0)
        {
            throw new CameraException(path, "holds no pictures", "put JPEG or PNG files in it");
        }

        using var first = new Mat();
        string? fault = null;
        if (!_pictures.Any(picture => PictureFile.TryRead(picture, first, out fault)))
        {
            throw new CameraException(path, $"none of its {_pictures.Count} pictures can be read", fault!.TrimEnd('.'));
        }

        Width = first.Width;
        Height = first.Height;
        _start = time.GetInstant();
        _step = TimeSpan.FromSeconds(1 / (options.FramesPerSecond ?? DefaultRate));
        _loop = options.Loop;
    }

    /// <inheritdoc/>
    public string Name { get; }

    /// <summary>Of the first picture; others may differ.</summary>
    public int Width { get; }

    /// <summary>Of the first picture; others may differ.</summary>
    public int Height { get; }

    /// <inheritdoc/>
    public bool IsLive => false;

    /// <inheritdoc/>
    public string? Fault { get; private set; }

    /// <inheritdoc/>
    public ReadOutcome Read(Mat destination, out Instant capturedAt)
    {
        capturedAt = _start + (_place * _step);
        if (_next == _pictures.Count)
        {
            // A folder whose pictures were all taken away must not be read in a tight circle.
            if (!_loop || _readInRound == 0)
            {
                return ReadOutcome.Ended;
            }

            (_next, _readInRound) = (0, 0);
        }

        _place++;
        if (!PictureFile.TryRead(_pictures[_next++], destination, out var fault))
        {
            Fault = fault;
            return ReadOutcome.Failed;
        }

        _readInRound++;
        return ReadOutcome.Frame;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        // Nothing is held open between pictures.
    }
}
