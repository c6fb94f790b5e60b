using System.Runtime.InteropServices;

namespace EdgeInspector.Vision.Inference;

/// <summary>
/// Reads a <see cref="ModelOutline"/> and refuses a file that would harm whoever opens it: weights kept in other files
/// (their names may lead anywhere), tensors too large for any device, graphs nested without end, functions that call
/// themselves or multiply. Field numbers are those of onnx.proto.
/// </summary>
internal sealed class OutlineReader
{
    /// <summary>1 GiB of floats: several times what the largest detector holds in any one tensor.</summary>
    private const long MostNumbers = 1L << 28;

    /// <summary>A large transformer has some ten thousand.</summary>
    private const int MostNodes = 200_000;

    private const int DeepestGraph = 16;

    /// <summary>4,096 labels of 64 letters fit four times.</summary>
    private const int MostNotes = 1 << 20;

    private readonly string _path;
    private readonly List<TensorOutline> _inputs = [];
    private readonly List<TensorOutline> _outputs = [];
    private readonly List<NodeOutline> _nodes = [];
    private readonly Dictionary<string, string> _notes = [];
    private readonly HashSet<string> _constants = [];
    private readonly Dictionary<string, long[]> _sizes = [];
    private readonly Dictionary<string, List<string>> _functions = [];
    private readonly List<string> _called = [];
    private string _producer = "";
    private long _operatorSet;
    private long _parameters;
    private int _nodeCount;
    private int _noteLength;

    private OutlineReader(string path) => _path = path;

    /// <exception cref="ModelPackageException">Not a model, or one that must not be opened.</exception>
    public static ModelOutline Read(string path, ReadOnlySpan<byte> model)
    {
        var reader = new OutlineReader(path);
        try
        {
            reader.Model(model);
        }
        catch (InvalidDataException exception)
        {
            throw new ModelPackageException(
                $"{path}: not an ONNX model, damaged or cut short; copy it again.", exception);
        }

        reader.RequireFunctionsThatEnd();
        if (reader._nodeCount == 0 || reader._outputs.Count == 0)
        {
            throw new ModelPackageException(
                $"{path}: not an ONNX model (no graph with outputs in it), damaged or cut short; copy it again.");
        }

        return new ModelOutline
        {
            Inputs = [.. reader._inputs.Where(input => !reader._constants.Contains(input.Name))],
            Outputs = reader._outputs,
            Notes = reader._notes,
            Producer = reader._producer,
            OperatorSet = reader._operatorSet,
            Nodes = reader._nodes,
            Parameters = reader._parameters,
        };
    }

    private void Model(ReadOnlySpan<byte> model)
    {
        var fields = new ProtobufReader(model);
        while (fields.Next())
        {
            switch (fields.Field)
            {
                case 2 when fields.HasBytes:
                    _producer = fields.Text;
                    break;
                case 7 when fields.HasBytes:
                    Graph(fields.Bytes, 0, _called);
                    break;
                case 8 when fields.HasBytes:
                    OperatorSet(fields.Bytes);
                    break;
                case 14 when fields.HasBytes:
                    Note(fields.Bytes);
                    break;
                case 20 when fields.HasBytes:
                    throw Refuse("carries training graphs", "export it for inference");
                case 25 when fields.HasBytes:
                    Function(fields.Bytes);
                    break;
            }
        }
    }

    private void OperatorSet(ReadOnlySpan<byte> entry)
    {
        var (domain, version) = ("", 0L);
        var fields = new ProtobufReader(entry);
        while (fields.Next())
        {
            (domain, version) = fields.Field switch
            {
                1 => (fields.Text, version),
                2 => (domain, (long)fields.Number),
                _ => (domain, version),
            };
        }

        if (domain is "" or "ai.onnx")
        {
            _operatorSet = version;
        }
    }

    private void Note(ReadOnlySpan<byte> entry)
    {
        _noteLength += entry.Length;
        if (_noteLength > MostNotes || _notes.Count >= 4096)
        {
            throw Refuse("its notes (metadata) are larger than 1 MiB", "export it without them");
        }

        var (key, value) = ("", "");
        var fields = new ProtobufReader(entry);
        while (fields.Next())
        {
            (key, value) = fields.Field switch
            {
                1 => (fields.Text, value),
                2 => (key, fields.Text),
                _ => (key, value),
            };
        }

        if (!_notes.TryAdd(key, value) && _notes[key] != value)
        {
            throw Refuse($"its note '{Short(key)}' stands there twice and differs", "export it again");
        }
    }

    private void Function(ReadOnlySpan<byte> function)
    {
        var name = "";
        var domain = "";
        var calls = new List<string>();
        var fields = new ProtobufReader(function);
        while (fields.Next())
        {
            switch (fields.Field)
            {
                case 1 when fields.HasBytes:
                    name = fields.Text;
                    break;
                case 7 when fields.HasBytes:
                    Node(fields.Bytes, 1, calls);
                    break;
                case 10 when fields.HasBytes:
                    domain = fields.Text;
                    break;
            }
        }

        if (!_functions.TryAdd($"{domain}:{name}", calls))
        {
            throw Refuse($"its function '{Short(name)}' is defined twice", "export it again");
        }
    }

    private void Graph(ReadOnlySpan<byte> graph, int depth, List<string> calls)
    {
        if (depth > DeepestGraph)
        {
            throw Refuse($"graphs lie in graphs more than {DeepestGraph} deep", "export it without control flow");
        }

        // Constants come after the nodes that use them, so they are read first.
        var fields = new ProtobufReader(graph);
        while (fields.Next())
        {
            switch (fields.Field)
            {
                case 5 when fields.HasBytes:
                    Tensor(fields.Bytes, null, depth == 0);
                    break;
                case 15 when fields.HasBytes:
                    Sparse(fields.Bytes);
                    break;
                case 11 when fields.HasBytes && depth == 0:
                    _inputs.Add(Value(fields.Bytes));
                    break;
                case 12 when fields.HasBytes && depth == 0:
                    _outputs.Add(Value(fields.Bytes));
                    break;
                case 13 when fields.HasBytes:
                    Value(fields.Bytes);
                    break;
            }
        }

        fields = new ProtobufReader(graph);
        while (fields.Next())
        {
            if (fields.Field == 1 && fields.HasBytes)
            {
                Node(fields.Bytes, depth, calls);
            }
        }
    }

    private void Node(ReadOnlySpan<byte> node, int depth, List<string> calls)
    {
        if (++_nodeCount > MostNodes)
        {
            throw Refuse($"has more than {MostNodes:N0} operations", "export a smaller model");
        }

        var (operation, domain) = ("", "");
        var inputs = new List<string>();
        var outputs = new List<string>();
        var fields = new ProtobufReader(node);
        while (fields.Next())
        {
            switch (fields.Field)
            {
                case 1 when fields.HasBytes:
                    inputs.Add(fields.Text);
                    break;
                case 2 when fields.HasBytes:
                    outputs.Add(fields.Text);
                    break;
                case 4 when fields.HasBytes:
                    operation = fields.Text;
                    break;
                case 7 when fields.HasBytes:
                    domain = fields.Text;
                    break;
            }
        }

        fields = new ProtobufReader(node);
        while (fields.Next())
        {
            if (fields.Field == 5 && fields.HasBytes)
            {
                Attribute(fields.Bytes, operation, outputs, depth, calls);
            }
        }

        calls.Add($"{domain}:{operation}");
        RequireBearableSize(operation, inputs);
        if (depth == 0)
        {
            _nodes.Add(new NodeOutline(operation, inputs, outputs));
        }
    }

    private void Attribute(
        ReadOnlySpan<byte> attribute, string operation, List<string> outputs, int depth, List<string> calls)
    {
        var sizes = new List<long>();
        var name = "";
        var fields = new ProtobufReader(attribute);
        while (fields.Next())
        {
            switch (fields.Field)
            {
                case 1 when fields.HasBytes:
                    name = fields.Text;
                    break;
                case 5 or 10 when fields.HasBytes:
                    Tensor(fields.Bytes, operation == "Constant" && outputs.Count == 1 ? outputs[0] : null, false);
                    break;
                case 6 or 11 when fields.HasBytes:
                    Graph(fields.Bytes, depth + 1, calls);
                    break;
                case 8:
                    fields.AddNumbersTo(sizes);
                    break;
                case 22 or 23 when fields.HasBytes:
                    Sparse(fields.Bytes);
                    break;
            }
        }

        if (name == "shape" && operation.StartsWith("Random", StringComparison.Ordinal))
        {
            RequireBearable(operation, sizes);
        }
    }

    private void Sparse(ReadOnlySpan<byte> sparse)
    {
        var sizes = new List<long>();
        var fields = new ProtobufReader(sparse);
        while (fields.Next())
        {
            switch (fields.Field)
            {
                case 1 or 2 when fields.HasBytes:
                    Tensor(fields.Bytes, null, false);
                    break;
                case 3:
                    fields.AddNumbersTo(sizes);
                    break;
            }
        }

        RequireBearable("a sparse constant", sizes);
    }

    private void Tensor(ReadOnlySpan<byte> tensor, string? name, bool isInitializer)
    {
        var (type, external, location) = (0UL, false, "");
        var sizes = new List<long>();
        var numbers = new List<long>();
        ReadOnlySpan<byte> raw = default;
        var fields = new ProtobufReader(tensor);
        while (fields.Next())
        {
            switch (fields.Field)
            {
                case 1:
                    fields.AddNumbersTo(sizes);
                    break;
                case 2:
                    type = fields.Number;
                    break;
                case 7 when fields.Bytes.Length <= 64:
                    fields.AddNumbersTo(numbers);
                    break;
                case 8 when fields.HasBytes:
                    name ??= fields.Text;
                    break;
                case 9 when fields.HasBytes:
                    raw = fields.Bytes;
                    break;
                case 13 when fields.HasBytes:
                    (external, location) = (true, LocationIn(fields.Bytes) ?? location);
                    break;
                case 14 when fields.Number != 0:
                    external = true;
                    break;
            }
        }

        if (external)
        {
            throw Refuse(
                $"keeps weights outside the file (external data '{Short(location)}')",
                "export it as one file with its weights inside");
        }

        var count = RequireBearable($"constant '{Short(name ?? "")}'", sizes);
        if (isInitializer && name is not null)
        {
            _constants.Add(name);
            _parameters += count;
        }

        // 7 is int64: such constants may be sizes to grow to.
        if (type == 7 && count <= 8 && name is not null)
        {
            _sizes.TryAdd(
                name, raw.IsEmpty ? [.. numbers] : MemoryMarshal.Cast<byte, long>(raw[..(raw.Length & ~7)]).ToArray());
        }
    }

    private static string? LocationIn(ReadOnlySpan<byte> entry)
    {
        var (key, value) = ("", "");
        var fields = new ProtobufReader(entry);
        while (fields.Next())
        {
            (key, value) = fields.Field switch
            {
                1 => (fields.Text, value),
                2 => (key, fields.Text),
                _ => (key, value),
            };
        }

        return key == "location" ? value : null;
    }

    private TensorOutline Value(ReadOnlySpan<byte> value)
    {
        var (name, type) = ("", 0);
        List<long>? shape = null;
        var fields = new ProtobufReader(value);
        while (fields.Next())
        {
            if (fields.Field == 1 && fields.HasBytes)
            {
                name = fields.Text;
            }
            else if (fields.Field == 2 && fields.HasBytes)
            {
                var kinds = new ProtobufReader(fields.Bytes);
                while (kinds.Next())
                {
                    if (kinds.Field == 1 && kinds.HasBytes)
                    {
                        (type, shape) = TensorType(kinds.Bytes);
                    }
                }
            }
        }

        if (shape is not null)
        {
            RequireBearable($"'{Short(name)}'", [.. shape.Where(size => size > 0)]);
        }

        return new TensorOutline(name, type, shape);
    }

    private static (int Type, List<long>? Shape) TensorType(ReadOnlySpan<byte> tensor)
    {
        var type = 0;
        List<long>? shape = null;
        var fields = new ProtobufReader(tensor);
        while (fields.Next())
        {
            if (fields.Field == 1)
            {
                type = (int)Math.Min(fields.Number, 1000);
            }
            else if (fields.Field == 2 && fields.HasBytes)
            {
                shape ??= [];
                var sizes = new ProtobufReader(fields.Bytes);
                while (sizes.Next())
                {
                    if (sizes.Field == 1 && sizes.HasBytes)
                    {
                        shape.Add(SizeIn(sizes.Bytes));
                    }
                }
            }
        }

        return (type, shape);
    }

    private static long SizeIn(ReadOnlySpan<byte> dimension)
    {
        var size = -1L;
        var fields = new ProtobufReader(dimension);
        while (fields.Next())
        {
            if (fields.Field == 1)
            {
                size = (long)fields.Number;
            }
        }

        // Some exporters write 0 where they mean that they do not know.
        return size > 0 ? size : -1;
    }

    /// <summary>Operations that grow a tensor to a size written down as a constant.</summary>
    private void RequireBearableSize(string operation, List<string> inputs)
    {
        var size = operation switch
        {
            "ConstantOfShape" when inputs.Count > 0 => inputs[0],
            "Expand" or "Tile" when inputs.Count > 1 => inputs[1],
            "Resize" when inputs.Count > 3 => inputs[3],
            _ => null,
        };
        if (size is not null && _sizes.TryGetValue(size, out var sizes))
        {
            RequireBearable(operation, sizes);
        }
    }

    private long RequireBearable(string what, IReadOnlyList<long> sizes)
    {
        var count = (UInt128)1;
        foreach (var size in sizes)
        {
            if (size < 0 || sizes.Count > 64)
            {
                throw Refuse($"{what} has sizes that are none ([{Short(string.Join(',', sizes))}])", "export it again");
            }

            count = UInt128.Min(count * (ulong)size, UInt128.One << 62);
        }

        return count <= MostNumbers
            ? (long)count
            : throw Refuse(
                $"{what} has [{Short(string.Join(',', sizes))}] numbers, more than 1 GiB", "export a smaller model");
    }

    /// <summary>
    /// The runtime puts a function's body in place of each call: one that calls itself never ends, and thirty that
    /// each call the next one twice make a thousand million operations.
    /// </summary>
    private void RequireFunctionsThatEnd()
    {
        var sizes = new Dictionary<string, long>();
        var open = new HashSet<string>();
        var total = 0L;
        foreach (var name in _functions.Keys)
        {
            Size(name, 0);
        }

        foreach (var call in _called)
        {
            total = Math.Min(total + Size(call, 0), long.MaxValue / 4);
        }

        if (total > MostNodes)
        {
            throw Refuse($"its functions grow to more than {MostNodes:N0} operations", "export it without functions");
        }

        long Size(string name, int depth)
        {
            if (!_functions.TryGetValue(name, out var calls))
            {
                return 1;
            }

            if (sizes.TryGetValue(name, out var known))
            {
                return known;
            }

            if (depth > 256 || !open.Add(name))
            {
                throw Refuse(
                    $"its function '{Short(name)}' calls itself or nests too deep", "export it without functions");
            }

            var size = 0L;
            foreach (var call in calls)
            {
                size = Math.Min(size + Size(call, depth + 1), long.MaxValue / 4);
            }

            open.Remove(name);
            return sizes[name] = size;
        }
    }

    private ModelPackageException Refuse(string fault, string remedy) => new($"{_path}: {fault}; {remedy}.");

    private static string Short(string text) =>
        new([.. (text.Length > 60 ? text[..60] + "…" : text).Where(letter => !char.IsControl(letter))]);
}
