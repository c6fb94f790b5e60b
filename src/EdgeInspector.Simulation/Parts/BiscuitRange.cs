namespace EdgeInspector.Simulation.Parts;

/// <summary>
/// The biscuit made on this line, by seed: its docker pattern, edge and usual bake; and each biscuit of it by index,
/// good or with one of the five defects.
/// </summary>
internal sealed class BiscuitRange : IPartSource
{
    public const string Good = "good";
    public const string Broken = "broken";
    public const string Burnt = "burnt";
    public const string Foreign = "foreign";
    public const string Hole = "hole";
    public const string Misshapen = "misshapen";

    /// <summary>No biscuit is wider than this in any direction, in millimetres.</summary>
    public const double LargestWidth = 80;

    private static readonly string[] Defects = [Broken, Burnt, Foreign, Hole, Misshapen];

    private readonly ulong _seed;
    private readonly double _defectRate;
    private readonly double _millimetresPerPixel;
    private readonly BiscuitStyle _style;

    public BiscuitRange(int seed, double defectRate, double millimetresPerPixel)
    {
        _seed = (ulong)seed;
        _defectRate = defectRate;
        _millimetresPerPixel = millimetresPerPixel;
        _style = BiscuitStyle.Create(_seed);
    }

    public PartDesign Design(long index)
    {
        var random = SeededRandom.For(_seed, 21, index);
        var kind = random.Chance(_defectRate) ? Defects[random.Below(Defects.Length)] : Good;
        return new Biscuit(_style, kind, random, _millimetresPerPixel);
    }
}

/// <summary>What all biscuits of one line have in common. Millimetres.</summary>
/// <param name="Dots">Docker holes, around the middle.</param>
/// <param name="Scallops">Waves around the edge; 0 for a smooth one.</param>
/// <param name="Ring">Radius of an embossed ring; 0 for none.</param>
/// <param name="Bake">Usual colour, 0 pale to 1 charred.</param>
internal sealed record BiscuitStyle(
    (float X, float Y)[] Dots,
    float DotRadius,
    int Scallops,
    float ScallopDepth,
    float Ring,
    float Bake,
    float Thickness
)
{
    public static BiscuitStyle Create(ulong seed)
    {
        var random = SeededRandom.For(seed, 20, 0);
        var dots = new List<(float X, float Y)>();
        switch (random.Below(4))
        {
            case 0:
                AddCircle(dots, 1, 0);
                AddCircle(dots, 6, 9.5f);
                AddCircle(dots, 12, 18.5f);
                break;
            case 1:
                AddCircle(dots, 1, 0);
                AddCircle(dots, 8, 13.5f);
                break;
            case 2:
                for (var i = 0; i < 16; i++)
                {
                    dots.Add(((i % 4 * 10) - 15, (i / 4 * 10) - 15));
                }

                break;
            default:
                AddCircle(dots, 4, 6.5f);
                AddCircle(dots, 10, 16f);
                break;
        }

        return new BiscuitStyle(
            [.. dots],
            random.Range(0.6f, 0.85f),
            random.Chance(0.7) ? 24 + random.Below(16) : 0,
            random.Range(0.25f, 0.55f),
            random.Chance(0.6) ? random.Range(22.5f, 24f) : 0,
            random.Range(0.26f, 0.36f),
            random.Range(6f, 8f)
        );
    }

    private static void AddCircle(List<(float X, float Y)> dots, int count, float radius)
    {
        for (var i = 0; i < count; i++)
        {
            var angle = 2 * MathF.PI * i / count;
            dots.Add((radius * MathF.Cos(angle), radius * MathF.Sin(angle)));
        }
    }
}
