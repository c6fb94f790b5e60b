using System.Diagnostics.CodeAnalysis;
using EdgeInspector.Line;
using EdgeInspector.Telemetry;
using EdgeInspector.Timing;
using EdgeInspector.Vision;
using Microsoft.Extensions.Logging;
using OpenCvSharp;
using LogLevel = Microsoft.Extensions.Logging.LogLevel;

namespace EdgeInspector.Capture;

/// <summary>
/// The capture thread of one station: opens the camera, reads it, stamps each picture and puts it into the slot. A lost
/// camera is opened again, with growing waits, for as long as the program runs; anything unforeseen ends
/// <see cref="Completion"/> in failure, so that the program can exit. Owns the camera, the frame pool and the thread.
/// </summary>
internal sealed partial class CaptureLoop : IDisposable
{
    /// <summary>How long a recording waits for the inspect thread before it looks whether it should stop.</summary>
    private static readonly TimeSpan StopCheck = TimeSpan.FromMilliseconds(100);

    /// <summary>How far a triggered picture may be from the moment that was foreseen for it and still be that one.</summary>
    private static readonly TimeSpan TriggerSlack = TimeSpan.FromMilliseconds(20);

    private readonly string _station;
    private readonly CameraOptions _options;
    private readonly Func<ICamera> _open;
    private readonly FrameSlot _slot;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly Liveness _alive;
    private readonly Liveness _driver;
    private readonly Thread _thread;
    private readonly CancellationTokenSource _stop = new();
    private readonly TaskCompletionSource _completion = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Mat _scratch = new();
    private readonly Backoff _backoff;
    private ICamera? _camera;
    private FramePool? _pool;
    private volatile string _state = "connecting";
    private volatile bool _watchSilence;
    private volatile bool _started;
    private bool _openedBefore;
    private bool _disposed;
    private ulong _lastDigest;
    private Instant _lastChange;
    private long _lastFrame;
    private long _due = long.MinValue;
    private long _frames;
    private long _unrented;
    private long _stale;
    private long _reconnects;
    private long _unreadable;

    /// <param name="station">Names the thread and the log lines.</param>
    /// <param name="options">Timeouts and the pool's size.</param>
    /// <param name="open">
    /// Opens the camera, such as <see cref="Cameras.Open"/>; throws <see cref="CameraException"/> when it cannot.
    /// </param>
    /// <param name="slot">Where the frames go; completed when no more come.</param>
    /// <param name="time">The monotonic clock.</param>
    /// <param name="logger">State changes only.</param>
    /// <param name="alive">Beats with each new picture; a lost, frozen or hung camera falls silent.</param>
    /// <param name="driver">Beats when the camera's driver is called and rests when it has answered.</param>
    public CaptureLoop(
        string station,
        CameraOptions options,
        Func<ICamera> open,
        FrameSlot slot,
        TimeProvider time,
        ILogger logger,
        Liveness? alive = null,
        Liveness? driver = null)
    {
        _alive = alive ?? new Liveness();
        _driver = driver ?? new Liveness();
        _driver.Rest();
        _station = station;
        _options = options;
        _open = open;
        _slot = slot;
        _time = time;
        _logger = logger;
        _backoff = new Backoff(options.ReconnectDelay, options.MaximumReconnectDelay, Random.Shared);
        _thread = new Thread(Run) { Name = $"capture-{station}", IsBackground = true };
    }

    /// <summary>
    /// Ends when a recording is over or the loop is stopped; fails on anything unforeseen, never for a lost camera.
    /// </summary>
    public Task Completion => _completion.Task;

    /// <summary>"connected", "ended", "stopped", or what is wrong with the camera, in one line.</summary>
    public string State
    {
        get
        {
            if (_watchSilence)
            {
                var silent = Silence();
                if (silent > _options.StaleAfter)
                {
                    return $"no picture for {silent.TotalSeconds:F0} s";
                }
            }

            return _state;
        }
    }

    /// <summary>Pixels; 0 before the first opening.</summary>
    public int Width => _pool?.Width ?? 0;

    /// <summary>Pixels; 0 before the first opening.</summary>
    public int Height => _pool?.Height ?? 0;

    /// <summary>Pictures read.</summary>
    public long Frames => Interlocked.Read(ref _frames);

    /// <summary>Pictures read and not inspected: a newer one came first, or no frame was free.</summary>
    public long Dropped => Interlocked.Read(ref _unrented) + _slot.Dropped;

    /// <summary>Pictures thrown away because they were the one before once more.</summary>
    public long Stale => Interlocked.Read(ref _stale);

    /// <summary>Times that a lost camera was opened again.</summary>
    public long Reconnects => Interlocked.Read(ref _reconnects);

    /// <summary>Pictures of a recording that could not be read.</summary>
    public long Unreadable => Interlocked.Read(ref _unreadable);

    /// <summary>
    /// Opens the camera before <see cref="Start"/>, on the calling thread, so that a program can refuse to start
    /// without it. Optional: otherwise the thread opens it, and waits for it as long as it takes.
    /// </summary>
    /// <exception cref="CameraException">It cannot be opened.</exception>
    public void Open() => Attach(Called(_open));

    /// <summary>
    /// A triggered camera owes a picture, taken at this instant; what was owed before stays owed. Called by the thread that
    /// reads the entry eye.
    /// </summary>
    public void Expect(Instant exposure)
    {
        Volatile.Write(ref _due, exposure.Nanoseconds);
        _alive.Owe(exposure);
    }

    /// <summary>Starts the thread; once.</summary>
    public void Start()
    {
        _started = true;
        _thread.Start();
    }

    /// <summary>
    /// Stops the thread and waits for it, which takes as long as a read or opening that is under way.
    /// </summary>
    public void Dispose()
    {
        if (_disposed)
        {
            return;
        }

        _disposed = true;
        _stop.Cancel();
        _alive.Rest();
        _slot.Complete();
        if (!_started)
        {
            _completion.TrySetResult();
            _camera?.Dispose();
        }
        else if (_thread != Thread.CurrentThread && !_thread.Join((6 * _options.ReadTimeout) + TimeSpan.FromSeconds(2)))
        {
            // A driver that never returns: the thread dies with the process, and what it uses must stay until then.
            LogStuck(_station);
            return;
        }

        _pool?.Dispose();
        _scratch.Dispose();
        _stop.Dispose();
    }

    private void Run()
    {
        Exception? fault = null;
        try
        {
            while (!IsStopping && (_camera is not null || OpenPatiently()))
            {
                if (ReadUntilLost(_camera))
                {
                    break;
                }

                Detach();
                Pause(_backoff.Next());
            }
        }
        catch (Exception error)
        {
            // Not swallowed: it is what Completion fails with, and the program ends on that.
            fault = error;
        }

        try
        {
            Detach();
        }
        catch (Exception error) when (fault is not null)
        {
            fault = new AggregateException(fault, error);
        }

        _watchSilence = false;
        if (fault is not null)
        {
            // Before the inspect thread hears that no more frames come, and ends in order.
            _state = $"failed: {OneLine(fault.Message)}";
            _completion.TrySetException(fault);
        }

        _alive.Rest();
        _slot.Complete();
        if (fault is null)
        {
            _state = IsStopping ? "stopped" : "ended";
            _completion.TrySetResult();
        }
    }

    private bool IsStopping => _stop.IsCancellationRequested;

    /// <summary>False when the loop is stopped before the camera answers.</summary>
    [MemberNotNullWhen(true, nameof(_camera))]
    private bool OpenPatiently()
    {
        string? lastFault = null;
        while (!IsStopping)
        {
            try
            {
                Attach(Called(_open));
                return true;
            }
            catch (CameraException error)
            {
                _state = error.Message;
                if (error.Message != lastFault)
                {
                    LogLost(_station, error.Message);
                    lastFault = error.Message;
                }
            }

            Pause(_backoff.Next());
        }

        return false;
    }

    [MemberNotNull(nameof(_camera))]
    private void Attach(ICamera camera)
    {
        if (_pool is not null && (_pool.Width, _pool.Height) != (camera.Width, camera.Height))
        {
            var size = $"now gives {camera.Width} x {camera.Height}, not {_pool.Width} x {_pool.Height}";
            camera.Dispose();
            throw new CameraException(camera.Name, size, "set its size back, or restart the service for the new one");
        }

        _pool ??= new FramePool(camera.Width, camera.Height, _options.FramePoolSize);
        _camera = camera;
        _lastDigest = 0;
        _lastChange = _time.GetInstant();
        Interlocked.Exchange(ref _lastFrame, _lastChange.Nanoseconds);
        _watchSilence = camera.IsLive;
        if (_options.Trigger is not null)
        {
            _alive.Rest(); // It owes nothing until something passes the eye.
        }

        if (_openedBefore)
        {
            Interlocked.Increment(ref _reconnects);
        }

        _openedBefore = true;
        _state = "connected";
        LogConnected(_station, camera.Name, camera.Width, camera.Height);
    }

    private void Detach()
    {
        _watchSilence = false;
        _driver.Beat(_time.GetInstant());
        _camera?.Dispose();
        _driver.Rest();
        _camera = null;
    }

    private ICamera Called(Func<ICamera> open)
    {
        _driver.Beat(_time.GetInstant());
        try
        {
            return open();
        }
        finally
        {
            _driver.Rest();
        }
    }

    /// <summary>True when it is over for good: the recording has ended, or the loop is stopped.</summary>
    private bool ReadUntilLost(ICamera camera)
    {
        while (!IsStopping)
        {
            if (!TryRent(camera.IsLive, out var frame))
            {
                if (!camera.IsLive)
                {
                    return true;
                }

                Interlocked.Increment(ref _unrented);
            }

            var over = ReadOne(camera, frame);
            if (over is not null)
            {
                return over.Value;
            }
        }

        return true;
    }

    /// <summary>
    /// Null to go on; otherwise what <see cref="ReadUntilLost"/> answers. The frame is given away or back.
    /// </summary>
    private bool? ReadOne(ICamera camera, Frame? frame)
    {
        var mine = frame;
        try
        {
            _driver.Beat(_time.GetInstant());
            var outcome = camera.Read(frame?.Picture ?? _scratch, out var capturedAt);
            _driver.Rest();
            switch (outcome)
            {
                case ReadOutcome.Frame:
                    if (IsNews(camera, frame?.Picture ?? _scratch) is not { } news)
                    {
                        return Lost($"{camera.Name}: repeats its last picture");
                    }

                    if (frame is not null && news)
                    {
                        frame.Sequence = Frames;
                        frame.CapturedAt = capturedAt.Nanoseconds;
                        Answered(capturedAt);
                        mine = Deliver(frame, camera.IsLive, capturedAt) ? null : frame;
                    }

                    return null;
                case ReadOutcome.TimedOut:
                    var silent = Silence();
                    return silent > _options.StaleAfter
                        ? Lost($"{camera.Name}: no picture for {silent.TotalSeconds:F1} s")
                        : null;
                case ReadOutcome.Ended when !camera.IsLive:
                    LogEnded(_station, camera.Name);
                    return true;
                case ReadOutcome.Failed when !camera.IsLive:
                    Interlocked.Increment(ref _unreadable);
                    LogUnreadable(_station, camera.Fault ?? camera.Name);
                    return null;
                default:
                    return Lost(camera.Fault ?? $"{camera.Name}: the stream ended");
            }
        }
        finally
        {
            mine?.Dispose();
        }
    }

    /// <summary>For how long a picture has been missing.</summary>
    private TimeSpan Silence()
    {
        var since = _options.Trigger is null ? new Instant(Interlocked.Read(ref _lastFrame)) : _alive.SilentSince;
        return since == Instant.Never ? TimeSpan.Zero : _time.GetInstant() - since;
    }

    /// <summary>A triggered camera owes nothing more, unless the eye has announced another picture meanwhile.</summary>
    private void Answered(Instant capturedAt)
    {
        if (_options.Trigger is null)
        {
            return;
        }

        _alive.Rest();
        if (new Instant(Volatile.Read(ref _due)) is var due && due.Nanoseconds > (capturedAt + TriggerSlack).Nanoseconds)
        {
            _alive.Owe(due);
        }
    }

    /// <summary>
    /// Counts the picture; false when it is the last one once more, null when it has been so for too long.
    /// </summary>
    private bool? IsNews(ICamera camera, Mat picture)
    {
        var now = _time.GetInstant();
        Interlocked.Increment(ref _frames);
        Interlocked.Exchange(ref _lastFrame, now.Nanoseconds);
        if (camera.IsLive && _options.DetectFrozenPicture)
        {
            var digest = PictureDigest.Of(picture);
            if (digest == _lastDigest)
            {
                Interlocked.Increment(ref _stale);
                return now - _lastChange > _options.StaleAfter ? null : false;
            }

            _lastDigest = digest;
            _lastChange = now;
        }

        // Not before: a camera that opens and then brings nothing must not be opened in a tight circle.
        _backoff.Reset();
        _alive.Beat(now);
        return true;
    }

    private bool Deliver(Frame frame, bool live, Instant capturedAt)
    {
        if (live)
        {
            _slot.Put(frame);
            return true;
        }

        _alive.Rest(); // A recording waits for its pace and for the inspect thread; nobody waits for it.
        var early = capturedAt - _time.GetInstant();
        if (_options.Pace && early > TimeSpan.Zero)
        {
            Pause(early);
        }

        while (!IsStopping && !_slot.IsDrained)
        {
            if (_slot.TryPut(frame, StopCheck))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>A live camera does without; a recording waits until the stages behind it give a frame back.</summary>
    private bool TryRent(bool live, [NotNullWhen(true)] out Frame? frame)
    {
        while (!_pool!.TryRent(out frame))
        {
            if (live || IsStopping)
            {
                return false;
            }

            Pause(TimeSpan.FromMilliseconds(1));
        }

        return true;
    }

    private bool Lost(string what)
    {
        _state = what;
        LogLost(_station, what);
        return false;
    }

    /// <summary>Waits on the provider's clock, or until the loop is stopped.</summary>
    private void Pause(TimeSpan wait)
    {
        try
        {
            Task.Delay(wait, _time, _stop.Token).GetAwaiter().GetResult();
        }
        catch (OperationCanceledException)
        {
            // The caller looks at IsStopping.
        }
    }

    private static string OneLine(string text) =>
        string.Join(' ', text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));

    [LoggerMessage(Level = LogLevel.Information, Message = "{Station}: camera {Camera} connected, {Width} x {Height}")]
    private partial void LogConnected(string station, string camera, int width, int height);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Station}: camera lost: {What}")]
    private partial void LogLost(string station, string what);

    [LoggerMessage(Level = LogLevel.Information, Message = "{Station}: recording {Camera} is over")]
    private partial void LogEnded(string station, string camera);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Station}: not inspected: {What}")]
    private partial void LogUnreadable(string station, string what);

    [LoggerMessage(
        Level = LogLevel.Error, Message = "{Station}: the camera driver does not return; its thread is left behind")]
    private partial void LogStuck(string station);
}
