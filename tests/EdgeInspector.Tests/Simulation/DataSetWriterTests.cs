using System.Text.Json;
using EdgeInspector.Simulation.DataSets;
using OpenCvSharp;
using Xunit;

namespace EdgeInspector.Tests.Simulation;

public sealed class DataSetWriterTests : IDisposable
{
    private readonly string _parent = Directory.CreateTempSubdirectory("dataset").FullName;

    private string Folder => Path.Combine(_parent, "set");

    [Fact]
    public void AnnotationsCropsAndDescriptionAgree()
    {
        var summary = new DataSetWriter(
            new DataSetOptions
            {
                Folder = Folder,
                Count = 40,
                Seed = 3,
                Lanes = 1,
            }
        ).Write(null, TestContext.Current.CancellationToken);
        using var coco = JsonDocument.Parse(File.ReadAllText(Path.Combine(Folder, "frames", "annotations.json")));
        var images = coco.RootElement.GetProperty("images").EnumerateArray().ToArray();
        var annotations = coco.RootElement.GetProperty("annotations").EnumerateArray().ToArray();
        var categories = coco
            .RootElement.GetProperty("categories")
            .EnumerateArray()
            .ToDictionary(c => c.GetProperty("id").GetInt32(), c => c.GetProperty("name").GetString());
        Assert.Equal(["broken", "burnt", "foreign", "good", "hole", "misshapen"], categories.Values);
        Assert.Equal(summary.Frames, images.Length);
        Assert.Equal(summary.Frames, Directory.GetFiles(Path.Combine(Folder, "frames", "images")).Length);
        Assert.Equal(summary.Annotations, annotations.Length);
        foreach (var annotation in annotations)
        {
            var attributes = annotation.GetProperty("attributes");
            var box = annotation.GetProperty("bbox").EnumerateArray().Select(v => v.GetDouble()).ToArray();
            Assert.Equal(
                attributes.GetProperty("class").GetString(),
                categories[annotation.GetProperty("category_id").GetInt32()]
            );
            Assert.Equal(
                attributes.GetProperty("visible").GetDouble() < 0.4,
                annotation.GetProperty("ignore").GetInt32() == 1
            );
            Assert.True(box[0] >= 0 && box[1] >= 0 && box[0] + box[2] <= 640 && box[1] + box[3] <= 480);
        }

        var whole = annotations.Count(a => a.GetProperty("attributes").GetProperty("visible").GetDouble() >= 0.999);
        var crops = Directory.GetFiles(Path.Combine(Folder, "crops"), "*.jpg", SearchOption.AllDirectories);
        Assert.Equal(whole, crops.Length);
        Assert.Equal(summary.Crops.Values.Sum(), crops.Length);
        Assert.InRange(crops.Length / 40.0, 1.5, 2.6);
        Assert.Equal(40, crops.Select(c => Path.GetFileName(c)[..6]).Distinct().Count());
        using var description = JsonDocument.Parse(File.ReadAllText(Path.Combine(Folder, "dataset.json")));
        Assert.Equal(40, description.RootElement.GetProperty("parts").GetInt32());
        using var crop = Cv2.ImRead(crops[0]);
        Assert.Equal(crop.Width, crop.Height);
        Assert.Equal([Folder], Directory.GetFileSystemEntries(_parent));
    }

    [Fact]
    public void TheSameSeedWritesTheSameFiles()
    {
        var other = Path.Combine(_parent, "other");
        new DataSetWriter(new DataSetOptions { Folder = Folder, Count = 12 }).Write(
            null,
            TestContext.Current.CancellationToken
        );
        new DataSetWriter(new DataSetOptions { Folder = other, Count = 12 }).Write(
            null,
            TestContext.Current.CancellationToken
        );
        var files = Directory.GetFiles(Folder, "*", SearchOption.AllDirectories);
        Assert.All(
            files,
            f =>
                Assert.Equal(
                    File.ReadAllBytes(f),
                    File.ReadAllBytes(Path.Combine(other, Path.GetRelativePath(Folder, f)))
                )
        );
    }

    [Fact]
    public void AFolderWithSomethingInItIsRefused()
    {
        Directory.CreateDirectory(Folder);
        File.WriteAllText(Path.Combine(Folder, "mine.txt"), "keep");
        var error = Assert.Throws<IOException>(() =>
            new DataSetWriter(new DataSetOptions { Folder = Folder, Count = 5 }).Write(
                null,
                TestContext.Current.CancellationToken
            )
        );
        Assert.Contains(Folder, error.Message);
        Assert.Equal(["mine.txt"], Directory.GetFileSystemEntries(Folder).Select(Path.GetFileName));
    }

    [Fact]
    public void AnInterruptedRunLeavesNothingBehind()
    {
        using var stop = new CancellationTokenSource();
        var writer = new DataSetWriter(new DataSetOptions { Folder = Folder, Count = 100 });
        Assert.Throws<OperationCanceledException>(() =>
            writer.Write(
                (done, _) =>
                {
                    if (done > 5)
                    {
                        stop.Cancel();
                    }
                },
                stop.Token
            )
        );
        Assert.Empty(Directory.GetFileSystemEntries(_parent));
    }

    public void Dispose()
    {
        Directory.Delete(_parent, recursive: true);
    }
}
