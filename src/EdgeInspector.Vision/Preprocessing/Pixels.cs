using OpenCvSharp;

namespace EdgeInspector.Vision.Preprocessing;

/// <summary>
/// 8-bit BGR in memory somebody else owns and keeps alive; the step is the bytes from one row to the next. Taken once
/// per picture: each of a Mat's properties is a call into native code.
/// </summary>
internal readonly unsafe struct Pixels(byte* start, long step, int width, int height)
{
    public byte* Start { get; } = start;

    public long Step { get; } = step;

    public int Width { get; } = width;

    public int Height { get; } = height;

    /// <exception cref="ArgumentException">The picture is not 8-bit BGR, or empty.</exception>
    public static Pixels Of(Mat picture)
    {
        var pixels = new Pixels((byte*)picture.Data, picture.Step(), picture.Width, picture.Height);
        return picture.Type() == MatType.CV_8UC3 && pixels is { Width: > 0, Height: > 0 }
            ? pixels
            : throw new ArgumentException("The picture is not 8-bit BGR, or empty.", nameof(picture));
    }
}
