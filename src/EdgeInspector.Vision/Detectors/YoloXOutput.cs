namespace EdgeInspector.Vision.Detectors;

/// <summary>
/// [1, N, 5 + C]: one row per cell of the grids of strides 8, 16 and 32, not decoded: the centre is (raw + cell) ×
/// stride, the size e^raw × stride, the score objectness × label. As YOLOX exports without decode_in_inference.
/// </summary>
internal sealed class YoloXOutput : IDetectorOutput
{
    private static readonly int[] Strides = [8, 16, 32];

    private readonly int _labels;
    private readonly (int X, int Y, int Stride)[] _grid;

    private YoloXOutput(int labels, (int X, int Y, int Stride)[] grid)
    {
        _labels = labels;
        _grid = grid;
    }

    public int Cells => _grid.Length;

    public static YoloXOutput Require(ReadOnlySpan<long> shape, DetectorManifest manifest, string path)
    {
        var labels = manifest.Labels.Count;
        var grid = Grid(manifest.Input.Width, manifest.Input.Height);
        if (shape.Length != 3 || shape[0] != 1 || shape[1] != grid.Length || shape[2] != 5 + labels)
        {
            throw new ModelPackageException(
                $"{path}: the output is [{string.Join(',', shape.ToArray())}], format yolox with {labels} labels needs "
                + $"[1,{grid.Length},{5 + labels}]; correct format or labels in {ModelManifest.FileName}.");
        }

        return new YoloXOutput(labels, grid);
    }

    public void Read(ReadOnlySpan<float> output, float threshold, Candidates candidates)
    {
        var width = 5 + _labels;
        for (var i = 0; i < _grid.Length; i++)
        {
            var cell = output.Slice(i * width, width);
            var objectness = cell[4];

            // No label's score exceeds 1, so this cell cannot reach the threshold; nor can one that is no number.
            if (!(objectness >= threshold))
            {
                continue;
            }

            var (best, label) = (0f, -1);
            for (var j = 0; j < _labels; j++)
            {
                if (cell[5 + j] > best)
                {
                    (best, label) = (cell[5 + j], j);
                }
            }

            var score = objectness * best;
            if (label >= 0 && score >= threshold)
            {
                candidates.Add(new Detection(Decode(cell, _grid[i]), score, label));
            }
        }
    }

    private static Box Decode(ReadOnlySpan<float> cell, (int X, int Y, int Stride) at)
    {
        var x = (cell[0] + at.X) * at.Stride;
        var y = (cell[1] + at.Y) * at.Stride;
        var halfWidth = MathF.Exp(cell[2]) * at.Stride / 2;
        var halfHeight = MathF.Exp(cell[3]) * at.Stride / 2;
        return new Box(x - halfWidth, y - halfHeight, x + halfWidth, y + halfHeight);
    }

    private static (int X, int Y, int Stride)[] Grid(int width, int height) =>
    [
        .. from stride in Strides
           from y in Enumerable.Range(0, height / stride)
           from x in Enumerable.Range(0, width / stride)
           select (x, y, stride),
    ];
}
