using CsCheck;
using EdgeInspector.Inspection;
using EdgeInspector.Vision;
using Xunit;

namespace EdgeInspector.Tests.Inspection;

public sealed class PartTrackerTests
{
    private const int Width = 640;
    private const int Height = 480;

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void PartSeenInManyFramesIsOnePartInEveryDirection(int direction)
    {
        var tracker = new PartTracker(Width, Height, (BeltDirection)direction);
        var ids = Ride(tracker, (BeltDirection)direction, [0, 130, 260, 500], speed: 26, frames: 60, wobble: 0, seed: 1);
        Assert.Equal([1L, 2, 3, 4], ids.Order());
    }

    [Fact]
    public void TouchingPartsWithWobblingBoxesKeepTheirIdentity() =>
        Gen.Int[1, 100_000]
            .Sample(
                seed =>
                {
                    var tracker = new PartTracker(Width, Height, BeltDirection.Right);
                    double[] offsets = [0, 121, 242, 363, 484, 700];
                    var ids = Ride(tracker, BeltDirection.Right, offsets, speed: 26, frames: 90, wobble: 6, seed);
                    Assert.Equal(offsets.Length, ids.Count);
                },
                iter: 100,
                seed: "0000000000005"
            );

    [Fact]
    public void PartCutByTheEdgeIsPassedOver()
    {
        var tracker = new PartTracker(Width, Height, BeltDirection.Right);
        tracker.Update([new Detection(new Box(0, 100, 80, 220), 0.9f, 0)], travel: 0, frame: 0);
        Assert.Equal(0, tracker.Tracks.Length);
    }

    [Fact]
    public void PartCutByTheEdgeIsPassedOverThoughTheDetectorEndsItInsideThePicture()
    {
        var tracker = new PartTracker(Width, Height, BeltDirection.Right);
        tracker.Update([new Detection(new Box(9, 100, 240, 400), 0.9f, 0)], travel: 0, frame: 0);
        Assert.Equal(0, tracker.Tracks.Length);
    }

    [Fact]
    public void PartThatIsNotDetectedForSomeFramesIsStillTheSamePart()
    {
        var tracker = new PartTracker(Width, Height, BeltDirection.Right);
        for (var frame = 0; frame < 20; frame++)
        {
            Detection[] seen = frame is > 5 and < 14 ? [] : [At(100 + (frame * 20))];
            tracker.Update(seen, frame * 20, frame);
        }

        Assert.Equal((1, 12), (tracker.Tracks.Length, tracker.Tracks[0].Sightings));
    }

    [Fact]
    public void SteppingTheTrackerAllocatesNothing()
    {
        var tracker = new PartTracker(Width, Height, BeltDirection.Right);
        Detection[] seen = [At(100), At(250), At(400)];
        tracker.Update(seen, 0, 0);
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var frame = 1; frame < 1000; frame++)
        {
            tracker.Update(seen, 0, frame);
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    [Fact]
    public void TravelIsMeasuredFromThePicturesWhereNobodyKnowsTheSpeed()
    {
        var tracker = new PartTracker(Width, Height, BeltDirection.Right);
        var estimator = new TravelEstimator(tracker);
        HashSet<long> ids = [];
        for (var frame = 0; frame < 200; frame++)
        {
            List<Detection> seen = [];
            for (var part = 0; part < 12; part++)
            {
                var position = (frame * 18.5) - (part * 280);
                if (position is > 62 and < Width - 62)
                {
                    seen.Add(At(position));
                }
            }

            var travel = estimator.Update(seen.ToArray());
            tracker.Update(seen.ToArray(), travel, frame);
            foreach (ref readonly var track in tracker.Tracks)
            {
                ids.Add(track.Id);
            }

            RemoveGone(tracker);
        }

        Assert.Equal(12, ids.Count);
    }

    private static Detection At(double position) =>
        new(new Box((float)position - 60, 180, (float)position + 60, 300), 0.9f, 0);

    private static HashSet<long> Ride(
        PartTracker tracker,
        BeltDirection direction,
        double[] offsets,
        double speed,
        int frames,
        double wobble,
        int seed
    )
    {
        var random = new Random(seed);
        HashSet<long> ids = [];
        for (var frame = 0; frame < frames; frame++)
        {
            var travel = frame * speed;
            List<Detection> seen = [];
            foreach (var offset in offsets)
            {
                var along = travel - offset + (wobble * ((random.NextDouble() * 2) - 1));
                var box = direction switch
                {
                    BeltDirection.Right => new Box((float)along - 60, 180, (float)along + 60, 300),
                    BeltDirection.Left => new Box((float)(Width - along) - 60, 180, (float)(Width - along) + 60, 300),
                    BeltDirection.Down => new Box(260, (float)along - 60, 380, (float)along + 60),
                    _ => new Box(260, (float)(Height - along) - 60, 380, (float)(Height - along) + 60),
                };
                var clipped = new Box(
                    Math.Clamp(box.X1, 0, Width),
                    Math.Clamp(box.Y1, 0, Height),
                    Math.Clamp(box.X2, 0, Width),
                    Math.Clamp(box.Y2, 0, Height)
                );
                if (clipped.Width > 20 && clipped.Height > 20)
                {
                    seen.Add(new Detection(clipped, 0.9f, 0));
                }
            }

            tracker.Update(seen.ToArray(), travel, frame);
            foreach (ref readonly var track in tracker.Tracks)
            {
                ids.Add(track.Id);
            }

            RemoveGone(tracker);
        }

        return ids;
    }

    private static void RemoveGone(PartTracker tracker)
    {
        for (var i = tracker.Tracks.Length - 1; i >= 0; i--)
        {
            if (tracker.IsGone(tracker.Tracks[i]))
            {
                tracker.RemoveAt(i);
            }
        }
    }
}
