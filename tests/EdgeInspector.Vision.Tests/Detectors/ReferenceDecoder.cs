namespace EdgeInspector.Vision.Tests.Detectors;

/// <summary>
/// The formats read a second time, from their definitions, in doubles and without a thought for speed, so that the
/// product's readers have something to be held against. Shares nothing with them.
/// </summary>
internal static class ReferenceDecoder
{
    public sealed record Found(double X1, double Y1, double X2, double Y2, double Score, int Label);

    /// <summary>An output as numbers with a shape.</summary>
    public sealed class Table(double[] values, params int[] shape)
    {
        public double[] Values => values;

        public int[] Shape => shape;

        /// <summary>Element of the last two dimensions, of the first picture.</summary>
        public double this[int row, int column] => values[(row * shape[^1]) + column];

        public int Rows => shape.Length == 1 ? shape[0] : shape[^2];

        public int Columns => shape[^1];
    }

    public static IEnumerable<Found> YoloV8(Table output, int labels) =>
        from cell in Enumerable.Range(0, output.Columns)
        let scores = Enumerable.Range(0, labels).Select(label => output[4 + label, cell]).ToArray()
        select Centred(output[0, cell], output[1, cell], output[2, cell], output[3, cell], scores.Max(),
            Array.IndexOf(scores, scores.Max()));

    public static IEnumerable<Found> Rows(Table output, int labels, double scaleX = 1, double scaleY = 1) =>
        from row in Enumerable.Range(0, output.Rows)
        let scores = Enumerable.Range(0, labels).Select(label => output[row, 4 + label]).ToArray()
        select Centred(
            output[row, 0] * scaleX, output[row, 1] * scaleY, output[row, 2] * scaleX, output[row, 3] * scaleY,
            scores.Max(), Array.IndexOf(scores, scores.Max()));

    public static IEnumerable<Found> YoloV5(Table output, int labels) =>
        from row in Enumerable.Range(0, output.Rows)
        let scores = Enumerable.Range(0, labels).Select(label => output[row, 4] * output[row, 5 + label]).ToArray()
        select Centred(output[row, 0], output[row, 1], output[row, 2], output[row, 3], scores.Max(),
            Array.IndexOf(scores, scores.Max()));

    public static IEnumerable<Found> EndToEnd(Table output) =>
        from row in Enumerable.Range(0, output.Rows)
        select new Found(output[row, 0], output[row, 1], output[row, 2], output[row, 3], output[row, 4],
            (int)output[row, 5]);

    public static IEnumerable<Found> YoloX(Table output, int labels, int width, int height, int strides)
    {
        var row = 0;
        for (var stride = 8; stride < 8 << strides; stride *= 2)
        {
            for (var y = 0; y < height / stride; y++)
            {
                for (var x = 0; x < width / stride; x++, row++)
                {
                    var scores = Enumerable.Range(0, labels).Select(i => output[row, 4] * output[row, 5 + i]).ToArray();
                    yield return Centred(
                        (output[row, 0] + x) * stride, (output[row, 1] + y) * stride,
                        Math.Exp(output[row, 2]) * stride, Math.Exp(output[row, 3]) * stride,
                        scores.Max(), Array.IndexOf(scores, scores.Max()));
                }
            }
        }
    }

    /// <param name="scores">One table for each stride, C columns.</param>
    /// <param name="distances">One table for each stride, 4 × bins columns.</param>
    /// <param name="labels">C.</param>
    /// <param name="width">Of the input.</param>
    /// <param name="height">Of the input.</param>
    public static IEnumerable<Found> NanoDet(
        IReadOnlyList<Table> scores, IReadOnlyList<Table> distances, int labels, int width, int height)
    {
        var offset = scores.Count == 3 ? 0.5 : 0;
        for (var level = 0; level < scores.Count; level++)
        {
            double stride = 8 << level;
            var columns = (int)Math.Ceiling(width / stride);
            var bins = distances[level].Columns / 4;
            for (var cell = 0; cell < scores[level].Rows; cell++)
            {
                var side = Enumerable.Range(0, 4).Select(i =>
                {
                    var weights = Enumerable.Range(0, bins)
                        .Select(bin => Math.Exp(distances[level][cell, (i * bins) + bin])).ToArray();
                    return weights.Select((weight, bin) => weight * bin).Sum() / weights.Sum() * stride;
                }).ToArray();
                var row = Enumerable.Range(0, labels).Select(label => scores[level][cell, label]).ToArray();
                var (x, y) = (((cell % columns) + offset) * stride, ((cell / columns) + offset) * stride);
                yield return new Found(
                    Math.Max(0, x - side[0]), Math.Max(0, y - side[1]),
                    Math.Min(width, x + side[2]), Math.Min(height, y + side[3]),
                    row.Max(), Array.IndexOf(row, row.Max()));
            }
        }
    }

    /// <summary>Each query with each label, a sigmoid each.</summary>
    public static IEnumerable<Found> DetrSigmoid(Table boxes, Table logits, int labels, int width, int height) =>
        from row in Enumerable.Range(0, boxes.Rows)
        from label in Enumerable.Range(0, labels)
        select Centred(
            boxes[row, 0] * width, boxes[row, 1] * height, boxes[row, 2] * width, boxes[row, 3] * height,
            1 / (1 + Math.Exp(-logits[row, label])), label);

    /// <summary>A softmax over the labels and "nothing".</summary>
    public static IEnumerable<Found> DetrSoftmax(Table boxes, Table logits, int labels, int width, int height)
    {
        for (var row = 0; row < boxes.Rows; row++)
        {
            var weights = Enumerable.Range(0, labels + 1).Select(i => Math.Exp(logits[row, i])).ToArray();
            var best = Enumerable.Range(0, labels).MaxBy(i => weights[i]);
            yield return Centred(
                boxes[row, 0] * width, boxes[row, 1] * height, boxes[row, 2] * width, boxes[row, 3] * height,
                weights[best] / weights.Sum(), best);
        }
    }

    /// <summary>Boxes (as four numbers each), a score and a label's number.</summary>
    public static IEnumerable<Found> Chosen(
        Table boxes, Table scores, Table labels, int first, Func<double[], double[]> corners) =>
        from row in Enumerable.Range(0, boxes.Rows)
        let box = corners([boxes[row, 0], boxes[row, 1], boxes[row, 2], boxes[row, 3]])
        select new Found(box[0], box[1], box[2], box[3], scores.Values[row], (int)labels.Values[row] - first);

    /// <summary>A row of scores for each anchor, perhaps with the background first.</summary>
    public static IEnumerable<Found> Anchors(
        Table boxes, Table scores, int labels, Func<double[], double[]> corners)
    {
        var background = scores.Columns - labels;
        for (var row = 0; row < boxes.Rows; row++)
        {
            var best = Enumerable.Range(0, labels).MaxBy(label => scores[row, background + label]);
            var box = corners([boxes[row, 0], boxes[row, 1], boxes[row, 2], boxes[row, 3]]);
            yield return new Found(box[0], box[1], box[2], box[3], scores[row, background + best], best);
        }
    }

    public static IEnumerable<Found> Paddle(Table output) =>
        from row in Enumerable.Range(0, output.Rows)
        select new Found(output[row, 2], output[row, 3], output[row, 4], output[row, 5], output[row, 1],
            (int)output[row, 0]);

    /// <summary>Keeps what reaches the threshold and, where asked, of overlapping ones of one label the best.</summary>
    public static List<Found> Keep(IEnumerable<Found> proposals, double threshold, double? overlap)
    {
        var open = proposals.Where(one => one.Score >= threshold && one.X2 > one.X1 && one.Y2 > one.Y1).ToList();
        if (overlap is not { } most)
        {
            return open;
        }

        var kept = new List<Found>();
        while (open.Count > 0)
        {
            var best = open.MaxBy(one => one.Score)!;
            kept.Add(best);
            open.RemoveAll(one => ReferenceEquals(one, best) || (one.Label == best.Label && IoU(one, best) > most));
        }

        return kept;
    }

    /// <summary>From input pixels to picture pixels, by the formula of the documentation.</summary>
    public static List<Found> ToPicture(
        IEnumerable<Found> found, int width, int height, int pictureWidth, int pictureHeight, FitMode fit)
    {
        double scale = Math.Min((double)width / pictureWidth, (double)height / pictureHeight);
        var (wide, high) = fit is FitMode.Stretch
            ? (width, height)
            : ((int)Math.Round(pictureWidth * scale), (int)Math.Round(pictureHeight * scale));
        var (left, top) = fit is FitMode.Letterbox ? ((width - wide) / 2, (height - high) / 2) : (0, 0);
        return
        [
            .. from one in found
               let box = one with
               {
                   X1 = Math.Clamp((one.X1 - left) * pictureWidth / wide, 0, pictureWidth),
                   Y1 = Math.Clamp((one.Y1 - top) * pictureHeight / high, 0, pictureHeight),
                   X2 = Math.Clamp((one.X2 - left) * pictureWidth / wide, 0, pictureWidth),
                   Y2 = Math.Clamp((one.Y2 - top) * pictureHeight / high, 0, pictureHeight),
               }
               where box.X2 > box.X1 && box.Y2 > box.Y1
               select box,
        ];
    }

    private static Found Centred(double x, double y, double width, double height, double score, int label) =>
        new(x - (width / 2), y - (height / 2), x + (width / 2), y + (height / 2), score, label);

    private static double IoU(Found a, Found b)
    {
        var shared = Math.Max(0, Math.Min(a.X2, b.X2) - Math.Max(a.X1, b.X1))
            * Math.Max(0, Math.Min(a.Y2, b.Y2) - Math.Max(a.Y1, b.Y1));
        return shared / (((a.X2 - a.X1) * (a.Y2 - a.Y1)) + ((b.X2 - b.X1) * (b.Y2 - b.Y1)) - shared);
    }
}
