using EdgeInspector.Simulation.Parts;
using Xunit;

namespace EdgeInspector.Tests.Simulation;

/// <summary>Nobody may argue about a verdict: good biscuits are whole and round, defects are plain to see.</summary>
public sealed class BiscuitTests
{
    private const double Pixel = 0.5;

    private static readonly PartDesign[] Biscuits =
    [
        .. Enumerable
            .Range(0, 12)
            .SelectMany(seed => Enumerable.Range(0, 60).Select(i => new BiscuitRange(seed, 0.7, Pixel).Design(i))),
    ];

    [Fact]
    public void GoodBiscuitsAreRoundAndOfOneSize()
    {
        Assert.All(
            Of("good"),
            b =>
            {
                Assert.InRange((b.Right - b.Left) * Pixel, 55.5, 64.5);
                Assert.InRange((b.Bottom - b.Top) * Pixel, 55.5, 64.5);
                Assert.InRange(Missing(b), -0.01, 0.07);
            }
        );
    }

    [Fact]
    public void BrokenBiscuitsMissAtLeastATenth()
    {
        Assert.All(Of("broken"), b => Assert.InRange(Missing(b), 0.10, 0.60));
    }

    [Fact]
    public void HolesAreSevenMillimetresOrMoreAndInside()
    {
        Assert.All(
            Of("hole"),
            b =>
            {
                var hole = EnclosedPixels(b) * Pixel * Pixel;
                Assert.InRange(2 * Math.Sqrt(hole / Math.PI), 6.5, 17);
            }
        );
    }

    [Fact]
    public void OnlyHoledBiscuitsShowTheBeltInside()
    {
        Assert.All(Biscuits.Where(b => b.Class != "hole"), b => Assert.Equal(0, EnclosedPixels(b)));
    }

    [Fact]
    public void MisshapenBiscuitsAreFarFromRound()
    {
        Assert.All(
            Of("misshapen"),
            b => Assert.True(Missing(b) > 0.07, $"only {Missing(b):P1} of the circle around it is missing")
        );
    }

    [Fact]
    public void NoBiscuitIsLargerThanTheLargest()
    {
        Assert.All(
            Biscuits,
            b => Assert.True(Math.Max(b.Right - b.Left, b.Bottom - b.Top) * Pixel <= BiscuitRange.LargestWidth)
        );
    }

    private static IEnumerable<PartDesign> Of(string kind)
    {
        return Biscuits.Where(b => b.Class == kind);
    }

    /// <summary>Share of the circle through the furthest point of the outline that is not covered.</summary>
    private static double Missing(PartDesign design)
    {
        var furthest = 0.0;
        for (var y = 0; y < design.Side; y++)
        {
            for (var x = 0; x < design.Side; x++)
            {
                if (design.Coverage[(y * design.Side) + x] >= 128)
                {
                    furthest = Math.Max(
                        furthest,
                        Math.Pow(x + 0.5 - design.Origin, 2) + Math.Pow(y + 0.5 - design.Origin, 2)
                    );
                }
            }
        }

        return 1 - (design.Area / (Math.PI * furthest));
    }

    /// <summary>Bare pixels that a walk from the corner cannot reach.</summary>
    private static int EnclosedPixels(PartDesign design)
    {
        var side = design.Side;
        var reached = new bool[side * side];
        var open = new Stack<int>([0]);
        reached[0] = true;
        while (open.TryPop(out var at))
        {
            foreach (var next in new[] { at - 1, at + 1, at - side, at + side })
            {
                if (next >= 0 && next < reached.Length && !reached[next] && design.Coverage[next] < 128)
                {
                    reached[next] = true;
                    open.Push(next);
                }
            }
        }

        return Enumerable.Range(0, reached.Length).Count(i => !reached[i] && design.Coverage[i] < 128);
    }
}
