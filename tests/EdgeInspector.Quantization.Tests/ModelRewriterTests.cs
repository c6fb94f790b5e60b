using System.Security.Cryptography;
using EdgeInspector.Quantization.Graph;
using EdgeInspector.Quantization.Packages;
using EdgeInspector.Quantization.Pruning;
using EdgeInspector.Vision;
using EdgeInspector.Vision.Packages;
using OpenCvSharp;

namespace EdgeInspector.Quantization.Tests;

public sealed class ModelRewriterTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("edge-inspector-rewrite-").FullName;

    public ModelRewriterTests()
    {
        // Bright parts are good and dark ones burnt; the picture is the part.
        Directory.CreateDirectory(Path.Combine(_folder, "package", "golden"));
        foreach (var (label, level) in new[] { ("good", 190), ("burnt", 60) })
        {
            Directory.CreateDirectory(Path.Combine(_folder, "parts", label));
            for (var i = 0; i < 20; i++)
            {
                using var picture = new Mat(40, 40, MatType.CV_8UC3, new Scalar(level + i, level + (2 * i), level));
                Cv2.ImWrite(Path.Combine(_folder, "parts", label, $"{i:00}.png"), picture);
            }
        }

        File.Copy(Path.Combine(_folder, "parts", "good", "03.png"), Path.Combine(_folder, "package", "golden", "01.png"));
        Classifier().Save(Path.Combine(_folder, "package", "classifier.onnx"));
        var manifest = new ModelManifest
        {
            Schema = ModelManifest.CurrentSchema,
            Name = "test",
            Version = "1.0.0",
            Classifier = new ClassifierManifest
            {
                File = "classifier.onnx",
                Sha256 = Hash(Path.Combine(_folder, "package", "classifier.onnx")),
                Format = ClassifierFormat.Softmax,
                Input = new NetworkInput { Width = 16, Height = 16, Fit = FitMode.Stretch },
                Labels = ["good", "burnt"],
                Good = ["good"],
            },
            Golden = [new GoldenPicture { Picture = "golden/01.png", Parts = [new GoldenPart { Box = [0, 0, 40, 40] }] }],
        };
        File.WriteAllBytes(Path.Combine(_folder, "package", ModelManifest.FileName), ManifestFile.Write(manifest));
    }

    public void Dispose() => Directory.Delete(_folder, true);

    [Fact]
    public void AQuantisedPackageLoadsWithGoldenPicturesRecordedAnewAndAReportBesideIt()
    {
        var report = Run(Quantized(), Path.Combine(_folder, "new"));

        using var package = ModelPackage.Load(
            Path.Combine(_folder, "new"), new InferenceOptions { Provider = ProviderChoice.Cpu });
        Assert.Equal("1.0.0+int8", package.Version);
        Assert.Equal("good", Assert.Single(package.Golden).Label);
        Assert.Equal(Hash(Path.Combine(_folder, "new", "classifier.onnx")), package.Manifest.Classifier!.Sha256);
        Assert.Contains("QuantizeLinear", OnnxGraph.Load(Path.Combine(_folder, "new", "classifier.onnx")).Nodes.Select(n => n.OpType));
        Assert.Contains("| Same verdict | 30 of 30 |", File.ReadAllText(Path.Combine(_folder, "new", "report.md")), StringComparison.Ordinal);
        Assert.Equal(ModelRewriter.ToJson(report) + "\n", File.ReadAllText(Path.Combine(_folder, "new", "report.json")));

        var parts = report.Parts!;
        Assert.Equal("labels", parts.Truth);
        Assert.Equal((30, 30), (parts.VerdictsAlike.Count, parts.VerdictsAlike.Of));
        Assert.Equal(30, parts.After!.FalseNegatives.Of + parts.After.FalsePositives.Of);
        Assert.Equal(0, parts.After.FalseNegatives.Count + parts.After.FalsePositives.Count);
        var stage = Assert.Single(report.Stages);
        Assert.True(stage.Speed.Rounds >= 25 && stage.Speed.Ratio > 0);
        Assert.Equal(10, stage.CalibrationPictures);
    }

    [Fact]
    public void AModelThatJudgesOtherwiseIsTold()
    {
        // Both logits swapped: every verdict turns round.
        GraphRewrite swapped = (graph, _, _, _) =>
        {
            var other = graph.Clone();
            var gemm = other.Nodes.Single(node => node.OpType == "Gemm");
            var weights = other.Constant(gemm.Input[1])!;
            var bias = other.Constant(gemm.Input[2])!;
            other.SetInitializer(Tensors.Float(weights.Name, Array.ConvertAll(weights.Floats(), value => -value), weights.Shape()));
            other.SetInitializer(Tensors.Float(bias.Name, Array.ConvertAll(bias.Floats(), value => -value), bias.Shape()));
            return new RewrittenGraph(other, new Dictionary<string, int>(), []);
        };

        var parts = Run(swapped, Path.Combine(_folder, "new")).Parts!;

        Assert.Equal(0, parts.VerdictsAlike.Count);
        Assert.Equal(1, parts.After!.FalseNegatives.Value);
        Assert.Equal(1, parts.After.FalsePositives.Value);
        Assert.Equal(0, parts.Before!.FalseNegatives.Value);
    }

    [Fact]
    public void NothingIsLeftBehindWhenItFails()
    {
        GraphRewrite failing = (_, _, _, _) => throw new OnnxException("no.");
        Refusal.Of(() => Run(failing, Path.Combine(_folder, "new")), "no.");
        Assert.Equal(["package", "parts"], Directory.GetFileSystemEntries(_folder).Select(Path.GetFileName).Order());

        Directory.CreateDirectory(Path.Combine(_folder, "taken", "x"));
        Refusal.Of(() => Run(Quantized(), Path.Combine(_folder, "taken")), "taken", "--out");
    }

    [Fact]
    public void ABareFileComesOutAsAFile()
    {
        var path = Path.Combine(_folder, "bare.onnx");
        var report = BareModelRewriter.Run(
            Options(Quantized(), path) with { Model = Path.Combine(_folder, "package", "classifier.onnx") },
            new NetworkInput { Width = 16, Height = 16, Fit = FitMode.Stretch },
            null,
            TestContext.Current.CancellationToken);

        Assert.Equal(30, report.Frames!.VerdictsAlike.Count);
        Assert.True(File.Exists(Path.Combine(_folder, "bare.report.md")));
        Assert.Contains(OnnxGraph.Load(path).Nodes, node => node.OpType == "QuantizeLinear");
        Assert.Equal((16, 16), BareModelRewriter.SizeOf(path, InputLayout.Nchw));
    }

    [Fact]
    public void TheSameSeedSplitsAlikeAndPartsStayTogether()
    {
        var pictures = Enumerable.Range(0, 300)
            .Select(i => new LabelledPicture($"/x/good/{i / 3:000000}-{i:000000}.jpg", "good"))
            .ToList();
        var set = new PictureSet([], pictures, 1.5);

        var (taken, left) = set.Split(50, 7);
        Assert.Equal(taken.Parts, set.Split(50, 7).Taken.Parts);
        Assert.NotEqual(taken.Parts, set.Split(50, 8).Taken.Parts);
        Assert.Equal(300, taken.Parts.Count + left.Parts.Count);
        Assert.InRange(taken.Parts.Count, 50, 52);
        Assert.Empty(taken.Parts.Select(Part).Intersect(left.Parts.Select(Part)));

        static string Part(LabelledPicture picture) => Path.GetFileName(picture.Path).Split('-')[0];
    }

    [Fact]
    public void FoldersWithoutPicturesAreRefused()
    {
        Refusal.Of(() => PictureSet.Read(Path.Combine(_folder, "nowhere"), null), "nowhere");
        Directory.CreateDirectory(Path.Combine(_folder, "empty"));
        Refusal.Of(() => PictureSet.Read(Path.Combine(_folder, "empty"), null), "empty", "no picture");
    }

    /// <summary>Figures of the statistics books: 0 of 10 has an upper end of 27.8 %, 5 of 10 lies in 23.7 to 76.3 %.</summary>
    [Theory]
    [InlineData(0, 10, 0, 0.2775)]
    [InlineData(5, 10, 0.2366, 0.7634)]
    [InlineData(10, 10, 0.7225, 1)]
    [InlineData(0, 0, 0, 1)]
    public void SharesHaveWilsonsInterval(int count, int of, double low, double high)
    {
        var share = new Share(count, of);
        Assert.Equal(low, share.Low, 1e-4);
        Assert.Equal(high, share.High, 1e-4);
    }

    [Fact]
    public void PrunedWeightsAreZeroAndTheFileCompressesBetter()
    {
        var graph = QuantizerTests.Residual();
        var pruned = MagnitudePruning.Prune(graph, 0.5);

        var zeros = pruned.Graph.Initializers.Where(t => t.IsFloat() && t.Count() > 1000).ToArray();
        Assert.All(zeros.Skip(1), tensor => Assert.InRange(tensor.Floats().Count(value => value == 0) / (double)tensor.Count(), 0.49, 0.51));
        Assert.Contains(pruned.Kept, kept => kept.Reason == "first layer");
        Refusal.Of(() => MagnitudePruning.Prune(graph, 0.0001), "weights");
    }

    [Fact]
    public void PrunedChannelsMakeASmallerNetworkThatStillRuns()
    {
        var b = new GraphBuilder();
        var x = b.Input("x", 1, 3, 32, 32);
        var t = b.MaxPool(b.Silu(b.Conv(b.Relu(b.Conv(x, 3, 32)), 32, 32)), 2, 2);
        t = b.Relu(b.Conv(t, 32, 16));
        b.Output(b.Gemm(b.Flatten(b.GlobalAveragePool(t)), 16, 4), "y", 1, 4);
        var graph = b.Build();

        var pruned = ChannelPruning.Prune(graph, 0.5);

        var shapes = pruned.Graph.Nodes.Where(node => node.OpType == "Conv")
            .Select(node => pruned.Graph.Constant(node.Input[1])!.Shape())
            .ToArray();
        Assert.Equal([[16, 3, 3, 3], [16, 16, 3, 3], [16, 16, 3, 3]], shapes);
        Assert.Equal(4, Running.Run(pruned.Graph, Running.Noise(3072, 1), 1, 3, 32, 32).Length);
        Assert.Contains(pruned.Kept, kept => kept.Reason == "its channels are tied to other layers");
    }

    [Fact]
    public void ChannelsWithoutWeightsAreMissedByNobody()
    {
        // Half the channels are zero: taking those out must change nothing at all.
        var weights = Running.Noise(16 * 3 * 9, 5);
        weights.AsSpan(8 * 3 * 9).Clear();
        var b = new GraphBuilder();
        var t = b.Relu(b.Conv(b.Input("x", 1, 3, 32, 32), 3, 16, weights: weights));
        b.Output(b.GlobalAveragePool(b.Conv(t, 16, 8)), "y", 1, 8, 1, 1);
        var graph = b.Build();
        var input = Running.Noise(3072, 1);

        var pruned = ChannelPruning.Prune(graph, 0.5).Graph;

        Assert.Equal(8, pruned.Constant(pruned.Nodes.First(node => node.OpType == "Conv").Input[1])!.Shape()[0]);
        Assert.All(
            Running.Run(graph, input, 1, 3, 32, 32).Zip(Running.Run(pruned, input, 1, 3, 32, 32)),
            pair => Assert.Equal(pair.First, pair.Second, 1e-4f));
    }

    private static GraphRewrite Quantized() => (graph, inputs, progress, stop) =>
    {
        var quantized = Quantizer.Quantize(graph, new QuantizationOptions(), inputs, progress, stop);
        return new RewrittenGraph(quantized.Graph, quantized.Int8Nodes, quantized.Kept);
    };

    private static OnnxGraph Classifier()
    {
        // Three channels of mean brightness, a convolution that copies them to sixteen, and a verdict on their sum.
        var weights = new float[16 * 3];
        for (var i = 0; i < 16; i++)
        {
            weights[(3 * i) + (i % 3)] = 1;
        }

        var b = new GraphBuilder();
        var t = b.Relu(b.Conv(b.Input("x", GraphBuilder.Free, 3, 16, 16), 3, 16, 1, weights: weights));
        var rows = b.Flatten(b.GlobalAveragePool(b.Relu(b.Conv(t, 16, 16, 1, weights: Identity(16)))));
        float[] sums = [.. Enumerable.Repeat(1f, 16), .. Enumerable.Repeat(-1f, 16)];
        b.Output(b.Softmax(b.Gemm(rows, 16, 2, [-8, 8], sums)), "y", GraphBuilder.Free, 2);
        return b.Build();
    }

    private static float[] Identity(int size)
    {
        var weights = new float[size * size];
        for (var i = 0; i < size; i++)
        {
            weights[(i * size) + i] = 1;
        }

        return weights;
    }

    private static string Hash(string path) => Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(path)));

    private RewriteReport Run(GraphRewrite rewrite, string target) =>
        ModelRewriter.Run(Options(rewrite, target), null, TestContext.Current.CancellationToken);

    private RewriteOptions Options(GraphRewrite rewrite, string target)
    {
        var (calibration, holdout) = PictureSet.Read(Path.Combine(_folder, "parts"), 1).Split(10, 1);
        return new RewriteOptions
        {
            Model = Path.Combine(_folder, "package"),
            Out = target,
            VersionMark = "int8",
            Method = "test",
            Rewrite = rewrite,
            Calibration = calibration,
            Holdout = holdout,
        };
    }
}
