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
/// ago is placed by where the belt was then; beyond the newest sample it is carried on at the present speed and, for a
/// short while, the present acceleration.
/// <para>
/// One thread writes, any number read, and nobody ever waits for anybody: the present motion stands in two copies of which
/// one is always whole, and the past is a ring whose entries do not change until they are overwritten. A reader that is
/// preempted in the middle, at whatever priority, holds nobody up.
/// </para>
/// </summary>
internal sealed class EncoderBelt : IBelt
{
    /// <summary>At least 4 s: longer than any frame is under way.</summary>
    private const int Capacity = 4096;

    /// <summary>Least time between two kept samples, ns; the newest is known besides.</summary>
    private const long Spacing = 1_000_000;

    /// <summary>
    /// How far beyond the newest sample the belt is carried on, ns. Samples come even from a belt that stands still, so a
    /// longer silence is a sensor thread that got no processor, or an encoder that is gone.
    /// </summary>
    private const long CarriedOn = 1_000_000_000;

    /// <summary>A parabola through fewer samples would follow their noise.</summary>
    private const int FewestForCurve = 5;

    private readonly long[] _at = new long[Capacity];
    private readonly double[] _travel = new double[Capacity];
    private readonly double _millimetresPerCount;
    private readonly long _window;
    private Motion _even;
    private Motion _odd;
    private long _version; // Odd while _even is written, even while _odd is.
    private long _kept;

    /// <summary>Makes the belt; it stands still until the first two samples.</summary>
    /// <param name="countsPerMillimetre">Encoder resolution, above 0.</param>
    /// <param name="speedWindow">
    /// Speed and acceleration are taken over this much time: long enough to smooth a count, short enough to follow a ramp.
    /// </param>
    public EncoderBelt(double countsPerMillimetre, TimeSpan speedWindow)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(countsPerMillimetre);
        _millimetresPerCount = 1 / countsPerMillimetre;
        _window = speedWindow.Ticks * TimeSpan.NanosecondsPerTick;
    }

    /// <inheritdoc/>
    public double Speed => Present().Speed;

    /// <inheritdoc/>
    public bool IsKnown => Present().Samples > 1;

    /// <summary>
    /// Takes a reading of the counter, which was 0 when the encoder was opened. Readings come in order of time; an older one
    /// is passed over. Sensor thread only.
    /// </summary>
    public void Sample(long count, Instant at)
    {
        ref readonly var last = ref _even; // Whole between two samples, and this is the thread that writes it.
        if (last.Samples > 0 && at.Nanoseconds <= last.At)
        {
            return;
        }

        var travel = count * _millimetresPerCount;
        if (_kept == 0 || at.Nanoseconds - _at[Index(_kept - 1)] >= Spacing)
        {
            var slot = Index(_kept);
            _at[slot] = at.Nanoseconds;
            _travel[slot] = travel;
            Volatile.Write(ref _kept, _kept + 1);
        }

        Publish(Fit(at.Nanoseconds, travel, last.Samples + 1));
    }

    /// <inheritdoc/>
    public double TravelAt(Instant at)
    {
        var now = Present();
        return
            now.Samples == 0 ? 0
            : at.Nanoseconds >= now.At ? now.TravelAfter(Math.Min(at.Nanoseconds - now.At, CarriedOn) * 1e-9)
            : TravelInThePast(at.Nanoseconds, now);
    }

    /// <inheritdoc/>
    public Instant WhenTravelReaches(double travel)
    {
        var now = Present();
        return
            now.Samples == 0 ? Instant.Never
            : travel <= now.Travel ? new Instant(WhenReachedInThePast(travel, now))
            : now.TimeTo(travel) is var seconds && seconds >= Motion.TooFar ? Instant.Never
            : new Instant(now.At + (long)(seconds * 1e9));
    }

    private static int Index(long sample) => (int)(sample % Capacity);

    private Motion Present()
    {
        while (true)
        {
            var version = Volatile.Read(ref _version);
            var motion = (version & 1) != 0 ? _odd : _even;
            Volatile.ReadBarrier();
            if (Volatile.Read(ref _version) == version)
            {
                return motion;
            }
        }
    }

    private void Publish(in Motion motion)
    {
        // Readers take the other copy while one is written; a full fence stands between.
        Interlocked.Increment(ref _version);
        _even = motion;
        Interlocked.Increment(ref _version);
        _odd = motion;
    }

    /// <summary>
    /// Present motion: the parabola that fits the window's samples best (least squares), since the mean over a window says
    /// how fast a belt on a ramp was half a window ago. A straight line where there are few samples, and the more of one
    /// the more the curve is noise.
    /// </summary>
    private Motion Fit(long at, double travel, long samples)
    {
        var oldest = Math.Max(0, _kept - Capacity + 1);
        var newest = _kept - 1;
        if (_at[Index(newest)] == at)
        {
            newest--; // It is the sample at hand.
        }

        // Times in windows before now, so -1 to 0, and travel less the present one: sums of small numbers.
        double n = 1, x1 = 0, x2 = 0, x3 = 0, x4 = 0, y0 = 0, y1 = 0, y2 = 0, yy = 0;
        var (later, ran, ranBack) = (travel, false, false);
        for (var i = newest; i >= oldest && (n < 2 || at - _at[Index(i)] <= _window); i--)
        {
            var x = (_at[Index(i)] - at) / (double)_window;
            var there = _travel[Index(i)];
            ran |= later > there;
            ranBack |= later < there;
            later = there;
            var y = there - travel;
            var xx = x * x;
            n++;
            x1 += x;
            x2 += xx;
            x3 += xx * x;
            x4 += xx * xx;
            y0 += y;
            y1 += x * y;
            y2 += xx * y;
            yy += y * y;
        }

        double place = 0, slope = 0, curve = 0;
        if (n >= 2)
        {
            slope = ((n * y1) - (x1 * y0)) / ((n * x2) - (x1 * x1));
            place = (y0 - (slope * x1)) / n;
        }

        if (n >= FewestForCurve)
        {
            // Normal equations of y = p + s x + c x², by cofactors.
            var (a, b, c) = ((x2 * x4) - (x3 * x3), (x2 * x3) - (x1 * x4), (x1 * x3) - (x2 * x2));
            var (d, e, f) = ((n * x4) - (x2 * x2), (x1 * x2) - (n * x3), (n * x2) - (x1 * x1));
            var determinant = (n * a) + (x1 * b) + (x2 * c);
            var p = ((a * y0) + (b * y1) + (c * y2)) / determinant;
            var s = ((b * y0) + (d * y1) + (e * y2)) / determinant;
            curve = ((c * y0) + (e * y1) + (f * y2)) / determinant;

            // How much of the curve is the belt's, and not the noise of whole counts: its square beside its variance.
            var variance = Math.Max(0, yy - (p * y0) - (s * y1) - (curve * y2)) / (n - 3) * f / determinant;
            var share = curve * curve / ((curve * curve) + variance + double.Epsilon);
            place += share * (p - place);
            slope += share * (s - slope);
            curve *= share;
        }

        // A belt that went only one way, or none, in the window does not turn because a parabola does.
        if ((slope > 0 && !ran) || (slope < 0 && !ranBack) || !(ran || ranBack))
        {
            (slope, curve) = (0, 0);
        }

        var window = _window * 1e-9;
        return new Motion
        {
            At = at,
            Samples = samples,
            Raw = travel,
            Travel = travel + Math.Clamp(place, -_millimetresPerCount, _millimetresPerCount),
            Speed = slope / window,
            Acceleration = 2 * curve / (window * window),
            Horizon = window,
        };
    }

    private double TravelInThePast(long at, in Motion now)
    {
        while (true)
        {
            var kept = Volatile.Read(ref _kept);
            var oldest = Math.Max(0, kept - Capacity + 1);

            // What is asked for is mostly near: stride out, then halve.
            var high = kept;
            var low = kept - 1;
            for (var stride = 1L; low > oldest && _at[Index(low)] > at; stride *= 2)
            {
                high = low;
                low = Math.Max(oldest, low - stride);
            }

            while (high - low > 1)
            {
                var middle = (low + high) / 2;
                (low, high) = _at[Index(middle)] <= at ? (middle, high) : (low, middle);
            }

            var (fromAt, from) = (_at[Index(low)], _travel[Index(low)]);
            var (toAt, to) = high < kept ? (_at[Index(high)], _travel[Index(high)]) : (now.At, now.Raw);
            Volatile.ReadBarrier();
            if (Volatile.Read(ref _kept) - Capacity >= low)
            {
                continue; // Overwritten meanwhile: this thread stood still for seconds.
            }

            return
                at < fromAt ? from - (now.Speed * (fromAt - at) * 1e-9)
                : toAt <= fromAt ? from
                : from + ((at - fromAt) / (double)(toAt - fromAt) * (to - from));
        }
    }

    /// <summary>When a travel was last reached going forward.</summary>
    private long WhenReachedInThePast(double travel, in Motion now)
    {
        while (true)
        {
            var kept = Volatile.Read(ref _kept);
            var oldest = Math.Max(0, kept - Capacity + 1);
            var (toAt, to) = (now.At, now.Raw);
            var reached = travel > to ? now.At : long.MinValue;
            for (var i = kept - 1; i >= oldest && reached == long.MinValue; i--)
            {
                var (fromAt, from) = (_at[Index(i)], _travel[Index(i)]);
                if (from < travel && travel <= to)
                {
                    reached = fromAt + (long)((travel - from) / (to - from) * (toAt - fromAt));
                }

                (toAt, to) = (fromAt, from);
            }

            Volatile.ReadBarrier();
            if (Volatile.Read(ref _kept) - Capacity < oldest)
            {
                return reached == long.MinValue ? toAt : reached; // At least that long ago.
            }
        }
    }

    /// <summary>The belt's motion at its newest sample.</summary>
    private struct Motion
    {
        /// <summary>A time that stands for never, s.</summary>
        public const double TooFar = 1e9;

        public long At;
        public long Samples;

        /// <summary>Travel by the count, mm.</summary>
        public double Raw;

        /// <summary>Travel by the fit, mm: within a count of the former.</summary>
        public double Travel;

        /// <summary>mm/s.</summary>
        public double Speed;

        /// <summary>mm/s².</summary>
        public double Acceleration;

        /// <summary>For how long the acceleration is believed, s: no longer than it was watched.</summary>
        public double Horizon;

        /// <summary>Travel some seconds later, mm.</summary>
        public readonly double TravelAfter(double seconds)
        {
            var within = Math.Min(seconds, Curved);
            return Travel + ((Speed + (Acceleration * within / 2)) * within) + ((Speed + (Acceleration * Curved)) * (seconds - within));
        }

        /// <summary>Seconds until a travel ahead is reached; <see cref="TooFar"/> when it is not.</summary>
        public readonly double TimeTo(double travel)
        {
            if (Speed <= 0)
            {
                return TooFar;
            }

            var missing = travel - Travel;
            var discriminant = (Speed * Speed) + (2 * Acceleration * missing);
            if (discriminant >= 0 && 2 * missing / (Speed + Math.Sqrt(discriminant)) is var soon && soon <= Curved)
            {
                return soon;
            }

            var reached = (Speed + (Acceleration * Curved / 2)) * Curved;
            return Math.Min(TooFar, Curved + ((missing - reached) / (Speed + (Acceleration * Curved))));
        }

        /// <summary>
        /// For how long the acceleration is carried on, s. A belt that brakes is taken to go on at a quarter of its speed:
        /// whether it comes to a stand, or only runs slower, is known when it does.
        /// </summary>
        private readonly double Curved =>
            Speed * Acceleration < 0 ? Math.Min(Horizon, 0.75 * Math.Abs(Speed / Acceleration)) : Horizon;
    }
}
