using EdgeInspector.Inspection;
using EdgeInspector.Line;
using EdgeInspector.Tests.Support;
using Xunit;

namespace EdgeInspector.Tests.Inspection;

/// <summary>The entry eye's book when edges are lost, doubled, flutter, or come again from a belt that jogs back.</summary>
public sealed class LostEdgeTests
{
    private readonly EntryEye _eye = new(new ConstantBelt(Some.Start, 1000), position: 0, tolerance: 15);

    [Fact]
    public void EveryStretchThatWasBlockedIsCoveredAndCountedWhateverIsLostOrDoubled()
    {
        for (var seed = 0; seed < 2000; seed++)
        {
            var random = new Random(seed);
            var eye = new EntryEye(new ConstantBelt(Some.Start, 1000), position: 0, tolerance: 15);
            var (parts, edges) = Row(random, 40);
            var pending = 0;
            var loss = random.NextDouble() * 0.5;
            var told = 0;

            // The first edge and the last are not lost: a loss shows with the edge after it.
            for (var i = 0; i < edges.Count; i++)
            {
                if (i > 0 && i < edges.Count - 1 && random.NextDouble() < loss)
                {
                    pending++;
                    continue;
                }

                var (blocked, at) = edges[i];
                told += eye.Edge(blocked, Some.At(at), pending) ? 1 : 0;
                pending = 0;
                if (random.Next(10) == 0)
                {
                    eye.Edge(blocked, Some.At(at + 0.5)); // The same once more.
                }
            }

            var blocks = Retire(eye);
            foreach (var part in parts)
            {
                var covered = part.From;
                foreach (var block in blocks.OrderBy(block => block.Seen.From))
                {
                    covered = block.Seen.From <= covered + 1e-6 ? Math.Max(covered, block.Seen.To) : covered;
                }

                Assert.True(covered >= part.To - 1e-6, $"seed {seed}: {part} is not covered");
            }

            Assert.Equal(parts.Count, blocks.Sum(block => block.Blockages));
            Assert.Equal(parts.Count, eye.Seen);
        }
    }

    [Fact]
    public void LostClearDoesNotMergeTwoParts()
    {
        Assert.False(_eye.Edge(true, Some.At(100)));
        Assert.True(_eye.Edge(true, Some.At(200), lost: 1));
        Assert.True(_eye.Edge(false, Some.At(260)));
        var blocks = Retire(_eye);
        Assert.Equal([new Stretch(100, 200), new Stretch(200, 260)], blocks.Select(block => block.Seen));
        Assert.Equal([true, false], blocks.Select(block => block.IsDoubtful));
        Assert.Equal(new Stretch(100, 160), blocks[0].Guess(0, 60));
    }

    [Fact]
    public void LostBeginningDoesNotLoseThePart()
    {
        _eye.Edge(true, Some.At(100));
        _eye.Edge(false, Some.At(160));
        Assert.True(_eye.Edge(false, Some.At(300), lost: 1));
        var doubtful = Retire(_eye)[1];
        Assert.Equal(160, doubtful.Seen.From, 1e-6);
        Assert.Equal(300, doubtful.Seen.To, 1e-6);
        Assert.Equal(1, doubtful.PartsMissing);
        Assert.Equal(270, doubtful.Guess(0, 60).Centre, 1e-6);
    }

    [Fact]
    public void PartsThatTheCameraFoundInADoubtfulBlockLeaveNoneMissing()
    {
        _eye.Edge(true, Some.At(100));
        _eye.Edge(false, Some.At(400), lost: 2);
        _eye.Claim(130, 60);
        _eye.Claim(370, 60);
        var block = Retire(_eye).Single();
        Assert.Equal(0, block.PartsMissing);
        Assert.False(block.TryFindUnclaimed(block.Seen.From, 25, out _)); // Bare belt between them is no part.
    }

    [Fact]
    public void FlutteringEdgeIsOnePart()
    {
        var told = 0;
        foreach (var at in new[] { 100, 100.4, 101, 101.3, 102, 158, 158.5, 160 }.Index())
        {
            told += _eye.Edge(at.Index % 2 == 0, Some.At(at.Item)) ? 1 : 0;
        }

        Assert.Equal(new Stretch(100, 160), Retire(_eye).Single().Seen);
        Assert.Equal(1, told);
        Assert.Equal(1, _eye.Seen);
    }

    [Fact]
    public void FlutterOfAnEndWhoseFirstEdgeWasLostIsNoPart()
    {
        _eye.Edge(true, Some.At(100));
        _eye.Edge(true, Some.At(160.4), lost: 1); // Clear at 160 was lost.
        _eye.Edge(false, Some.At(160.8));
        _eye.Edge(true, Some.At(240.4), lost: 2); // Blocked at 240 and clear at 240.2 were lost.
        _eye.Edge(false, Some.At(300));
        var blocks = Retire(_eye);
        Assert.Equal((100, 160.8, false), (blocks[0].Seen.From, Math.Round(blocks[0].Seen.To, 3), blocks[0].IsDoubtful));
        Assert.Equal(300, blocks[^1].Seen.To, 1e-6);
    }

    [Fact]
    public void WhatIsAnnouncedCoversEveryPartTheEyeSaw()
    {
        for (var seed = 0; seed < 300; seed++)
        {
            var random = new Random(seed);
            List<Stretch> announced = [];
            var begun = double.NaN;
            var eye = new EntryEye(
                new ConstantBelt(Some.Start, 1000),
                position: 0,
                tolerance: 15,
                (begins, offset) =>
                {
                    Assert.Equal(begins, double.IsNaN(begun)); // A beginning, an end, a beginning.
                    if (!begins)
                    {
                        announced.Add(new Stretch(begun, offset));
                    }

                    begun = begins ? offset : double.NaN;
                }
            );
            var (parts, edges) = Row(random, 40);
            var pending = 0;
            foreach (var (index, (blocked, at)) in edges.Index())
            {
                if (index > 3 && index < edges.Count - 1 && random.Next(20) == 0)
                {
                    pending++;
                    continue;
                }

                eye.Edge(blocked, Some.At(at), pending);
                pending = 0;
                if (random.Next(10) == 0)
                {
                    eye.Edge(!blocked, Some.At(at + 0.3)); // Flutters.
                    eye.Edge(blocked, Some.At(at + 0.6));
                }
            }

            foreach (var part in parts)
            {
                var seen = announced.Sum(stretch => Math.Max(0, Math.Min(part.To, stretch.To) - Math.Max(part.From, stretch.From)));
                Assert.True(seen >= 25, $"seed {seed}: {part} is announced for {seen:F1} mm only");
            }
        }
    }

    [Fact]
    public void BeltThatJogsBackThroughTheBeamMakesNoParts()
    {
        for (var seed = 0; seed < 50; seed++)
        {
            var random = new Random(seed);
            var belt = new JoggingBelt();
            var eye = new EntryEye(belt, position: 0, tolerance: 15);
            var (parts, _) = Row(random, 20);
            var blocked = false;
            var end = parts[^1].To + 50;
            var target = end;
            while (belt.Travel < end)
            {
                if (random.Next(1500) == 0)
                {
                    target = belt.Travel - random.Next(5, 150);
                }

                if (belt.Travel <= target)
                {
                    target = end;
                }

                belt.Travel += target < belt.Travel ? -0.25 : 0.25;
                var now = parts.Exists(part => part.From <= belt.Travel && belt.Travel < part.To);
                if (now != blocked)
                {
                    blocked = now;
                    eye.Edge(blocked, Some.Start);
                }
            }

            var blocks = Retire(eye);
            Assert.Equal(parts.Count, blocks.Count);
            Assert.Equal(parts.Count, eye.Seen);
            foreach (var (part, block) in parts.Zip(blocks))
            {
                Assert.Equal(part.From, block.Seen.From, 0.5);
                Assert.Equal(part.To, block.Seen.To, 0.5);
            }
        }
    }

    private static (List<Stretch> Parts, List<(bool Blocked, double At)> Edges) Row(Random random, int count)
    {
        List<Stretch> parts = [];
        List<(bool Blocked, double At)> edges = [];
        var at = 100.0;
        for (var i = 0; i < count; i++)
        {
            var length = 30 + (random.NextDouble() * 60);
            parts.Add(new Stretch(at, at + length));
            edges.Add((true, at));
            edges.Add((false, at + length));
            at += length + 5 + (random.NextDouble() * 60);
        }

        return (parts, edges);
    }

    private static List<EntryBlock> Retire(EntryEye eye)
    {
        List<EntryBlock> blocks = [];
        while (eye.TryRetire(1e9, out var block))
        {
            blocks.Add(block);
        }

        return blocks;
    }

    private sealed class JoggingBelt : IBelt
    {
        public double Travel { get; set; }

        public double Speed => 0;

        public bool IsKnown => true;

        public double TravelAt(Instant at) => Travel;

        public Instant WhenTravelReaches(double travel) => Instant.Never;
    }
}
