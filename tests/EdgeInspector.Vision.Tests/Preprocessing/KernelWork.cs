using System.Globalization;
using EdgeInspector.Vision.Preprocessing;

namespace EdgeInspector.Vision.Tests.Preprocessing;

/// <summary>A picture of noise whose rows lie some bytes further apart than they need, placed and cropped.</summary>
internal sealed record KernelWork(NetworkInput Input, int Width, int Height, int Slack, int Seed)
{
    /// <summary>64-bit FNV-1a of what a path gives for a hundred pictures of all sizes, layouts and elements.</summary>
    public static string Digest(SimdPath path)
    {
        var hash = 0xcbf29ce484222325;
        var random = new Random(5);
        for (var i = 0; i < 100; i++)
        {
            var element = (InputElement)(i % 3);
            var input = new NetworkInput
            {
                Width = random.Next(8, 120),
                Height = random.Next(8, 90),
                Channels = (ChannelOrder)random.Next(3),
                Fit = (FitMode)random.Next(3),
                Layout = (InputLayout)random.Next(2),
                Element = element,
                Resample = (ResampleMode)(i % 5 / 4),
                Mean = element is InputElement.UInt8 ? [0, 0, 0] : [123.675f, 116.28f, 103.53f],
                Std = element is InputElement.UInt8 ? [1, 1, 1] : [58.395f, 57.12f, 57.375f],
            };
            var (width, height) = (random.Next(1, 240), random.Next(1, 180));
            var numbers = (i % 4) switch
            {
                0 => new KernelWork(input, 2 * input.Width, 2 * input.Height, i % 7, i).Run(path),
                1 => new KernelWork(input, input.Width, input.Height, i % 7, i).Run(path),
                _ => new KernelWork(input, width, height, i % 7, i).Run(path),
            };
            foreach (var number in numbers)
            {
                hash = unchecked((hash ^ number) * 0x100000001b3);
            }
        }

        return hash.ToString("x16", CultureInfo.InvariantCulture);
    }

    public unsafe byte[] Run(SimdPath path)
    {
        var random = new Random(Seed);
        var step = (Width * 3) + Slack;
        var bytes = new byte[step * Height];
        random.NextBytes(bytes);
        var sampler = new Sampler(Input, path);
        var numbers = new byte[3 * sampler.Length];
        var (placed, cropped, whole) = (
            numbers.AsMemory(0, sampler.Length),
            numbers.AsMemory(sampler.Length, sampler.Length),
            numbers.AsMemory(2 * sampler.Length));
        fixed (byte* start = bytes)
        {
            var pixels = new Pixels(start, step, Width, Height);
            sampler.Pad(placed.Span);
            sampler.Place(pixels, Placement.Of(Width, Height, Input), placed.Span);
            var corner = (X: random.Next(-40, Width), Y: random.Next(-40, Height));
            var side = random.NextSingle() * 200;
            sampler.Crop(
                pixels,
                new Box(corner.X + 0.3f, corner.Y, corner.X + side, corner.Y + (side / 2)),
                0.1,
                cropped.Span);

            // A crop on whole pixels, inside the picture where the picture is large enough.
            sampler.Crop(pixels, new Box(0, 0, Input.Width, Input.Width), 0, whole.Span);
        }

        return numbers;
    }
}
