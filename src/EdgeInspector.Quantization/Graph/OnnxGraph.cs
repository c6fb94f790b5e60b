using System.Globalization;
using EdgeInspector.Quantization.Proto;
using Google.Protobuf;

namespace EdgeInspector.Quantization.Graph;

/// <summary>
/// An ONNX model to be looked at and rewritten: nodes, the edges between them (named values) and the constants. What
/// this program does not know of the format is kept and written back. Not safe for several threads.
/// </summary>
/// <remarks>
/// The graph's own lists are the truth; <see cref="Producer"/> and <see cref="Consumers"/> index them and are brought
/// up to date by the methods here. Whoever edits <see cref="NodeProto"/> objects directly calls
/// <see cref="Reindex"/> afterwards. Graphs inside nodes (the branches of If, the bodies of Loop) count as readers of
/// the outer values they use and are otherwise left alone.
/// </remarks>
public sealed class OnnxGraph
{
    /// <summary>What protobuf can hold; larger models keep their weights in files of their own.</summary>
    private const long Largest = int.MaxValue;

    private readonly Dictionary<string, NodeProto> _producers = new(StringComparer.Ordinal);
    private readonly Dictionary<string, List<GraphUse>> _consumers = new(StringComparer.Ordinal);
    private readonly Dictionary<string, TensorProto> _initializers = new(StringComparer.Ordinal);
    private readonly HashSet<string> _names = new(StringComparer.Ordinal);

    /// <param name="model">Taken over, not copied.</param>
    /// <param name="path">For messages.</param>
    /// <exception cref="OnnxException">It holds no graph, or one that cannot be.</exception>
    public OnnxGraph(ModelProto model, string path = "model")
    {
        Model = model;
        Path = path;
        if (model.Graph is null || (model.Graph.Node.Count == 0 && model.Graph.Output.Count == 0))
        {
            throw new OnnxException($"{path}: not an ONNX model, or one without a graph; name an .onnx file.");
        }

        Reindex();
    }

    public ModelProto Model { get; }

    public string Path { get; }

    public GraphProto Graph => Model.Graph;

    public IList<NodeProto> Nodes => Graph.Node;

    /// <summary>Version of the standard operators, 1 and up.</summary>
    public int Opset
    {
        get => (int)(Model.OpsetImport.FirstOrDefault(o => IsStandard(o.Domain))?.Version ?? 1);
        set
        {
            if (Model.OpsetImport.FirstOrDefault(o => IsStandard(o.Domain)) is { } standard)
            {
                standard.Version = value;
            }
            else
            {
                Model.OpsetImport.Add(new OperatorSetIdProto { Domain = "", Version = value });
            }
        }
    }

    /// <summary>What the graph is fed; initializers that older files list among the inputs are left out.</summary>
    public IEnumerable<ValueInfoProto> Inputs => Graph.Input.Where(input => !_initializers.ContainsKey(input.Name));

    public IEnumerable<ValueInfoProto> Outputs => Graph.Output;

    public IEnumerable<TensorProto> Initializers => Graph.Initializer;

    /// <summary>The exporter's notes.</summary>
    public IReadOnlyDictionary<string, string> Metadata =>
        Model.MetadataProps.DistinctBy(p => p.Key).ToDictionary(p => p.Key, p => p.Value);

    /// <exception cref="OnnxException">Not there, unreadable, or not a model.</exception>
    public static OnnxGraph Load(string path)
    {
        try
        {
            var file = new FileInfo(path);
            if (!file.Exists)
            {
                throw new OnnxException(Directory.Exists(path)
                    ? $"{path}: this is a folder; name an ONNX file."
                    : $"{path}: there is no such file; copy the model there or correct its name.");
            }

            return file.Length <= Largest
                ? Parse(File.ReadAllBytes(path), path)
                : throw new OnnxException($"{path}: larger than 2 GiB; export a smaller model.");
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new OnnxException($"{path}: cannot be read ({exception.Message}); check its rights.", exception);
        }
    }

    /// <exception cref="OnnxException">Not a model.</exception>
    public static OnnxGraph Parse(ReadOnlySpan<byte> bytes, string path = "model")
    {
        try
        {
            return new OnnxGraph(ModelProto.Parser.ParseFrom(bytes), path);
        }
        catch (InvalidProtocolBufferException exception)
        {
            throw new OnnxException($"{path}: not an ONNX model, damaged or cut short; copy it again.", exception);
        }
    }

    public OnnxGraph Clone() => new(Model.Clone(), Path);

    public byte[] ToBytes() => Model.ToByteArray();

    /// <summary>Writes the file whole or not at all.</summary>
    /// <exception cref="OnnxException">The file cannot be written.</exception>
    public void Save(string path)
    {
        var temporary = $"{path}.{Environment.ProcessId}.part";
        try
        {
            File.WriteAllBytes(temporary, ToBytes());
            File.Move(temporary, path, overwrite: true);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            File.Delete(temporary);
            throw new OnnxException($"{path}: cannot be written ({exception.Message}); name another file.", exception);
        }
    }

    /// <summary>The node that gives this value; null for inputs and initializers.</summary>
    public NodeProto? Producer(string edge) => _producers.GetValueOrDefault(edge);

    /// <summary>
    /// Who reads this value. A graph inside a node that reads it shows as a use with index −1.
    /// </summary>
    public IReadOnlyList<GraphUse> Consumers(string edge) =>
        _consumers.TryGetValue(edge, out var uses) ? uses : [];

    public bool IsOutput(string edge) => Graph.Output.Any(output => output.Name == edge);

    public bool IsInput(string edge) => Inputs.Any(input => input.Name == edge);

    /// <summary>The initializer of this name, or the value of a Constant node that gives it; else null.</summary>
    public TensorProto? Constant(string edge)
    {
        if (_initializers.TryGetValue(edge, out var initializer))
        {
            return initializer;
        }

        return Producer(edge) is { OpType: "Constant" } node ? node.Attribute("value")?.T : null;
    }

    /// <summary>Adds or replaces an initializer.</summary>
    public void SetInitializer(TensorProto tensor)
    {
        if (_initializers.ContainsKey(tensor.Name))
        {
            var kept = Graph.Initializer.Where(other => other.Name != tensor.Name).ToArray();
            Graph.Initializer.Clear();
            Graph.Initializer.AddRange(kept);
        }

        Graph.Initializer.Add(tensor);
        _initializers[tensor.Name] = tensor;
        _names.Add(tensor.Name);
    }

    /// <summary>Adds a node at the end, or before another one.</summary>
    public NodeProto Insert(NodeProto node, NodeProto? before = null)
    {
        var at = before is null ? -1 : IndexOf(before);
        if (at < 0)
        {
            Graph.Node.Add(node);
        }
        else
        {
            Graph.Node.Insert(at, node);
        }

        Index(node);
        return node;
    }

    /// <summary>Takes nodes out. Whoever read their results must have been given others before.</summary>
    public void Remove(params IEnumerable<NodeProto> nodes)
    {
        var gone = nodes.ToHashSet<NodeProto>(ReferenceEqualityComparer.Instance);
        if (gone.Count == 0)
        {
            return;
        }

        var kept = Graph.Node.Where(node => !gone.Contains(node)).ToArray();
        Graph.Node.Clear();
        Graph.Node.AddRange(kept);
        Reindex();
    }

    /// <summary>Makes every node that reads one value read another instead. Graph outputs keep their names.</summary>
    /// <param name="except">Nodes that go on reading the old one.</param>
    public void Redirect(string from, string to, params IEnumerable<NodeProto> except)
    {
        var kept = except.ToHashSet<NodeProto>(ReferenceEqualityComparer.Instance);
        foreach (var use in Consumers(from).Where(use => use.Index >= 0 && !kept.Contains(use.Node)).ToArray())
        {
            SetInput(use.Node, use.Index, to);
        }
    }

    /// <summary>Makes one input of a node read another value.</summary>
    public void SetInput(NodeProto node, int index, string edge)
    {
        var old = node.Input[index];
        node.Input[index] = edge;
        if (_consumers.TryGetValue(old, out var uses))
        {
            uses.RemoveAll(use => ReferenceEquals(use.Node, node) && use.Index == index);
        }

        Use(edge, node, index);
    }

    /// <summary>Gives a value another name, wherever it is written or read, graph outputs included.</summary>
    public void Rename(string from, string to)
    {
        foreach (var node in Graph.Node)
        {
            Replace(node.Input);
            Replace(node.Output);
        }

        foreach (var value in Graph.Input.Concat(Graph.Output).Concat(Graph.ValueInfo).Where(v => v.Name == from))
        {
            value.Name = to;
        }

        foreach (var tensor in Graph.Initializer.Where(tensor => tensor.Name == from))
        {
            tensor.Name = to;
        }

        Reindex();

        void Replace(Google.Protobuf.Collections.RepeatedField<string> names)
        {
            for (var i = 0; i < names.Count; i++)
            {
                if (names[i] == from)
                {
                    names[i] = to;
                }
            }
        }
    }

    /// <summary>A name that no value and no node has yet.</summary>
    public string FreshName(string wish)
    {
        var name = wish;
        for (var i = 2; !_names.Add(name); i++)
        {
            name = string.Create(CultureInfo.InvariantCulture, $"{wish}_{i}");
        }

        return name;
    }

    /// <summary>Removes initializers and nodes whose results nobody reads.</summary>
    public void Prune()
    {
        while (true)
        {
            var idle = Graph.Node
                .Where(node => node.Output.All(o => o.Length == 0 || (Consumers(o).Count == 0 && !IsOutput(o))))
                .ToArray();
            if (idle.Length == 0)
            {
                break;
            }

            Remove(idle);
        }

        var gone = Graph.Initializer.Select(tensor => tensor.Name)
            .Where(name => Consumers(name).Count == 0 && !IsOutput(name))
            .ToHashSet(StringComparer.Ordinal);
        if (gone.Count == 0)
        {
            return;
        }

        // Older files list initializers among the inputs; those of removed ones would become true inputs.
        foreach (var input in Graph.Input.Where(input => gone.Contains(input.Name)).ToArray())
        {
            Graph.Input.Remove(input);
        }

        var read = Graph.Initializer.Where(tensor => !gone.Contains(tensor.Name)).ToArray();
        Graph.Initializer.Clear();
        Graph.Initializer.AddRange(read);
        Reindex();
    }

    /// <summary>Puts the nodes into an order in which they can run; ones that can already, keep theirs.</summary>
    /// <exception cref="OnnxException">The graph runs in a circle, or reads a value that nothing gives.</exception>
    public void Sort()
    {
        var ready = new HashSet<string>(Graph.Input.Select(input => input.Name), StringComparer.Ordinal) { "" };
        ready.UnionWith(_initializers.Keys);
        var waiting = Graph.Node.ToDictionary(
            node => node,
            node => Reads(node).Where(edge => _producers.ContainsKey(edge)).Distinct(StringComparer.Ordinal).Count(),
            (IEqualityComparer<NodeProto>)ReferenceEqualityComparer.Instance);
        foreach (var missing in Graph.Node.SelectMany(Reads).Where(e => !ready.Contains(e) && !_producers.ContainsKey(e)))
        {
            throw new OnnxException($"{Path}: a node reads '{missing}', which nothing gives; export the model again.");
        }

        var position = Graph.Node.Select((node, i) => (node, i))
            .ToDictionary(p => p.node, p => p.i, (IEqualityComparer<NodeProto>)ReferenceEqualityComparer.Instance);
        var next = new PriorityQueue<NodeProto, int>(
            waiting.Where(pair => pair.Value == 0).Select(pair => (pair.Key, position[pair.Key])));
        var sorted = new List<NodeProto>(Graph.Node.Count);
        while (next.TryDequeue(out var node, out _))
        {
            sorted.Add(node);
            var readers = node.Output.Where(o => o.Length > 0)
                .SelectMany(o => Consumers(o).Select(use => use.Node).Distinct(ReferenceEqualityComparer.Instance));
            foreach (NodeProto reader in readers.Cast<NodeProto>())
            {
                if (--waiting[reader] == 0)
                {
                    next.Enqueue(reader, position[reader]);
                }
            }
        }

        if (sorted.Count != Graph.Node.Count)
        {
            throw new OnnxException($"{Path}: the graph runs in a circle; export the model again.");
        }

        Graph.Node.Clear();
        Graph.Node.AddRange(sorted);
    }

    /// <summary>Brings the index up to date after nodes were edited directly.</summary>
    /// <exception cref="OnnxException">Two nodes give the same value.</exception>
    public void Reindex()
    {
        _producers.Clear();
        _consumers.Clear();
        _initializers.Clear();
        foreach (var tensor in Graph.Initializer)
        {
            _initializers[tensor.Name] = tensor;
            _names.Add(tensor.Name);
        }

        foreach (var value in Graph.Input.Concat(Graph.Output))
        {
            _names.Add(value.Name);
        }

        foreach (var node in Graph.Node)
        {
            Index(node);
        }
    }

    private static bool IsStandard(string domain) => domain is "" or "ai.onnx";

    private static IEnumerable<string> Reads(NodeProto node) =>
        node.Input.Where(edge => edge.Length > 0).Concat(Captured(node));

    /// <summary>Outer values that the graphs inside a node read.</summary>
    private static IEnumerable<string> Captured(NodeProto node)
    {
        foreach (var inner in node.Attribute.SelectMany(a => a.Graphs.Concat(a.G is null ? [] : [a.G])))
        {
            var own = new HashSet<string>(inner.Node.SelectMany(n => n.Output), StringComparer.Ordinal) { "" };
            own.UnionWith(inner.Input.Select(input => input.Name));
            own.UnionWith(inner.Initializer.Select(tensor => tensor.Name));
            foreach (var edge in inner.Node.SelectMany(Reads).Concat(inner.Output.Select(o => o.Name)))
            {
                if (!own.Contains(edge))
                {
                    yield return edge;
                }
            }
        }
    }

    private int IndexOf(NodeProto node)
    {
        // By identity: protobuf messages compare by content.
        for (var i = 0; i < Graph.Node.Count; i++)
        {
            if (ReferenceEquals(Graph.Node[i], node))
            {
                return i;
            }
        }

        return -1;
    }

    private void Index(NodeProto node)
    {
        _names.Add(node.Name);
        foreach (var edge in node.Output.Where(edge => edge.Length > 0))
        {
            _names.Add(edge);
            if (!_producers.TryAdd(edge, node))
            {
                throw new OnnxException($"{Path}: two nodes give '{edge}'; export the model again.");
            }
        }

        for (var i = 0; i < node.Input.Count; i++)
        {
            Use(node.Input[i], node, i);
        }

        foreach (var edge in Captured(node).Distinct(StringComparer.Ordinal))
        {
            Use(edge, node, -1);
        }
    }

    private void Use(string edge, NodeProto node, int index)
    {
        if (edge.Length == 0)
        {
            return;
        }

        if (!_consumers.TryGetValue(edge, out var uses))
        {
            _consumers[edge] = uses = [];
        }

        uses.Add(new GraphUse(node, index));
    }
}

/// <summary>One reading of a value: which node, at which of its inputs (−1: in a graph inside the node).</summary>
public readonly record struct GraphUse(NodeProto Node, int Index);
