using System.Numerics;
using System.Runtime.InteropServices;

namespace EdgeInspector.Vision.Detectors;

/// <summary>
/// [1, 4 + C, N]: rows of centre x, centre y, width and height in input pixels, then one row of scores per label.
/// A cell proposes its best label. Ultralytics' exporter writes this for YOLOv8 and YOLO11.
/// </summary>
internal sealed class YoloV8Output : IDetectorOutput
{
    private readonly int _labels;
    private readonly float[] _best;
    private readonly int[] _label;
    private readonly int[] _hits;

    private YoloV8Output(int labels, int cells)
    {
        _labels = labels;
        Cells = cells;
        _best = new float[cells];
        _label = new int[cells];
        _hits = new int[cells];
    }

    public int Cells { get; }

    public static YoloV8Output Require(ReadOnlySpan<long> shape, DetectorManifest manifest, string path)
    {
        var labels = manifest.Labels.Count;
        if (shape.Length != 3 || shape[0] != 1 || shape[1] != 4 + labels || shape[2] < 1)
        {
            throw new ModelPackageException(
                $"{path}: the output is [{string.Join(',', shape.ToArray())}], format yolov8 with {labels} labels "
                + $"needs [1,{4 + labels},cells]; correct format or labels in {ModelManifest.FileName}.");
        }

        return new YoloV8Output(labels, checked((int)shape[2]));
    }

    public void Read(ReadOnlySpan<float> output, float threshold, Candidates candidates)
    {
        // The rows are read once, in memory order; only cells that reach the threshold cost more than a comparison.
        var hits = 0;
        for (var label = 0; label < _labels; label++)
        {
            var scores = output.Slice((4 + label) * Cells, Cells);
            var vectors = MemoryMarshal.Cast<float, Vector<float>>(scores);
            var limit = new Vector<float>(threshold);
            for (var v = 0; v < vectors.Length; v++)
            {
                if (Vector.GreaterThanOrEqualAny(vectors[v], limit))
                {
                    var from = v * Vector<float>.Count;
                    hits = Collect(scores, from, from + Vector<float>.Count, threshold, label, hits);
                }
            }

            hits = Collect(scores, vectors.Length * Vector<float>.Count, Cells, threshold, label, hits);
        }

        for (var i = 0; i < hits; i++)
        {
            var cell = _hits[i];
            var (x, y) = (output[cell], output[Cells + cell]);
            var (halfWidth, halfHeight) = (output[(2 * Cells) + cell] / 2, output[(3 * Cells) + cell] / 2);
            candidates.Add(new Detection(
                new Box(x - halfWidth, y - halfHeight, x + halfWidth, y + halfHeight), _best[cell], _label[cell]));
            _best[cell] = 0;
        }
    }

    private int Collect(ReadOnlySpan<float> scores, int from, int to, float threshold, int label, int hits)
    {
        for (var cell = from; cell < to; cell++)
        {
            var score = scores[cell];
            if (score >= threshold && score > _best[cell])
            {
                if (_best[cell] == 0)
                {
                    _hits[hits++] = cell;
                }

                _best[cell] = score;
                _label[cell] = label;
            }
        }

        return hits;
    }
}
