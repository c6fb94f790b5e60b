using System.Collections.Concurrent;
using EdgeInspector.Line;
using EdgeInspector.Vision;
using OpenCvSharp;

namespace EdgeInspector.Inspection;

/// <summary>
/// Encodes pictures of parts off the hot path. The inspect thread copies the frame into one of a few buffers and goes on;
/// a thread of lower priority encodes. When every buffer is taken the picture is shed and counted: verdicts never wait.
/// Owns its buffers and its thread.
/// </summary>
internal sealed class EvidenceWorker : IDisposable
{
    /// <summary>Four: a burst of neighbouring rejects fits, and 640x480 costs under 4 MB.</summary>
    private const int Buffers = 4;

    /// <summary>The context picture is for people on small screens: 480 px wide is about 20 KB.</summary>
    private const int ContextWidth = 480;

    private readonly ConcurrentQueue<Slot> _free = new();
    private readonly BlockingCollection<Slot> _full = [];
    private readonly Slot[] _slots = new Slot[Buffers];
    private readonly Action<EvidencePicture> _taken;
    private readonly Func<long, string> _partId;
    private readonly IReadOnlyList<string> _labels;
    private readonly string _station;
    private readonly TimeProvider _time;
    private readonly Thread _thread;
    private readonly TaskCompletionSource _completion = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private long _shed;

    /// <summary>Makes the buffers, which take the frames' size at first use; <see cref="Start"/> starts the thread.</summary>
    /// <param name="station">Station name, for labels and the thread's name.</param>
    /// <param name="labels">The classifier's labels.</param>
    /// <param name="partId">From a part's number to its <see cref="PartRecord.Id"/>.</param>
    /// <param name="taken">Receives each picture, on the worker's thread; must not block for long.</param>
    /// <param name="time">For the wall-clock label.</param>
    public EvidenceWorker(
        string station,
        IReadOnlyList<string> labels,
        Func<long, string> partId,
        Action<EvidencePicture> taken,
        TimeProvider time
    )
    {
        _station = station;
        _labels = labels;
        _partId = partId;
        _taken = taken;
        _time = time;
        for (var i = 0; i < Buffers; i++)
        {
            _slots[i] = new Slot(new Mat());
            _free.Enqueue(_slots[i]);
        }

        _thread = new Thread(Run) { Name = $"evidence-{station}", IsBackground = true };
    }

    /// <summary>Ends when the worker stops, faulted when it failed.</summary>
    public Task Completion => _completion.Task;

    /// <summary>Pictures not taken because every buffer was in use.</summary>
    public long Shed => Volatile.Read(ref _shed);

    /// <summary>Starts the thread.</summary>
    public void Start() => _thread.Start();

    /// <summary>Copies the frame for encoding, or sheds it. Inspect thread.</summary>
    public void Offer(Frame frame, in Box box, in Decision decision)
    {
        if (!_free.TryDequeue(out var slot))
        {
            Volatile.Write(ref _shed, _shed + 1);
            return;
        }

        frame.Picture.CopyTo(slot.Picture);
        slot.Box = box;
        slot.Decision = decision;
        _full.Add(slot);
    }

    /// <summary>Encodes what was taken, then ends the thread and frees the buffers.</summary>
    public void Dispose()
    {
        _full.CompleteAdding();
        if (_thread.ThreadState.HasFlag(ThreadState.Unstarted) || _thread.Join(TimeSpan.FromSeconds(5)))
        {
            foreach (var slot in _slots)
            {
                slot.Picture.Dispose();
            }

            _full.Dispose();
        }
    }

    private void Run()
    {
        try
        {
            foreach (var slot in _full.GetConsumingEnumerable())
            {
                _taken(Encode(slot));
                _free.Enqueue(slot);
            }

            _completion.SetResult();
        }
        catch (Exception fault)
        {
            _completion.SetException(fault);
        }
    }

    private EvidencePicture Encode(Slot slot)
    {
        var decision = slot.Decision;
        var crop = CropAround(slot.Box, slot.Picture.Width, slot.Picture.Height);
        using var part = new Mat(slot.Picture, crop);
        Cv2.ImEncode(".jpg", part, out var cropBytes, new ImageEncodingParam(ImwriteFlags.JpegQuality, 90));

        var box = new Rect((int)slot.Box.X1, (int)slot.Box.Y1, (int)slot.Box.Width, (int)slot.Box.Height);
        var colour = decision.Verdict == Verdict.Pass ? new Scalar(80, 160, 40) : new Scalar(40, 40, 220);
        Cv2.Rectangle(slot.Picture, box, colour, 3);
        using var context = new Mat();
        var scale = Math.Min(1.0, (double)ContextWidth / slot.Picture.Width);
        Cv2.Resize(slot.Picture, context, new Size(), scale, scale, InterpolationFlags.Area);
        Cv2.ImEncode(".jpg", context, out var contextBytes, new ImageEncodingParam(ImwriteFlags.JpegQuality, 75));

        return new EvidencePicture(
            _partId(decision.PartId),
            decision.PartId,
            _station,
            decision.Verdict,
            decision.Label >= 0 && decision.Label < _labels.Count ? _labels[decision.Label] : null,
            float.IsFinite(decision.Score) ? decision.Score : null,
            _time.GetUtcNow(),
            cropBytes,
            contextBytes
        );
    }

    private static Rect CropAround(in Box box, int width, int height)
    {
        const float margin = 0.1f;
        var side = Math.Max(box.Width, box.Height) * (1 + (2 * margin));
        var x1 = Math.Clamp((int)(box.CentreX - (side / 2)), 0, width - 1);
        var y1 = Math.Clamp((int)(box.CentreY - (side / 2)), 0, height - 1);
        var x2 = Math.Clamp((int)Math.Ceiling(box.CentreX + (side / 2)), x1 + 1, width);
        var y2 = Math.Clamp((int)Math.Ceiling(box.CentreY + (side / 2)), y1 + 1, height);
        return new Rect(x1, y1, x2 - x1, y2 - y1);
    }

    private sealed class Slot(Mat picture)
    {
        public Mat Picture { get; } = picture;

        public Box Box { get; set; }

        public Decision Decision { get; set; }
    }
}
