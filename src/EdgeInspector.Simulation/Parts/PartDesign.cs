using EdgeInspector.Simulation.Rendering;

namespace EdgeInspector.Simulation.Parts;

/// <summary>
/// The shape of one part on a pixel grid of the belt, and how to paint it. A design is settled when the part is laid on
/// the belt (its extent decides where the next one can lie); painting happens later and elsewhere. Immutable once made.
/// </summary>
internal abstract class PartDesign
{
    /// <summary>Room around the part for its shadow, in pixels.</summary>
    public const int Margin = 18;

    private const byte Solid = 128;

    protected PartDesign(string name, bool isDefect, string? source, double millimetresPerPixel)
    {
        Class = name;
        IsDefect = isDefect;
        Source = source;
        MillimetresPerPixel = millimetresPerPixel;
    }

    public string Class { get; }

    public bool IsDefect { get; }

    public string? Source { get; }

    /// <summary>The grid is square: this many pixels each way, with the design's middle at its centre.</summary>
    public int Side { get; private set; }

    /// <summary>Column and row of the middle: the corner between pixels Origin - 1 and Origin.</summary>
    public int Origin { get; private set; }

    /// <summary>255 where the part hides the belt, 0 where there is none.</summary>
    public byte[] Coverage { get; private set; } = [];

    /// <summary>Box of what is solid, in grid pixels; right and bottom are exclusive.</summary>
    public int Left { get; private set; }

    public int Top { get; private set; }

    public int Right { get; private set; }

    public int Bottom { get; private set; }

    /// <summary>The grid and what is solid on it.</summary>
    public PartExtent Extent => new(Side, Origin, Left, Top, Right, Bottom);

    /// <summary>Solid pixels in all.</summary>
    public int Area { get; private set; }

    /// <summary>First column of each row with any of the part; <see cref="Side"/> where there is none.</summary>
    public int[] RowStart { get; private set; } = [];

    /// <summary>Column after the last of each row; 0 where there is none.</summary>
    public int[] RowEnd { get; private set; } = [];

    protected double MillimetresPerPixel { get; }

    /// <summary>Paints colour, coverage and shadow. Any thread, one call at a time for each sprite.</summary>
    public abstract void Paint(Sprite sprite);

    /// <summary>Solid box and share of the area between two columns of the grid.</summary>
    public (int Left, int Top, int Right, int Bottom, double Share) Between(int from, int to)
    {
        if (from <= Left && to >= Right)
        {
            return (Left, Top, Right, Bottom, 1);
        }

        var (left, top, right, bottom, area) = Measure(Math.Max(0, from), Math.Min(Side, to));
        return (left, top, right, bottom, area / (double)Area);
    }

    /// <summary>Called by the derived type before it fills <see cref="Coverage"/>.</summary>
    /// <param name="reach">Pixels from the middle to the furthest part of the outline.</param>
    protected void Open(double reach)
    {
        Origin = (int)Math.Ceiling(reach) + 1 + Margin;
        Side = Origin * 2;
        Coverage = new byte[Side * Side];
    }

    /// <summary>Called by the derived type when <see cref="Coverage"/> is filled.</summary>
    protected void Close()
    {
        RowStart = new int[Side];
        RowEnd = new int[Side];
        for (var y = 0; y < Side; y++)
        {
            var row = Coverage.AsSpan(y * Side, Side);
            var first = row.IndexOfAnyExcept((byte)0);
            RowStart[y] = first < 0 ? Side : first;
            RowEnd[y] = row.LastIndexOfAnyExcept((byte)0) + 1;
        }

        (Left, Top, Right, Bottom, Area) = Measure(0, Side);
        if (Area == 0)
        {
            throw new InvalidOperationException("A part must cover some of the belt.");
        }
    }

    private (int Left, int Top, int Right, int Bottom, int Area) Measure(int from, int to)
    {
        var (left, top, right, bottom, area) = (Side, Side, 0, 0, 0);
        for (var y = 0; y < Side; y++)
        {
            var low = Math.Max(from, RowStart[y]);
            var high = Math.Min(to, RowEnd[y]);
            for (var x = low; x < high; x++)
            {
                if (Coverage[(y * Side) + x] < Solid)
                {
                    continue;
                }

                area++;
                left = Math.Min(left, x);
                right = Math.Max(right, x + 1);
                top = Math.Min(top, y);
                bottom = y + 1;
            }
        }

        return (left, top, right, bottom, area);
    }
}

/// <summary>A part's square grid, where its middle is and the box of what is solid, in pixels.</summary>
internal readonly record struct PartExtent(int Side, int Origin, int Left, int Top, int Right, int Bottom);

/// <summary>Where parts come from: the design of any part by its index, the same each time it is asked for.</summary>
internal interface IPartSource
{
    PartDesign Design(long index);
}
