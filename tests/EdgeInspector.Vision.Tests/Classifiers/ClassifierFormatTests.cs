namespace EdgeInspector.Vision.Tests.Classifiers;

/// <summary>What a classifier's numbers mean: as stated, as found, and when neither can be.</summary>
public sealed class ClassifierFormatTests
{
    private static readonly Box Everything = new(0, 0, 16, 16);

    [Theory]
    [InlineData("Identity", ClassifierFormat.Logit, 2f, "burnt", 0.880797f)]
    [InlineData("Identity", ClassifierFormat.Logit, -2f, "good", 0.119203f)]
    [InlineData("Sigmoid", null, 2f, "burnt", 0.880797f)]
    [InlineData("Identity", null, -2f, "good", 0.119203f)]
    public void OneNumberIsTheDefect(
        string ending, ClassifierFormat? stated, float logit, string label, float defect)
    {
        var model = OnnxGraph.Classifying([0, 0, 0], [logit], 16, 16, ending: ending);
        using var package = Load(model, stated, ["good", "burnt"], ["good"]);
        var found = Classify(package);
        Assert.Equal((label, defect), (package.Classifier!.Labels[found.Label], MathF.Round(found.DefectScore, 6)));
    }

    [Theory]
    [InlineData("Sigmoid", null, new float[] { 2, -3, 3 }, "cracked", 0.952574f)]
    [InlineData("Identity", ClassifierFormat.MultiLabelLogits, new float[] { 2, 1, -3 }, "burnt", 0.731059f)]
    [InlineData("Identity", ClassifierFormat.MultiLabelLogits, new float[] { -5, -3, -2 }, "good", 0.119203f)]
    [InlineData("Identity", ClassifierFormat.MultiLabelLogits, new float[] { -3, 3 }, "cracked", 0.952574f)]
    [InlineData("Sigmoid", null, new float[] { -3, -2 }, "good", 0.119203f)]
    public void OfSeveralDefectsTheWorstCounts(
        string ending, ClassifierFormat? stated, float[] logits, string label, float defect)
    {
        var model = OnnxGraph.Classifying(new float[3 * logits.Length], logits, 16, 16, ending: ending);
        using var package = Load(model, stated, ["good", "burnt", "cracked"], ["good"]);
        var found = Classify(package);
        Assert.Equal((label, defect), (package.Classifier!.Labels[found.Label], MathF.Round(found.DefectScore, 6)));
    }

    [Fact]
    public void SoftmaxIsFoundAndWeightedSumsAreNot()
    {
        var labels = new[] { "good", "burnt" };
        using (var package = Load(OnnxGraph.Classifying(new float[6], [1, 2], 16, 16), null, labels, ["good"]))
        {
            Assert.Equal(ClassifierFormat.Softmax, package.Manifest.Classifier!.Format);
        }

        Refused(
            OnnxGraph.Classifying(new float[6], [1, 2], 16, 16, softmax: false), null,
            "logits or multi-label-logits", "classifier.format");
    }

    [Theory]
    [InlineData("Softmax", ClassifierFormat.Logits, "softmax")]
    [InlineData("Sigmoid", ClassifierFormat.MultiLabelLogits, "sigmoid")]
    [InlineData("Sigmoid", ClassifierFormat.Softmax, "sigmoid")]
    [InlineData("Identity", ClassifierFormat.Softmax, "no probability")]
    [InlineData("Identity", ClassifierFormat.MultiLabel, "no probability")]
    public void ContradictionsAreRefused(string ending, ClassifierFormat stated, string hint) => Refused(
        OnnxGraph.Classifying(new float[6], [1, 2], 16, 16, ending: ending), stated, "classifier.format", hint);

    [Theory]
    [InlineData(true, 7f, 0.5f)]
    [InlineData(true, 20f, 1f)]
    [InlineData(false, 0f, 0.9f)]
    public void AnomalyIsScaledAndItsMapIsKept(bool hasScore, float score, float defect)
    {
        using var package = LoadAnomaly(hasScore, score);
        using var picture = Some.Flat(16, 16, 0, 0, 0);
        var results = new Classification[20];
        var boxes = Enumerable.Repeat(Everything, 20).ToArray();
        package.Classifier!.Classify(picture, boxes, results);

        Assert.Equal(ClassifierFormat.Anomaly, package.Manifest.Classifier!.Format);
        Assert.All(results, result => Assert.Equal(defect, result.DefectScore, 1e-5f));
        Assert.Equal("odd", package.Classifier.Labels[results[0].Label]);
        Assert.Equal((4, 2), package.Classifier.MapSize);
        var map = new float[8];
        Assert.True(package.Classifier.TryReadMap(15, map));
        Assert.Equal([0, 0.1f, 0.2f, 0.3f, 0.4f, 0.5f, 0.9f, 0.7f], map.Select(number => MathF.Round(number, 5)));
        Assert.False(package.Classifier.TryReadMap(16, map));
        Assert.False(package.Classifier.TryReadMap(0, map.AsSpan(0, 7)));
        Assert.Equal(0, Allocation.PerCall(() =>
        {
            package.Classifier.Classify(picture, boxes, results);
            package.Classifier.TryReadMap(3, map);
        }));
    }

    [Fact]
    public void AnomalyThatIsNoNumberIsUnsure()
    {
        using var package = LoadAnomaly(true, float.NaN);
        Assert.True(Classify(package).IsUnsure);
    }

    [Fact]
    public void OtherClassifiersHaveNoMap()
    {
        using var package = Some.Classifying().Write().Load();
        Classify(package);
        Assert.Equal((0, 0), package.Classifier!.MapSize);
        Assert.False(package.Classifier.TryReadMap(0, new float[100]));
    }

    /// <summary>As anomalib exports: score and map, and a mask nobody asked for.</summary>
    private static ModelPackage LoadAnomaly(bool hasScore, float score)
    {
        var graph = new OnnxGraph();
        var nothing = graph.Node(
            "Mul", [graph.Node("ReduceMean", ["input"], ("axes", new long[] { 1, 2, 3 })), graph.Constant([0f])]);
        graph.Node("Add", [graph.Constant([4, 4.6f, 5.2f, 5.8f, 6.4f, 7, 9.4f, 8.2f], 1, 1, 2, 4), nothing], "anomaly_map");
        graph.Node("Greater", ["anomaly_map", graph.Constant([7f])], "pred_mask");
        var outputs = new List<OnnxGraph.Value>
        {
            new("pred_mask", [OnnxGraph.Free, 1, 2, 4], 9), new("anomaly_map", [OnnxGraph.Free, 1, 2, 4]),
        };
        if (hasScore)
        {
            var flat = graph.Node("Flatten", [nothing]);
            graph.Node("Add", [flat, graph.Constant([score], 1, 1)], "pred_score");
            outputs.Add(new("pred_score", [OnnxGraph.Free, 1]));
        }

        return Load(
            graph.Build([new("input", [OnnxGraph.Free, 3, 16, 16])], [.. outputs]),
            null,
            ["usual", "odd"],
            ["usual"],
            [4, 10]);
    }

    private static Classification Classify(ModelPackage package)
    {
        using var picture = Some.Flat(16, 16, 0, 0, 0);
        var result = new Classification[1];
        package.Classifier!.Classify(picture, [Everything], result);
        return result[0];
    }

    private static void Refused(byte[] model, ClassifierFormat? stated, params string[] hints) =>
        Refusal.Of<ModelPackageException>(() => Load(model, stated, ["good", "burnt"], ["good"]).Dispose(), hints);

    private static ModelPackage Load(
        byte[] model, ClassifierFormat? stated, string[] labels, string[] good, float[]? range = null)
    {
        using var builder = Some.Classifying(model: model);
        builder.Manifest = builder.Manifest with
        {
            Classifier = builder.Manifest.Classifier! with
            {
                Format = stated,
                Labels = labels,
                Good = good,
                AnomalyRange = range,
            },
        };
        return builder.Write().Load();
    }
}
