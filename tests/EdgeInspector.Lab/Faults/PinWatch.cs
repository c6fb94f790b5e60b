using EdgeInspector.Line;
using EdgeInspector.Timing;
using Microsoft.Win32.SafeHandles;

namespace EdgeInspector.Lab.Faults;

/// <summary>A pin that changed its level, as seen from outside.</summary>
internal readonly record struct PinEdge(int Pin, bool High, Instant At);

/// <summary>
/// Looks at a virtual board's pins from outside of the program that drives them, two thousand times a second: what a
/// line's control would see. Reads the file in place of mapping it, since a mapping ends with the file's length. Any thread
/// asks.
/// </summary>
internal sealed class PinWatch : IDisposable
{
    private static readonly TimeSpan Look = TimeSpan.FromMicroseconds(500);

    /// <summary>Blinks of this length are remembered: a blast of 20 ms that begins so late misses its part.</summary>
    private static readonly TimeSpan Blink = TimeSpan.FromMilliseconds(10);

    /// <summary>From a pulse's planning to its end.</summary>
    private static readonly TimeSpan Notice = TimeSpan.FromMilliseconds(50);

    private readonly int[] _pins;
    private readonly SafeFileHandle _file;
    private readonly Lock _gate = new();
    private readonly List<PinEdge> _edges = [];
    private readonly List<(Instant From, Instant To)> _blinks = [];
    private readonly byte[] _levels = new byte[1024];
    private readonly PreciseTimer _timer = new(TimeSpan.Zero);
    private readonly Thread _thread;
    private (int Pin, Action Act)? _onRise;
    private volatile bool _stopping;

    /// <summary>Waits for the file to be made, then looks.</summary>
    /// <exception cref="FaultNotShownException">It is not made in time.</exception>
    public PinWatch(string path, params int[] pins)
    {
        _pins = pins;
        Until.True(() => File.Exists(path) && new FileInfo(path).Length == _levels.Length, $"{path} was not made");
        _file = File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        RandomAccess.Read(_file, _levels, 0);
        _thread = new Thread(Run) { Name = "pin watch", IsBackground = true };
        _thread.Start();
    }

    /// <summary>The longest it did not look: the error of every time it tells.</summary>
    public TimeSpan LongestBlink { get; private set; }

    /// <summary>
    /// Whether the machine stood still around a moment, by the watch's own thread, which has the priority of those that it
    /// looks at. A pulse that was due then could not be given in time, and is no fault of whoever should have.
    /// </summary>
    public bool BlinkedAround(Instant moment)
    {
        lock (_gate)
        {
            return _blinks.Exists(blink => blink.From < moment + Notice && moment - Notice < blink.To);
        }
    }

    /// <summary>The level of a pin, now.</summary>
    public bool IsHigh(int pin)
    {
        lock (_gate)
        {
            return _levels[pin] != 0;
        }
    }

    /// <summary>What a pin did since, oldest first.</summary>
    public PinEdge[] Edges(int pin, Instant since = default)
    {
        lock (_gate)
        {
            return [.. _edges.Where(edge => edge.Pin == pin && edge.At > since)];
        }
    }

    /// <summary>When the station was healthy first, as far as it was watched.</summary>
    public Instant FirstHealthy => Edges(FaultStation.Healthy).First(edge => edge.High).At;

    /// <summary>When a pin first took a level after an instant.</summary>
    /// <exception cref="FaultNotShownException">It did not in time.</exception>
    public Instant Seen(int pin, bool high, Instant since, string what)
    {
        PinEdge[] found = [];
        Until.True(() => (found = [.. Edges(pin, since).Where(edge => edge.High == high)]).Length > 0, what);
        return found[0].At;
    }

    /// <summary>Does something once, on the watching thread, as soon as a pin rises.</summary>
    public void OnRise(int pin, Action act)
    {
        lock (_gate)
        {
            _onRise = (pin, act);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _stopping = true;
        _thread.Join();
        _file.Dispose();
    }

    private void Run()
    {
        _ = RealTime.TryMakeCurrentThread();
        var seen = new byte[_levels.Length];
        var last = TimeProvider.System.GetInstant();
        while (!_stopping)
        {
            var read = RandomAccess.Read(_file, seen, 0);
            var now = TimeProvider.System.GetInstant();
            LongestBlink = now - last > LongestBlink ? now - last : LongestBlink;
            if (now - last > Blink)
            {
                lock (_gate)
                {
                    _blinks.Add((last, now));
                }
            }

            last = now;
            if (read == seen.Length)
            {
                Take(seen, now);
            }

            _timer.WaitUntil(now + Look, spin: false);
        }
    }

    private void Take(byte[] seen, Instant now)
    {
        lock (_gate)
        {
            foreach (var pin in _pins)
            {
                if (seen[pin] == _levels[pin])
                {
                    continue;
                }

                _levels[pin] = seen[pin];
                _edges.Add(new PinEdge(pin, seen[pin] != 0, now));
                if (_onRise is { } wanted && wanted.Pin == pin && seen[pin] != 0)
                {
                    _onRise = null;
                    wanted.Act();
                }
            }
        }
    }
}
