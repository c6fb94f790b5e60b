namespace EdgeInspector.Simulation;

/// <summary>
/// A stretch of constant acceleration in one direction, until the next begins. Millimetres and seconds.
/// </summary>
/// <param name="From">Ticks since the line's start.</param>
/// <param name="Travel">At its beginning, like <paramref name="Speed"/>.</param>
/// <param name="Furthest">Largest travel up to its beginning.</param>
internal readonly record struct BeltPiece(
    long From,
    double Travel,
    double Speed,
    double Acceleration,
    double Furthest
)
{
    public double TravelAt(long ticks)
    {
        var seconds = TimeSpan.FromTicks(ticks - From).TotalSeconds;

        // Before the start there is no acceleration.
        return seconds < 0
            ? Travel + (Speed * seconds)
            : Travel + (Speed * seconds) + (Acceleration / 2 * seconds * seconds);
    }

    public double SpeedAt(long ticks)
    {
        return ticks < From ? Speed : Speed + (Acceleration * TimeSpan.FromTicks(ticks - From).TotalSeconds);
    }

    /// <summary>When the travel has this value, which it must have in this piece, or before the first.</summary>
    public long TicksAt(double travel)
    {
        var way = travel - Travel;
        var seconds = 0.0;
        if (Acceleration == 0 || (way < 0 && Speed >= 0 && Speed + Acceleration > 0))
        {
            // Before the start; a belt that stood still then was always there.
            seconds = Speed == 0 ? 0 : way / Speed;
        }
        else if (way != 0)
        {
            // The form of the root that does not cancel; both terms have the sign of the direction.
            var root = Math.Sqrt(Math.Max(0, (Speed * Speed) + (2 * Acceleration * way)));
            seconds = 2 * way / (Speed + (way > 0 ? root : -root));
        }

        return From + (long)Math.Round(seconds * TimeSpan.TicksPerSecond);
    }
}

/// <summary>Drives the belt through the legs of a profile and tells the pieces that come of it, in order.</summary>
internal sealed class BeltDrive(BeltProfile profile, int seed)
{
    // Belts stand at least this long between directions.
    private const double ShortestPause = 0.05;
    private const double LongestPause = 0.3;

    // Lost to whole ticks when a jog is timed; taken off so that the longest stays within bounds. Millimetres.
    private const double Rounding = 0.01;

    private readonly double _acceleration = profile.Acceleration * 1000;
    private SeededRandom _random = SeededRandom.For((ulong)seed, 60, 0);
    private long _now;
    private double _travel;
    private double _speed;
    private double _furthest;

    /// <summary>The pieces: without end, or a script's with the last one lasting for ever.</summary>
    public IEnumerable<BeltPiece> Run()
    {
        return (profile.Script is { } script ? Play(script) : Wander()).Where(p => p is not null).Select(p => p!.Value);
    }

    private IEnumerable<BeltPiece?> Play(IReadOnlyList<BeltLeg> script)
    {
        _speed = script[0].Speed * 1000;
        for (var i = 0; i < script.Count; i++)
        {
            var speed = script[i].Speed * 1000;
            if (_speed * speed < 0)
            {
                yield return Ramp(0);
            }

            yield return Ramp(speed);
            yield return i < script.Count - 1
                ? Hold(script[i].Hold.TotalSeconds)
                : new BeltPiece(_now, _travel, _speed, 0, _furthest);
        }
    }

    private IEnumerable<BeltPiece?> Wander()
    {
        _speed = Speed();
        while (true)
        {
            yield return Hold(profile.MeanLeg.TotalSeconds * _random.Range(0.1, 1.9));
            var change = _random.NextDouble();
            if (change < profile.StopShare)
            {
                yield return Ramp(0);
                yield return Hold(Stop());
            }
            else if (change < profile.StopShare + profile.ReversalShare)
            {
                yield return Ramp(0);
                yield return Hold(_random.Range(ShortestPause, LongestPause));
                var room = profile.LongestReversal - (_furthest - _travel) - Rounding;
                if (room >= BeltProfile.ShortestReversal)
                {
                    // The way back is a ramp up, a stretch and a ramp down, or the ramps alone where it is short.
                    var way = _random.Range(BeltProfile.ShortestReversal, room);
                    var speed = Math.Min(Speed(), Math.Sqrt(_acceleration * way));
                    yield return Ramp(-speed);
                    yield return Hold(Math.Max(0, (way - (speed * speed / _acceleration)) / speed));
                    yield return Ramp(0);
                    yield return Hold(_random.Range(ShortestPause, LongestPause));
                }
            }

            yield return Ramp(Speed());
        }
    }

    private double Speed()
    {
        return _random.Range(profile.MinimumSpeed, profile.MaximumSpeed) * 1000;
    }

    private double Stop()
    {
        var (shortest, longest) = (BeltProfile.ShortestStop.TotalSeconds, profile.LongestStop.TotalSeconds);
        return shortest * Math.Pow(longest / shortest, _random.NextDouble());
    }

    private BeltPiece? Ramp(double speed)
    {
        var ticks = Ticks(Math.Abs(speed - _speed) / _acceleration);
        var piece = Go(ticks, ticks == 0 ? 0 : (speed - _speed) / TimeSpan.FromTicks(ticks).TotalSeconds);
        _speed = speed;
        return piece;
    }

    private BeltPiece? Hold(double seconds)
    {
        return Go(Ticks(seconds), 0);
    }

    private BeltPiece? Go(long ticks, double acceleration)
    {
        if (ticks == 0)
        {
            return null;
        }

        var piece = new BeltPiece(_now, _travel, _speed, acceleration, _furthest);
        _now += ticks;
        _travel = piece.TravelAt(_now);
        _furthest = Math.Max(_furthest, _travel);
        return piece;
    }

    private static long Ticks(double seconds)
    {
        return (long)Math.Round(seconds * TimeSpan.TicksPerSecond);
    }
}
