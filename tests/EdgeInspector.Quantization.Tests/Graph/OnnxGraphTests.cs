using EdgeInspector.Quantization.Graph;
using EdgeInspector.Quantization.Proto;
using Google.Protobuf;

namespace EdgeInspector.Quantization.Tests.Graph;

public sealed class OnnxGraphTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("edge-inspector-graph-").FullName;

    public void Dispose() => Directory.Delete(_folder, true);

    [Fact]
    public void FieldsItDoesNotKnowSurviveReadingAndWriting()
    {
        // Field 25 of a model (functions), 14 of a graph (quantisation notes), 9 of a node (its metadata).
        byte[] node = [.. Text(1, "x"), .. Text(2, "y"), .. Text(4, "Relu"), .. Text(9, "note of the node")];
        byte[] graph = [.. Text(1, node), .. Text(12, Text(1, "y")), .. Text(14, "note of the graph")];
        byte[] model = [8, 8, .. Text(7, graph), .. Text(25, "a function")];

        var written = OnnxGraph.Parse(OnnxGraph.Parse(model).ToBytes()).ToBytes();

        Assert.Equal(model, written);
    }

    [Fact]
    public void AZeroThatWasWrittenIsWrittenAgain()
    {
        // Attribute "axis" of kind INT with value 0: protobuf's newer dialect would drop the value.
        byte[] attribute = [.. Text(1, "axis"), 24, 0, 0xA0, 1, 2];
        byte[] node = [.. Text(1, "x"), .. Text(2, "y"), .. Text(4, "Softmax"), .. Text(5, attribute)];
        byte[] model = [8, 8, .. Text(7, [.. Text(1, node), .. Text(12, Text(1, "y"))])];

        Assert.Equal(model, OnnxGraph.Parse(model).ToBytes());
    }

    [Theory]
    [InlineData("nanodet_m_320_opset12.onnx")]
    [InlineData("yolov8n_coco_int8dyn_opset12.onnx")]
    [InlineData("yolox_nano_coco_416.onnx")]
    public void RealModelsComeOutAsTheyWentIn(string name)
    {
        var bytes = File.ReadAllBytes(TestData.Model(name));

        var graph = OnnxGraph.Parse(bytes, name);
        var again = OnnxGraph.Parse(graph.ToBytes(), name);

        Assert.Equal(graph.Model, again.Model);
        Assert.Equal(bytes.Length, graph.ToBytes().Length);
        graph.Sort();
        Assert.Equal(again.Model, graph.Model);
    }

    [Fact]
    public void EdgesKnowWhoGivesAndWhoReadsThem()
    {
        var graph = SmallNetwork();
        var conv = graph.Nodes.Single(node => node.OpType == "Conv");

        Assert.Same(conv, graph.Producer(conv.Output[0]));
        Assert.Equal(["Mul", "Sigmoid"], graph.Consumers(conv.Output[0]).Select(use => use.Node.OpType).Order());
        Assert.Null(graph.Producer("x"));
        Assert.Equal([8, 3, 3, 3], graph.Constant(conv.Input[1])!.Shape());
        Assert.Equal(17, graph.Opset);
    }

    [Fact]
    public void ANodeBetweenTwoOthersIsRunThrough()
    {
        var graph = SmallNetwork();
        var input = Running.Noise(3 * 8 * 8, 1);
        var before = Running.Run(graph, input, 1, 3, 8, 8);

        var conv = graph.Nodes.Single(node => node.OpType == "Conv");
        var edge = conv.Output[0];
        var negated = graph.FreshName(edge);
        var neg = Nodes.Create("Neg", [edge], [negated]);
        graph.Redirect(edge, negated);
        graph.Insert(neg);
        graph.Sort();

        Assert.NotEqual(edge, negated);
        Assert.Equal(["Neg"], graph.Consumers(edge).Select(use => use.Node.OpType));
        var after = Running.Run(graph, input, 1, 3, 8, 8);
        Assert.NotEqual(before, after);

        graph.Redirect(negated, edge);
        graph.Remove(neg);
        Assert.Equal(before, Running.Run(graph, input, 1, 3, 8, 8));
    }

    [Fact]
    public void ARenamedEdgeIsRenamedWhereverItIsRead()
    {
        var graph = SmallNetwork();
        var input = Running.Noise(3 * 8 * 8, 1);
        var before = Running.Run(graph, input, 1, 3, 8, 8);

        graph.Rename("x", "picture");
        graph.Rename("y", "result");

        Assert.Equal(["picture"], graph.Inputs.Select(value => value.Name));
        Assert.True(graph.IsOutput("result"));
        Assert.Empty(graph.Consumers("x"));
        Assert.Equal(before, Running.Run(graph, input, 1, 3, 8, 8));
    }

    [Fact]
    public void NodesInDisorderAreSorted()
    {
        var graph = SmallNetwork();
        var ordered = graph.Nodes.Select(node => node.Name).ToArray();
        var reversed = graph.Nodes.Reverse().ToArray();
        graph.Nodes.Clear();
        foreach (var node in reversed)
        {
            graph.Nodes.Add(node);
        }

        graph.Reindex();
        graph.Sort();

        Assert.Equal(ordered.Order(), graph.Nodes.Select(node => node.Name).Order());
        Assert.Equal(8 * 8 * 8, Running.Run(graph, Running.Noise(3 * 8 * 8, 1), 1, 3, 8, 8).Length);
    }

    [Fact]
    public void ACircleIsRefused()
    {
        var graph = SmallNetwork();
        var conv = graph.Nodes.Single(node => node.OpType == "Conv");
        graph.SetInput(conv, 0, "y");

        Refusal.Of(graph.Sort, "circle");
    }

    [Fact]
    public void WhatNobodyReadsIsRemoved()
    {
        var graph = SmallNetwork();
        var nodes = graph.Nodes.Count;
        var tensors = graph.Initializers.Count();
        graph.SetInitializer(Tensors.Float("spare", [1, 2], 2));
        graph.Insert(Nodes.Create("Add", ["y", "spare"], ["nowhere"]));

        graph.Prune();

        Assert.Equal(nodes, graph.Nodes.Count);
        Assert.Equal(tensors, graph.Initializers.Count());
    }

    [Fact]
    public void AGraphInsideANodeCountsAsReader()
    {
        var inner = new GraphProto { Name = "then" };
        inner.Node.Add(Nodes.Create("Relu", ["hidden"], ["inside"]));
        inner.Output.Add(new ValueInfoProto { Name = "inside" });
        var branch = Nodes.Create("If", ["condition"], ["y"]);
        branch.Attribute.Add(new AttributeProto { Name = "then_branch", G = inner });
        var model = new ModelProto { Graph = new GraphProto() };
        model.Graph.Node.Add(Nodes.Create("Neg", ["x"], ["hidden"]));
        model.Graph.Node.Add(branch);
        model.Graph.Output.Add(new ValueInfoProto { Name = "y" });

        var graph = new OnnxGraph(model);
        graph.Prune();

        Assert.Equal([new GraphUse(branch, -1)], graph.Consumers("hidden"));
        Assert.Equal(2, graph.Nodes.Count);
    }

    [Fact]
    public void FilesThatAreNoModelAreRefusedInOneLine()
    {
        var path = Path.Combine(_folder, "m.onnx");
        Refusal.Of(() => OnnxGraph.Load(path), path, "no such file");
        Refusal.Of(() => OnnxGraph.Load(_folder), "folder");
        File.WriteAllText(path, "version https://git-lfs.github.com/spec/v1\n");
        Refusal.Of(() => OnnxGraph.Load(path), path);
        File.WriteAllBytes(path, []);
        Refusal.Of(() => OnnxGraph.Load(path), path);
        SmallNetwork().Save(path);
        var bytes = File.ReadAllBytes(path);
        File.WriteAllBytes(path, bytes[..(bytes.Length / 2)]);
        Refusal.Of(() => OnnxGraph.Load(path), path);
        File.WriteAllBytes(path, bytes);
        Assert.Equal(4, OnnxGraph.Load(path).Nodes.Count);
    }

    private static OnnxGraph SmallNetwork()
    {
        var builder = new GraphBuilder();
        var x = builder.Input("x", GraphBuilder.Free, 3, 8, 8);
        builder.Output(builder.Silu(builder.Conv(x, 3, 8)), "y", GraphBuilder.Free, 8, 8, 8);
        return builder.Build();
    }

    private static byte[] Text(int field, string text) => Text(field, System.Text.Encoding.UTF8.GetBytes(text));

    private static byte[] Text(int field, byte[] content)
    {
        using var stream = new MemoryStream();
        using (var output = new CodedOutputStream(stream, leaveOpen: true))
        {
            output.WriteTag(field, WireFormat.WireType.LengthDelimited);
            output.WriteBytes(ByteString.CopyFrom(content));
        }

        return stream.ToArray();
    }
}
