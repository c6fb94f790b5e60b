namespace EdgeInspector.Vision.Tests.Classifiers;

public sealed class NetworkClassifierTests
{
    private static readonly Box Everything = new(0, 0, 40, 40);

    [Theory]
    [InlineData(ClassifierFormat.Softmax)]
    [InlineData(ClassifierFormat.Logits)]
    [InlineData(ClassifierFormat.Sigmoid)]
    public void BrightIsGoodAndDarkIsBurntInEveryFormat(ClassifierFormat format)
    {
        using var package = Some.Classifying(format).Write().Load();
        using var bright = Some.Flat(40, 40, 250, 250, 250);
        using var dark = Some.Flat(40, 40, 5, 5, 5);
        var result = new Classification[1];

        package.Classifier!.Classify(bright, [Everything], result);
        Assert.Equal(0, result[0].Label);
        Assert.InRange(result[0].DefectScore, 0, 0.3f);
        Assert.Equal(1 - result[0].DefectScore, result[0].LabelScore, 1e-5f);
        Assert.False(package.IsDefect(result[0]));

        package.Classifier.Classify(dark, [Everything], result);
        Assert.Equal(1, result[0].Label);
        Assert.InRange(result[0].DefectScore, 0.7f, 1);
        Assert.Equal(result[0].DefectScore, result[0].LabelScore, 1e-5f);
        Assert.True(package.IsDefect(result[0]));
    }

    [Theory]
    [InlineData(OnnxGraph.Free)]
    [InlineData(1)]
    [InlineData(3)]
    public void PartsScoreTheSameTogetherAndAlone(int batch)
    {
        using var package = Some.Classifying(batch: batch).Write().Load();
        using var picture = Some.Noise(200, 150, 1);
        var random = new Random(2);
        var boxes = Enumerable.Range(0, 21)
            .Select(_ => (X: random.Next(180), Y: random.Next(130), Side: 3 + (random.NextSingle() * 60)))
            .Select(at => new Box(at.X, at.Y, at.X + at.Side, at.Y + at.Side)).ToArray();
        var alone = new Classification[boxes.Length];
        for (var i = 0; i < boxes.Length; i++)
        {
            package.Classifier!.Classify(picture, boxes.AsSpan(i, 1), alone.AsSpan(i, 1));
        }

        for (var count = 0; count <= boxes.Length; count++)
        {
            var together = new Classification[count];
            package.Classifier!.Classify(picture, boxes.AsSpan(0, count), together);
            for (var i = 0; i < count; i++)
            {
                Assert.Equal(alone[i].Label, together[i].Label);
                Assert.Equal(alone[i].DefectScore, together[i].DefectScore, 1e-5f);
            }
        }

        Assert.True(alone.Select(result => result.DefectScore).Distinct().Count() > 10);
    }

    [Theory]
    [InlineData(ClassifierFormat.Softmax, float.NaN)]
    [InlineData(ClassifierFormat.Logits, float.NaN)]
    [InlineData(ClassifierFormat.Logits, float.PositiveInfinity)]
    [InlineData(ClassifierFormat.Sigmoid, float.NaN)]
    [InlineData(ClassifierFormat.Sigmoid, float.PositiveInfinity)]
    public void NetworkThatGivesNoNumberIsUnsure(ClassifierFormat format, float bias)
    {
        using var package = Some.Classifying(format, bias: format is ClassifierFormat.Sigmoid ? [bias] : [bias, 0])
            .Write().Load();
        using var picture = Some.Flat(40, 40, 5, 5, 5);
        var result = new Classification[1];

        package.Classifier!.Classify(picture, [Everything], result);
        Assert.True(result[0].IsUnsure);
        Assert.Equal(-1, result[0].Label);
        Assert.True(package.IsDefect(result[0]));
    }

    [Fact]
    public void ClassifyingAllocatesNothing()
    {
        using var package = Some.Classifying(ClassifierFormat.Logits).Write().Load();
        using var picture = Some.Noise(200, 150, 1);
        var boxes = Enumerable.Range(0, 13).Select(i => new Box(i * 9, i * 7, (i * 9) + 50, (i * 7) + 40)).ToArray();
        var results = new Classification[13];

        Assert.Equal(0, Allocation.PerCall(() => package.Classifier!.Classify(picture, boxes, results)));
    }

    [Fact]
    public void TooFewPlacesForResultsIsAnError()
    {
        using var package = Some.Classifying().Write().Load();
        using var picture = Some.Flat(40, 40, 5, 5, 5);

        Assert.Throws<ArgumentException>(
            () => package.Classifier!.Classify(picture, [Everything, Everything], new Classification[1]));
    }
}
