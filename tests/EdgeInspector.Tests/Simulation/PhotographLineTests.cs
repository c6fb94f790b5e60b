using EdgeInspector.Simulation;
using OpenCvSharp;
using Xunit;

namespace EdgeInspector.Tests.Simulation;

public sealed class PhotographLineTests : IDisposable
{
    private static readonly TimeSpan Later = TimeSpan.FromMinutes(2);

    private readonly string _folder = Directory.CreateTempSubdirectory("photographs").FullName;

    public PhotographLineTests()
    {
        foreach (var (name, red) in new[] { ("ok", 40), ("scratched", 200) })
        {
            Directory.CreateDirectory(Path.Combine(_folder, name));
            for (var i = 0; i < 8; i++)
            {
                using var picture = new Mat(300, 300, MatType.CV_8UC3, new Scalar(20 * i, 120, red));
                Cv2.ImWrite(Path.Combine(_folder, name, $"{i}.png"), picture);
            }
        }
    }

    [Fact]
    public void EachPhotographComesOnceInAnOrderOfTheSeed()
    {
        using var line = new VirtualLine(Options());
        var sources = line.Truth(Later).Select(p => p.Source).ToArray();
        var files = Directory.GetFiles(_folder, "*", SearchOption.AllDirectories);
        Assert.Equal(files.Order(StringComparer.Ordinal), sources.Order(StringComparer.Ordinal));
        Assert.NotEqual(files.Order(StringComparer.Ordinal), sources);
        Assert.True(line.Finished(Later));
        using var again = new VirtualLine(Options());
        Assert.Equal(sources, again.Truth(Later).Select(p => p.Source));
        using var other = new VirtualLine(Options() with { Seed = 2 });
        Assert.NotEqual(sources, other.Truth(Later).Select(p => p.Source));
    }

    [Fact]
    public void MorePartsThanPhotographsStartOver()
    {
        using var line = new VirtualLine(Options() with { PartCount = 20, PhotographOrder = PhotographOrder.Sorted });
        var truth = line.Truth(Later);
        Assert.Equal(20, truth.Length);
        Assert.Equal(truth[0].Source, truth[16].Source);
    }

    [Fact]
    public void OkIsGoodAndAnyOtherFolderADefect()
    {
        using var line = new VirtualLine(Options());
        Assert.All(line.Truth(Later), p => Assert.Equal(p.Class == "scratched", p.IsDefect));
    }

    [Fact]
    public void PhotographsLieApartAtTheirOwnScale()
    {
        using var line = new VirtualLine(Options());
        var truth = line.Truth(Later);
        Assert.All(truth, p => Assert.InRange(p.Length, 150, 159));
        Assert.All(
            truth.Zip(truth.Skip(1)),
            p => Assert.True(p.Second.Offset - p.First.Offset > (p.First.Length + p.Second.Length) / 2)
        );
    }

    [Fact]
    public void ThePictureShowsThePhotographWhereTheTruthSays()
    {
        using var line = new VirtualLine(Options() with { LampDrift = 0 });
        var part = line.Truth(Later)[2];
        var t = line.Motion.TimeAt(part.Offset);
        using var frame = new Mat();
        line.Render(t, frame);
        using var original = Cv2.ImRead(part.Source!);
        var expected = original.Get<Vec3b>(150, 150);
        var centre = Cv2.Mean(new Mat(frame, new Rect(300, 240 + (int)(part.Across / 0.5) - 20, 40, 40)));

        // Under the lamp at its nominal brightness.
        Assert.InRange(centre.Val1 / expected.Item1, 0.8, 1.0);
        Assert.Equal(expected.Item2 > 100, centre.Val2 > 100);
    }

    [Fact]
    public void ASizeInMillimetresScalesThePhotograph()
    {
        using var line = new VirtualLine(Options() with { PhotographSize = 60 });
        Assert.All(line.Truth(Later), p => Assert.InRange(p.Length, 60, 64));
    }

    [Fact]
    public void AMissingFolderIsNamed()
    {
        var error = Assert.Throws<DirectoryNotFoundException>(() =>
            new VirtualLine(Options() with { PhotographsFolder = "/nowhere/at/all" })
        );
        Assert.Contains("/nowhere/at/all", error.Message);
    }

    [Theory]
    [InlineData("")]
    [InlineData("not a picture")]
    public void ABadPictureIsNamedBeforeTheLineMoves(string content)
    {
        var file = Path.Combine(_folder, "ok", "bad.jpg");
        File.WriteAllText(file, content);
        var error = Assert.Throws<InvalidDataException>(() => new VirtualLine(Options()));
        Assert.Contains(file, error.Message);
        Assert.DoesNotContain('\n', error.Message);
    }

    [Fact]
    public void APictureTooLargeForTheBeltIsNamed()
    {
        var file = Path.Combine(_folder, "ok", "large.png");
        using (var picture = new Mat(600, 600, MatType.CV_8UC3, Scalar.Gray))
        {
            Cv2.ImWrite(file, picture);
        }

        Assert.Contains(file, Assert.Throws<InvalidDataException>(() => new VirtualLine(Options())).Message);
    }

    public void Dispose()
    {
        Directory.Delete(_folder, recursive: true);
    }

    private VirtualLineOptions Options()
    {
        return new VirtualLineOptions { PhotographsFolder = _folder, PartsPerSecond = 4 };
    }
}
