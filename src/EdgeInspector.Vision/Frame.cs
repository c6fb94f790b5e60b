using OpenCvSharp;

namespace EdgeInspector.Vision;

/// <summary>
/// One picture from a camera, lent by a <see cref="FramePool"/>. It has one owner at a time; the owner disposes it,
/// which returns it to the pool. What was cropped out of <see cref="Picture"/> dies with it.
/// </summary>
public sealed class Frame : IDisposable
{
    private readonly FramePool _pool;
    private int _rented;

    internal Frame(FramePool pool, Mat picture)
    {
        _pool = pool;
        Picture = picture;
    }

    /// <summary>8-bit BGR. Belongs to the pool: never dispose it.</summary>
    public Mat Picture { get; }

    /// <summary>The camera's running number; a gap is a lost picture.</summary>
    public long Sequence { get; set; }

    /// <summary>When the picture was taken, in nanoseconds of the monotonic clock.</summary>
    public long CapturedAt { get; set; }

    /// <exception cref="InvalidOperationException">
    /// The frame was returned before: two owners think it theirs.
    /// </exception>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref _rented, 0) == 0)
        {
            throw new InvalidOperationException("A frame was returned to its pool twice.");
        }

        _pool.Return(this);
    }

    internal void Rent()
    {
        Sequence = 0;
        CapturedAt = 0;
        Volatile.Write(ref _rented, 1);
    }
}
