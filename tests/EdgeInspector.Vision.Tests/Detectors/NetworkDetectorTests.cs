namespace EdgeInspector.Vision.Tests.Detectors;

public sealed class NetworkDetectorTests
{
    private static readonly Detection[] Room = new Detection[16];

    [Fact]
    public void BoxesComeBackInPicturePixels()
    {
        // 128 × 64 in a 64 × 64 input: half size, 16 rows of padding above.
        using var package = Some.Detecting([32, 32, 20, 10, 0.9f, 0.1f]).Write().Load();
        using var picture = Some.Flat(128, 64, 0, 0, 0);

        Assert.Equal(1, package.Detector.Detect(picture, Room));
        Assert.Equal(new Detection(new Box(44, 22, 84, 42), 0.9f, 0), Room[0]);
    }

    [Fact]
    public void BoxesAreClippedAndThoseOutsideAreDropped()
    {
        using var package = Some.Detecting([2, 20, 20, 10, 0.9f, 0.1f], [32, 4, 8, 8, 0.8f, 0]).Write().Load();
        using var picture = Some.Flat(128, 64, 0, 0, 0);

        Assert.Equal(1, package.Detector.Detect(picture, Room));
        Assert.Equal(new Box(0, 0, 24, 18), Room[0].Box);
    }

    [Fact]
    public void EachPictureSizeHasItsOwnPadding()
    {
        // The proposal's score is its own number plus the mean of the input, so stale padding would show.
        using var builder = new PackageBuilder();
        var hash = builder.Add("d.onnx", Some.YoloV8([[32, 32, 20, 10, 0.1f, 0]], gain: 0.5f));
        builder.Manifest = builder.Manifest with
        {
            Detector = new DetectorManifest
            {
                File = "d.onnx",
                Sha256 = hash,
                Format = DetectorFormat.YoloV8,
                Input = new NetworkInput { Width = 64, Height = 64, Pad = 0 },
                Labels = ["round", "square"],
                ScoreThreshold = 0.05f,
            },
        };
        using var package = builder.Write().Load();
        using var square = Some.Flat(64, 64, 255, 255, 255);
        using var wide = Some.Flat(128, 64, 255, 255, 255);

        foreach (var (picture, score) in new[] { (square, 0.6f), (wide, 0.35f), (square, 0.6f) })
        {
            Assert.Equal(1, package.Detector.Detect(picture, Room));
            Assert.Equal(score, Room[0].Score, 0.001f);
        }
    }

    [Fact]
    public void DetectingAllocatesNothing()
    {
        using var package = Some.Detecting([.. Enumerable.Range(0, 50).Select(i => new[] { i, i, 9f, 9, 0.9f, 0.1f })])
            .Write().Load();
        using var picture = Some.Noise(128, 96, 1);

        Assert.Equal(0, Allocation.PerCall(() => package.Detector.Detect(picture, Room)));
    }

    [Fact]
    public void WithoutADetectorTheWholePictureIsThePart()
    {
        using var package = Some.Classifying().Write().Load();
        using var picture = Some.Flat(30, 20, 0, 0, 0);

        Assert.Equal(1, package.Detector.Detect(picture, Room));
        Assert.Equal(new Detection(new Box(0, 0, 30, 20), 1, 0), Room[0]);
        Assert.Equal(0, package.Detector.Detect(picture, []));
    }
}
