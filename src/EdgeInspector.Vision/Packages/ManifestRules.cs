using System.Globalization;
using System.Text.RegularExpressions;

namespace EdgeInspector.Vision.Packages;

/// <summary>What a manifest must hold beyond being readable. The first fault found is the one reported.</summary>
internal sealed partial class ManifestRules
{
    private readonly string _path;

    private ManifestRules(string path) => _path = path;

    /// <param name="manifest">As read.</param>
    /// <param name="path">Its file, for messages.</param>
    /// <exception cref="ModelPackageException">A value is out of its range.</exception>
    public static void Check(ModelManifest manifest, string path)
    {
        var rules = new ManifestRules(path);
        rules.Require(
            manifest.Schema == ModelManifest.CurrentSchema,
            "schema", manifest.Schema, $"this version reads \"{ModelManifest.CurrentSchema}\"");
        rules.Require(
            NamePattern().IsMatch(manifest.Name),
            "name", manifest.Name, "use 1 to 64 of a-z 0-9 . _ - and begin with a letter or digit");
        rules.Require(
            VersionPattern().IsMatch(manifest.Version),
            "version", manifest.Version, "use 1 to 64 of A-Z a-z 0-9 . + _ -");
        rules.Require(
            manifest.Detector is not null || manifest.Classifier is not null,
            "detector", "absent", "a package needs a detector, a classifier, or both");
        if (manifest.Detector is { } detector)
        {
            rules.Detector(detector);
        }

        if (manifest.Classifier is { } classifier)
        {
            rules.Classifier(classifier);
        }

        rules.Range("tolerance.score", manifest.Tolerance.Score, 0, 0.5f);
        rules.Range("tolerance.pixels", manifest.Tolerance.Pixels, 0, 64);
        for (var i = 0; i < manifest.Golden.Count; i++)
        {
            rules.Golden(manifest, manifest.Golden[i], $"golden[{i}]");
        }
    }

    [GeneratedRegex("^[a-z0-9][a-z0-9._-]{0,63}$", RegexOptions.CultureInvariant)]
    internal static partial Regex NamePattern();

    [GeneratedRegex("^[A-Za-z0-9.+_-]{1,64}$", RegexOptions.CultureInvariant)]
    internal static partial Regex VersionPattern();

    [GeneratedRegex("^[0-9A-Fa-f]{64}$", RegexOptions.CultureInvariant)]
    private static partial Regex Sha256Pattern();

    private static string Text(float value) => value.ToString(CultureInfo.InvariantCulture);

    private void Detector(DetectorManifest detector)
    {
        Hash("detector.sha256", detector.Sha256);
        Input("detector.input", detector.Input);
        Labels("detector.labels", detector.Labels);
        Range("detector.scoreThreshold", detector.ScoreThreshold, 0.001f, 1);
        Range("detector.nmsThreshold", detector.NmsThreshold, 0, 1);
        Range("detector.maxDetections", detector.MaxDetections, 1, 1024);
        Range("detector.firstLabel", detector.FirstLabel ?? 0, 0, 1);
    }

    private void Classifier(ClassifierManifest classifier)
    {
        Hash("classifier.sha256", classifier.Sha256);
        Input("classifier.input", classifier.Input);
        Labels("classifier.labels", classifier.Labels);
        Range("classifier.cropMargin", classifier.CropMargin, -0.45f, 2);
        Range("classifier.defectThreshold", classifier.DefectThreshold, 0, 1);

        // What is cut out is square: in a square input the ways of fitting are one and the same.
        Require(
            classifier.Input.Fit is FitMode.Stretch || classifier.Input.Width == classifier.Input.Height,
            "classifier.input.fit", "letterbox", "a classifier whose input is not square needs \"stretch\"");
        foreach (var good in classifier.Good)
        {
            Require(classifier.Labels.Contains(good), "classifier.good", good, "it must be one of classifier.labels");
        }

        var distinct = classifier.Good.Distinct().Count();
        Require(
            distinct >= 1 && distinct < classifier.Labels.Count,
            "classifier.good",
            $"{distinct} of {classifier.Labels.Count} labels",
            "at least one label must be good and one a defect");
        Require(
            classifier.Format is not (ClassifierFormat.Sigmoid or ClassifierFormat.Logit or ClassifierFormat.Anomaly)
                || classifier.Labels.Count == 2,
            "classifier.labels",
            $"{classifier.Labels.Count} labels",
            "a format with one number needs two, one of them good");
        if (classifier.AnomalyRange is { } range)
        {
            Require(
                classifier.Format is null or ClassifierFormat.Anomaly,
                "classifier.anomalyRange", "stated", "only format anomaly has one");
            Require(
                range.Count == 2 && float.IsFinite(range[0]) && float.IsFinite(range[1]) && range[0] < range[1],
                "classifier.anomalyRange", string.Join(' ', range.Select(Text)), "use [low, high]");
        }
    }

    private void Golden(ModelManifest manifest, GoldenPicture golden, string key)
    {
        Require(golden is not null, key, "null", "name a picture and its parts");
        var labels = manifest.Classifier?.Labels ?? manifest.Detector!.Labels;
        for (var i = 0; i < golden!.Parts.Count; i++)
        {
            var (part, at) = (golden.Parts[i], $"{key}.parts[{i}]");
            Require(part is not null, at, "null", "name its box");
            Require(
                part!.Box.Count == 4 && new Box(part.Box[0], part.Box[1], part.Box[2], part.Box[3]).IsSound,
                $"{at}.box", string.Join(' ', part.Box.Select(Text)), "use x1, y1, x2, y2 with x1 < x2 and y1 < y2");
            Range($"{at}.score", part.Score, 0, 1);
            Require(
                part.Label is null || labels.Contains(part.Label),
                $"{at}.label", part.Label ?? "", "use one of the package's labels");
            if (part.DefectScore is { } score)
            {
                Range($"{at}.defectScore", score, 0, 1);
                Require(manifest.Classifier is not null, $"{at}.defectScore", Text(score), "there is no classifier");
            }
        }
    }

    private void Input(string key, NetworkInput input)
    {
        Range($"{key}.width", input.Width, 8, 4096);
        Range($"{key}.height", input.Height, 8, 4096);
        Range($"{key}.pad", input.Pad, 0, 255);
        var channels = input.Channels is ChannelOrder.Grey ? 1 : 3;
        Channels($"{key}.mean", input.Mean, channels, 0, 255);
        Channels($"{key}.std", input.Std, channels, 1e-3f, 1e6f);

        // A byte holds a grey level and nothing else: normalised, all pictures would be black.
        var plain = input.Mean.All(mean => mean == 0) && input.Std.All(std => std == 1);
        Require(
            input.Element is not InputElement.UInt8 || plain,
            $"{key}.element", "uint8", "it takes grey levels as they are: say mean 0 and std 1 for each channel");
    }

    private void Channels(string key, IReadOnlyList<float> values, int channels, float least, float most)
    {
        Require(
            values.Count == channels, key, $"{values.Count} numbers", $"one for each of {channels} channels is needed");
        foreach (var value in values)
        {
            Range(key, value, least, most);
        }
    }

    private void Labels(string key, IReadOnlyList<string> labels)
    {
        Require(labels.Count is > 0 and <= 4096, key, $"{labels.Count} labels", "use 1 to 4096");
        foreach (var label in labels)
        {
            Require(
                !string.IsNullOrWhiteSpace(label) && label.Length <= 64 && !label.Any(char.IsControl),
                key, label ?? "null", "a label has 1 to 64 printable characters");
        }

        Require(labels.Distinct().Count() == labels.Count, key, "a label twice", "each label stands once");
    }

    private void Hash(string key, string hash) =>
        Require(Sha256Pattern().IsMatch(hash), key, hash, "64 hexadecimal digits are needed, as sha256sum prints them");

    private void Range(string key, float value, float least, float most) =>
        Require(value >= least && value <= most, key, Text(value), $"use {Text(least)} to {Text(most)}");

    private void Require(bool holds, string key, string value, string remedy)
    {
        if (!holds)
        {
            throw new ModelPackageException($"{_path}: {key} is '{value}'; {remedy}.");
        }
    }
}
