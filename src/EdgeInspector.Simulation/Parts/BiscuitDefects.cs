using EdgeInspector.Simulation.Rendering;

namespace EdgeInspector.Simulation.Parts;

/// <summary>A break along a jagged line: everything beyond it is gone.</summary>
internal sealed class Break
{
    private const int Points = 65;
    private const float Reach = 42;

    private readonly float _cos;
    private readonly float _sin;
    private readonly float _distance;
    private readonly float[] _jag = new float[Points];

    private Break(float angle, float distance)
    {
        (_sin, _cos) = MathF.SinCos(angle);
        _distance = distance;
    }

    /// <param name="angle">From the middle towards what is missing.</param>
    /// <param name="distance">From the middle to the line, in millimetres.</param>
    public static Break Create(ref SeededRandom random, float angle, float distance)
    {
        var line = new Break(angle, distance);
        var rough = random.Range(2.2f, 4.5f);
        for (var step = Points - 1; step > 1; step /= 2)
        {
            // Midpoint displacement: each halving adds half as much again.
            for (var i = step / 2; i < Points; i += step)
            {
                var middle = (line._jag[i - (step / 2)] + line._jag[Math.Min(Points - 1, i + (step / 2))]) / 2;
                line._jag[i] = middle + random.Range(-rough, rough);
            }

            rough *= 0.58f;
        }

        // The jags take as much as they give, so the distance alone says how much is missing.
        var middleThird = line._jag.AsSpan(Points / 4, Points / 2);
        var mean = 0f;
        foreach (var jag in middleThird)
        {
            mean += jag / middleThird.Length;
        }

        for (var i = 0; i < Points; i++)
        {
            line._jag[i] -= mean;
        }

        return line;
    }

    public float Inside(float x, float y)
    {
        var along = (((y * _cos) - (x * _sin) + Reach) / (2 * Reach)) * (Points - 1);
        var i = Math.Clamp((int)along, 0, Points - 2);
        var jag = _jag[i] + ((along - i) * (_jag[i + 1] - _jag[i]));
        return (_distance + jag - ((x * _cos) + (y * _sin))) * 0.9f;
    }
}

/// <summary>An irregular closed outline somewhere on the biscuit.</summary>
internal sealed class Blob
{
    private const int Steps = 64;
    private readonly float _x;
    private readonly float _y;
    private readonly float[] _radius = new float[Steps];

    private Blob(float x, float y)
    {
        _x = x;
        _y = y;
    }

    public float X => _x;

    public float Y => _y;

    /// <param name="wobble">How far the outline departs from a circle, as a share of the radius.</param>
    public static Blob Create(ref SeededRandom random, float x, float y, float radius, float wobble)
    {
        var blob = new Blob(x, y);
        Array.Fill(blob._radius, radius);
        for (var k = 2; k < 8; k++)
        {
            var amplitude = radius * wobble * random.Range(0.3f, 1f) / MathF.Sqrt(k - 1);
            var phase = random.Range(0f, 2 * MathF.PI);
            for (var i = 0; i < Steps; i++)
            {
                blob._radius[i] += amplitude * MathF.Cos((k * 2 * MathF.PI * i / Steps) + phase);
            }
        }

        return blob;
    }

    /// <summary>An ellipse or a polygon instead of a wavy circle.</summary>
    public void Reshape(Func<float, float> radiusAt)
    {
        for (var i = 0; i < Steps; i++)
        {
            _radius[i] *= radiusAt(2 * MathF.PI * i / Steps);
        }
    }

    public float Inside(float x, float y)
    {
        var dx = x - _x;
        var dy = y - _y;
        var turn = MathF.Atan2(dy, dx) * (Steps / (2 * MathF.PI));
        if (turn < 0)
        {
            turn += Steps;
        }

        var i = (int)turn;
        var f = turn - i;
        i &= Steps - 1;
        var radius = _radius[i] + (f * (_radius[(i + 1) & (Steps - 1)] - _radius[i]));
        return radius - MathF.Sqrt((dx * dx) + (dy * dy));
    }
}

/// <summary>A baked-in wrong outline: stretched, dented, or with a second lump grown onto it.</summary>
internal sealed class Misshape
{
    private readonly int _kind;
    private readonly float _angle;
    private readonly float _size;
    private readonly float _spread;
    private readonly float _mean;

    private Misshape(int kind, float angle, float size, float spread, float mean)
    {
        _kind = kind;
        _angle = angle;
        _size = size;
        _spread = spread;
        _mean = mean;
    }

    public static Misshape Create(ref SeededRandom random, float meanRadius)
    {
        var angle = random.Range(0f, 2 * MathF.PI);
        var kind = random.Below(3);
        return kind switch
        {
            0 => new Misshape(kind, angle, random.Range(1.28f, 1.55f), 0, meanRadius),
            1 => new Misshape(kind, angle, random.Range(8f, 14f), random.Range(0.26f, 0.42f), meanRadius),
            _ => new Misshape(kind, angle, random.Range(11f, 15f), meanRadius * random.Range(0.82f, 0.90f), meanRadius),
        };
    }

    public float Radius(float radius, float angle)
    {
        var turn = MathF.IEEERemainder(angle - _angle, 2 * MathF.PI);
        switch (_kind)
        {
            case 0:
                var (sin, cos) = MathF.SinCos(turn);
                return radius / MathF.Sqrt((cos * cos / _size) + (sin * sin * _size));
            case 1:
                return radius - (_size * MathF.Exp(-turn * turn / (2 * _spread * _spread)));
            default:
                // Where the ray leaves a circle of radius _size around a point _spread from the middle.
                var side = _spread * MathF.Sin(turn);
                var root = (_size * _size) - (side * side);
                if (root <= 0 || MathF.Abs(turn) > 1.5f)
                {
                    return radius;
                }

                var lump = (_spread * MathF.Cos(turn)) + MathF.Sqrt(root);
                return Math.Max(radius, lump);
        }
    }
}

/// <summary>Where and how far a biscuit is burnt.</summary>
internal sealed class Burn
{
    private readonly float _level;
    private readonly (float X, float Y, float Radius)[] _spots;
    private readonly (float Cos, float Sin, float Distance)? _side;

    private Burn(float level, (float X, float Y, float Radius)[] spots, (float Cos, float Sin, float Distance)? side)
    {
        _level = level;
        _spots = spots;
        _side = side;
    }

    public static Burn Create(ref SeededRandom random)
    {
        var level = random.Range(0.85f, 0.97f);
        switch (random.Below(3))
        {
            case 0:
                return new Burn(level, [], null);
            case 1:
                var (sin, cos) = MathF.SinCos(random.Range(0f, 2 * MathF.PI));
                return new Burn(level, [], (cos, sin, random.Range(-8f, 13f)));
            default:
                var spots = new (float, float, float)[1 + random.Below(3)];
                for (var i = 0; i < spots.Length; i++)
                {
                    var angle = random.Range(0f, 2 * MathF.PI);
                    var distance = random.Range(4f, 20f);
                    spots[i] = (distance * MathF.Cos(angle), distance * MathF.Sin(angle), random.Range(9.5f, 15f));
                }

                return new Burn(level, spots, null);
        }
    }

    /// <param name="ragged">Millimetres by which the edge of the burn wanders here.</param>
    public float Darken(float bake, float x, float y, float ragged, float fine)
    {
        var inside = _side is null && _spots.Length == 0 ? 10f : -100f;
        if (_side is { } side)
        {
            inside = (x * side.Cos) + (y * side.Sin) - side.Distance;
        }

        foreach (var (sx, sy, radius) in _spots)
        {
            inside = Math.Max(inside, radius - MathF.Sqrt(((x - sx) * (x - sx)) + ((y - sy) * (y - sy))));
        }

        var f = Math.Clamp(((inside + ragged) / 6f) + 0.5f, 0, 1);
        f = f * f * (3 - (2 * f));
        return bake + ((_level + (0.03f * fine) + (0.012f * ragged) - bake) * f);
    }
}

/// <summary>Something on the biscuit that is not biscuit: a stone, a bit of metal, a chip of plastic.</summary>
internal sealed class ForeignBody
{
    private readonly Blob _outline;
    private readonly (float Blue, float Green, float Red) _colour;
    private readonly float _gloss;
    private readonly float _dome;
    private readonly float _rough;
    private readonly (int X, int Y) _grain;

    private ForeignBody(
        Blob outline,
        (float Blue, float Green, float Red) colour,
        float gloss,
        float dome,
        float rough,
        (int X, int Y) grain
    )
    {
        _outline = outline;
        _colour = colour;
        _gloss = gloss;
        _dome = dome;
        _rough = rough;
        _grain = grain;
    }

    public static ForeignBody Create(ref SeededRandom random, float meanRadius)
    {
        var distance = random.Range(0f, meanRadius - 7f);
        var angle = random.Range(0f, 2 * MathF.PI);
        var (x, y) = (distance * MathF.Cos(angle), distance * MathF.Sin(angle));
        var turn = random.Range(0f, 2 * MathF.PI);
        var grain = (random.Below(Grain.Size), random.Below(Grain.Size));
        switch (random.Below(3))
        {
            case 0:
            {
                // Pebbles, slate to quartz: never a biscuit's brown.
                var stone = Blob.Create(ref random, x, y, random.Range(2.6f, 4.2f), 0.10f);
                var grey = random.Chance(0.6) ? random.Range(62f, 112f) : random.Range(205f, 235f);
                return new ForeignBody(stone, (grey * 1.08f, grey, grey * 0.94f), 0.15f, 1.0f, 0.10f, grain);
            }

            case 1:
            {
                // A sliver of swarf or a nut's flat: long or round, bright and hard.
                var metal = Blob.Create(ref random, x, y, random.Range(2.5f, 3.2f), 0.03f);
                var stretch = random.Range(1f, 1.4f);
                metal.Reshape(a =>
                    1
                    / MathF.Sqrt(
                        (MathF.Pow(MathF.Cos(a - turn), 2) / stretch) + (MathF.Pow(MathF.Sin(a - turn), 2) * stretch)
                    )
                );
                var silver = random.Range(150f, 195f);
                return new ForeignBody(metal, (silver * 1.06f, silver * 1.02f, silver), 1.0f, 0.7f, 0.03f, grain);
            }

            default:
            {
                var corners = 3 + random.Below(3);
                var plastic = Blob.Create(ref random, x, y, random.Range(2.6f, 3.8f), 0.05f);
                plastic.Reshape(a =>
                {
                    // A regular polygon, as a share of the circle around it, widened to keep its size.
                    var sector = 2 * MathF.PI / corners;
                    var offset = a - turn - (sector * MathF.Floor((a - turn) / sector)) - (sector / 2);
                    return Math.Min(1.18f, 1.22f * MathF.Cos(sector / 2) / MathF.Cos(offset));
                });
                (float, float, float)[] colours =
                [
                    (200, 96, 30),
                    (70, 150, 40),
                    (45, 40, 205),
                    (190, 170, 20),
                    (240, 240, 240),
                    (150, 50, 120),
                ];
                return new ForeignBody(plastic, colours[random.Below(colours.Length)], 0.55f, 0.35f, 0.02f, grain);
            }
        }
    }

    public void Paint(byte[] colour, byte[] coverage, int side, int origin, float mm)
    {
        const float Reach = 8.5f;
        var left = Math.Max(0, (int)(((_outline.X - Reach) / mm) + origin));
        var top = Math.Max(0, (int)(((_outline.Y - Reach) / mm) + origin));
        var right = Math.Min(side, left + (int)(2 * Reach / mm));
        var bottom = Math.Min(side, top + (int)(2 * Reach / mm));
        for (var row = top; row < bottom; row++)
        {
            for (var column = left; column < right; column++)
            {
                var at = (row * side) + column;
                if (coverage[at] == 0)
                {
                    continue;
                }

                var x = (column + 0.5f - origin) * mm;
                var y = (row + 0.5f - origin) * mm;
                var inside = _outline.Inside(x, y);
                var bgr = colour.AsSpan(at * 3, 3);

                // The shadow falls down and to the right, like that of the biscuit.
                var shadow = Math.Clamp((_outline.Inside(x - 0.9f, y - 1.1f) + 0.6f) / 1.4f, 0, 1) * 0.55f;
                var cover = Math.Clamp((inside / mm) + 0.5f, 0, 1);
                var towards = (((x - _outline.X) * -0.5f) + ((y - _outline.Y) * -0.6f)) / 4f;
                var slope = MathF.Exp(-Math.Max(0, inside) / 1.1f);
                var light =
                    1
                    + (_dome * 0.55f * towards * (0.35f + slope))
                    + (_rough * Grain.At(Grain.Medium, column + _grain.X, row + _grain.Y));
                var spot =
                    ((x - _outline.X + 0.8f) * (x - _outline.X + 0.8f))
                    + ((y - _outline.Y + 0.95f) * (y - _outline.Y + 0.95f));
                var glint = 235 * _gloss * MathF.Exp(-spot / 0.9f);
                bgr[0] = Mix(bgr[0], _colour.Blue, light, glint, shadow, cover);
                bgr[1] = Mix(bgr[1], _colour.Green, light, glint, shadow, cover);
                bgr[2] = Mix(bgr[2], _colour.Red, light, glint, shadow, cover);
            }
        }
    }

    private static byte Mix(byte under, float colour, float light, float glint, float shadow, float cover)
    {
        var shaded = under * (1 - shadow);
        return (byte)Math.Clamp(shaded + (((colour * light) + glint - shaded) * cover), 0, 255);
    }
}
