namespace EdgeInspector.Vision.Preprocessing;

/// <summary>
/// Which two neighbours in a row make up each output pixel: the float where the left one begins, and the weight of
/// the right one.
/// </summary>
internal readonly unsafe struct Columns(int* index, float* weight, int count)
{
    public int* Index { get; } = index;

    public float* Weight { get; } = weight;

    public int Count { get; } = count;
}
