using System.Globalization;
using EdgeInspector.Vision.Inference;
using OpenCvSharp;

namespace EdgeInspector.Vision.Packages;

/// <summary>
/// Runs a package's golden pictures on this device and provider and compares. A provider or a device that computes
/// otherwise is found here, not on the line.
/// </summary>
internal static class GoldenCheck
{
    /// <exception cref="ModelPackageException">The first difference found.</exception>
    public static IReadOnlyList<GoldenOutcome> Run(
        PackageFolder folder, ModelManifest manifest, IDetector detector, IClassifier? classifier)
    {
        var outcomes = new List<GoldenOutcome>();
        foreach (var golden in manifest.Golden)
        {
            var path = folder.Resolve("golden.picture", golden.Picture);
            using var picture = Read(path);
            outcomes.AddRange(new Comparison(path, golden, manifest, detector, classifier).Run(picture));
        }

        return outcomes;
    }

    /// <exception cref="ModelPackageException">Not there, or not a picture.</exception>
    public static Mat Read(string path)
    {
        if (!File.Exists(path))
        {
            throw new ModelPackageException($"{path}: there is no such picture; copy it there or correct its name.");
        }

        // An absent or damaged picture is an empty Mat to OpenCV, not an error.
        var picture = Cv2.ImRead(path, ImreadModes.Color);
        if (picture.Empty())
        {
            picture.Dispose();
            throw new ModelPackageException($"{path}: not a picture, or damaged; copy it again.");
        }

        return picture;
    }

    /// <summary>One picture's comparison.</summary>
    private sealed class Comparison(
        string path, GoldenPicture golden, ModelManifest manifest, IDetector detector, IClassifier? classifier)
    {
        private readonly GoldenTolerance _tolerance = manifest.Tolerance;

        public List<GoldenOutcome> Run(Mat picture)
        {
            var detections = new Detection[manifest.Detector?.MaxDetections ?? 1];
            var found = detections.AsSpan(0, detector.Detect(picture, detections)).ToArray().ToList();
            var outcomes = new List<GoldenOutcome>();
            foreach (var expected in golden.Parts)
            {
                var box = new Box(expected.Box[0], expected.Box[1], expected.Box[2], expected.Box[3]);
                var match = Match(expected, box, found);
                found.Remove(match);
                outcomes.Add(Compare(picture, expected, box, match));
            }

            // A part on the edge of being one may be seen here and not there.
            foreach (var extra in found)
            {
                if (extra.Score >= (manifest.Detector?.ScoreThreshold ?? 0) + _tolerance.Score)
                {
                    throw Refuse($"a part the package does not expect is found at {Text(extra.Box)}, "
                        + $"score {Text(extra.Score)}");
                }
            }

            return outcomes;
        }

        /// <summary>The detection that lies nearest, of the right label where that is known.</summary>
        private Detection Match(GoldenPart expected, Box box, List<Detection> found)
        {
            var wanted = classifier is null && expected.Label is { } label
                ? detector.Labels.ToList().IndexOf(label)
                : -1;
            var candidates = found.Where(detection => wanted < 0 || detection.Label == wanted).ToList();
            if (candidates.Count == 0)
            {
                throw Refuse($"no part is found where one is expected, at {Text(box)}");
            }

            var match = candidates.MinBy(detection => Distance(detection.Box, box));
            if (!(Distance(match.Box, box) <= _tolerance.Pixels))
            {
                throw Refuse($"the part expected at {Text(box)} is found at {Text(match.Box)}, tolerance "
                    + $"{Text(_tolerance.Pixels)} pixels");
            }

            return match;
        }

        private GoldenOutcome Compare(Mat picture, GoldenPart expected, Box box, Detection match)
        {
            if (manifest.Detector is not null)
            {
                Near($"score of the part at {Text(box)}", expected.Score, match.Score);
            }

            if (classifier is null)
            {
                return new GoldenOutcome(
                    golden.Picture, expected, match.Box, match.Score, detector.Labels[match.Label], null);
            }

            // The expected box, not the found one: this compares the classifier alone.
            Span<Classification> verdict = stackalloc Classification[1];
            classifier.Classify(picture, [box], verdict);
            var label = verdict[0].Label < 0 ? "unsure" : classifier.Labels[verdict[0].Label];
            if (expected.DefectScore is { } score)
            {
                Near($"defect score of the part at {Text(box)}", score, verdict[0].DefectScore);
            }

            if (expected.Label is not null && expected.Label != label)
            {
                throw Refuse($"the part at {Text(box)} is '{label}', expected '{expected.Label}'");
            }

            return new GoldenOutcome(
                golden.Picture, expected, match.Box, match.Score, label, verdict[0].DefectScore);
        }

        private void Near(string what, float expected, float actual)
        {
            if (!(Math.Abs(actual - expected) <= _tolerance.Score))
            {
                throw Refuse(
                    $"{what} is {Text(actual)}, expected {Text(expected)}, tolerance {Text(_tolerance.Score)}");
            }
        }

        private ModelPackageException Refuse(string difference) => new(
            $"{path}: {difference} (on {classifier?.Provider ?? detector.Provider}); "
            + "this device does not reproduce the package: use another provider or retrain.");

        private static float Distance(Box a, Box b) => Math.Max(
            Math.Max(Math.Abs(a.X1 - b.X1), Math.Abs(a.Y1 - b.Y1)),
            Math.Max(Math.Abs(a.X2 - b.X2), Math.Abs(a.Y2 - b.Y2)));

        private static string Text(float value) => value.ToString("0.####", CultureInfo.InvariantCulture);

        private static string Text(Box box) => string.Create(
            CultureInfo.InvariantCulture, $"[{box.X1:0.#},{box.Y1:0.#},{box.X2:0.#},{box.Y2:0.#}]");
    }
}
