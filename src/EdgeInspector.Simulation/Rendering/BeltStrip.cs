using EdgeInspector.Simulation.Parts;

namespace EdgeInspector.Simulation.Rendering;

/// <summary>
/// The belt with its parts under a plain lamp, as far as it has come into view. Column numbers are fixed to the belt
/// and fall as new belt arrives from the left. The belt is drawn once, a chunk at a time; a frame only looks at it,
/// so its cost does not depend on how many parts it shows. A chunk depends on nothing but its number and the parts on
/// it: frames come out the same in whatever order they are asked for.
/// </summary>
internal sealed unsafe class BeltStrip : IDisposable
{
    private const int Chunk = BeltSurface.Chunk;
    private const int Capacity = 56;

    private readonly BeltSurface _surface;
    private readonly int _height;
    private readonly int _capacity;
    private readonly int _stride;
    private byte* _pixels;
    private long _first;
    private long _filledFrom;
    private long _filledTo;

    /// <param name="widest">Columns that one look needs at most.</param>
    public BeltStrip(BeltSurface surface, int height, int widest)
    {
        _surface = surface;
        _height = height;
        _capacity = Math.Max(Capacity, ((widest / Chunk) + 2) * 2);
        _stride = _capacity * Chunk * 3;

        // The exposure reads whole vectors, up to 32 bytes beyond the last pixel.
        _pixels = (byte*)System.Runtime.InteropServices.NativeMemory.AlignedAlloc((nuint)((_stride * height) + 64), 64);
    }

    public int Stride => _stride;

    /// <summary>
    /// Columns <paramref name="from"/> to <paramref name="to"/> (exclusive), drawn where they were not yet. The
    /// pointer is good until the next call.
    /// </summary>
    /// <param name="parts">All parts on these columns, shadows included, in order of their index.</param>
    public byte* Look(long from, long to, IReadOnlyList<LinePart> parts)
    {
        for (var i = 0; i < parts.Count; i++)
        {
            // A part that has slid since it was drawn: begin anew, it is rare.
            _filledTo = parts[i].Drawn is { } drawn && drawn != parts[i].Shown ? _filledFrom : _filledTo;
            parts[i].Drawn = parts[i].Shown;
        }

        var low = FloorChunk(from);
        var high = FloorChunk(to - 1) + 1;
        if (high < _filledFrom || low > _filledTo || _filledFrom == _filledTo)
        {
            (_filledFrom, _filledTo) = (high, high);
            _first = high - _capacity;
        }
        else if (low < _first || high > _first + _capacity)
        {
            Shift(low, high);
        }

        while (_filledTo < high)
        {
            Draw(_filledTo++, parts);
        }

        while (_filledFrom > low)
        {
            Draw(--_filledFrom, parts);
        }

        return _pixels + ((from - (_first * Chunk)) * 3);
    }

    public void Dispose()
    {
        System.Runtime.InteropServices.NativeMemory.AlignedFree(_pixels);
        _pixels = null;
    }

    private static long FloorChunk(long column)
    {
        return (long)Math.Floor(column / (double)Chunk);
    }

    /// <summary>Moves what stays in view to the end it came from, leaving room for what comes.</summary>
    private void Shift(long low, long high)
    {
        var keepFrom = Math.Max(low, _filledFrom);
        var keepTo = Math.Min(high, _filledTo);
        var first = low < _first ? high - _capacity : low;
        var bytes = (int)(keepTo - keepFrom) * Chunk * 3;
        var source = (int)(keepFrom - _first) * Chunk * 3;
        var target = (int)(keepFrom - first) * Chunk * 3;
        for (var y = 0; y < _height; y++)
        {
            var row = _pixels + ((long)y * _stride);
            new Span<byte>(row + source, bytes).CopyTo(new Span<byte>(row + target, bytes));
        }

        _first = first;
        (_filledFrom, _filledTo) = (keepFrom, keepTo);
    }

    private void Draw(long chunk, IReadOnlyList<LinePart> parts)
    {
        var pixels = _pixels + ((chunk - _first) * Chunk * 3);
        _surface.Lay(chunk, pixels, _stride);

        // Shadows first: they fall on the belt, never on a neighbour of the same height.
        for (var i = 0; i < parts.Count; i++)
        {
            Darken(chunk, pixels, parts[i]);
        }

        for (var i = 0; i < parts.Count; i++)
        {
            Cover(chunk, pixels, parts[i]);
        }
    }

    private static bool Overlap(long chunk, LinePart part, out int from, out int to)
    {
        from = (int)Math.Max(0, (chunk * Chunk) - part.Shown);
        to = (int)Math.Min(part.Side, ((chunk + 1) * Chunk) - part.Shown);
        return from < to;
    }

    private void Darken(long chunk, byte* pixels, LinePart part)
    {
        if (!Overlap(chunk, part, out var from, out var to))
        {
            return;
        }

        var sprite = part.Painting!.Value;
        for (var y = Math.Max(0, -part.Row); y < Math.Min(part.Side, _height - part.Row); y++)
        {
            var pixel = pixels + ((long)(part.Row + y) * _stride) + ((part.Shown + from - (chunk * Chunk)) * 3);
            foreach (var light in sprite.Light.AsSpan((y * part.Side) + from, to - from))
            {
                if (light != 255)
                {
                    pixel[0] = (byte)(pixel[0] * light / 255);
                    pixel[1] = (byte)(pixel[1] * light / 255);
                    pixel[2] = (byte)(pixel[2] * light / 255);
                }

                pixel += 3;
            }
        }
    }

    private void Cover(long chunk, byte* pixels, LinePart part)
    {
        if (!Overlap(chunk, part, out var from, out var to))
        {
            return;
        }

        var sprite = part.Painting!.Value;
        for (var y = Math.Max(0, -part.Row); y < Math.Min(part.Side, _height - part.Row); y++)
        {
            var pixel = pixels + ((long)(part.Row + y) * _stride) + ((part.Shown + from - (chunk * Chunk)) * 3);
            var coverage = sprite.Coverage.AsSpan((y * part.Side) + from, to - from);
            var colour = sprite.Colour.AsSpan(((y * part.Side) + from) * 3, coverage.Length * 3);
            for (var x = 0; x < coverage.Length; x++, pixel += 3)
            {
                var cover = coverage[x];
                if (cover != 0)
                {
                    pixel[0] = (byte)(((pixel[0] * (255 - cover)) + (colour[x * 3] * cover) + 127) / 255);
                    pixel[1] = (byte)(((pixel[1] * (255 - cover)) + (colour[(x * 3) + 1] * cover) + 127) / 255);
                    pixel[2] = (byte)(((pixel[2] * (255 - cover)) + (colour[(x * 3) + 2] * cover) + 127) / 255);
                }
            }
        }
    }
}
