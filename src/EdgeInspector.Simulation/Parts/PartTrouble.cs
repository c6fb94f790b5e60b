namespace EdgeInspector.Simulation.Parts;

/// <summary>A part that has its place on the belt, before its fate is known. Pixels of the belt.</summary>
internal readonly record struct Laid(
    long Index,
    int Column,
    int Row,
    PartExtent Extent,
    PlainShape? Shape,
    PartDesign? Design
)
{
    public int Rear => Column + Extent.Left;

    public double Offset(double mm)
    {
        return -(Column + ((Extent.Left + Extent.Right) / 2.0)) * mm;
    }
}

/// <summary>What goes wrong with one part.</summary>
/// <param name="RemovedAtPosition">Where on the line its centre is when a hand takes it, in millimetres.</param>
internal readonly record struct PartTrouble(PartTroubles Kinds, PartSlip? Slip, double? RemovedAtPosition);

/// <summary>Decides what goes wrong with each part, from the seed and its number.</summary>
/// <param name="reach">How far the belt may run back, in millimetres.</param>
internal sealed class PartTroubleMaker(VirtualLineOptions options, double reach)
{
    // Slides and turns take at least this much of the belt's way, and need as much room; in millimetres.
    private const double ShortestWay = 10;

    private readonly Disturbances _shares = options.Disturbances;

    /// <param name="ahead">Clear belt to the part before it, in millimetres.</param>
    /// <param name="behind">Clear belt that is kept for sure to the one after it.</param>
    /// <param name="pitch">Between its centre and that of the one before it.</param>
    public PartTrouble Of(in Laid laid, double ahead, double behind, double pitch)
    {
        // Always the same draws, so that one share does not change what another does.
        var random = SeededRandom.For((ulong)options.Seed, 70, laid.Index);
        var (removed, added) = (random.Chance(_shares.PartsRemoved), random.Chance(_shares.PartsAdded));
        var (stuck, slides) = (random.Chance(_shares.ValveStuck), random.Chance(_shares.PartsSliding));
        var turns = random.Chance(_shares.PartsTurning) && laid.Shape is { Round: false };
        var (where, from, to) = (random.NextDouble(), random.NextDouble(), random.NextDouble());
        var far = random.Range(-1.0, 1);
        var mm = options.MillimetresPerPixel;
        var half = (laid.Extent.Right - laid.Extent.Left) / 2.0 * mm;
        var kinds = (stuck ? PartTroubles.ValveStuck : 0) | (added ? PartTroubles.Added : 0);

        // Lifted off where it cannot come back into view, nor has been at the ejector.
        var (first, last) = (
            options.HalfView + half + reach + 1,
            options.EjectorPosition - (options.EjectorWindow / 2) - 1
        );
        double? taken = removed && first < last ? first + ((last - first) * where) : null;
        kinds |= taken is null ? 0 : PartTroubles.Removed;
        var slip = slides || turns ? Slip(laid, slides, ahead, behind, pitch, (from, to, far)) : null;
        kinds |=
            slip is null ? 0
            : slides ? PartTroubles.Slides
            : PartTroubles.Turns;
        return new PartTrouble(kinds, slip, taken);
    }

    /// <summary>
    /// A slide or a turn after the part has left the entry eye for good and before it begins to leave the view; null
    /// where there is no room. Neighbours may each take half of the clear belt between them, so they never meet.
    /// </summary>
    private PartSlip? Slip(
        in Laid laid,
        bool slides,
        double ahead,
        double behind,
        double pitch,
        (double From, double To, double Far) random
    )
    {
        var mm = options.MillimetresPerPixel;
        var half = (laid.Extent.Right - laid.Extent.Left) / 2.0 * mm;
        var first = options.EntryEyePosition + half + reach + 1;
        var last = Math.Min(_shares.SlideUntil ?? double.MaxValue, options.HalfView - half);
        var from = first + ((last - ShortestWay - first) * random.From);
        var to = from + ShortestWay + ((last - ShortestWay - from) * random.To);
        if (last - first < 2 * ShortestWay)
        {
            return null;
        }

        // Half of the room is the part's, less what rounding to pixels may take.
        var downstream = Math.Min(ahead, pitch - options.MinimumPitch) / 2;
        var shortest = (options.PlainParts?.MinimumLength ?? 0) / 2;
        var upstream = Math.Min(behind, behind + half + shortest - options.MinimumPitch) / 2;
        var (pixels, turn) = (0, 0.0);
        if (slides)
        {
            var way = random.Far * Math.Min(_shares.LongestSlide, random.Far < 0 ? downstream : upstream);
            pixels = Math.Sign(random.Far) == Math.Sign(way) ? (int)(way / mm) : 0;
        }
        else if (laid.Shape is { } shape)
        {
            var diagonal = new System.Numerics.Vector2(shape.Length, shape.Width).Length() / 2 * mm;
            turn = diagonal - half < Math.Min(ahead, behind) / 2 ? random.Far * Math.PI / 2 : 0;
        }

        var laidOffset = laid.Offset(mm);
        return pixels == 0 && turn == 0 ? null : new PartSlip(from + laidOffset, to + laidOffset, pixels, turn);
    }
}
