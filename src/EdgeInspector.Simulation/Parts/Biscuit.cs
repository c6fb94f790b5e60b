using EdgeInspector.Simulation.Rendering;

namespace EdgeInspector.Simulation.Parts;

/// <summary>
/// One biscuit: an outline in polar form, breaks and a hole cut from it, then height and bake over its surface, lit
/// from the upper left. Lengths are millimetres around the middle of the biscuit; x runs downstream, y down the
/// picture. Defects are sized so that nobody would argue: a part is either clearly good or clearly bad.
/// </summary>
internal sealed class Biscuit : PartDesign
{
    private const int OutlineSteps = 512;

    // Towards the lamp.
    private const float LampX = -0.50f;
    private const float LampY = -0.60f;
    private const float LampZ = 0.625f;

    private readonly BiscuitStyle _style;
    private readonly float[] _radius = new float[OutlineSteps];
    private readonly float[] _steepness = new float[OutlineSteps];
    private readonly float _meanRadius;
    private readonly float _rotation;
    private readonly List<Break> _breaks = [];
    private readonly Blob? _hole;
    private readonly ForeignBody? _foreign;
    private readonly Burn? _burn;
    private readonly float _bake;
    private readonly float _mottle;
    private readonly (float X, float Y) _bakeSlope;
    private readonly (int X, int Y) _grain;

    public Biscuit(BiscuitStyle style, string kind, SeededRandom random, double millimetresPerPixel)
        : base(kind, kind != BiscuitRange.Good, null, millimetresPerPixel)
    {
        _style = style;
        _meanRadius = random.Range(28.6f, 31.3f);
        _rotation = random.Range(0f, 2 * MathF.PI);
        _bake = Math.Clamp(style.Bake + (float)(0.075 * random.Normal()), 0.13f, 0.47f);
        _mottle = random.Range(0.7f, 1.4f);
        var slope = random.Range(0f, 2 * MathF.PI);
        var strength = random.Range(0f, 0.05f);
        _bakeSlope = (strength * MathF.Cos(slope), strength * MathF.Sin(slope));
        _grain = (random.Below(Grain.Size), random.Below(Grain.Size));
        FillOutline(ref random, kind == BiscuitRange.Misshapen);
        switch (kind)
        {
            case BiscuitRange.Broken:
                AddBreaks(ref random);
                break;
            case BiscuitRange.Hole:
                _hole = CreateHole(ref random);
                break;
            case BiscuitRange.Foreign:
                _foreign = ForeignBody.Create(ref random, _meanRadius);
                break;
            case BiscuitRange.Burnt:
                _burn = Burn.Create(ref random);
                break;
        }

        Open(_radius.Max() / millimetresPerPixel);
        FillCoverage();
        Close();
    }

    public override void Paint(Sprite sprite)
    {
        sprite.Shade(Coverage, _style.Thickness / MillimetresPerPixel);
        var surface = Surface.ForThisThread(Side * Side);
        Shape(surface.Height, surface.Bake);
        PressDots(surface.Height, surface.Bake);
        Light(surface.Height, surface.Bake, sprite.Colour);
        _foreign?.Paint(sprite.Colour, Coverage, Side, Origin, (float)MillimetresPerPixel);
    }

    private void FillOutline(ref SeededRandom random, bool misshapen)
    {
        Span<(float Amplitude, float Phase)> wobble = stackalloc (float, float)[4];
        for (var k = 0; k < wobble.Length; k++)
        {
            wobble[k] = (random.Range(0.002f, 0.010f) / (1 + (0.5f * k)), random.Range(0f, 2 * MathF.PI));
        }

        var fault = misshapen ? Misshape.Create(ref random, _meanRadius) : null;
        for (var i = 0; i < OutlineSteps; i++)
        {
            var angle = 2 * MathF.PI * i / OutlineSteps;
            var radius = _meanRadius;
            for (var k = 0; k < wobble.Length; k++)
            {
                radius += _meanRadius * wobble[k].Amplitude * MathF.Cos(((k + 2) * angle) + wobble[k].Phase);
            }

            if (_style.Scallops > 0)
            {
                radius +=
                    _style.ScallopDepth * (MathF.Abs(MathF.Cos(_style.Scallops * (angle - _rotation) / 2)) - 0.6f);
            }

            _radius[i] = Math.Min(fault?.Radius(radius, angle) ?? radius, (float)BiscuitRange.LargestWidth / 2);
        }

        for (var i = 0; i < OutlineSteps; i++)
        {
            var rise =
                (_radius[(i + 1) % OutlineSteps] - _radius[(i + OutlineSteps - 1) % OutlineSteps])
                / (4 * MathF.PI / OutlineSteps)
                / _radius[i];
            _steepness[i] = 1 / MathF.Sqrt(1 + (rise * rise));
        }
    }

    private void AddBreaks(ref SeededRandom random)
    {
        // Share of the area beyond a chord at c radii from the middle: (acos c - c sqrt(1 - c^2)) / pi.
        // 0.62 takes 12 %, 0.0 takes half.
        var half = random.Chance(0.3);
        var depth = half ? random.Range(0.0f, 0.12f) : random.Range(0.15f, 0.58f);
        var angle = random.Range(0f, 2 * MathF.PI);
        _breaks.Add(Break.Create(ref random, angle, depth * _meanRadius));
        if (!half && depth > 0.4f && random.Chance(0.35))
        {
            _breaks.Add(
                Break.Create(ref random, angle + random.Range(1.2f, 2.4f), random.Range(0.55f, 0.7f) * _meanRadius)
            );
        }
    }

    private Blob CreateHole(ref SeededRandom random)
    {
        var radius = random.Range(3.8f, 7.6f);
        var distance = random.Range(0f, _meanRadius - (1.25f * radius) - 3.5f);
        var angle = random.Range(0f, 2 * MathF.PI);
        return Blob.Create(ref random, distance * MathF.Cos(angle), distance * MathF.Sin(angle), radius, 0.14f);
    }

    /// <summary>Distance inside the baked edge and inside the nearest broken edge; negative outside.</summary>
    private void Measure(float x, float y, out float rim, out float cut)
    {
        var r = MathF.Sqrt((x * x) + (y * y));
        var turn = MathF.Atan2(y, x) * (OutlineSteps / (2 * MathF.PI));
        if (turn < 0)
        {
            turn += OutlineSteps;
        }

        var i = (int)turn;
        var f = turn - i;
        i &= OutlineSteps - 1;
        var j = (i + 1) & (OutlineSteps - 1);
        rim = (_radius[i] + (f * (_radius[j] - _radius[i])) - r) * _steepness[i];
        cut = float.MaxValue;
        foreach (var line in _breaks)
        {
            cut = Math.Min(cut, line.Inside(x, y));
        }

        if (_hole is { } hole)
        {
            cut = Math.Min(cut, -hole.Inside(x, y));
        }
    }

    private void FillCoverage()
    {
        // Only near the outline does its exact place matter; this runs while the line's lock is held.
        var mm = (float)MillimetresPerPixel;
        var surelyIn = Math.Max(0, _radius.Min() - (2 * mm));
        var surelyOut = _radius.Max() + mm;
        var whole = _breaks.Count == 0 && _hole is null;
        for (var row = Margin; row < Side - Margin; row++)
        {
            var y = (row + 0.5f - Origin) * mm;
            for (var column = Margin; column < Side - Margin; column++)
            {
                var x = (column + 0.5f - Origin) * mm;
                var square = (x * x) + (y * y);
                if (square > surelyOut * surelyOut)
                {
                    continue;
                }

                if (whole && square < surelyIn * surelyIn)
                {
                    Coverage[(row * Side) + column] = 255;
                    continue;
                }

                Measure(x, y, out var rim, out var cut);
                var inside = (Math.Min(rim, cut) / mm) + 0.5f;
                Coverage[(row * Side) + column] = (byte)(255 * Math.Clamp(inside, 0, 1));
            }
        }
    }

    private void Shape(float[] height, float[] bake)
    {
        var mm = (float)MillimetresPerPixel;
        for (var row = 0; row < Side; row++)
        {
            var y = (row + 0.5f - Origin) * mm;
            for (var column = 0; column < Side; column++)
            {
                var at = (row * Side) + column;

                // One pixel beyond the edge is still shaped: the slope at the edge needs it.
                if (Coverage[at] == 0 && !NearEdge(at))
                {
                    height[at] = 0;
                    bake[at] = 0;
                    continue;
                }

                var x = (column + 0.5f - Origin) * mm;
                Measure(x, y, out var rim, out var cut);
                var gx = column + _grain.X;
                var gy = row + _grain.Y;
                var fine = Grain.At(Grain.Fine, gx, gy);
                var medium = Grain.At(Grain.Medium, gx, gy);
                var coarse = Grain.At(Grain.Coarse, gx, gy);
                var broad = Grain.At(Grain.Broad, gx, gy);
                var edge = MathF.Exp(-Math.Max(0, rim) / 2.4f);
                var r = MathF.Sqrt((x * x) + (y * y));

                var h = _style.Thickness * 0.45f * (1 - MathF.Exp(-Math.Max(0, rim) / 1.7f));
                h += (0.22f * coarse) + (0.10f * medium) + (0.035f * fine);
                if (_style.Ring > 0)
                {
                    var ring = (r - _style.Ring) / 0.75f;
                    h += 0.28f * MathF.Exp(-ring * ring);
                }

                var b =
                    _bake
                    + (0.15f * edge * (1 + (0.25f * coarse)))
                    + (x * _bakeSlope.X / 30)
                    + (y * _bakeSlope.Y / 30)
                    + (_mottle * ((0.018f * broad) + (0.022f * coarse) + (0.020f * medium) + (0.014f * fine)));
                if (_burn is { } burn)
                {
                    b = burn.Darken(b, x, y, (1.6f * coarse) + (0.9f * medium), fine);
                }

                if (cut < 2.2f)
                {
                    // The broken face shows the pale inside.
                    var face = Math.Clamp(1 - (Math.Max(0, cut) / 1.6f), 0, 1);
                    h -= _style.Thickness * 0.30f * face * face;
                    h += 0.16f * face * ((0.8f * medium) + fine);
                    var inside = 0.05f + (0.05f * medium) + (0.03f * fine);
                    b += (inside - b) * 0.75f * face;
                }

                height[at] = h;
                bake[at] = b;
            }
        }
    }

    private bool NearEdge(int at)
    {
        return at > Side
            && at < Coverage.Length - Side - 1
            && (Coverage[at - 1] | Coverage[at + 1] | Coverage[at - Side] | Coverage[at + Side]) != 0;
    }

    private void PressDots(float[] height, float[] bake)
    {
        var mm = (float)MillimetresPerPixel;
        var (sin, cos) = MathF.SinCos(_rotation);
        var reach = 2.2f * _style.DotRadius;
        foreach (var (dx, dy) in _style.Dots)
        {
            var cx = (dx * cos) - (dy * sin);
            var cy = (dx * sin) + (dy * cos);
            var left = (int)(((cx - reach) / mm) + Origin);
            var top = (int)(((cy - reach) / mm) + Origin);
            var size = (int)(2 * reach / mm) + 2;
            for (var row = top; row < top + size; row++)
            {
                for (var column = left; column < left + size; column++)
                {
                    var x = ((column + 0.5f - Origin) * mm) - cx;
                    var y = ((row + 0.5f - Origin) * mm) - cy;
                    var q = ((x * x) + (y * y)) / (_style.DotRadius * _style.DotRadius);
                    var pressed = MathF.Exp(-q);
                    height[(row * Side) + column] -= 0.55f * pressed;
                    bake[(row * Side) + column] += 0.20f * pressed;
                }
            }
        }
    }

    private void Light(float[] height, float[] bake, byte[] colour)
    {
        var perSlope = 0.5f / (float)MillimetresPerPixel;
        for (var row = 1; row < Side - 1; row++)
        {
            for (var column = 1; column < Side - 1; column++)
            {
                var at = (row * Side) + column;
                if (Coverage[at] == 0)
                {
                    continue;
                }

                var sx = (height[at + 1] - height[at - 1]) * perSlope;
                var sy = (height[at + Side] - height[at - Side]) * perSlope;
                var facing = ((-sx * LampX) - (sy * LampY) + LampZ) / (LampZ * MathF.Sqrt((sx * sx) + (sy * sy) + 1));
                var shade = 0.58f + (0.42f * Math.Clamp(facing, 0, 1.9f));
                Bake.Colour(bake[at], shade, colour.AsSpan(at * 3, 3));
            }
        }
    }

    /// <summary>Height and bake while painting: one pair for each painting thread.</summary>
    private sealed class Surface
    {
        [ThreadStatic]
        private static Surface? _mine;

        public float[] Height { get; private set; } = [];

        public float[] Bake { get; private set; } = [];

        public static Surface ForThisThread(int size)
        {
            var surface = _mine ??= new Surface();
            if (surface.Height.Length < size)
            {
                surface.Height = new float[size];
                surface.Bake = new float[size];
            }

            return surface;
        }
    }
}
