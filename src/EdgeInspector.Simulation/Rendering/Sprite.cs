using System.Collections.Concurrent;
using OpenCvSharp;

namespace EdgeInspector.Simulation.Rendering;

/// <summary>
/// A painted part under a plain lamp: colour, coverage and the shadow it throws on the belt, all on the pixel grid of
/// its <see cref="Parts.PartDesign"/>. Rented from a <see cref="SpritePool"/> by whoever paints, returned when the part
/// has left the picture.
/// </summary>
internal sealed class Sprite
{
    public int Width { get; private set; }

    public int Height { get; private set; }

    /// <summary>Three bytes a pixel: blue, green, red.</summary>
    public byte[] Colour { get; private set; } = [];

    /// <summary>255 where the part hides the belt.</summary>
    public byte[] Coverage { get; private set; } = [];

    /// <summary>What the shadow leaves of the belt's light, 255 = all.</summary>
    public byte[] Light { get; private set; } = [];

    public void Resize(int width, int height)
    {
        Width = width;
        Height = height;
        if (Coverage.Length < width * height)
        {
            Colour = new byte[width * height * 3];
            Coverage = new byte[width * height];
            Light = new byte[width * height];
        }
    }

    /// <summary>Takes over the coverage and throws its shadow, for a soft lamp above and to the upper left.</summary>
    /// <param name="thickness">Height of the part in pixels.</param>
    public void Shade(byte[] coverage, double thickness)
    {
        coverage.AsSpan(0, Width * Height).CopyTo(Coverage);
        using var mask = Mat.FromPixelData(Height, Width, MatType.CV_8UC1, Coverage);
        using var contact = new Mat();
        using var cast = new Mat();
        Cv2.GaussianBlur(mask, contact, new Size(0, 0), 0.22 * thickness);
        Cv2.GaussianBlur(mask, cast, new Size(0, 0), 0.38 * thickness);
        var right = (int)Math.Round(0.34 * thickness);
        var down = (int)Math.Round(0.42 * thickness);
        for (var y = 0; y < Height; y++)
        {
            var near = contact.AsSpan<byte>().Slice(y * Width, Width);
            var far = cast.AsSpan<byte>().Slice(Math.Max(0, y - down) * Width, Width);
            for (var x = 0; x < Width; x++)
            {
                var left = 255 - (near[x] * 92 / 256);
                left = left * (255 - (far[Math.Max(0, x - right)] * 104 / 256)) / 255;
                Light[(y * Width) + x] = (byte)left;
            }
        }
    }
}

/// <summary>Sprites to use again, so that a line that runs for weeks makes no garbage. Safe from any thread.</summary>
internal sealed class SpritePool
{
    private readonly ConcurrentBag<Sprite> _free = [];

    public Sprite Rent(int width, int height)
    {
        if (!_free.TryTake(out var sprite))
        {
            sprite = new Sprite();
        }

        sprite.Resize(width, height);
        return sprite;
    }

    public void Return(Sprite sprite)
    {
        _free.Add(sprite);
    }
}
