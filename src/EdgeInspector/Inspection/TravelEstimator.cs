using EdgeInspector.Vision;

namespace EdgeInspector.Inspection;

/// <summary>
/// Measures belt travel from the pictures themselves, where there is neither an encoder nor a calibrated speed: the median
/// shift of the parts seen in two frames running. All parts ride one belt, so one number fits them all. Called by one
/// thread; allocates nothing after construction.
/// </summary>
internal sealed class TravelEstimator(PartTracker tracker, int capacity = 128)
{
    private readonly double[] _previous = new double[capacity];
    private readonly double[] _previousLength = new double[capacity];
    private readonly double[] _shifts = new double[capacity];
    private int _previousCount;
    private double _speed;
    private double _travel;

    /// <summary>Travel up to the frame with these detections, px. Without a part in common, the last shift is assumed.</summary>
    public double Update(ReadOnlySpan<Detection> detections)
    {
        var matched = 0;
        foreach (ref readonly var detection in detections)
        {
            if (!tracker.IsWhole(detection.Box))
            {
                continue;
            }

            var (position, _, length, _) = tracker.Along(detection.Box);
            var best = double.NaN;
            for (var i = 0; i < _previousCount; i++)
            {
                var shift = position - _previous[i];
                var reach = 0.5 * Math.Max(length, _previousLength[i]);
                if (Math.Abs(shift - _speed) < reach && !(Math.Abs(best - _speed) < Math.Abs(shift - _speed)))
                {
                    best = shift;
                }
            }

            if (!double.IsNaN(best) && matched < capacity)
            {
                _shifts[matched++] = best;
            }
        }

        if (matched > 0)
        {
            Array.Sort(_shifts, 0, matched);
            _speed = _shifts[matched / 2];
        }

        _travel += _speed;
        _previousCount = 0;
        foreach (ref readonly var detection in detections)
        {
            if (tracker.IsWhole(detection.Box) && _previousCount < capacity)
            {
                (_previous[_previousCount], _, _previousLength[_previousCount], _) = tracker.Along(detection.Box);
                _previousCount++;
            }
        }

        return _travel;
    }
}
