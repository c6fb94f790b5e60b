using System.Threading.Channels;
using EdgeInspector.Line;
using EdgeInspector.Telemetry;
using EdgeInspector.Timing;

namespace EdgeInspector.Station;

/// <summary>Takes a reading of any input.</summary>
internal delegate void PanelInput(in SensorReading reading);

/// <summary>
/// The sensor thread: hands each reading to whom it concerns. The encoder moves the belt, the entry eye announces parts,
/// the confirm eye proves rejects, and the panel hears of everything. Owns the reader.
/// </summary>
internal sealed class SensorLoop : IDisposable
{
    private const int MostLanes = 8;
    private readonly ISensorReader _reader;
    private readonly EncoderBelt? _belt;
    private readonly Func<SensorReading, bool>? _entryEye;
    private readonly ChannelWriter<PartEvent> _events;
    private readonly PanelInput? _panel;
    private readonly Liveness _alive;
    private readonly TimeProvider _time;
    private readonly long[] _lost = new long[Enum.GetValues<SensorInput>().Length * MostLanes];
    private readonly bool[] _confirmBlocked = new bool[MostLanes];
    private readonly Thread _thread;
    private readonly TaskCompletionSource _completion = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile bool _stopping;

    /// <summary>Joins the parts.</summary>
    /// <param name="station">For the thread's name.</param>
    /// <param name="reader">The sensors.</param>
    /// <param name="belt">Moved by the encoder; null when none is fitted.</param>
    /// <param name="entryEye">Told of each edge of the entry eye; true when the edge ended a blockage. Null when none is fitted.</param>
    /// <param name="events">The part book's channel.</param>
    /// <param name="panel">Told of every reading; null when nobody else listens.</param>
    /// <param name="alive">Beats at each turn.</param>
    /// <param name="time">The station's clock.</param>
    public SensorLoop(
        string station,
        ISensorReader reader,
        EncoderBelt? belt,
        Func<SensorReading, bool>? entryEye,
        ChannelWriter<PartEvent> events,
        PanelInput? panel = null,
        Liveness? alive = null,
        TimeProvider? time = null
    )
    {
        _panel = panel;
        _alive = alive ?? new Liveness();
        _time = time ?? TimeProvider.System;
        _reader = reader;
        _belt = belt;
        _entryEye = entryEye;
        _events = events;
        _thread = new Thread(Run) { Name = $"sensors-{station}", IsBackground = true };
    }

    /// <summary>Ends when the loop has stopped, faulted when it failed.</summary>
    public Task Completion => _completion.Task;

    /// <summary>Edges of an input that are known to have been lost, since the start. Any thread.</summary>
    public long LostEdges(SensorInput input, int lane = 0) => Volatile.Read(ref _lost[LostIndex(input, lane)]);

    /// <summary>Edges of all inputs that are known to have been lost, since the start. Any thread.</summary>
    public long AllLostEdges()
    {
        var sum = 0L;
        for (var i = 0; i < _lost.Length; i++)
        {
            sum += Volatile.Read(ref _lost[i]);
        }

        return sum;
    }

    /// <summary>Starts the thread.</summary>
    public void Start() => _thread.Start();

    /// <summary>Takes one reading, waiting at most <paramref name="timeout"/>; false when none came.</summary>
    public bool Step(TimeSpan timeout)
    {
        if (!_reader.TryRead(timeout, out var reading))
        {
            return false;
        }

        _panel?.Invoke(reading);
        if (reading.Lost != 0)
        {
            ref var lost = ref _lost[LostIndex(reading.Input, reading.Lane)];
            Volatile.Write(ref lost, lost + reading.Lost);
        }

        switch (reading.Input)
        {
            case SensorInput.Encoder:
                _belt?.Sample(reading.Count, reading.At);
                break;
            case SensorInput.EntryEye when !reading.AtStart && _entryEye?.Invoke(reading) == true:
                _events.TryWrite(new PartEvent(PartEventKind.EntryEye, 0, reading.At, Lane: reading.Lane));
                break;
            case SensorInput.EntryEye:
                break;
            case SensorInput.ConfirmEye when PassedConfirmEye(reading):
                _events.TryWrite(new PartEvent(PartEventKind.ConfirmEye, 0, reading.At, Lane: reading.Lane));
                break;
            default:
                break;
        }

        return true;
    }

    /// <summary>Stops the thread and closes the sensors.</summary>
    public void Dispose()
    {
        _stopping = true;
        _reader.Wake();
        if (!_thread.ThreadState.HasFlag(ThreadState.Unstarted))
        {
            _thread.Join();
        }

        _reader.Dispose();
    }

    private static int LostIndex(SensorInput input, int lane) => ((int)input * MostLanes) + lane;

    /// <summary>
    /// Whether a part passed: the beam became interrupted, or it must have been although that edge was lost. The same level
    /// again, without a loss, is no news.
    /// </summary>
    private bool PassedConfirmEye(in SensorReading reading)
    {
        ref var blocked = ref _confirmBlocked[reading.Lane];
        var passed = !reading.AtStart && (reading.Active != blocked ? reading.Active || reading.Lost > 1 : reading.Lost > 0);
        blocked = reading.Active;
        return passed;
    }

    private void Run()
    {
        try
        {
            // Where a part lies depends on the encoder being read in time, whatever else the machine is doing.
            _ = RealTime.TryMakeCurrentThread();
            while (!_stopping)
            {
                Step(TimeSpan.FromMilliseconds(100));
                _alive.Beat(_time.GetInstant());
            }

            _completion.SetResult();
        }
        catch (Exception fault)
        {
            _completion.SetException(fault);
        }
    }
}
