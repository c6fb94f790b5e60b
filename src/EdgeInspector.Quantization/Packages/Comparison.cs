using EdgeInspector.Vision;
using EdgeInspector.Vision.Packages;
using OpenCvSharp;

namespace EdgeInspector.Quantization.Packages;

/// <summary>Two packages on the same pictures.</summary>
internal sealed class Comparison(ModelPackage before, ModelPackage after)
{
    /// <summary>From how much overlap on two boxes are the same part.</summary>
    private const float SamePart = 0.5f;

    /// <summary>
    /// A box this close to the picture's edge, as a share of its side, may be cut by it. The line passes over such views,
    /// so a verdict on one is nobody's loss.
    /// </summary>
    private const float EdgeMargin = 0.03f;

    private readonly Tally _tally = new();

    /// <summary>Both stages on whole pictures.</summary>
    public Agreement Frames(IReadOnlyList<LabelledPicture> pictures, Action<int>? progress, CancellationToken cancellationToken)
    {
        foreach (var (index, one) in pictures.Index())
        {
            cancellationToken.ThrowIfCancellationRequested();
            using var picture = GoldenCheck.Read(one.Path);
            var (first, second) = (Judge(before, picture), Judge(after, picture));
            foreach (var part in first)
            {
                var same = second.Where(other => other.Box.IoU(part.Box) >= SamePart)
                    .OrderByDescending(other => other.Box.IoU(part.Box))
                    .FirstOrDefault();
                _tally.Found++;
                if (same is not null)
                {
                    second.Remove(same);
                    _tally.FoundByBoth++;
                    if (before.Manifest.Detector is null || IsWhole(part.Box, picture))
                    {
                        _tally.Add(part, same, null);
                    }
                }
            }

            _tally.Found += second.Count;
            progress?.Invoke(index + 1);
        }

        return _tally.Result(pictures.Count, before.Manifest.Detector is not null, before.Classifier is not null);
    }

    /// <summary>The classifier alone, on pictures of one part each.</summary>
    public Agreement Parts(
        IReadOnlyList<LabelledPicture> pictures, double context, Action<int>? progress, CancellationToken cancellationToken)
    {
        foreach (var (index, one) in pictures.Index())
        {
            cancellationToken.ThrowIfCancellationRequested();
            using var picture = GoldenCheck.Read(one.Path);
            var box = StageInput.Middle(picture.Width, picture.Height, context);
            var known = before.Manifest.Classifier!.Labels.Contains(one.Label);
            _tally.Add(
                Judge(before, picture, new Detection(box, 1, 0)),
                Judge(after, picture, new Detection(box, 1, 0)),
                known ? !before.Manifest.Classifier.Good.Contains(one.Label) : null);
            progress?.Invoke(index + 1);
        }

        return _tally.Result(pictures.Count, detects: false, judges: true);
    }

    private static List<Part> Judge(ModelPackage package, Mat picture)
    {
        var detections = new Detection[package.Manifest.Detector?.MaxDetections ?? 1];
        var found = package.Detector.Detect(picture, detections);
        return [.. detections.Take(found).Select(detection => Judge(package, picture, detection))];
    }

    private static Part Judge(ModelPackage package, Mat picture, Detection detection)
    {
        if (package.Classifier is not { } classifier)
        {
            return new Part(detection.Box, detection.Label, detection.Score, false);
        }

        Span<Classification> result = stackalloc Classification[1];
        classifier.Classify(picture, [detection.Box], result);
        var defect = package.IsDefect(result[0]);
        return new Part(detection.Box, defect ? 1 : 0, result[0].IsUnsure ? 1 : result[0].DefectScore, defect);
    }

    private static bool IsWhole(Box box, Mat picture)
    {
        var (x, y) = (EdgeMargin * picture.Width, EdgeMargin * picture.Height);
        return box.X1 > x && box.Y1 > y && box.X2 < picture.Width - x && box.Y2 < picture.Height - y;
    }

    private sealed record Part(Box Box, int Verdict, float Score, bool IsDefect);

    private sealed class Tally
    {
        private readonly int[,] _errors = new int[2, 2];
        private readonly int[] _defects = new int[2];
        private readonly int[] _goods = new int[2];
        private int _pairs;
        private int _alike;
        private double _largest;
        private double _sum;
        private int _labelled;

        public int Found { get; set; }

        public int FoundByBoth { get; set; }

        public void Add(Part before, Part after, bool? defect)
        {
            _pairs++;
            _alike += before.Verdict == after.Verdict ? 1 : 0;
            var difference = Math.Abs((double)before.Score - after.Score);
            _largest = Math.Max(_largest, difference);
            _sum += difference;
            if (defect is { } truth)
            {
                _labelled++;
                Count(0, truth, before.IsDefect, after.IsDefect);
            }

            Count(1, before.IsDefect, before.IsDefect, after.IsDefect);
        }

        public Agreement Result(int pictures, bool detects, bool judges)
        {
            // Row 0 is against labels, row 1 against the original.
            var row = _labelled > 0 ? 0 : 1;
            ErrorRates Rates(int model) => new(
                new Share(_errors[model, 0], _defects[row]), new Share(_errors[model, 1], _goods[row]));
            return new Agreement(
                pictures,
                detects ? new Share(FoundByBoth, Found) : null,
                new Share(_alike, _pairs),
                Math.Round(_largest, 5),
                _pairs > 0 ? Math.Round(_sum / _pairs, 6) : 0,
                row == 0 ? "labels" : "the original",
                judges && row == 0 ? Rates(0) : null,
                judges ? row == 0 ? Rates(1) : AgainstOriginal() : null);
        }

        private int _missedByAfter;
        private int _rejectedByAfter;

        private ErrorRates AgainstOriginal() => new(
            new Share(_missedByAfter, _defects[1]), new Share(_rejectedByAfter, _goods[1]));

        private void Count(int row, bool defect, bool before, bool after)
        {
            (defect ? _defects : _goods)[row]++;
            if (row == 0)
            {
                _errors[0, 0] += defect && !before ? 1 : 0;
                _errors[0, 1] += !defect && before ? 1 : 0;
                _errors[1, 0] += defect && !after ? 1 : 0;
                _errors[1, 1] += !defect && after ? 1 : 0;
            }
            else
            {
                _missedByAfter += defect && !after ? 1 : 0;
                _rejectedByAfter += !defect && after ? 1 : 0;
            }
        }
    }
}
