using EdgeInspector.Line;
using EdgeInspector.Telemetry;

namespace EdgeInspector.Inspection;

/// <summary>The entry eyes of a station: one across the whole belt, or one a lane.</summary>
internal sealed class EntryEyes
{
    private readonly EntryEye[] _eyes;
    private long _closedAt = Instant.Never.Nanoseconds;

    /// <summary>Takes the eyes in the order of their lanes; a single one watches every lane.</summary>
    public EntryEyes(params EntryEye[] eyes) => _eyes = eyes;

    /// <summary>Makes the eyes, and lets them announce to the reject thread what is coming.</summary>
    /// <param name="belt">Gives edges their place.</param>
    /// <param name="positions">Where they look, mm along the line, in the order of their lanes.</param>
    /// <param name="tolerance">How far a part may lie from where an eye saw it, mm.</param>
    /// <param name="marks">Read by the reject thread.</param>
    /// <param name="figures">Counts announcements that found no room.</param>
    public static EntryEyes Announcing(
        IBelt belt,
        IEnumerable<double> positions,
        double tolerance,
        Ring<EntryMark> marks,
        InspectionFigures figures
    )
    {
        var places = positions.ToArray();
        return new EntryEyes([.. places.Select((position, eye) => new EntryEye(belt, position, tolerance, Announce((byte)eye)))]);

        Action<bool, double> Announce(byte eye)
        {
            var lanes = places.Length == 1 ? byte.MaxValue : (byte)(1 << eye);
            return (blocked, offset) =>
            {
                if (!marks.TryWrite(new EntryMark(eye, lanes, blocked, offset)))
                {
                    figures.EventLost();
                }
            };
        }
    }

    /// <summary>How many there are.</summary>
    public int Count => _eyes.Length;

    /// <summary>An eye, by its number.</summary>
    public EntryEye this[int number] => _eyes[number];

    /// <summary>The lanes an eye watches, one bit a lane.</summary>
    public byte LanesOf(int number) => _eyes.Length == 1 ? byte.MaxValue : (byte)(1 << number);

    /// <summary>
    /// Announces no further part, for a station that stops: nobody would decide it. A part in the beam is still told to its
    /// end. Any thread.
    /// </summary>
    public void Close(Instant now) => Volatile.Write(ref _closedAt, now.Nanoseconds);

    /// <summary>Blockages of any eye that found no room: parts that passed, and of which only their number is known.</summary>
    public long Overflowed => _eyes.Sum(eye => eye.Overflowed);

    /// <summary>Whether a part is in the beam of any eye, as far as edges tell. Any thread.</summary>
    public bool IsBlocked => Array.Exists(_eyes, eye => eye.IsBlocked);

    /// <summary>
    /// Takes an edge of a lane's eye, before which some may have been lost; true when it ended a blockage. Sensor thread.
    /// </summary>
    public bool Edge(int lane, bool blocked, Instant at, int lost = 0) =>
        lane < _eyes.Length && !(blocked && at.Nanoseconds > Volatile.Read(ref _closedAt)) && _eyes[lane].Edge(blocked, at, lost);

    /// <summary>Claims what the eyes of these lanes saw at an offset for one part; false when none saw anything there.</summary>
    public bool Claim(byte lanes, double offset, double length)
    {
        var seen = false;
        for (var i = 0; i < _eyes.Length; i++)
        {
            seen |= (LanesOf(i) & lanes) != 0 && _eyes[i].Claim(offset, length);
        }

        return seen;
    }

    /// <summary>Whether an eye of these lanes saw something at an offset.</summary>
    public bool Saw(byte lanes, double offset)
    {
        for (var i = 0; i < _eyes.Length; i++)
        {
            if ((LanesOf(i) & lanes) != 0 && _eyes[i].Saw(offset))
            {
                return true;
            }
        }

        return false;
    }
}
