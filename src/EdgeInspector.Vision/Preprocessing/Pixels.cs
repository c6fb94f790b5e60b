namespace EdgeInspector.Vision.Preprocessing;

/// <summary>8-bit BGR in memory somebody else owns; the step is the bytes from one row to the next.</summary>
internal readonly unsafe struct Pixels(byte* start, long step, int width, int height)
{
    public byte* Start { get; } = start;

    public long Step { get; } = step;

    public int Width { get; } = width;

    public int Height { get; } = height;
}
