using System.Diagnostics.CodeAnalysis;
using OpenCvSharp;

namespace EdgeInspector.Vision;

/// <summary>
/// A fixed number of equal pictures, allocated once. Any thread may rent and return; an empty pool means that the
/// stages behind the camera are late, and the caller drops the picture and counts it.
/// </summary>
public sealed class FramePool : IDisposable
{
    private readonly Lock _gate = new();
    private readonly Frame[] _free;
    private int _available;
    private bool _disposed;

    /// <param name="width">Pixels.</param>
    /// <param name="height">Pixels.</param>
    /// <param name="capacity">How many frames may be out at the same time.</param>
    public FramePool(int width, int height, int capacity)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(width);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(height);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(capacity);
        Width = width;
        Height = height;
        _free = new Frame[capacity];
        foreach (ref var frame in _free.AsSpan())
        {
            frame = new Frame(this, new Mat(height, width, MatType.CV_8UC3, Scalar.Black));
        }

        _available = capacity;
    }

    public int Width { get; }

    public int Height { get; }

    public int Capacity => _free.Length;

    public int Available
    {
        get
        {
            lock (_gate)
            {
                return _available;
            }
        }
    }

    /// <summary>Frames that have an owner now.</summary>
    public int Outstanding => Capacity - Available;

    /// <summary>False when every frame is out.</summary>
    public bool TryRent([NotNullWhen(true)] out Frame? frame)
    {
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            if (_available == 0)
            {
                frame = null;
                return false;
            }

            frame = _free[--_available];
            _free[_available] = null!;
        }

        frame.Rent();
        return true;
    }

    /// <summary>Frees the pictures in the pool now and those that are out when they come back.</summary>
    public void Dispose()
    {
        lock (_gate)
        {
            if (_disposed)
            {
                return;
            }

            _disposed = true;
            for (var i = 0; i < _available; i++)
            {
                _free[i].Picture.Dispose();
            }
        }
    }

    internal void Return(Frame frame)
    {
        lock (_gate)
        {
            _free[_available++] = frame;
            if (_disposed)
            {
                frame.Picture.Dispose();
            }
        }
    }
}
