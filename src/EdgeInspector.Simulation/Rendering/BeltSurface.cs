namespace EdgeInspector.Simulation.Rendering;

/// <summary>
/// The empty belt: a woven, used one, repeating after <see cref="Columns"/> pixels like any belt comes round again,
/// with crumbs that differ each time. The colour, wear and stains follow from the seed.
/// </summary>
internal sealed class BeltSurface
{
    /// <summary>Pixels along the belt drawn at once.</summary>
    public const int Chunk = 64;

    private const int Chunks = 64;

    /// <summary>Length of the belt in pixels.</summary>
    public const int Columns = Chunk * Chunks;

    private readonly byte[] _tile;
    private readonly ulong _seed;
    private readonly int _height;
    private readonly double _millimetresPerPixel;

    public BeltSurface(int seed, int height, double millimetresPerPixel)
    {
        _seed = (ulong)seed;
        _height = height;
        _millimetresPerPixel = millimetresPerPixel;
        _tile = new byte[Columns * height * 3];
        var random = SeededRandom.For(_seed, 1, 0);
        (float Blue, float Green, float Red)[] colours =
        [
            (146, 106, 58),
            (132, 118, 84),
            (116, 96, 74),
            (150, 122, 70),
        ];
        var colour = colours[random.Below(colours.Length)];
        Weave(colour, ref random);
        Scratch(ref random);
    }

    /// <summary>Copies the belt's columns of one chunk into rows of <paramref name="stride"/> bytes.</summary>
    public unsafe void Lay(long chunk, byte* destination, int stride)
    {
        var from = (int)(((chunk % Chunks) + Chunks) % Chunks) * Chunk * 3;
        for (var y = 0; y < _height; y++)
        {
            _tile
                .AsSpan((y * Columns * 3) + from, Chunk * 3)
                .CopyTo(new Span<byte>(destination + ((long)y * stride), Chunk * 3));
        }

        DropCrumbs(chunk, destination, stride);
    }

    private void Weave((float Blue, float Green, float Red) colour, ref SeededRandom random)
    {
        var shift = (X: random.Below(Grain.Size), Y: random.Below(Grain.Size));
        var worn = random.Range(0.3f, 1f);
        var dirt = random.Range(0.5f, 1f);
        for (var y = 0; y < _height; y++)
        {
            // The lane in the middle, where the parts lie, is polished and floury.
            var fromMiddle = (y - (_height / 2f)) / (_height * 0.33f);
            var lane = worn * MathF.Exp(-fromMiddle * fromMiddle);
            for (var x = 0; x < Columns; x++)
            {
                var fine = Grain.At(Grain.Fine, x + shift.X, y + shift.Y);
                var medium = Grain.At(Grain.Medium, x, y + shift.X);
                var broad = Grain.At(Grain.Broad, (x / 2) + shift.Y, y);
                var coarse = Grain.At(Grain.Coarse, (x / 3) + shift.X, y);

                // Twill: a diagonal of 8 pixels along, 4 across, with a cross thread of every second row.
                var twill = MathF.Sin(((x * 0.7853982f) + (y * 1.5707964f)) * 1f) * ((y & 1) == 0 ? 1f : 0.55f);
                var light = 1 + (0.035f * twill) + (0.022f * fine) + (0.012f * medium) + (0.02f * broad);
                var stain = MathF.Max(0, (0.75f * coarse) + (0.65f * broad) - 0.9f) * 0.10f * dirt;
                var flour = (0.05f * lane) + (MathF.Max(0, (0.6f * medium) + coarse - 1.6f) * 0.05f * (0.4f + lane));
                light -= stain;
                var at = ((y * Columns) + x) * 3;
                _tile[at] = Mix(colour.Blue * light, 205, flour);
                _tile[at + 1] = Mix(colour.Green * light, 214, flour);
                _tile[at + 2] = Mix(colour.Red * light * (1 + (0.25f * stain)), 220, flour);
            }
        }
    }

    private void Scratch(ref SeededRandom random)
    {
        for (var i = 0; i < 90; i++)
        {
            var length = 40 + random.Below(420);
            var x0 = random.Below(Columns);
            var y0 = random.Range(0f, _height - 1f);
            var lean = random.Range(-0.02f, 0.02f);
            var depth = random.Range(-0.09f, 0.07f);
            for (var i1 = 0; i1 < length; i1++)
            {
                var fade = MathF.Sin(MathF.PI * i1 / length);
                var y = (int)(y0 + (lean * i1));
                if (y >= 0 && y < _height)
                {
                    Scale(((y * Columns) + ((x0 + i1) % Columns)) * 3, 1 + (depth * fade));
                }
            }
        }

        // The splice where the belt's ends meet: a slanting seam.
        var seam = random.Below(Columns);
        for (var y = 0; y < _height; y++)
        {
            for (var w = -3; w <= 3; w++)
            {
                var x = (seam + (y / 3) + w + Columns) % Columns;
                Scale(
                    ((y * Columns) + x) * 3,
                    w == 0 ? 0.80f
                        : w < 0 ? 1.04f
                        : 0.95f
                );
            }
        }
    }

    private void Scale(int at, float by)
    {
        _tile[at] = Mix(_tile[at] * by, 0, 0);
        _tile[at + 1] = Mix(_tile[at + 1] * by, 0, 0);
        _tile[at + 2] = Mix(_tile[at + 2] * by, 0, 0);
    }

    private unsafe void DropCrumbs(long chunk, byte* destination, int stride)
    {
        var random = SeededRandom.For(_seed, 2, chunk);

        // About one crumb in 30 mm of belt, and now and then a sprinkling.
        var count = random.Chance(0.06) ? 6 + random.Below(8) : (int)(random.NextDouble() * random.NextDouble() * 4.5);
        Span<byte> bgr = stackalloc byte[3];
        for (var i = 0; i < count; i++)
        {
            var radius = random.Range(0.35f, 1.0f) * random.Range(0.5f, 1.6f) / (float)_millimetresPerPixel;
            var reach = (int)radius + 3;
            if (reach * 2 >= Chunk)
            {
                continue;
            }

            var cx = random.Range(reach + 0f, Chunk - reach - 1f);
            var cy = random.Range(reach + 0f, _height - reach - 1f);
            var bake = random.Range(0.08f, 0.5f);
            var bump = random.Range(0f, 6.28f);
            for (var y = (int)cy - reach; y <= (int)cy + reach; y++)
            {
                for (var x = (int)cx - reach; x <= (int)cx + reach; x++)
                {
                    if (x < 0 || y < 0 || x >= Chunk || y >= _height)
                    {
                        continue;
                    }

                    var (dx, dy) = (x + 0.5f - cx, y + 0.5f - cy);
                    var r = MathF.Sqrt((dx * dx) + (dy * dy));
                    var edge = radius * (1 + (0.22f * MathF.Sin((3 * MathF.Atan2(dy, dx)) + bump)));
                    var cover = Math.Clamp(edge - r + 0.5f, 0, 1);
                    var shadow =
                        0.4f
                        * Math.Clamp(
                            edge - MathF.Sqrt(((dx - 0.9f) * (dx - 0.9f)) + ((dy - 1) * (dy - 1))) + 0.8f,
                            0,
                            1
                        );
                    Parts.Bake.Colour(bake, 1 - (0.16f * (dx + dy) / radius), bgr);
                    var pixel = destination + ((long)y * stride) + (x * 3);
                    for (var c = 0; c < 3; c++)
                    {
                        pixel[c] = Mix(pixel[c] * (1 - shadow), bgr[c], cover);
                    }
                }
            }
        }
    }

    private static byte Mix(float under, float over, float cover)
    {
        return (byte)Math.Clamp(under + ((over - under) * cover), 0, 255);
    }
}
