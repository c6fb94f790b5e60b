using EdgeInspector.Line;
using OpenCvSharp;

namespace EdgeInspector.Capture;

/// <summary>
/// The newest picture of a reader thread, for a camera whose own reading cannot be given a time limit. The reader fills
/// one buffer while the other waits to be taken; a picture nobody took in time is replaced by the next.
/// </summary>
internal sealed class LatestPicture : IDisposable
{
    private readonly object _gate = new();
    private Mat _waiting = new();
    private Mat _taken = new();
    private Instant _capturedAt;
    private bool _hasPicture;
    private string? _end;

    /// <summary>Why no more pictures come; null while they may.</summary>
    public string? End
    {
        get
        {
            lock (_gate)
            {
                return _end;
            }
        }
    }

    /// <summary>Hands a filled buffer over and receives the one to fill next. Reader thread.</summary>
    public Mat Exchange(Mat filled, Instant capturedAt)
    {
        lock (_gate)
        {
            (var free, _waiting) = (_waiting, filled);
            (_capturedAt, _hasPicture) = (capturedAt, true);
            Monitor.PulseAll(_gate);
            return free;
        }
    }

    /// <summary>No more pictures come. Reader thread.</summary>
    public void Finish(string why)
    {
        lock (_gate)
        {
            _end ??= why;
            Monitor.PulseAll(_gate);
        }
    }

    /// <summary>Copies the newest picture that was not taken yet. Capture thread.</summary>
    public ReadOutcome Take(Mat destination, TimeSpan timeout, out Instant capturedAt)
    {
        lock (_gate)
        {
            if (!_hasPicture && _end is null)
            {
                Monitor.Wait(_gate, timeout);
            }

            capturedAt = _capturedAt;
            if (!_hasPicture)
            {
                return _end is null ? ReadOutcome.TimedOut : ReadOutcome.Failed;
            }

            _hasPicture = false;
            (_waiting, _taken) = (_taken, _waiting);
        }

        // Outside the lock: the reader must not wait for the copy.
        _taken.CopyTo(destination);
        return ReadOutcome.Frame;
    }

    /// <summary>After the reader thread has ended, which disposes the buffer in its own hands.</summary>
    public void Dispose()
    {
        _waiting.Dispose();
        _taken.Dispose();
    }
}
