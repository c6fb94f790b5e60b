using EdgeInspector.Line;
using EdgeInspector.Telemetry;

namespace EdgeInspector.Station;

/// <summary>
/// The state a station is in, moved by events as <see cref="StationStateTable"/> permits. Any thread may look or move it.
/// </summary>
/// <param name="changed">
/// Told of each change (from, to, by what), in order, on the thread that caused it and under the lock; it hands it on and
/// returns.
/// </param>
internal sealed class StationStateCell(Action<StationState, StationState, StationEvent, Instant>? changed = null)
{
    private readonly Lock _gate = new();
    private volatile StationState _state = StationState.Preoperational;

    /// <summary>The state now.</summary>
    public StationState State => _state;

    /// <summary>Moves it; false, with one line that says why, when the event leads nowhere from here.</summary>
    public bool TryMove(StationEvent happened, Instant now, out string? refusal)
    {
        lock (_gate)
        {
            var from = _state;
            if (!StationStateTable.TryMove(from, happened, out var to, out refusal))
            {
                return false;
            }

            _state = to;
            if (from != to)
            {
                changed?.Invoke(from, to, happened, now);
            }

            return true;
        }
    }
}
