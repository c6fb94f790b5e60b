using System.Threading.Channels;
using EdgeInspector.Benchmarks.Models;
using EdgeInspector.Capture;
using EdgeInspector.Inspection;
using EdgeInspector.Line;
using EdgeInspector.Telemetry;
using EdgeInspector.Vision;

namespace EdgeInspector.Benchmarks.Contenders;

/// <summary>
/// The product's way from a captured frame to its verdicts: frame slot, inspect thread, inspector, decision queue, with the
/// package's own stages. What a station has besides (reject thread, ledger, broker) is left out here.
/// </summary>
internal sealed class OwnStation : IDisposable
{
    /// <summary>
    /// Pixels a second: so fast that even frames a millisecond apart show other parts, and each must be found, classified and
    /// decided.
    /// </summary>
    private const double BeltSpeed = 1e7;

    private readonly DecisionQueue _decisions = new();
    private readonly Channel<PartEvent> _events = Channel.CreateBounded<PartEvent>(1024);
    private readonly FramePool _pool;
    private readonly InspectLoop _loop;
    private readonly object _gate = new();
    private readonly Action? _taking;
    private readonly Action<Frame>? _taken;
    private long _sequence;
    private (int Parts, double Milliseconds) _last;

    /// <summary>Wires and starts it.</summary>
    /// <param name="package">The stages; stays the caller's.</param>
    /// <param name="picture">What its camera sees, in every frame.</param>
    /// <param name="name">For the thread's name.</param>
    /// <param name="taking">Called on the inspect thread when it has done with a frame and comes for the next.</param>
    /// <param name="taken">Called on it when it has got one.</param>
    public OwnStation(
        ModelPackage package,
        OpenCvSharp.Mat picture,
        string name = "bench",
        Action? taking = null,
        Action<Frame>? taken = null
    )
    {
        _taking = taking;
        _taken = taken;

        // One with each worker, one waiting, one being put.
        _pool = new FramePool(Scene.Width, Scene.Height, package.Detectors.Count + 2);
        List<Frame> frames = [];
        while (_pool.TryRent(out var frame))
        {
            picture.CopyTo(frame.Picture);
            frames.Add(frame);
        }

        frames.ForEach(frame => frame.Dispose());
        var inspector = new Inspector(
            new Stages(package.Detectors, package.Classifier!),
            new DecisionRules(new Recipe { Views = 1 }, packageThreshold: 0.5, goodLabel: 0),
            new InspectionOptions { MillimetresPerPixel = 1 },
            Scene.Width,
            Scene.Height,
            lanes: 1,
            new ConstantBelt(TimeProvider.System.GetInstant(), BeltSpeed),
            new EntryEyes(),
            deadline: null,
            _decisions,
            _events.Writer,
            evidence: null,
            Figures,
            TimeProvider.System
        );
        _loop = new InspectLoop(name, Take, () => Slot.IsDrained, inspector, new Liveness(), TimeProvider.System);
        _loop.Start();
    }

    /// <summary>What its inspect thread counts.</summary>
    public InspectionFigures Figures { get; } = new();

    /// <summary>Where its frames come from.</summary>
    public FrameSlot Slot { get; } = new();

    /// <summary>Gives it a frame and waits until it has been inspected; milliseconds from capture to the last verdict.</summary>
    /// <param name="parts">Set to how many verdicts came.</param>
    public double Inspect(out int parts)
    {
        var inspected = Figures.Frames + 1;
        if (!TryPut())
        {
            throw new InvalidOperationException("No frame is free: the station keeps more than it may.");
        }

        lock (_gate)
        {
            while (Figures.Frames < inspected)
            {
                // No spinning: the networks' threads need the processors.
                if (!Monitor.Wait(_gate, TimeSpan.FromSeconds(10)))
                {
                    throw new InvalidOperationException("The inspect thread has stopped.", _loop.Completion.Exception);
                }
            }
        }

        parts = _last.Parts;
        return _last.Milliseconds;
    }

    /// <summary>Offers a frame captured now and does not wait; false when every frame is in use.</summary>
    public bool TryPut()
    {
        if (!_pool.TryRent(out var frame))
        {
            return false;
        }

        frame.Sequence = ++_sequence;
        frame.CapturedAt = TimeProvider.System.GetInstant().Nanoseconds;
        Slot.Put(frame);
        return true;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Slot.Complete();
        _loop.Dispose();
        Slot.Dispose();
        _pool.Dispose();
    }

    /// <summary>On the inspect thread: whoever comes for a frame has done with the last one.</summary>
    private Frame? Take(TimeSpan timeout)
    {
        _taking?.Invoke();
        lock (_gate)
        {
            // Workers take turns; verdicts and events belong to the reject thread and the part book, which are not here.
            var parts = 0;
            while (_decisions.TryRead(out var decision))
            {
                _last = (++parts, decision.DecidedAt.MillisecondsSince(decision.CapturedAt));
            }

            while (_events.Reader.TryRead(out _))
            {
                // Forgotten.
            }

            Monitor.PulseAll(_gate);
        }

        var frame = Slot.Take(timeout);
        if (frame is not null)
        {
            _taken?.Invoke(frame);
        }

        return frame;
    }
}
