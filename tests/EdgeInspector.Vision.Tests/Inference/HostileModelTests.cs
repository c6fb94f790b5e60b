using System.Diagnostics;
using EdgeInspector.Vision.Inference;

namespace EdgeInspector.Vision.Tests.Inference;

/// <summary>Files made to do harm, or by an exporter that went wrong: refused with one line, or bounded.</summary>
public sealed class HostileModelTests(ITestOutputHelper output)
{
    private static readonly Detection[] Room = new Detection[1024];

    [Theory]
    [InlineData("weights.bin")]
    [InlineData("../../../../etc/passwd")]
    [InlineData("/dev/zero")]
    public void WeightsOutsideTheFileAreRefusedBeforeAnybodyOpensThem(string location)
    {
        var graph = new OnnxGraph();
        graph.RawInitializer([
            .. OnnxGraph.Number(1, 6), .. OnnxGraph.Number(2, 1), .. OnnxGraph.Text(8, "w"),
            .. OnnxGraph.Field(13, [.. OnnxGraph.Text(1, "location"), .. OnnxGraph.Text(2, location)]),
            .. OnnxGraph.Number(14, 1)]);
        Refused(graph, "external data", location);
    }

    [Fact]
    public void ConstantsAndOutputsOfAbsurdSizeAreRefused()
    {
        var huge = new OnnxGraph();
        huge.RawInitializer([
            .. OnnxGraph.Number(1, 100_000), .. OnnxGraph.Number(1, 100_000), .. OnnxGraph.Number(2, 1),
            .. OnnxGraph.Text(8, "w"), .. OnnxGraph.Field(9, [0, 0, 0, 0])]);
        Refused(huge, "1 GiB");

        var negative = new OnnxGraph();
        negative.RawInitializer([
            .. OnnxGraph.Number(1, -4), .. OnnxGraph.Number(2, 1), .. OnnxGraph.Text(8, "w")]);
        Refused(negative, "sizes that are none");

        var grown = new OnnxGraph();
        grown.Node("ConstantOfShape", [grown.Whole([1 << 20, 1 << 20], 2)]);
        Refused(grown, "ConstantOfShape", "1 GiB");

        Refused(new OnnxGraph(), [1, 1 << 15, 1 << 15], "'output'", "1 GiB");
    }

    [Fact]
    public void GraphsInGraphsWithoutEndAreRefused()
    {
        byte[] body = [];
        for (var depth = 0; depth < 60; depth++)
        {
            var inner = OnnxGraph.Field(1, [
                .. OnnxGraph.Text(4, "If"),
                .. OnnxGraph.Field(5, [.. OnnxGraph.Text(1, "then_branch"), .. OnnxGraph.Field(6, body)])]);
            body = inner;
        }

        var graph = new OnnxGraph();
        graph.Node("If", ["input"], ("then_branch", body));
        Refused(graph, "deep");
    }

    [Fact]
    public void FunctionsThatCallThemselvesOrMultiplyAreRefused()
    {
        static byte[] Function(string name, params string[] calls) => OnnxGraph.Field(25, [
            .. OnnxGraph.Text(1, name), .. OnnxGraph.Text(10, "f"),
            .. calls.SelectMany(call => OnnxGraph.Field(
                7, [.. OnnxGraph.Text(4, call), .. OnnxGraph.Text(7, "f")]))]);

        Refused(Model(more: [.. Function("a", "b"), .. Function("b", "a")]), "calls itself");

        var doubling = Enumerable.Range(0, 40).SelectMany(i => Function($"d{i}", $"d{i + 1}", $"d{i + 1}")).ToArray();
        var graph = new OnnxGraph();
        var call = OnnxGraph.Field(7, OnnxGraph.Field(1, [.. OnnxGraph.Text(4, "d0"), .. OnnxGraph.Text(7, "f")]));
        Refused(Model(graph, more: [.. doubling, .. call]), "functions grow");
    }

    [Fact]
    public void GraphThatFeedsItselfIsRefused()
    {
        var graph = new OnnxGraph();
        graph.Node("Add", ["b", "input"], "a");
        graph.Node("Add", ["a", "input"], "b");
        Refused(Model(graph), "ONNX Runtime refuses");
    }

    [Fact]
    public void NotesWithoutMeasureOrSenseAreRefusedOrTellNothing()
    {
        Refused(Model(notes: new() { ["names"] = new string('x', 2 << 20) }), "1 MiB");
        Refused(
            Model(more: [.. Note("names", "{0: 'a'}"), .. Note("names", "{0: 'b'}")]), "'names'", "twice");
        Refused(Model(notes: new() { ["names"] = "{0: 'a', 1: 'b', 2: 'c'}" }), "detector.labels", "names 3");
        Refused(Model(notes: new() { ["stride"] = "48" }), "stride", "48");
        Refused(Model(notes: new() { ["task"] = "pose" }), "pose");
        Refused(Model(notes: new() { ["end2end"] = "True" }), "end2end", "yolo-end-to-end");

        foreach (var names in new[] { "{0: 1, 1: 0}", "{0: {0: {0: 'a'}}}", "{-1: 'a'}", "{0: 'a'", "{0: 'a\\", "[", "{5: 'a'}" })
        {
            Load(Model(notes: new() { ["names"] = names, ["imgsz"] = "[[[]]]", ["stride"] = "9e99" })).Dispose();
        }

        static byte[] Note(string key, string value) =>
            OnnxGraph.Field(14, [.. OnnxGraph.Text(1, key), .. OnnxGraph.Text(2, value)]);
    }

    [Fact]
    public void RankThatNoFormatHasIsRefused()
    {
        foreach (var shape in new int[][] { [6], [6, 1], [1, 1, 6, 1], [1, 1, 1, 6, 1] })
        {
            Refused(OnnxGraph.Saying(new float[6], shape, 64, 64), "output [", "yolov8");
            Refused(
                OnnxGraph.Saying(new float[6], shape, 64, 64), detector => detector with { Format = null },
                "no format fits");
        }
    }

    [Fact]
    public void WithoutALabelThereIsNothingToFind()
    {
        Refused(
            OnnxGraph.Saying(new float[4 * 84], [1, 4, 84], 64, 64),
            detector => detector with { Format = null, Labels = ["a"] },
            "no format fits");
        Refused(
            OnnxGraph.Saying(new float[4 * 84], [1, 4, 84], 64, 64), detector => detector with { Labels = [] },
            "detector.labels");
    }

    [Fact]
    public void FormatThatCannotBeToldIsRefusedWithTheOnesThatFit()
    {
        // One row for each cell, and arithmetic before the output: YOLOX undecoded, or YOLOv6 decoded?
        var model = OnnxGraph.Saying(new float[84 * 7], [1, 84, 7], 64, 64);
        Refused(model, detector => detector with { Format = null }, "yolov5 or yolox", "state detector.format");
        Load(model, detector => detector with { Format = DetectorFormat.YoloX }).Dispose();
    }

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    public void NumbersThatAreNoneAreCountedAndAreNoParts(float number)
    {
        var values = new float[6 * 84];
        Array.Fill(values, number);
        using var package = Load(OnnxGraph.Saying(values, [1, 6, 84], 64, 64));
        using var picture = Some.Flat(64, 64, 0, 0, 0);
        var before = package.Detector.Unreadable;
        Assert.Equal(0, package.Detector.Detect(picture, Room));
        Assert.Equal(before + (2 * 84), package.Detector.Unreadable);
    }

    [Fact]
    public void TenThousandPartsAtOnceNeitherHangNorAllocate()
    {
        // 19,200 cells, none overlapping enough to fall out, all of them parts.
        const int Cells = 19_200;
        var values = new float[6 * Cells];
        for (var i = 0; i < Cells; i++)
        {
            values[i] = i % 160 * 4;
            values[Cells + i] = i / 160 * 5;
            values[(2 * Cells) + i] = values[(3 * Cells) + i] = 6;
            values[(4 * Cells) + i] = 0.9f;
        }

        using var package = Load(
            OnnxGraph.Saying(values, [1, 6, Cells], 640, 640), detector => detector with
            {
                Input = detector.Input with { Width = 640, Height = 640 },
                MaxDetections = 1024,
                NmsThreshold = 0.99f,
            });
        using var picture = Some.Flat(640, 640, 0, 0, 0);
        package.Detector.Detect(picture, Room);
        var before = GC.GetAllocatedBytesForCurrentThread();
        var start = Stopwatch.GetTimestamp();
        var found = package.Detector.Detect(picture, Room);
        var time = Stopwatch.GetElapsedTime(start);
        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
        Assert.Equal(1024, found);
        Assert.InRange(time.TotalSeconds, 0, 5);
        output.WriteLine($"{time.TotalMilliseconds:0.0} ms");
    }

    [Fact]
    public void RowsThatComeAndGoAreBoundedAndAllocateNothing()
    {
        // As many rows as the picture is bright: 0 to 2,000, each a part of its own.
        var graph = new OnnxGraph();
        var mean = graph.Node("ReduceMean", ["input"], ("keepdims", 0L));
        var count = graph.Node("Cast", [graph.Node("Mul", [mean, graph.Constant([2000f], 1)])], ("to", 7L));
        var rows = Enumerable.Range(0, 2000)
            .SelectMany(i => new float[] { i % 60, i / 60, (i % 60) + 3, (i / 60) + 3, 0.9f, 1 }).ToArray();
        graph.Node(
            "Slice", [graph.Constant(rows, 1, 2000, 6), graph.Whole([0], 1), count, graph.Whole([1], 1)], "output");
        using var package = Load(
            graph.Build([1, 3, 64, 64], "output", [1, OnnxGraph.Free, 6]),
            detector => detector with { Format = null, MaxDetections = 1024 });
        Assert.Equal(DetectorFormat.YoloEndToEnd, package.Manifest.Detector!.Format);

        foreach (var (level, parts) in new[] { (0, 0), (51, 400), (255, 1024), (51, 400) })
        {
            using var picture = Some.Flat(64, 64, (byte)level, (byte)level, (byte)level);
            Assert.InRange(package.Detector.Detect(picture, Room), parts - 1, parts);
            Assert.Equal(0, Allocation.PerCall(() => package.Detector.Detect(picture, Room)));
        }
    }

    [Fact]
    public void LoopThatNeverEndsIsRefused()
    {
        // Loop without a trip count whose condition stays true.
        byte[] body =
        [
            .. OnnxGraph.Field(1, [.. OnnxGraph.Text(1, "go"), .. OnnxGraph.Text(2, "on"), .. OnnxGraph.Text(4, "Identity")]),
            .. OnnxGraph.Field(1, [.. OnnxGraph.Text(1, "v"), .. OnnxGraph.Text(2, "w"), .. OnnxGraph.Text(4, "Identity")]),
            .. OnnxGraph.Text(2, "body"),
            .. Declared(11, "i", 7), .. Declared(11, "go", 9), .. Declared(11, "v", 1),
            .. Declared(12, "on", 9), .. Declared(12, "w", 1),
        ];
        var graph = new OnnxGraph();
        var mean = graph.Node("ReduceMean", ["input"], ("keepdims", 0L));
        var always = graph.Node("Cast", [graph.Node("Add", [mean, graph.Constant([5f])])], ("to", 9L));
        var looped = graph.Node("Loop", ["", always, mean], ("body", body));
        graph.Node("Add", [looped, graph.Constant(new float[6], 1, 6, 1)], "output");
        Refused(
            graph.Build([1, 3, 64, 64], "output", [1, 6, 1]),
            detector => detector,
            new InferenceOptions { Provider = ProviderChoice.Cpu, LongestFirstRun = TimeSpan.FromSeconds(1) },
            "does not finish");

        static byte[] Declared(int field, string name, int type) => OnnxGraph.Field(field, [
            .. OnnxGraph.Text(1, name),
            .. OnnxGraph.Field(2, OnnxGraph.Field(1, [.. OnnxGraph.Number(1, type), .. OnnxGraph.Field(2, [])]))]);
    }

    [Fact]
    public void FilesCutOrChangedAnywhereAreRefusedOrRun()
    {
        var model = Some.YoloV8([[32, 32, 20, 10, 0.9f, 0.1f]]);
        var random = new Random(5);
        for (var i = 0; i < 3000; i++)
        {
            var broken = model.AsSpan(0, i % 2 == 0 ? random.Next(model.Length) : model.Length).ToArray();
            for (var j = 0; j < i % 4 && broken.Length > 0; j++)
            {
                broken[random.Next(broken.Length)] = (byte)random.Next(256);
            }

            try
            {
                OutlineReader.Read("m.onnx", broken);
            }
            catch (ModelPackageException refusal)
            {
                Assert.StartsWith("m.onnx: ", refusal.Message, StringComparison.Ordinal);
            }
        }
    }

    private static byte[] Model(
        OnnxGraph? graph = null, Dictionary<string, string>? notes = null, byte[]? more = null, int[]? shape = null)
    {
        graph ??= new OnnxGraph();
        var mean = graph.Node("ReduceMean", ["input"], ("keepdims", 0L));
        graph.Node("Add", [graph.Constant(new float[6], 1, 6, 1), mean], "output");
        return graph.Build([new("input", [1, 3, 64, 64])], [new("output", shape ?? [1, 6, 1])], notes, more);
    }

    private static ModelPackage Load(byte[] model, Func<DetectorManifest, DetectorManifest>? change = null)
    {
        using var builder = Package(model, change);
        return builder.Write().Load();
    }

    private static PackageBuilder Package(byte[] model, Func<DetectorManifest, DetectorManifest>? change)
    {
        var builder = Some.Detecting([32, 32, 20, 10, 0.9f, 0.1f]);
        var hash = builder.Add("detector.onnx", model);
        var detector = builder.Manifest.Detector! with { Sha256 = hash };
        builder.Manifest = builder.Manifest with { Detector = change?.Invoke(detector) ?? detector };
        return builder;
    }

    private static void Refused(OnnxGraph graph, params string[] hints) => Refused(Model(graph), hints);

    private static void Refused(OnnxGraph graph, int[] shape, params string[] hints) =>
        Refused(Model(graph, shape: shape), hints);

    private static void Refused(byte[] model, params string[] hints) => Refused(model, detector => detector, hints);

    private static void Refused(
        byte[] model, Func<DetectorManifest, DetectorManifest> change, params string[] hints) =>
        Refused(model, change, new InferenceOptions { Provider = ProviderChoice.Cpu, Threads = 1 }, hints);

    private static void Refused(
        byte[] model,
        Func<DetectorManifest, DetectorManifest> change,
        InferenceOptions options,
        params string[] hints)
    {
        using var builder = Package(model, change);
        builder.Write();
        Refusal.Of<ModelPackageException>(
            () => ModelPackage.Load(builder.Folder, options).Dispose(), [builder.Folder, .. hints]);
    }
}
