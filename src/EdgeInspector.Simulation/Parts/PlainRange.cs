using EdgeInspector.Simulation.Rendering;

namespace EdgeInspector.Simulation.Parts;

/// <summary>The plain parts of a line, each by its index. What a part is like costs two dozen instructions.</summary>
internal sealed class PlainRange(VirtualLineOptions options) : IPartSource
{
    public const string Good = "good";
    public const string Defect = "defect";

    private readonly ulong _seed = (ulong)options.Seed;
    private readonly PlainParts _parts = options.PlainParts!;
    private readonly double _defectRate = options.DefectRate;
    private readonly double _millimetresPerPixel = options.MillimetresPerPixel;

    /// <summary>The shape of one part; extents are whole pixels so that it can be drawn as it is measured.</summary>
    public PlainShape Shape(long index)
    {
        var random = SeededRandom.For(_seed, 22, index);
        var isDefect = random.Chance(_defectRate);
        var rectangle = random.Chance(_parts.RectangleShare);
        var length = Pixels(ref random);
        return new PlainShape(length, rectangle ? Pixels(ref random) : length, !rectangle, isDefect);
    }

    public PartDesign Design(long index)
    {
        return new PlainDesign(Shape(index), _millimetresPerPixel);
    }

    private int Pixels(ref SeededRandom random)
    {
        return Math.Max(
            2,
            (int)Math.Round(random.Range(_parts.MinimumLength, _parts.MaximumLength) / _millimetresPerPixel)
        );
    }

    /// <summary>The same, for a picture: dough without a mark, or with a dark one across it.</summary>
    private sealed class PlainDesign : PartDesign
    {
        private const double Thickness = 6;

        private readonly PlainShape _shape;

        public PlainDesign(PlainShape shape, double millimetresPerPixel)
            : base(shape.Class, shape.IsDefect, null, millimetresPerPixel)
        {
            _shape = shape;
            Open(Math.Max(shape.Length, shape.Width) / 2.0);
            var (left, top) = (shape.Extent.Left, shape.Extent.Top);
            for (var row = 0; row < shape.Width; row++)
            {
                for (var column = 0; column < shape.Length; column++)
                {
                    var x = ((2.0 * column) + 1 - shape.Length) / shape.Length;
                    var y = ((2.0 * row) + 1 - shape.Width) / shape.Width;
                    if (!shape.Round || (x * x) + (y * y) <= 1)
                    {
                        Coverage[((row + top) * Side) + column + left] = 255;
                    }
                }
            }

            Close();
        }

        public override void Paint(Sprite sprite)
        {
            sprite.Shade(Coverage, Thickness / MillimetresPerPixel);
            for (var y = 0; y < Side; y++)
            {
                var dark = _shape.IsDefect && Math.Abs(y - Origin) * 6 < _shape.Width;
                for (var x = 0; x < Side; x++)
                {
                    var colour = sprite.Colour.AsSpan(((y * Side) + x) * 3, 3);
                    colour[0] = (byte)(dark ? 30 : 90);
                    colour[1] = (byte)(dark ? 40 : 160);
                    colour[2] = (byte)(dark ? 60 : 205);
                }
            }
        }
    }
}

/// <summary>A disc or a rectangle. Pixels.</summary>
/// <param name="Length">Along the belt.</param>
/// <param name="Width">Across it.</param>
internal readonly record struct PlainShape(int Length, int Width, bool Round, bool IsDefect)
{
    public string Class => IsDefect ? PlainRange.Defect : PlainRange.Good;

    /// <summary>Where it lies on the grid of its design.</summary>
    public PartExtent Extent
    {
        get
        {
            // As PartDesign opens its grid.
            var origin = ((Math.Max(Length, Width) + 1) / 2) + 1 + PartDesign.Margin;
            var (left, top) = (origin - (Length / 2), origin - (Width / 2));
            return new PartExtent(origin * 2, origin, left, top, left + Length, top + Width);
        }
    }

    /// <summary>Box and share of the area between two columns of the grid, turned by some radians.</summary>
    public (double Left, double Top, double Right, double Bottom, double Share) Between(int from, int to, double turn)
    {
        var box = Extent;
        if (turn == 0 || Round)
        {
            var (first, end) = (Math.Max(from, box.Left), Math.Min(to, box.Right));
            return first >= end
                ? default
                : (first, box.Top, end, box.Bottom, ShareTo(end - box.Left) - ShareTo(first - box.Left));
        }

        var (sin, cos) = (Math.Abs(Math.Sin(turn)), Math.Abs(Math.Cos(turn)));
        var (x, y) = ((box.Left + box.Right) / 2.0, (box.Top + box.Bottom) / 2.0);
        var length = (Length * cos) + (Width * sin);
        var width = (Length * sin) + (Width * cos);
        var (left, right) = (Math.Max(from, x - (length / 2)), Math.Min(to, x + (length / 2)));

        // Near enough: the corners cut off hold little.
        return left >= right ? default : (left, y - (width / 2), right, y + (width / 2), (right - left) / length);
    }

    /// <summary>Share of the area left of a column, from 0 to <see cref="Length"/>.</summary>
    private double ShareTo(double column)
    {
        var along = Math.Clamp(column / Length, 0, 1);
        if (!Round)
        {
            return along;
        }

        // A segment of a circle with radius 1, as a share of it.
        var x = (2 * along) - 1;
        return 0.5 + (((x * Math.Sqrt(1 - (x * x))) + Math.Asin(x)) / Math.PI);
    }
}
