namespace EdgeInspector.Line;

/// <summary>
/// How far the belt has moved. Fed by the sensor thread (encoder) or by nobody (constant speed), read by the inspect and
/// reject threads; every member is safe to call from any thread and never waits for I/O.
/// </summary>
internal interface IBelt
{
    /// <summary>Present speed, mm/s; 0 when it stands still or is not yet known.</summary>
    double Speed { get; }

    /// <summary>Whether it is known yet how the belt moves; before that no part can be placed.</summary>
    bool IsKnown { get; }

    /// <summary>Travel since the station started, mm, at a moment in the near past or future.</summary>
    double TravelAt(Instant at);

    /// <summary>
    /// When the belt will have travelled <paramref name="travel"/> mm if it goes on as it does now;
    /// <see cref="Instant.Never"/> when it stands still short of it. A travel already reached gives a time in the past.
    /// </summary>
    Instant WhenTravelReaches(double travel);
}

/// <summary>A belt that runs at one calibrated speed and carries no encoder.</summary>
/// <param name="start">When travel was zero.</param>
/// <param name="speed">mm/s, above 0.</param>
internal sealed class ConstantBelt(Instant start, double speed) : IBelt
{
    /// <inheritdoc/>
    public double Speed => speed;

    /// <inheritdoc/>
    public bool IsKnown => true;

    /// <inheritdoc/>
    public double TravelAt(Instant at) => (at.Nanoseconds - start.Nanoseconds) * 1e-9 * speed;

    /// <inheritdoc/>
    public Instant WhenTravelReaches(double travel) => new(start.Nanoseconds + (long)(travel / speed * 1e9));
}

/// <summary>
/// A belt followed by encoder counts. Travel between samples is interpolated, so that a frame exposed a few milliseconds
/// ago is placed by where the belt was then; beyond the newest sample it is carried on at the present speed.
/// </summary>
internal sealed class EncoderBelt : IBelt
{
    /// <summary>About 2.5 s at one sample each 5 ms: longer than any frame is under way.</summary>
    private const int Capacity = 512;

    /// <summary>
    /// How far beyond the newest sample the belt is carried on. Samples come even from a belt that stands still, so a longer
    /// silence is a sensor thread that got no processor, or an encoder that is gone.
    /// </summary>
    private static readonly TimeSpan CarriedOn = TimeSpan.FromSeconds(1);

    private readonly Lock _gate = new();
    private readonly long[] _at = new long[Capacity];
    private readonly double[] _travel = new double[Capacity];
    private readonly double _millimetresPerCount;
    private readonly TimeSpan _speedWindow;
    private long _samples;
    private double _speed;

    /// <summary>Makes the belt; it stands still until the first two samples.</summary>
    /// <param name="countsPerMillimetre">Encoder resolution, above 0.</param>
    /// <param name="speedWindow">Speed is the mean over this much time: long enough to smooth a count, short enough to follow a ramp.</param>
    public EncoderBelt(double countsPerMillimetre, TimeSpan speedWindow)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(countsPerMillimetre);
        _millimetresPerCount = 1 / countsPerMillimetre;
        _speedWindow = speedWindow;
    }

    /// <inheritdoc/>
    public double Speed
    {
        get
        {
            lock (_gate)
            {
                return _speed;
            }
        }
    }

    /// <inheritdoc/>
    public bool IsKnown
    {
        get
        {
            lock (_gate)
            {
                return _samples > 1;
            }
        }
    }

    /// <summary>Takes a reading of the counter, which was 0 when the encoder was opened. Readings come in order of time; an older one is passed over.</summary>
    public void Sample(long count, Instant at)
    {
        lock (_gate)
        {
            if (_samples > 0 && at.Nanoseconds <= _at[Index(_samples - 1)])
            {
                return;
            }

            var slot = Index(_samples);
            _at[slot] = at.Nanoseconds;
            _travel[slot] = count * _millimetresPerCount;
            _samples++;
            _speed = SpeedOver(_speedWindow);
        }
    }

    /// <inheritdoc/>
    public double TravelAt(Instant at)
    {
        lock (_gate)
        {
            if (_samples == 0)
            {
                return 0;
            }

            var newest = _samples - 1;
            var newestAt = _at[Index(newest)];
            if (at.Nanoseconds >= newestAt)
            {
                var ahead = Math.Min(at.Nanoseconds - newestAt, CarriedOn.Ticks * 100) * 1e-9;
                return _travel[Index(newest)] + (_speed * ahead);
            }

            var oldest = Math.Max(0, _samples - Capacity);
            for (var i = newest; i > oldest; i--)
            {
                var before = Index(i - 1);
                if (_at[before] <= at.Nanoseconds)
                {
                    var after = Index(i);
                    var share = (at.Nanoseconds - _at[before]) / (double)(_at[after] - _at[before]);
                    return _travel[before] + (share * (_travel[after] - _travel[before]));
                }
            }

            return _travel[Index(oldest)] - (_speed * (_at[Index(oldest)] - at.Nanoseconds) * 1e-9);
        }
    }

    /// <inheritdoc/>
    public Instant WhenTravelReaches(double travel)
    {
        lock (_gate)
        {
            if (_samples == 0)
            {
                return Instant.Never;
            }

            var newest = Index(_samples - 1);
            var missing = travel - _travel[newest];
            return missing switch
            {
                <= 0 => new Instant(WhenReachedInThePast(travel)),
                _ when _speed <= 0 => Instant.Never,
                _ => new Instant(_at[newest] + (long)(missing / _speed * 1e9)),
            };
        }
    }

    private static int Index(long sample) => (int)(sample % Capacity);

    private double SpeedOver(TimeSpan window)
    {
        if (_samples < 2)
        {
            return 0;
        }

        var newest = _samples - 1;
        var from = newest;
        var oldest = Math.Max(0, _samples - Capacity);
        var earliest = _at[Index(newest)] - (window.Ticks * 100);
        while (from > oldest && _at[Index(from)] > earliest)
        {
            from--;
        }

        var seconds = (_at[Index(newest)] - _at[Index(from)]) * 1e-9;
        return seconds <= 0 ? 0 : (_travel[Index(newest)] - _travel[Index(from)]) / seconds;
    }

    private long WhenReachedInThePast(double travel)
    {
        var oldest = Math.Max(0, _samples - Capacity);
        for (var i = _samples - 1; i > oldest; i--)
        {
            var before = Index(i - 1);
            var after = Index(i);
            if (_travel[before] <= travel && _travel[after] > _travel[before])
            {
                var share = Math.Min(1, (travel - _travel[before]) / (_travel[after] - _travel[before]));
                return _at[before] + (long)(share * (_at[after] - _at[before]));
            }
        }

        return _at[Index(oldest)];
    }
}
