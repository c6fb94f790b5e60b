using EdgeInspector.Vision.Detectors;
using EdgeInspector.Vision.Inference;

namespace EdgeInspector.Vision.Tests.Detectors;

public sealed class DetectorOutputTests
{
    private static readonly DetectorManifest Manifest = new()
    {
        File = "d.onnx",
        Sha256 = "",
        Format = DetectorFormat.YoloV8,
        Input = new NetworkInput { Width = 64, Height = 32 },
        Labels = ["round", "square"],
    };

    [Fact]
    public void YoloV8CellProposesItsBestLabel()
    {
        var found = ReadYoloV8(
            0.3f, [32, 16, 10, 6, 0.6f, 0.7f], [10, 10, 4, 4, 0.5f, 0.1f], [1, 1, 1, 1, 0.2f, 0.29f]);

        Assert.Equal(
            [new Detection(new Box(27, 13, 37, 19), 0.7f, 1), new Detection(new Box(8, 8, 12, 12), 0.5f, 0)], found);
    }

    [Fact]
    public void YoloV8FindsTheSameInAnyNumberOfCells()
    {
        // Around every vector width, with the hit in each place in turn.
        for (var cells = 1; cells < 40; cells++)
        {
            for (var hit = 0; hit < cells; hit++)
            {
                var proposals = Enumerable.Range(0, cells)
                    .Select(cell => new float[] { 10, 10, 4, 4, 0.1f, cell == hit ? 0.9f : 0.2f }).ToArray();
                Assert.Equal([new Detection(new Box(8, 8, 12, 12), 0.9f, 1)], ReadYoloV8(0.5f, proposals));
            }
        }
    }

    [Fact]
    public void YoloV8ForgetsTheLastPicture()
    {
        var reader = Reader(DetectorFormat.YoloV8, 6, 1);
        var candidates = new Candidates(1);
        reader.Read(Outputs([10, 10, 4, 4, 0.9f, 0.1f], 6, 1), 0.5f, candidates);
        candidates.Clear();
        reader.Read(Outputs([20, 20, 4, 4, 0.6f, 0.1f], 6, 1), 0.5f, candidates);

        Assert.Equal([new Detection(new Box(18, 18, 22, 22), 0.6f, 0)], Take(candidates));
    }

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.NegativeInfinity)]
    public void ScoreThatIsNoNumberProposesNothing(float score)
    {
        Assert.Empty(ReadYoloV8(0.5f, [10, 10, 4, 4, score, score]));
        Assert.Empty(ReadYoloX(0.5f, (0, [0, 0, 0, 0, score, 0.9f, 0.9f])));
        Assert.Empty(ReadYoloX(0.5f, (0, [0, 0, 0, 0, 0.9f, score, score])));
    }

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    [InlineData(1e9f)]
    public void BoxThatIsNoBoxProposesNothing(float size)
    {
        Assert.Empty(ReadYoloX(0.5f, (0, [0, 0, size, 0, 0.9f, 0.9f, 0.1f])));
        if (size != 1e9f)
        {
            Assert.Empty(ReadYoloV8(0.5f, [10, 10, size, 4, 0.9f, 0.1f]));
        }
    }

    [Fact]
    public void YoloXDecodesItsGrid()
    {
        // 64 × 32 has 8 × 4 cells of stride 8, then 4 × 2 of 16, then 2 × 1 of 32.
        var found = ReadYoloX(
            0.3f,
            (9, [0.5f, 0.25f, MathF.Log(2), MathF.Log(1.5f), 0.8f, 0.1f, 0.75f]),
            (32 + 7, [0, 0, 0, 0, 0.5f, 0.9f, 0.9f]),
            (41, [0, 0, 0, 0, 1, 0.2f, 0.1f]));

        Assert.Equal(2, found.Length);
        Assert.Equal((0.6f, 1), (MathF.Round(found[0].Score, 5), found[0].Label));
        AssertNear(new Box(12 - 8, 10 - 6, 12 + 8, 10 + 6), found[0].Box);
        AssertNear(new Box(48 - 8, 16 - 8, 48 + 8, 16 + 8), found[1].Box);
        Assert.Equal((0.45f, 0), (found[1].Score, found[1].Label));
    }

    [Fact]
    public void OverlapIsRemovedPerLabelAndTheBestStays()
    {
        var candidates = new Candidates(8);
        candidates.Add(new Detection(new Box(0, 0, 10, 10), 0.6f, 0));
        candidates.Add(new Detection(new Box(1, 0, 11, 10), 0.9f, 0));
        candidates.Add(new Detection(new Box(0, 0, 10, 10), 0.7f, 1));
        candidates.Add(new Detection(new Box(6, 0, 16, 10), 0.5f, 0));

        Assert.Equal([(0.9f, 0), (0.7f, 1), (0.5f, 0)], Take(candidates).Select(found => (found.Score, found.Label)));
    }

    [Fact]
    public void ShortSpanGetsTheHighestScores()
    {
        var random = new Random(1);
        var candidates = new Candidates(500);
        for (var i = 0; i < 500; i++)
        {
            candidates.Add(new Detection(new Box(i * 20, 0, (i * 20) + 10, 10), random.NextSingle(), 0));
        }

        var all = Take(candidates);
        var few = new Detection[7];
        Assert.Equal(500, all.Length);
        Assert.Equal(7, candidates.Suppress(0.5f, few));
        Assert.Equal(all[..7], few);
        Assert.True(all.Zip(all.Skip(1)).All(pair => pair.First.Score >= pair.Second.Score));
        Assert.Equal(0, candidates.Suppress(0.5f, []));
    }

    private static Detection[] ReadYoloV8(float threshold, params float[][] proposals)
    {
        var reader = Reader(DetectorFormat.YoloV8, 6, proposals.Length);
        var candidates = new Candidates(reader.Cells);
        float[] output = [.. Enumerable.Range(0, 6).SelectMany(row => proposals.Select(proposal => proposal[row]))];
        reader.Read(Outputs(output, 6, proposals.Length), threshold, candidates);
        return Take(candidates);
    }

    private static Detection[] ReadYoloX(float threshold, params (int Cell, float[] Row)[] rows)
    {
        var reader = Reader(DetectorFormat.YoloX, 42, 7);
        var candidates = new Candidates(reader.Cells);
        var output = new float[42 * 7];
        foreach (var (cell, row) in rows)
        {
            row.CopyTo(output, cell * 7);
        }

        reader.Read(Outputs(output, 42, 7), threshold, candidates);
        return Take(candidates);
    }

    private static IDetectorOutput Reader(DetectorFormat format, int high, int wide)
    {
        var outline = new ModelOutline
        {
            Inputs = [],
            Outputs = [new TensorOutline("output", TensorOutline.Float, [1, high, wide])],
            Notes = new Dictionary<string, string>(),
            Producer = "",
            OperatorSet = 13,
            Nodes = [],
            Parameters = 0,
        };
        var question = new DetectorQuestion(outline, Manifest.Labels.Count, Manifest.Input.Width, Manifest.Input.Height);
        return DetectorFormats.Ask(question).First(one => one.Format == format).Fit.Reader!();
    }

    private static NetworkOutputs Outputs(float[] numbers, int high, int wide) =>
        new([NetworkOutput.Of("output", [1, high, wide], numbers)]);

    private static Detection[] Take(Candidates candidates)
    {
        var kept = new Detection[1000];
        return kept[..candidates.Suppress(0.5f, kept)];
    }

    private static void AssertNear(Box expected, Box actual)
    {
        Assert.Equal(expected.X1, actual.X1, 1e-4f);
        Assert.Equal(expected.Y1, actual.Y1, 1e-4f);
        Assert.Equal(expected.X2, actual.X2, 1e-4f);
        Assert.Equal(expected.Y2, actual.Y2, 1e-4f);
    }
}
