using EdgeInspector.Simulation.Rendering;
using OpenCvSharp;

namespace EdgeInspector.Simulation.Parts;

/// <summary>
/// Photographs from a folder as parts: one sub-folder per class, of which "ok" and "good" are good and every other is a
/// defect. All pictures are read once at the start, so that a bad one is named before the line moves.
/// </summary>
internal sealed class PhotographSet : IPartSource
{
    private const double LargestTurn = 3 * Math.PI / 180;

    private static readonly string[] Endings = [".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff", ".webp"];

    private readonly ulong _seed;
    private readonly double _millimetresPerPixel;
    private readonly List<Entry> _entries = [];

    /// <exception cref="DirectoryNotFoundException">The folder is not there.</exception>
    /// <exception cref="InvalidDataException">It holds no pictures, or one cannot be read or does not fit.</exception>
    public PhotographSet(VirtualLineOptions options)
    {
        var folder = options.PhotographsFolder!;
        _seed = (ulong)options.Seed;
        _millimetresPerPixel = options.MillimetresPerPixel;
        if (!Directory.Exists(folder))
        {
            throw new DirectoryNotFoundException(
                $"{folder}: no such folder of photographs; it must hold one sub-folder per class"
            );
        }

        var files = Directory
            .GetDirectories(folder)
            .Order(StringComparer.Ordinal)
            .SelectMany(d => Directory.GetFiles(d).Order(StringComparer.Ordinal))
            .Where(f => Endings.Contains(Path.GetExtension(f), StringComparer.OrdinalIgnoreCase))
            .ToArray();
        if (files.Length == 0)
        {
            throw new InvalidDataException(
                $"{folder}: no pictures in its sub-folders; it must hold one sub-folder per class"
            );
        }

        if (options.PhotographOrder == PhotographOrder.Shuffled)
        {
            var random = SeededRandom.For(_seed, 30, 0);
            for (var i = files.Length - 1; i > 0; i--)
            {
                var j = random.Below(i + 1);
                (files[i], files[j]) = (files[j], files[i]);
            }
        }

        Count = files.Length;
        var used = options.PartCount == 0 ? files.Length : Math.Min(options.PartCount, files.Length);
        for (var i = 0; i < used; i++)
        {
            using var picture = Read(files[i]);
            var scale = options.PhotographSize is { } size
                ? size / options.MillimetresPerPixel / Math.Max(picture.Width, picture.Height)
                : 1;
            var entry = new Entry(files[i], picture.Width * scale, picture.Height * scale, scale);
            var across = (entry.Height * Math.Cos(LargestTurn)) + (entry.Width * Math.Sin(LargestTurn));
            if (across > options.FrameHeight / (double)options.Lanes)
            {
                throw new InvalidDataException(
                    $"{files[i]}: {picture.Width} x {picture.Height} pixels do not fit on the belt; "
                        + "set a photograph size in millimetres"
                );
            }

            LargestAcross = Math.Max(LargestAcross, across * options.MillimetresPerPixel);
            MeanLength += entry.Width * options.MillimetresPerPixel / used;
            _entries.Add(entry);
        }
    }

    /// <summary>Photographs in the folder.</summary>
    public int Count { get; }

    /// <summary>Millimetres.</summary>
    public double MeanLength { get; }

    /// <summary>Millimetres across the belt of the largest, turned as far as it can be.</summary>
    public double LargestAcross { get; }

    public PartDesign Design(long index)
    {
        var entry = _entries[(int)(index % _entries.Count)];
        var random = SeededRandom.For(_seed, 31, index);
        return new Photograph(entry, random.Range(-LargestTurn, LargestTurn), _millimetresPerPixel);
    }

    private static Mat Read(string file)
    {
        if (new FileInfo(file).Length == 0)
        {
            throw new InvalidDataException($"{file}: the picture is empty (0 bytes); replace or remove it");
        }

        var picture = Cv2.ImRead(file, ImreadModes.Color);
        if (picture.Empty())
        {
            picture.Dispose();
            throw new InvalidDataException($"{file}: cannot be read as a picture; replace or remove it");
        }

        return picture;
    }

    private sealed record Entry(string File, double Width, double Height, double Scale)
    {
        public string Class => Path.GetFileName(Path.GetDirectoryName(File))!;

        public bool IsGood => Class.ToUpperInvariant() is "OK" or "GOOD";
    }

    private sealed class Photograph : PartDesign
    {
        private const double Thickness = 12;

        private readonly Entry _entry;
        private readonly double _angle;

        public Photograph(Entry entry, double angle, double millimetresPerPixel)
            : base(entry.Class, !entry.IsGood, entry.File, millimetresPerPixel)
        {
            Open(
                Math.Max(
                    entry.Width + (entry.Height * Math.Sin(LargestTurn)),
                    entry.Height + (entry.Width * Math.Sin(LargestTurn))
                ) / 2
            );
            _entry = entry;
            _angle = angle;
            var (sin, cos) = Math.SinCos(angle);
            for (var row = 0; row < Side; row++)
            {
                var y = row + 0.5 - Origin;
                for (var column = 0; column < Side; column++)
                {
                    var x = column + 0.5 - Origin;
                    var inside = Math.Min(
                        (entry.Width / 2) - Math.Abs((x * cos) + (y * sin)),
                        (entry.Height / 2) - Math.Abs((y * cos) - (x * sin))
                    );
                    Coverage[(row * Side) + column] = (byte)(255 * Math.Clamp(inside + 0.5, 0, 1));
                }
            }

            Close();
        }

        public override void Paint(Sprite sprite)
        {
            sprite.Shade(Coverage, Thickness);
            using var picture = Read(_entry.File);
            using var canvas = Mat.FromPixelData(Side, Side, MatType.CV_8UC3, sprite.Colour);
            var source = picture;
            using var shrunk = new Mat();
            var scale = _entry.Scale;
            if (scale < 0.75)
            {
                // Shrinking by more than a little needs an average, or fine detail turns into speckle.
                Cv2.Resize(
                    picture,
                    shrunk,
                    new Size((int)Math.Round(_entry.Width), (int)Math.Round(_entry.Height)),
                    0,
                    0,
                    InterpolationFlags.Area
                );
                source = shrunk;
                scale = 1;
            }

            var (sin, cos) = Math.SinCos(_angle);
            var (cx, cy) = ((source.Width - 1) / 2.0, (source.Height - 1) / 2.0);
            var middle = Origin - 0.5;
            double[] turn =
            [
                scale * cos,
                -scale * sin,
                middle - (scale * ((cos * cx) - (sin * cy))),
                scale * sin,
                scale * cos,
                middle - (scale * ((sin * cx) + (cos * cy))),
            ];
            using var matrix = Mat.FromPixelData(2, 3, MatType.CV_64FC1, turn);
            Cv2.WarpAffine(
                source,
                canvas,
                matrix,
                new Size(Side, Side),
                InterpolationFlags.Linear,
                BorderTypes.Replicate
            );
        }
    }
}
