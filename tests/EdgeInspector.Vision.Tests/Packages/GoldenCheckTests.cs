namespace EdgeInspector.Vision.Tests.Packages;

public sealed class GoldenCheckTests
{
    // The picture fills the input, so input and picture pixels are the same.
    private static readonly float[] Round = [32, 32, 20, 10, 0.9f, 0.1f];
    private static readonly float[] Square = [10, 10, 8, 8, 0.1f, 0.7f];

    [Fact]
    public void PackageThatReproducesItsPicturesIsAccepted()
    {
        using var builder = Expecting(
            [Round, Square],
            new GoldenPart { Box = [23, 27.5f, 42, 37], Score = 0.91f, Label = "round" },
            new GoldenPart { Box = [6, 6, 14, 14], Score = 0.7f });
        using var package = builder.Load();

        Assert.Equal(["round", "square"], package.Golden.Select(outcome => outcome.Label));
        Assert.Equal(new Box(22, 27, 42, 37), package.Golden[0].Box);
        Assert.Null(package.Golden[0].DefectScore);
    }

    [Fact]
    public void OtherScoreIsRefused() => Refused(
        new GoldenPart { Box = [22, 27, 42, 37], Score = 0.85f }, "0.9", "expected 0.85", "tolerance 0.02", "CPU");

    [Fact]
    public void OtherPlaceIsRefused() => Refused(
        new GoldenPart { Box = [19.5f, 27, 42, 37], Score = 0.9f }, "[19.5,27,42,37]", "[22,27,42,37]", "2 pixels");

    [Fact]
    public void OtherLabelIsRefused() => Refused(
        new GoldenPart { Box = [22, 27, 42, 37], Score = 0.9f, Label = "square" }, "no part is found");

    [Fact]
    public void PartNobodyExpectsIsRefused()
    {
        using var builder = Expecting([Round, Square], new GoldenPart { Box = [22, 27, 42, 37], Score = 0.9f });
        Refusal.Of(builder, "golden/01.png", "does not expect", "[6,6,14,14]");
    }

    [Fact]
    public void PartOnTheEdgeOfBeingOneMayAppear()
    {
        using var builder = Expecting(
            [Round, [10, 10, 8, 8, 0.1f, 0.51f]], new GoldenPart { Box = [22, 27, 42, 37], Score = 0.9f });
        using var package = builder.Load();

        Assert.Single(package.Golden);
    }

    [Fact]
    public void PictureThatIsNotThereOrNoPictureIsRefused()
    {
        using var builder = Expecting([Round], new GoldenPart { Box = [22, 27, 42, 37], Score = 0.9f });
        builder.Add("golden/01.png", [1, 2, 3]);
        Refusal.Of(builder, "golden/01.png", "not a picture");
        builder.Add("golden/01.png", []);
        Refusal.Of(builder, "golden/01.png", "not a picture");
        File.Delete(Path.Combine(builder.Folder, "golden/01.png"));
        Refusal.Of(builder, "golden/01.png", "no such picture");
    }

    [Fact]
    public void PictureOutsideThePackageIsRefused()
    {
        using var builder = Some.Detecting(Round);
        builder.Manifest = builder.Manifest with
        {
            Golden = [new GoldenPicture { Picture = "../01.png", Parts = [] }],
        };
        Refusal.Of(builder.Write(), ModelManifest.FileName, "golden.picture", "inside the package");
    }

    [Theory]
    [InlineData(0.5f, null, "defect score", "expected 0.5")]
    [InlineData(0.997f, "good", "'burnt'", "expected 'good'")]
    [InlineData(0.997f, "burnt", null, null)]
    [InlineData(null, null, null, null)]
    public void ClassifierIsHeldToItsDefectScoreAndLabel(float? score, string? label, string? hint, string? other)
    {
        using var builder = Some.Classifying(bias: [-6, 0]);
        WithPicture(builder, new GoldenPart { Box = [0, 0, 64, 64], DefectScore = score, Label = label });
        if (hint is null)
        {
            using var package = builder.Load();
            Assert.InRange(package.Golden[0].DefectScore!.Value, 0.99f, 1);
        }
        else
        {
            Refusal.Of(builder, "golden/01.png", hint, other!);
        }
    }

    [Fact]
    public void ClassifierThatGivesNoNumberIsRefused()
    {
        using var builder = Some.Classifying(bias: [float.NaN, 0]);
        WithPicture(builder, new GoldenPart { Box = [0, 0, 64, 64], DefectScore = 0.5f });
        Refusal.Of(builder, "golden/01.png", "defect score", "NaN");
    }

    private static void Refused(GoldenPart expected, params string[] hints)
    {
        using var builder = Expecting([Round], expected);
        Refusal.Of(builder, "golden/01.png", hints);
    }

    private static PackageBuilder Expecting(float[][] proposals, params GoldenPart[] parts)
    {
        var builder = Some.Detecting(proposals);
        WithPicture(builder, parts);
        return builder;
    }

    private static void WithPicture(PackageBuilder builder, params GoldenPart[] parts)
    {
        using var picture = Some.Flat(64, 64, 1, 1, 1);
        builder.Add("golden/01.png", picture.ToBytes(".png"));
        builder.Manifest = builder.Manifest with
        {
            Golden = [new GoldenPicture { Picture = "golden/01.png", Parts = parts }],
        };
        builder.Write();
    }
}
