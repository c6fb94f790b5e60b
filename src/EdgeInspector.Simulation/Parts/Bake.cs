namespace EdgeInspector.Simulation.Parts;

/// <summary>From bake, 0 raw to 1 charred, to colour under a white lamp.</summary>
internal static class Bake
{
    private const int Steps = 256;

    private static readonly (float Bake, float Red, float Green, float Blue)[] Stops =
    [
        (0.00f, 238, 218, 178),
        (0.15f, 230, 200, 146),
        (0.30f, 217, 175, 110),
        (0.45f, 196, 143, 77),
        (0.60f, 163, 106, 52),
        (0.72f, 120, 72, 38),
        (0.82f, 76, 48, 32),
        (0.91f, 46, 34, 29),
        (1.00f, 27, 24, 24),
    ];

    private static readonly float[] Table = Create();

    public static void Colour(float bake, float shade, Span<byte> bgr)
    {
        var at = (int)(Math.Clamp(bake, 0, 1) * (Steps - 1)) * 3;
        bgr[0] = (byte)Math.Min(255, Table[at] * shade);
        bgr[1] = (byte)Math.Min(255, Table[at + 1] * shade);
        bgr[2] = (byte)Math.Min(255, Table[at + 2] * shade);
    }

    private static float[] Create()
    {
        var table = new float[Steps * 3];
        var stop = 0;
        for (var i = 0; i < Steps; i++)
        {
            var bake = i / (Steps - 1f);
            while (stop < Stops.Length - 2 && bake > Stops[stop + 1].Bake)
            {
                stop++;
            }

            var (a, b) = (Stops[stop], Stops[stop + 1]);
            var f = (bake - a.Bake) / (b.Bake - a.Bake);
            table[i * 3] = a.Blue + (f * (b.Blue - a.Blue));
            table[(i * 3) + 1] = a.Green + (f * (b.Green - a.Green));
            table[(i * 3) + 2] = a.Red + (f * (b.Red - a.Red));
        }

        return table;
    }
}
